"""The four sockets for threads."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from typing import IO

from coze_openapi import models as m

from ..audio import AudioFormat, AudioSource, chunks, paced
from . import checks
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
from .sync import SyncSocket
from .uplink import ChatUplink, SimultInterpretationUplink, SpeechUplink, TranscriptionsUplink
from .wire import WebSocketTimeout


class SpeechSocket(SyncSocket[SpeechEvent], SpeechUplink[None]):
    """Text to speech. Source: pages tts_api, tts_event."""

    _spec = SPEECH

    def say(self, text: str, *, output_audio: m.OutputAudio | None = None) -> bytes:
        """The sound of a text of any length: PCM of 24 kHz, mono, 16 bit, unless `output_audio` says otherwise; no header.

        A text above 1,024 bytes is cut behind sentences into several requests, each on a connection of its own, since the
        pages promise no second request on one. The socket itself need not be open.

        Args:
            text: What is spoken.
            output_audio: Format, voice and manner.

        Raises:
            ArgumentError: The text is empty, or a value is beyond its limits.
            APIConnectionError: The server cannot be reached.
            WebSocketError: The server reports an error, or closes before the sound is complete.
        """
        return b"".join(self.say_stream(text, output_audio=output_audio))

    def say_stream(self, text: str, *, output_audio: m.OutputAudio | None = None) -> Iterator[bytes]:
        """The same in pieces as they come, to be played meanwhile. A piece need not hold whole samples. See `say`."""
        checks.output_audio(output_audio, codecs=checks.SPEECH_CODECS)
        return self._say(checks.pieces_of(text), output_audio)

    def say_file(self, text: str, file: str | os.PathLike[str] | IO[bytes], *, output_audio: m.OutputAudio | None = None) -> int:
        """Writes the sound to a file; gives the bytes of sound. A path that ends in `.wav` becomes a WAV file. See `say`."""
        pieces = self.say_stream(text, output_audio=output_audio)
        target = SoundFile(file, output_audio)
        try:
            for piece in pieces:
                target.write(piece)
        except BaseException:
            target.discard()
            raise
        return target.finish()

    def _say(self, texts: list[str], output_audio: m.OutputAudio | None) -> Iterator[bytes]:
        for text in texts:
            with self._fresh() as socket:
                if output_audio is not None:
                    socket.speech_update(output_audio=output_audio)
                socket.input_text_buffer_append(text)
                socket.input_text_buffer_complete()
                for event in socket:
                    if event.event_type == "speech.audio.update":
                        yield audio_of(event)
                    elif event.event_type == "speech.audio.completed":
                        break


class TranscriptionsSocket(SyncSocket[TranscriptionsEvent], TranscriptionsUplink[None]):
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
        """The text of a recording. Uses a connection of its own; the socket itself need not be open.

        Args:
            file: A path, bytes, an open file, or pieces such as those of a microphone. WAV and Ogg are recognised.
            input_audio: The format; needed for raw samples.
            asr_config: Language, words to expect.
            on_progress: Called with the whole text so far, each time that more was heard, in the thread that reads the socket.
            speed: 1.0 sends in real time, as the pages advise for microphones; None as fast as possible.

        Raises:
            ArgumentError: A format that Coze does not read.
            APIConnectionError: The server cannot be reached.
            WebSocketError: The server reports an error, or closes before the text is complete.
        """
        source = chunks(file)
        first = next(source, b"")
        audio = recognised(first, input_audio)
        heard = [""]
        with self._fresh() as socket:

            def progress(event: m.TranscriptionsMessageUpdateEvent) -> None:
                heard[0] = (event.data.content if event.data else None) or ""
                if on_progress is not None:
                    on_progress(heard[0])

            socket.on(m.TranscriptionsMessageUpdateEvent)(progress)
            if audio is not None or asr_config is not None:
                socket.transcriptions_update(input_audio=audio, asr_config=asr_config)
            for piece in paced(itertools.chain([first], source), input_format(audio), speed=speed):
                socket.input_audio_buffer_append(piece)
            socket.input_audio_buffer_complete()
            end: m.TranscriptionsMessageCompletedEvent = socket.wait_for(m.TranscriptionsMessageCompletedEvent)
        return heard[0] or (end.data.content if end.data else None) or ""


class ChatSocket(SyncSocket[ChatSocketEvent], ChatUplink[None]):
    """A spoken dialogue with a bot. Source: pages streaming_chat_api, streaming_chat_event, streaming_chat_downlink_event."""

    _spec = CHAT

    def converse(
        self,
        source: AudioSource,
        *,
        format: AudioFormat = AudioFormat(),  # noqa: B008
        chunk_ms: float = 100.0,
        speed: float | None = 1.0,
        patience: float = 10.0,
    ) -> Iterator[VoiceStep]:
        """Speaks and listens: sends the sound of `source` in a thread and yields what the program has to act upon.

        Set formats and turn taking with `chat_update` before. The end of the source ends the user's turn; the iteration ends with
        the answer to it. The user interrupts by speaking when the server listens for it (`server_vad`), the program with
        `conversation_chat_cancel`; either way an `interrupted` step comes, and no more sound of that answer.

        Args:
            source: The user's voice, in the format of `input_audio`; a WAV file as it is.
            format: What its bytes are, for the pace.
            chunk_ms: Milliseconds of one event.
            speed: 1.0 sends in real time; None for a microphone, which has a pace of its own.
            patience: Seconds to wait for the next event after the source ended and while no answer is under way.

        Raises:
            ChatFailed: An answer failed.
            WebSocketError: The server reports an error, or the connection was lost.
        """
        dialogue, stop, fed = Dialogue(), threading.Event(), threading.Event()

        def feed() -> None:
            try:
                for piece in paced(source, format, chunk_ms=chunk_ms, speed=speed):
                    if stop.is_set():
                        return
                    self.input_audio_buffer_append(piece)
                self.input_audio_buffer_complete()
            except Exception as error:
                # Of a socket that is closed everybody is told anyway.
                if self.state == OPEN and not stop.is_set():
                    self._fail(error)
            finally:
                fed.set()

        threading.Thread(target=feed, name="cozekit-voice", daemon=True).start()
        try:
            yield from self._steps(dialogue, fed, patience)
        finally:
            stop.set()

    def _steps(self, dialogue: Dialogue, fed: threading.Event, patience: float) -> Iterator[VoiceStep]:
        events = iter(self)
        while True:
            was_fed = fed.is_set()
            try:
                event = next(events) if dialogue.answering else events.next_within(patience)
            except WebSocketTimeout:
                if dialogue.answering:
                    raise
                if was_fed:
                    return
                continue
            except StopIteration:
                return
            yield from dialogue.feed(event)
            if fed.is_set() and dialogue.is_over(event):
                return


class SimultInterpretationSocket(SyncSocket[SimultInterpretationEvent], SimultInterpretationUplink[None]):
    """Simultaneous interpretation. No official page describes this socket; it may change without notice."""

    _spec = SIMULT_INTERPRETATION
