"""Text to speech: `SpeechSocket`, `AsyncSpeechSocket`, and their helpers for long texts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from coze_openapi import models as m
from coze_openapi.senders import SpeechSender
from coze_openapi.senders.websockets_speech import (
    INPUT_TEXT_BUFFER_APPEND_LIMITS,
    SPEECH_UPDATE_LIMITS,
)
from coze_runtime import publish
from coze_runtime.limits import check
from coze_runtime.steps import Steps, run_steps, run_steps_async

from ..errors import ArgumentError
from ._protocol import SPEECH, SpeechEvent, audio_of
from ._socket import AsyncSocket, Sent, SyncSocket

if TYPE_CHECKING:
    from coze_runtime.streams.speech import AudioFile

MAX_BYTES: int = INPUT_TEXT_BUFFER_APPEND_LIMITS["text"].max_bytes or 0
"""Maximum UTF-8 bytes of text in one request; 0 if the description states no limit."""


class SpeechSocket(SyncSocket[SpeechEvent], SpeechSender[None]):
    """Text to speech. Source: pages tts_api, tts_event."""

    _spec = SPEECH

    def say(self, text: str, *, output_audio: m.OutputAudio | None = None) -> bytes:
        """Returns the speech for a text of any length: PCM, 24 kHz, mono, 16 bit without a header,
        unless `output_audio` sets another format.

        Text above 1,024 bytes is split after sentences into several requests, each on a separate
        connection, since the pages document one request per connection. The socket itself need not
        be open.

        Args:
            text: The text to speak.
            output_audio: Codec, sample rate, voice, speed and loudness; None uses the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the audio is complete.
        """
        return b"".join(self.say_stream(text, output_audio=output_audio))

    def say_stream(
        self, text: str, *, output_audio: m.OutputAudio | None = None
    ) -> Iterator[bytes]:
        """Yields the speech for a text of any length in pieces as they arrive. A piece may end
        in the middle of a sample. The socket itself need not be open.

        Args:
            text: The text to speak.
            output_audio: Codec, sample rate, voice, speed and loudness; None uses the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the audio is complete.
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
        """Writes the speech for a text of any length to a file; returns the bytes of audio. The
        socket itself need not be open.

        Args:
            text: The text to speak.
            file: A path, or an open binary file. A path that ends in `.wav` becomes a WAV file if
                the audio is PCM; everything else gets the raw bytes. The file at a path appears,
                or replaces another, when the audio is complete.
            output_audio: Codec, sample rate, voice, speed and loudness; None uses the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, a value is beyond its limits, or the file cannot be
                written.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the audio is complete. An
                existing file at the path is kept.
        """
        pieces = self.say_stream(text, output_audio=output_audio)
        with _target(file, output_audio) as target:
            return sum(target.write(piece) for piece in pieces)

    def _say(self, texts: list[str], output_audio: m.OutputAudio | None) -> Iterator[bytes]:
        for text in texts:
            with self._new_socket() as socket:
                run_steps(_send_text(socket, text, output_audio))
                for event in socket:
                    if isinstance(event, m.SpeechAudioUpdateEvent):
                        yield audio_of(event)
                    elif isinstance(event, m.SpeechAudioCompletedEvent):
                        break


