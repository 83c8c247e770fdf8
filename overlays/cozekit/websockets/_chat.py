"""A spoken dialogue with a bot: `ChatSocket`, `AsyncChatSocket`, and what the events mean for
somebody who listens.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal, NamedTuple

from coze_openapi import models as m
from coze_openapi.senders import ChatSender
from coze_runtime._publish import publish
from coze_runtime.steps import Steps, run_steps, run_steps_async
from coze_runtime.types import DEFAULT

from ..audio import AsyncAudioSource, AudioFormat, AudioSource, apaced, paced
from ..errors import ChatFailed
from ._protocol import CHAT, ChatSocketEvent, WebSocketTimeout, audio_of
from ._socket import AsyncSocket, Sent, SyncSocket

# The sound of an answer may be complete before the chat is.
_ENDS = tuple(
    {CHAT.receive[name] for name in CHAT.socket.terminal} - {m.ChatConversationAudioCompletedEvent}
)
_HEARING = (
    m.ChatInputAudioBufferSpeechStartedEvent,
    m.ChatConversationAudioTranscriptUpdateEvent,
    m.ChatConversationAudioTranscriptCompletedEvent,
)


class VoiceStep(NamedTuple):
    """Something that a voice program acts upon."""

    kind: Literal["hearing", "heard", "saying", "audio", "interrupted", "completed"]
    """
    - `hearing`: what the user has said so far, whole, in `text`; `heard`: the final text.
    - `saying`: the sentence in `text` comes next; `audio`: sound of the answer in `audio`, to be
      played after what came before.
    - `interrupted`: the user speaks, or the answer was cancelled: stop playing now, and drop what
      waits to be played.
    - `completed`: the answer is complete; its text in `text`.
    """
    text: str = ""
    audio: bytes = b""


class Dialogue:
    """Turns events into steps. Sound of an answer that was interrupted is left out."""

    def __init__(self) -> None:
        self.answering = False
        """Whether an answer is under way."""
        self.hearing = False
        """Whether the user has begun to speak, and no answer to it has begun."""
        self._muted = False
        self._text = ""

    def feed(self, event: Any) -> list[VoiceStep]:
        """The steps that an event means.

        Args:
            event: An event of a chat socket.

        Raises:
            ChatFailed: The answer failed.
        """
        if isinstance(event, m.ChatConversationChatCreatedEvent):
            self.answering, self.hearing, self._muted, self._text = True, False, False, ""
            return []
        if isinstance(event, _HEARING):
            self.hearing = True
        if isinstance(event, m.ChatInputAudioBufferSpeechStartedEvent):
            return self._interrupt()
        if isinstance(event, m.ChatConversationChatCanceledEvent):
            steps = self._interrupt()
            self.answering = False
            return steps
        if isinstance(event, _ENDS):
            self.answering = False
            if isinstance(event, m.ChatConversationChatFailedEvent):
                raise _chat_failed(event.data)
            return [VoiceStep("completed", text=self._text)]
        data = getattr(event, "data", None)
        return self._listen(event, data) or ([] if self._muted else self._speak(event, data))

    def is_over(self, event: Any) -> bool:
        """Whether an event ended an answer, and the user has said nothing since it began.

        Args:
            event: The event that was fed last.
        """
        return isinstance(event, _ENDS) and not self.answering and not self.hearing

    def _interrupt(self) -> list[VoiceStep]:
        steps = [VoiceStep("interrupted")] if self.answering and not self._muted else []
        self._muted = self.answering or self._muted
        return steps

    def _listen(self, event: Any, data: Any) -> list[VoiceStep]:
        """What the user says."""
        if data and isinstance(event, m.ChatConversationAudioTranscriptUpdateEvent):
            return [VoiceStep("hearing", text=data.content or "")]
        if data and isinstance(event, m.ChatConversationAudioTranscriptCompletedEvent):
            return [VoiceStep("heard", text=data.content or "")]
        return []

    def _speak(self, event: Any, data: Any) -> list[VoiceStep]:
        """What the bot says."""
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
        """Speaks and listens: sends the sound of `source` in a thread and yields what the program
        has to act upon.

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
        dialogue, events = Dialogue(), iter(self)
        is_left, is_fed = threading.Event(), threading.Event()

        def feed() -> None:
            pieces = paced(source, format, chunk_ms=chunk_ms, speed=speed)
            try:
                run_steps(_feed(self, lambda: next(pieces, b""), is_left.is_set, self._fail))
            finally:
                is_fed.set()

        threading.Thread(target=feed, name="cozekit-voice", daemon=True).start()
        try:
            while event := run_steps(_next_event(events, dialogue, is_fed.is_set, patience)):
                yield from dialogue.feed(event)
                if is_fed.is_set() and dialogue.is_over(event):
                    return
        finally:
            is_left.set()


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
    is_left: Callable[[], bool],
    fail: Callable[[Exception], None],
) -> Steps[None]:
    """Sends the user's voice, until its end or until the program leaves the dialogue."""
    try:
        while piece := (yield next_piece()):
            if is_left():
                return
            yield socket.input_audio_buffer_append(piece)
        yield socket.input_audio_buffer_complete()
    except Exception as error:
        # Everybody learns of a closed socket anyway.
        if socket.state == "open" and not is_left():
            fail(error)


def _next_event(
    events: Any, dialogue: Dialogue, is_fed: Callable[[], bool], patience: float
) -> Steps[Any]:
    """The next event of a dialogue; None when nothing more comes."""
    while True:
        was_fed = is_fed()
        try:
            return (yield events.next_within(DEFAULT if dialogue.answering else patience))
        except WebSocketTimeout:
            if dialogue.answering:
                raise
            if was_fed:
                return None
        except (StopIteration, StopAsyncIteration):
            return None


publish(globals(), "cozekit.websockets", "VoiceStep", "Dialogue", "ChatSocket", "AsyncChatSocket")
