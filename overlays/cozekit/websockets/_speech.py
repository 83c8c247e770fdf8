"""Text to speech: `SpeechSocket`, `AsyncSpeechSocket`, and what both need to speak a long text."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from coze_openapi import models as m
from coze_openapi.senders import SpeechSender
from coze_openapi.senders.websockets_speech import (
    INPUT_TEXT_BUFFER_APPEND_LIMITS,
    SPEECH_UPDATE_LIMITS,
)
from coze_runtime._publish import publish
from coze_runtime.limits import check
from coze_runtime.steps import Steps, run_steps, run_steps_async

from ..audio import AudioFormat, wav_header
from ..errors import ArgumentError
from ._protocol import SPEECH, SpeechEvent, audio_of
from ._socket import AsyncSocket, Sent, SyncSocket

MAX_BYTES: int = INPUT_TEXT_BUFFER_APPEND_LIMITS["text"].max_bytes or 0
"""UTF-8 bytes of text in one request; 0 when the description states none."""


class SpeechSocket(SyncSocket[SpeechEvent], SpeechSender[None]):
    """Text to speech. Source: pages tts_api, tts_event."""

    _spec = SPEECH

    def say(self, text: str, *, output_audio: m.OutputAudio | None = None) -> bytes:
        """The sound of a text of any length: PCM, 24 kHz, mono, 16 bit, unless `output_audio` says
        otherwise; no header.

        A text above 1,024 bytes is cut after sentences into several requests, each on a separate
        connection, since the pages promise no second request on one. The socket itself need not be
        open.

        Args:
            text: What is spoken.
            output_audio: Codec, sample rate, voice, speed and loudness; None takes the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the sound is complete.
        """
        return b"".join(self.say_stream(text, output_audio=output_audio))

    def say_stream(
        self, text: str, *, output_audio: m.OutputAudio | None = None
    ) -> Iterator[bytes]:
        """The sound of a text of any length in pieces as they come, to be played meanwhile. A piece
        need not hold whole samples. The socket itself need not be open.

        Args:
            text: What is spoken.
            output_audio: Codec, sample rate, voice, speed and loudness; None takes the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the sound is complete.
        """
        check({"output_audio": output_audio}, SPEECH_UPDATE_LIMITS)
        return self._say(split_text(text), output_audio)

    def say_file(
        self,
        text: str,
        file: str | os.PathLike[str] | IO[bytes],
        *,
        output_audio: m.OutputAudio | None = None,
    ) -> int:
        """Writes the sound of a text of any length to a file; returns the bytes of sound. The
        socket itself need not be open.

        Args:
            text: What is spoken.
            file: A path, or an open binary file. A path that ends in `.wav` becomes a WAV file when
                the sound is PCM; everything else gets the bytes as they come.
            output_audio: Codec, sample rate, voice, speed and loudness; None takes the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the sound is complete; a
                file that was made here is removed.
        """
        pieces = self.say_stream(text, output_audio=output_audio)
        size = 0
        with _sound_file(file, output_audio) as target:
            for piece in pieces:
                target.write(piece)
                size += len(piece)
        return size

    def _say(self, texts: list[str], output_audio: m.OutputAudio | None) -> Iterator[bytes]:
        for text in texts:
            with self._another() as socket:
                run_steps(_request(socket, text, output_audio))
                for event in socket:
                    if isinstance(event, m.SpeechAudioUpdateEvent):
                        yield audio_of(event)
                    elif isinstance(event, m.SpeechAudioCompletedEvent):
                        break


class AsyncSpeechSocket(AsyncSocket[SpeechEvent], SpeechSender[Sent]):
    """Text to speech. Source: pages tts_api, tts_event."""

    _spec = SPEECH

    async def say(self, text: str, *, output_audio: m.OutputAudio | None = None) -> bytes:
        """The sound of a text of any length: PCM, 24 kHz, mono, 16 bit, unless `output_audio` says
        otherwise; no header.

        A text above 1,024 bytes is cut after sentences into several requests, each on a separate
        connection, since the pages promise no second request on one. The socket itself need not be
        open.

        Args:
            text: What is spoken.
            output_audio: Codec, sample rate, voice, speed and loudness; None takes the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the sound is complete.
        """
        return b"".join([piece async for piece in self.say_stream(text, output_audio=output_audio)])

    def say_stream(
        self, text: str, *, output_audio: m.OutputAudio | None = None
    ) -> AsyncIterator[bytes]:
        """The sound of a text of any length in pieces as they come, to be played meanwhile. A piece
        need not hold whole samples. The socket itself need not be open.

        Args:
            text: What is spoken.
            output_audio: Codec, sample rate, voice, speed and loudness; None takes the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the sound is complete.
        """
        check({"output_audio": output_audio}, SPEECH_UPDATE_LIMITS)
        return self._say(split_text(text), output_audio)

    async def say_file(
        self,
        text: str,
        file: str | os.PathLike[str] | IO[bytes],
        *,
        output_audio: m.OutputAudio | None = None,
    ) -> int:
        """Writes the sound of a text of any length to a file; returns the bytes of sound. The
        socket itself need not be open.

        Args:
            text: What is spoken.
            file: A path, or an open binary file. A path that ends in `.wav` becomes a WAV file when
                the sound is PCM; everything else gets the bytes as they come.
            output_audio: Codec, sample rate, voice, speed and loudness; None takes the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the sound is complete; a
                file that was made here is removed.
        """
        pieces = self.say_stream(text, output_audio=output_audio)
        size = 0
        with _sound_file(file, output_audio) as target:
            async for piece in pieces:
                target.write(piece)
                size += len(piece)
        return size

    async def _say(
        self, texts: list[str], output_audio: m.OutputAudio | None
    ) -> AsyncIterator[bytes]:
        for text in texts:
            async with self._another() as socket:
                await run_steps_async(_request(socket, text, output_audio))
                async for event in socket:
                    if isinstance(event, m.SpeechAudioUpdateEvent):
                        yield audio_of(event)
                    elif isinstance(event, m.SpeechAudioCompletedEvent):
                        break


def _request(
    socket: SpeechSender[Any], text: str, output_audio: m.OutputAudio | None
) -> Steps[None]:
    if output_audio is not None:
        yield socket.speech_update(output_audio=output_audio)
    yield socket.input_text_buffer_append(text)
    yield socket.input_text_buffer_complete()


def split_text(text: str, limit: int = MAX_BYTES) -> list[str]:
    """A text in pieces of at most `limit` bytes, cut behind sentences where possible, else behind
    words, else anywhere. With a limit of 0 it stays whole.

    Raises:
        ArgumentError: The text is empty.
    """
    rest = text.strip()
    if not rest:
        raise ArgumentError("there is no text to speak", argument="text")
    pieces = []
    while limit and len(rest.encode()) > limit:
        head = rest.encode()[:limit].decode("utf-8", "ignore")
        place = (
            max(head.rfind(mark) for mark in "。！？；.!?;\n") + 1
            or max(head.rfind(mark) for mark in "，、, ") + 1
            or len(head)
        )
        if piece := rest[:place].strip():
            pieces.append(piece)
        rest = rest[place:].lstrip()
    if rest:
        pieces.append(rest)
    return pieces


@contextmanager
def _sound_file(
    file: str | os.PathLike[str] | IO[bytes], audio: m.OutputAudio | None
) -> Iterator[IO[bytes]]:
    """A file that takes sound as it comes: a WAV file when its name ends so and the sound is PCM,
    else the bytes alone. One that was made here is removed when the sound stays incomplete.
    """
    if not isinstance(file, str | os.PathLike):
        yield file
        return
    path = Path(file)
    wav = _pcm_format(audio) if path.suffix.lower() == ".wav" else None
    header = b"" if wav is None else wav_header(wav)
    target = path.open("wb")
    try:
        with target:
            target.write(header)
            yield target
            if wav is not None:
                size = target.tell() - len(header)
                target.seek(0)
                target.write(wav_header(wav, size))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _pcm_format(audio: m.OutputAudio | None) -> AudioFormat | None:
    """The format of the samples that a request for speech gives; None when they are not PCM."""
    if audio is None:
        return AudioFormat()
    if audio.codec not in (None, "pcm"):
        return None
    rate = audio.pcm_config.sample_rate if audio.pcm_config else None
    return AudioFormat() if rate is None else AudioFormat(sample_rate=int(rate))


publish(globals(), "cozekit.websockets", "SpeechSocket", "AsyncSpeechSocket")