class AsyncSpeechSocket(AsyncSocket[SpeechEvent], SpeechSender[Sent]):
    """Text to speech. Source: pages tts_api, tts_event."""

    _spec = SPEECH

    async def say(self, text: str, *, output_audio: m.OutputAudio | None = None) -> bytes:
        """Returns the speech for a text of any length: PCM, 24 kHz, mono, 16 bit without a header,
        unless `output_audio` sets another format.

        Text above 1,024 bytes is split after sentences into several requests, each on a separate
        connection, since the pages document one request per connection. The socket itself need not
        be open.

        Args:
            text: The text to speak.
            output_audio: Codec, sample rate, voice, speed and loudness; None uses the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the audio is complete.
        """
        return b"".join([piece async for piece in self.say_stream(text, output_audio=output_audio)])

    def say_stream(
        self, text: str, *, output_audio: m.OutputAudio | None = None
    ) -> AsyncIterator[bytes]:
        """Yields the speech for a text of any length in pieces as they arrive. A piece may end
        in the middle of a sample. The socket itself need not be open.

        Args:
            text: The text to speak.
            output_audio: Codec, sample rate, voice, speed and loudness; None uses the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the audio is complete.
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
        """Writes the speech for a text of any length to a file; returns the bytes of audio. The
        socket itself need not be open.

        Args:
            text: The text to speak.
            file: A path, or an open binary file. A path that ends in `.wav` becomes a WAV file if
                the audio is PCM; everything else gets the raw bytes. The file at a path appears,
                or replaces another, when the audio is complete.
            output_audio: Codec, sample rate, voice, speed and loudness; None uses the server's
                defaults: PCM, 24 kHz, mono, 16 bit.

        Raises:
            ArgumentError: The text is empty, a value is beyond its limits, or the file cannot be
                written.
            APIConnectionError: The server could not be reached or did not respond in time.
            WebSocketError: The server reports an error, or closes before the audio is complete. An
                existing file at the path is kept.
        """
        pieces = self.say_stream(text, output_audio=output_audio)
        with _target(file, output_audio) as target:
            return sum([target.write(piece) async for piece in pieces])

    async def _say(
        self, texts: list[str], output_audio: m.OutputAudio | None
    ) -> AsyncIterator[bytes]:
        for text in texts:
            async with self._new_socket() as socket:
                await run_steps_async(_send_text(socket, text, output_audio))
                async for event in socket:
                    if isinstance(event, m.SpeechAudioUpdateEvent):
                        yield audio_of(event)
                    elif isinstance(event, m.SpeechAudioCompletedEvent):
                        break


def _send_text(
    socket: SpeechSender[Any], text: str, output_audio: m.OutputAudio | None
) -> Steps[None]:
    if output_audio is not None:
        yield socket.speech_update(output_audio=output_audio)
    yield socket.input_text_buffer_append(text)
    yield socket.input_text_buffer_complete()


def split_text(text: str, limit: int = MAX_BYTES) -> list[str]:
    """Splits a text into pieces of at most `limit` bytes: after sentences if possible, else after
    words, else anywhere. A limit of 0 does not split it.

    Raises:
        ArgumentError: The text is empty.
    """
    rest = text.strip()
    if not rest:
        raise ArgumentError("there is no text to speak", argument="text")
    pieces = []
    # `replace`: UTF-8 cannot hold half of a surrogate pair.
    while limit and len(rest.encode(errors="replace")) > limit:
        head = rest.encode(errors="replace")[:limit].decode("utf-8", "ignore")
        end = (
            max(head.rfind(mark) for mark in "。！？；.!?;\n") + 1
            or max(head.rfind(mark) for mark in "，、, ") + 1
            or len(head)
        )
        if piece := rest[:end].strip():
            pieces.append(piece)
        rest = rest[end:].lstrip()
    if rest:
        pieces.append(rest)
    return pieces


@contextmanager
def _target(
    file: str | os.PathLike[str] | IO[bytes], audio: m.OutputAudio | None
) -> Iterator[IO[bytes] | AudioFile]:
    """Opens a file for audio. A file at a path appears when the audio is complete."""
    if not isinstance(file, str | os.PathLike):
        yield file
        return
    from coze_runtime.streams.speech import AudioFile

    rate = audio.pcm_config.sample_rate if audio and audio.pcm_config else None
    with AudioFile(file, (audio and audio.codec) or "pcm", rate) as target:
        yield target
        target.finish()


publish(globals(), "cozekit.websockets", "SpeechSocket", "AsyncSpeechSocket")
