"""The four sockets for coroutines, on asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import IO, Any

from coze_openapi import models as m

from ..audio import AsyncAudioSource, AudioFormat, achunks, apaced
from . import checks
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
from .sound import SoundFile, audio_of, input_format, recognised
from .uplink import ChatUplink, SimultInterpretationUplink, SpeechUplink, TranscriptionsUplink
from .wire import WebSocketTimeout

Sent = Coroutine[Any, Any, None]


class AsyncSpeechSocket(AsyncSocket[SpeechEvent], SpeechUplink[Sent]):
    """Text to speech. Source: pages tts_api, tts_event."""

    _spec = SPEECH

    async def say(self, text: str, *, output_audio: m.OutputAudio | None = None) -> bytes:
        """The sound of a text of any length. See `SpeechSocket.say`."""
        return b"".join([piece async for piece in self.say_stream(text, output_audio=output_audio)])

    def say_stream(self, text: str, *, output_audio: m.OutputAudio | None = None) -> AsyncIterator[bytes]:
        """The same in pieces as they come. See `SpeechSocket.say_stream`."""
        checks.output_audio(output_audio, codecs=checks.SPEECH_CODECS)
        return self._say(checks.pieces_of(text), output_audio)

    async def say_file(self, text: str, file: str | os.PathLike[str] | IO[bytes], *, output_audio: m.OutputAudio | None = None) -> int:
        """Writes the sound to a file. See `SpeechSocket.say_file`."""
        pieces = self.say_stream(text, output_audio=output_audio)
        target = SoundFile(file, output_audio)
        try:
            async for piece in pieces:
                target.write(piece)
        except BaseException:
            target.discard()
            raise
        return target.finish()

    async def _say(self, texts: list[str], output_audio: m.OutputAudio | None) -> AsyncIterator[bytes]:
        for text in texts:
            async with self._fresh() as socket:
                if output_audio is not None:
                    await socket.speech_update(output_audio=output_audio)
                await socket.input_text_buffer_append(text)
                await socket.input_text_buffer_complete()
                async for event in socket:
                    if event.event_type == "speech.audio.update":
                        yield audio_of(event)
                    elif event.event_type == "speech.audio.completed":
                        break


class AsyncTranscriptionsSocket(AsyncSocket[TranscriptionsEvent], TranscriptionsUplink[Sent]):
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
        """The text of a recording; `on_progress` is a plain function. See `TranscriptionsSocket.transcribe`."""
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
            end: m.TranscriptionsMessageCompletedEvent = await socket.wait_for(m.TranscriptionsMessageCompletedEvent)
        return heard[0] or (end.data.content if end.data else None) or ""


class AsyncChatSocket(AsyncSocket[ChatSocketEvent], ChatUplink[Sent]):
    """A spoken dialogue with a bot. Source: pages streaming_chat_api, streaming_chat_event, streaming_chat_downlink_event."""

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
        """Speaks and listens: sends the sound in a task and yields what the program has to act upon. See `ChatSocket.converse`."""

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

    async def _steps(self, dialogue: Dialogue, feeder: asyncio.Task[None], patience: float) -> AsyncGenerator[VoiceStep, None]:
        events = aiter(self)
        while True:
            was_fed = feeder.done()
            try:
                event = await (anext(events) if dialogue.answering else events.next_within(patience))
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


class AsyncSimultInterpretationSocket(AsyncSocket[SimultInterpretationEvent], SimultInterpretationUplink[Sent]):
    """Simultaneous interpretation. No official page describes this socket; it may change without notice."""

    _spec = SIMULT_INTERPRETATION
