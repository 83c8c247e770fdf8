"""The four sockets for coroutines, on asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import IO, Any

from coze_openapi import models as m
from coze_openapi.senders import (
    ChatSender,
    SimultInterpretationSender,
    SpeechSender,
    TranscriptionsSender,
)
from coze_openapi.senders.websockets_speech import SPEECH_UPDATE_LIMITS
from coze_runtime.limits import check

from ..audio import AsyncAudioSource, AudioFormat, achunks, apaced
from .asynchronous import AsyncSocket
from .base import OPEN
from .dialogue import Dialogue, VoiceStep
from .kinds import (
    CHAT,
    SIMULT_INTERPRETATION,
    SPEECH,
    TRANSCRIPTIONS,
    ChatSocketEvent,
    SimultInterpretationEvent,
    SpeechEvent,
    TranscriptionsEvent,
)
from .pieces import pieces_of
from .sound import SoundFile, audio_of, input_format, recognised
from .wire import WebSocketTimeout

Sent = Coroutine[Any, Any, None]


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
            APIConnectionError: The server could not be reached.
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
            APIConnectionError: The server could not be reached.
            WebSocketError: The server reports an error, or closes before the sound is complete.
        """
        check({"output_audio": output_audio}, SPEECH_UPDATE_LIMITS)
        return self._say(pieces_of(text), output_audio)

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
            APIConnectionError: The server could not be reached.
            WebSocketError: The server reports an error, or closes before the sound is complete; a
                file that was made here is removed.
        """
        pieces = self.say_stream(text, output_audio=output_audio)
        target = SoundFile(file, output_audio)
        try:
            async for piece in pieces:
                target.write(piece)
        except BaseException:
            target.discard()
            raise
        return target.finish()

    async def _say(
        self, texts: list[str], output_audio: m.OutputAudio | None
    ) -> AsyncIterator[bytes]:
        for text in texts:
            async with self._fresh() as socket:
                if output_audio is not None:
                    await socket.speech_update(output_audio=output_audio)
                await socket.input_text_buffer_append(text)
                await socket.input_text_buffer_complete()
                async for event in socket:
                    if isinstance(event, m.SpeechAudioUpdateEvent):
                        yield audio_of(event)
                    elif isinstance(event, m.SpeechAudioCompletedEvent):
                        break


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
        """The text of a recording. Uses a separate connection; the socket itself need not be open.

        Args:
            file: A path, bytes, an open file, or pieces such as those of a microphone, from an
                iterable or async iterable. WAV and Ogg are recognised.
            input_audio: Format of the recording; needed for raw samples, None for WAV and Ogg.
            asr_config: Language, words to expect, punctuation; None takes the server's defaults.
            on_progress: Plain function called with the whole text so far, each time that more was
                heard, in the task that reads the socket.
            speed: 1.0 sends in real time, as the pages advise for microphones; None as fast as
                possible.

        Raises:
            ArgumentError: Coze does not read this format.
            APIConnectionError: The server could not be reached.
            WebSocketError: The server reports an error, or closes before the text is complete.
        """
        source = achunks(file)
        first = await anext(source, b"")
        audio = recognised(first, input_audio)
        heard = [""]

        async def whole() -> AsyncIterator[bytes]:
            yield first
            async for piece in source:
                yield piece

        def progress(event: m.TranscriptionsMessageUpdateEvent) -> None:
            heard[0] = (event.data.content if event.data else None) or ""
            if on_progress is not None:
                on_progress(heard[0])

        async with self._fresh() as socket:
            socket.on(m.TranscriptionsMessageUpdateEvent)(progress)
            if audio is not None or asr_config is not None:
                await socket.transcriptions_update(input_audio=audio, asr_config=asr_config)
            async for piece in apaced(whole(), input_format(audio), speed=speed):
                await socket.input_audio_buffer_append(piece)
            await socket.input_audio_buffer_complete()
            end: m.TranscriptionsMessageCompletedEvent = await socket.wait_for(
                m.TranscriptionsMessageCompletedEvent
            )
        return heard[0] or (end.data.content if end.data else None) or ""


class AsyncChatSocket(AsyncSocket[ChatSocketEvent], ChatSender[Sent]):
    """A spoken dialogue with a bot. Source: pages streaming_chat_api, streaming_chat_event,
    streaming_chat_downlink_event.
    """

    _spec = CHAT

    async def converse(
        self,
        source: AsyncAudioSource,
        *,
        format: AudioFormat = AudioFormat(),  # noqa: B008
        chunk_ms: float = 100.0,
        speed: float | None = 1.0,
        patience: float = 10.0,
    ) -> AsyncIterator[VoiceStep]:
        """Speaks and listens: sends the sound of `source` in a task and yields what the program has
        to act upon.

        Set formats and turn taking with `chat_update` before. The end of the source ends the user's
        turn; the iteration ends with the answer to it. The user interrupts by speaking when the
        server listens for it (`server_vad`), the program with `conversation_chat_cancel`; either
        way an `interrupted` step comes, and no more sound of that answer.

        Args:
            source: The user's voice, in the format of `input_audio`; a WAV file as it is.
            format: What its bytes are, to pace them.
            chunk_ms: Milliseconds of sound in one event.
            speed: 1.0 sends in real time; None for a microphone, which sets the pace itself.
            patience: Seconds to wait for the next event after the source ended and while no answer
                is under way.

        Raises:
            ChatFailed: An answer failed.
            WebSocketError: The server reports an error, or the connection was lost.
        """

        async def feed() -> None:
            try:
                async for piece in apaced(source, format, chunk_ms=chunk_ms, speed=speed):
                    await self.input_audio_buffer_append(piece)
                await self.input_audio_buffer_complete()
            except Exception as error:
                # Of a socket that is closed everybody is told anyway.
                if self.state == OPEN:
                    self._fail(error)

        feeder = asyncio.create_task(feed(), name="cozekit-voice")
        try:
            async with aclosing(self._steps(Dialogue(), feeder, patience)) as steps:
                async for step in steps:
                    yield step
        finally:
            feeder.cancel()
            await asyncio.wait([feeder])

    async def _steps(
        self, dialogue: Dialogue, feeder: asyncio.Task[None], patience: float
    ) -> AsyncGenerator[VoiceStep, None]:
        events = aiter(self)
        while True:
            was_fed = feeder.done()
            try:
                event = await (
                    anext(events) if dialogue.answering else events.next_within(patience)
                )
            except WebSocketTimeout:
                if dialogue.answering:
                    raise
                if was_fed:
                    return
                continue
            except StopAsyncIteration:
                return
            for step in dialogue.feed(event):
                yield step
            if feeder.done() and dialogue.is_over(event):
                return


class AsyncSimultInterpretationSocket(
    AsyncSocket[SimultInterpretationEvent], SimultInterpretationSender[Sent]
):
    """Simultaneous interpretation. No official page describes this socket; it may change without
    notice.
    """

    _spec = SIMULT_INTERPRETATION
