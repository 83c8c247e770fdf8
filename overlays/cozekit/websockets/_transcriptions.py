"""Speech to text: `TranscriptionsSocket`, `AsyncTranscriptionsSocket`; and the sockets of
simultaneous interpretation.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

from coze_openapi import models as m
from coze_openapi.senders import SimultInterpretationSender, TranscriptionsSender
from coze_openapi.senders.websockets_transcriptions import TRANSCRIPTIONS_UPDATE_LIMITS
from coze_runtime import publish
from coze_runtime.limits import check
from coze_runtime.steps import Steps, run_steps, run_steps_async

from ..audio import G711, AsyncAudioSource, AudioFormat, AudioSource, achunks, apaced, chunks, paced
from ..errors import ArgumentError
from ._protocol import (
    SIMULT_INTERPRETATION,
    TRANSCRIPTIONS,
    SimultInterpretationEvent,
    TranscriptionsEvent,
)
from ._socket import AsyncSocket, Sent, SyncSocket


class TranscriptionsSocket(SyncSocket[TranscriptionsEvent], TranscriptionsSender[None]):
    """Speech to text. Source: pages asr_api, asr_event."""

    _spec = TRANSCRIPTIONS

    def transcribe(
        self,
        file: AudioSource,
        *,
        input_audio: m.InputAudio | None = None,
        asr_config: m.TranscriptionAsrConfig | None = None,
        on_progress: Callable[[str], object] | None = None,
        speed: float | None = None,
    ) -> str:
        """Transcribes a recording on a separate connection; the socket itself need not be open.

        Args:
            file: A path, bytes, an open file, or an iterable of bytes, such as a microphone. WAV
                and Ogg are recognised.
            input_audio: Format of the recording; required for raw samples, None for WAV and Ogg.
            asr_config: Language, expected words, punctuation; None uses the server's defaults.
            on_progress: Called with the whole text so far whenever it grows, in the thread that
                reads the socket.
            speed: 1.0 sends in real time, as the pages recommend for microphones; None sends as
                fast as possible.

        Raises:
            ArgumentError: Coze does not support this format.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the text is complete.
        """
        source = chunks(file)
        first = next(source, b"")
        audio = _recognized_format(first, input_audio)
        pieces = paced(itertools.chain([first], source), _sample_format(audio), speed=speed)
        with self._new_socket() as socket:
            return run_steps(
                _transcribe(socket, lambda: next(pieces, b""), audio, asr_config, on_progress)
            )


class AsyncTranscriptionsSocket(AsyncSocket[TranscriptionsEvent], TranscriptionsSender[Sent]):
    """Speech to text. Source: pages asr_api, asr_event."""

    _spec = TRANSCRIPTIONS

    async def transcribe(
        self,
        file: AsyncAudioSource,
        *,
        input_audio: m.InputAudio | None = None,
        asr_config: m.TranscriptionAsrConfig | None = None,
        on_progress: Callable[[str], object] | None = None,
        speed: float | None = None,
    ) -> str:
        """Transcribes a recording on a separate connection; the socket itself need not be open.

        Args:
            file: A path, bytes, an open file, or an iterable or async iterable of bytes, such as a
                microphone. WAV and Ogg are recognised.
            input_audio: Format of the recording; required for raw samples, None for WAV and Ogg.
            asr_config: Language, expected words, punctuation; None uses the server's defaults.
            on_progress: Plain function called with the whole text so far whenever it grows, in the
                task that reads the socket.
            speed: 1.0 sends in real time, as the pages recommend for microphones; None sends as
                fast as possible.

        Raises:
            ArgumentError: Coze does not support this format.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the text is complete.
        """
        source = achunks(file)
        first = await anext(source, b"")
        audio = _recognized_format(first, input_audio)

        async def all_pieces() -> AsyncIterator[bytes]:
            yield first
            async for piece in source:
                yield piece

        pieces = apaced(all_pieces(), _sample_format(audio), speed=speed)
        async with self._new_socket() as socket:
            return await run_steps_async(
                _transcribe(socket, lambda: anext(pieces, b""), audio, asr_config, on_progress)
            )


def _transcribe(
    socket: Any,
    next_piece: Callable[[], Any],
    audio: m.InputAudio | None,
    asr_config: m.TranscriptionAsrConfig | None,
    on_progress: Callable[[str], object] | None,
) -> Steps[str]:
    heard = ""

    def progress(event: m.TranscriptionsMessageUpdateEvent) -> None:
        nonlocal heard
        heard = (event.data.content if event.data else None) or ""
        if on_progress is not None:
            on_progress(heard)

    socket.on(m.TranscriptionsMessageUpdateEvent)(progress)
    if audio is not None or asr_config is not None:
        yield socket.transcriptions_update(input_audio=audio, asr_config=asr_config)
    while piece := (yield next_piece()):
        yield socket.input_audio_buffer_append(piece)
    yield socket.input_audio_buffer_complete()
    end = yield socket.wait_for(m.TranscriptionsMessageCompletedEvent)
    return heard or (end.data.content if end.data else None) or ""


def _recognized_format(first: bytes, audio: m.InputAudio | None) -> m.InputAudio | None:
    """Returns the given format, or detects it from the first bytes; None for WAV, the server's
    default.

    Raises:
        ArgumentError: No format was passed and the recording is neither WAV nor Ogg, or Coze does
            not support the format.
    """
    if audio is not None:
        check({"input_audio": audio}, TRANSCRIPTIONS_UPDATE_LIMITS)
        return audio
    if first.startswith(b"RIFF"):
        if len(first) >= 36 and first[12:16] == b"fmt ":
            rate = int.from_bytes(first[24:28], "little")
            wav_format = m.InputAudio(
                sample_rate=m.InputAudioSampleRate(rate),
                channel=int.from_bytes(first[22:24], "little"),
                bit_depth=int.from_bytes(first[34:36], "little"),
            )
            check({"input_audio": wav_format}, TRANSCRIPTIONS_UPDATE_LIMITS)
        return None
    if first.startswith(b"OggS"):
        return m.InputAudio(format=m.InputAudioFormat.OGG, codec=m.InputAudioCodec.OPUS)
    raise ArgumentError(
        "the audio is neither WAV nor Ogg; pass its format as input_audio=InputAudio(format=…, …)",
        argument="input_audio",
    )


def _sample_format(audio: m.InputAudio | None) -> AudioFormat:
    """The sample format of sent audio, which determines its duration."""
    if audio is None:
        return AudioFormat()
    if audio.codec in ("g711a", "g711u"):
        return G711
    return AudioFormat(
        int(audio.sample_rate or 24_000), int(audio.channel or 1), int(audio.bit_depth or 16)
    )


class SimultInterpretationSocket(
    SyncSocket[SimultInterpretationEvent], SimultInterpretationSender[None]
):
    """Simultaneous interpretation. No official page describes this socket; it may change without
    notice.
    """

    _spec = SIMULT_INTERPRETATION


class AsyncSimultInterpretationSocket(
    AsyncSocket[SimultInterpretationEvent], SimultInterpretationSender[Sent]
):
    """Simultaneous interpretation. No official page describes this socket; it may change without
    notice.
    """

    _spec = SIMULT_INTERPRETATION


publish(
    globals(),
    "cozekit.websockets",
    "TranscriptionsSocket",
    "AsyncTranscriptionsSocket",
    "SimultInterpretationSocket",
    "AsyncSimultInterpretationSocket",
)
