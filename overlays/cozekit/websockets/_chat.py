"""A spoken dialogue with a bot: `ChatSocket`, `AsyncChatSocket`, and the steps that a voice program
derives from the events.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal, NamedTuple

from coze_openapi import models as m
from coze_openapi.senders import ChatSender
from coze_runtime import publish
from coze_runtime.steps import Steps, run_steps, run_steps_async
from coze_runtime.types import DEFAULT

from ..audio import AsyncAudioSource, AudioFormat, AudioSource, apaced, paced
from ..errors import ChatFailed
from ._protocol import CHAT, ChatSocketEvent, WebSocketTimeout, audio_of
from ._socket import AsyncSocket, Sent, SyncSocket

# The sound of an answer may be complete before the chat is.
_END_EVENTS = tuple(
    {CHAT.receive[name] for name in CHAT.terminal} - {m.ChatConversationAudioCompletedEvent}
)
_HEARING_EVENTS = (
    m.ChatInputAudioBufferSpeechStartedEvent,
    m.ChatConversationAudioTranscriptUpdateEvent,
    m.ChatConversationAudioTranscriptCompletedEvent,
)


class VoiceStep(NamedTuple):
    """Something that a voice program reacts to."""

    kind: Literal["hearing", "heard", "saying", "audio", "interrupted", "completed"]
    """
    - `hearing`: everything the user has said so far, in `text`; `heard`: the final text.
    - `saying`: the next sentence of the answer, in `text`; `audio`: the next audio of the answer,
      in `audio`.
    - `interrupted`: the user speaks, or the answer was cancelled. Stop playing, and drop audio that
      has not been played.
    - `completed`: the answer is complete; its text is in `text`.
    """
    text: str = ""
    audio: bytes = b""


class Dialogue:
    """Turns events into steps. Omits the audio of interrupted answers."""

    def __init__(self) -> None:
        self.answering = False
        """Whether the bot is answering."""
        self.hearing = False
        """Whether the user has started to speak and the answer has not started."""
        self._muted = False
        self._text = ""

    def feed(self, event: Any) -> list[VoiceStep]:
        """Returns the steps that follow from an event.

        Args:
            event: An event of a chat socket.

        Raises:
            ChatFailed: The answer failed.
        """
        if isinstance(event, m.ChatConversationChatCreatedEvent):
            self.answering, self.hearing, self._muted, self._text = True, False, False, ""
            return []
        if isinstance(event, _HEARING_EVENTS):
            self.hearing = True
        if isinstance(event, m.ChatInputAudioBufferSpeechStartedEvent):
            return self._interrupt()
        if isinstance(event, m.ChatConversationChatCanceledEvent):
            steps = self._interrupt()
            self.answering = False
            return steps
        if isinstance(event, _END_EVENTS):
            self.answering = False
            if isinstance(event, m.ChatConversationChatFailedEvent):
                raise _chat_failed(event.data)
            return [VoiceStep("completed", text=self._text)]
        data = getattr(event, "data", None)
        return self._listen(event, data) or ([] if self._muted else self._speak(event, data))

    def is_over(self, event: Any) -> bool:
        """Whether an event ended an answer and the user has not spoken since the answer started.

        Args:
            event: The event that was fed last.
        """
        return isinstance(event, _END_EVENTS) and not self.answering and not self.hearing

    def _interrupt(self) -> list[VoiceStep]:
        steps = [VoiceStep("interrupted")] if self.answering and not self._muted else []
        self._muted = self.answering or self._muted
        return steps

    def _listen(self, event: Any, data: Any) -> list[VoiceStep]:
        """Returns the steps for what the user says."""
        if data and isinstance(event, m.ChatConversationAudioTranscriptUpdateEvent):
            return [VoiceStep("hearing", text=data.content or "")]
        if data and isinstance(event, m.ChatConversationAudioTranscriptCompletedEvent):
            return [VoiceStep("heard", text=data.content or "")]
        return []

    def _speak(self, event: Any, data: Any) -> list[VoiceStep]:
        """Returns the steps for what the bot says."""
        if isinstance(event, m.ChatConversationAudioDeltaEvent):
            return [VoiceStep("audio", audio=audio_of(event))]
        if data and isinstance(event, m.SocketConversationAudioSentenceStartEvent):
            return [VoiceStep("saying", text=data.text or "")]
        # The user's own message and verbose ones come under this name too.
        is_message = data and isinstance(event, m.ChatConversationMessageCompletedEvent)
        if is_message and data.type == m.MessageType.ANSWER:
            self._text = data.content or ""
        return []


def _chat_failed(data: Any) -> ChatFailed:
    cause = getattr(data, "last_error", None) or data
    code, msg = getattr(cause, "code", None), getattr(cause, "msg", None) or ""
    error = ChatFailed(
        f"the chat failed: code {code}: {msg}",
        code=code if isinstance(code, int) else None,
        msg=msg,
    )
    error.chat_id = getattr(data, "id", None)
    error.conversation_id = getattr(data, "conversation_id", None)
    return error


class ChatSocket(SyncSocket[ChatSocketEvent], ChatSender[None]):
    """A spoken dialogue with a bot. Source: pages streaming_chat_api, streaming_chat_event,
    streaming_chat_downlink_event.
    """

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
        """Speaks and listens: sends the audio of `source` from a thread, and yields the steps that
        the program reacts to.

        Set formats and turn detection with `chat_update` first. The end of the source ends the
        user's turn; the iteration ends after the answer to it. The user interrupts by speaking
        (with `server_vad`), the program by `conversation_chat_cancel`. Both yield an `interrupted`
        step, and no more audio of that answer.

        Args:
            source: The user's voice, in the format of `input_audio`; may be a WAV file.
            format: Format of the audio, for the pace.
            chunk_ms: Milliseconds of audio per event.
            speed: 1.0 sends in real time. Use None for a microphone, which sets the pace itself.
            patience: Seconds to wait for the next event after the source has ended and while the
                bot is not answering.

        Raises:
            ChatFailed: An answer failed.
            WebSocketError: The server reports an error, or the connection was lost.
        """
        dialogue, events = Dialogue(), iter(self)
        stopped, source_ended = threading.Event(), threading.Event()

        def feed() -> None:
            pieces = paced(source, format, chunk_ms=chunk_ms, speed=speed)
            try:
                run_steps(_feed(self, lambda: next(pieces, b""), stopped.is_set, self._fail))
            finally:
                source_ended.set()

        threading.Thread(target=feed, name="cozekit-voice", daemon=True).start()
        try:
            while event := run_steps(_next_event(events, dialogue, source_ended.is_set, patience)):
                yield from dialogue.feed(event)
                if source_ended.is_set() and dialogue.is_over(event):
                    return
        finally:
            stopped.set()


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
        """Speaks and listens: sends the audio of `source` from a task, and yields the steps that
        the program reacts to.

        Set formats and turn detection with `chat_update` first. The end of the source ends the
        user's turn; the iteration ends after the answer to it. The user interrupts by speaking
        (with `server_vad`), the program by `conversation_chat_cancel`. Both yield an `interrupted`
        step, and no more audio of that answer.

        Args:
            source: The user's voice, in the format of `input_audio`; may be a WAV file.
            format: Format of the audio, for the pace.
            chunk_ms: Milliseconds of audio per event.
            speed: 1.0 sends in real time. Use None for a microphone, which sets the pace itself.
            patience: Seconds to wait for the next event after the source has ended and while the
                bot is not answering.

        Raises:
            ChatFailed: An answer failed.
            WebSocketError: The server reports an error, or the connection was lost.
        """
        dialogue, events = Dialogue(), aiter(self)
        pieces = apaced(source, format, chunk_ms=chunk_ms, speed=speed)
        feeder = asyncio.create_task(
            run_steps_async(_feed(self, lambda: anext(pieces, b""), lambda: False, self._fail)),
            name="cozekit-voice",
        )
        try:
            while event := await run_steps_async(
                _next_event(events, dialogue, feeder.done, patience)
            ):
                for step in dialogue.feed(event):
                    yield step
                if feeder.done() and dialogue.is_over(event):
                    return
        finally:
            feeder.cancel()
            await asyncio.wait([feeder])


def _feed(
    socket: Any,
    next_piece: Callable[[], Any],
    stopped: Callable[[], bool],
    fail: Callable[[Exception], None],
) -> Steps[None]:
    """Sends the user's voice until it ends or the program leaves the iteration."""
    try:
        while piece := (yield next_piece()):
            if stopped():
                return
            yield socket.input_audio_buffer_append(piece)
        yield socket.input_audio_buffer_complete()
    except Exception as error:
        # A closed socket is reported to the reader anyway.
        if socket.state == "open" and not stopped():
            fail(error)


def _next_event(
    events: Any, dialogue: Dialogue, source_ended: Callable[[], bool], patience: float
) -> Steps[Any]:
    """Returns the next event of a dialogue, or None at its end."""
    while True:
        source_had_ended = source_ended()
        try:
            return (yield events.next_within(DEFAULT if dialogue.answering else patience))
        except WebSocketTimeout:
            if dialogue.answering:
                raise
            if source_had_ended:
                return None
        except (StopIteration, StopAsyncIteration):
            return None


publish(globals(), "cozekit.websockets", "VoiceStep", "Dialogue", "ChatSocket", "AsyncChatSocket")
