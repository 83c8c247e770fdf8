"""A spoken dialogue: what the events of a chat socket mean for somebody who listens. Nothing here
waits.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from coze_openapi import models as m

from ..errors import ChatFailed
from .sound import audio_of

_ENDS = (
    m.ChatConversationChatCompletedEvent,
    m.ChatConversationChatFailedEvent,
    m.ChatConversationChatCanceledEvent,
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

        Raises:
            ChatFailed: The answer failed.
        """
        if isinstance(event, m.ChatConversationChatCreatedEvent):
            self.answering, self.hearing, self._muted, self._text = True, False, False, ""
            return []
        if isinstance(event, _HEARING):
            self.hearing = True
        if isinstance(event, m.ChatInputAudioBufferSpeechStartedEvent):
            return self._interrupt(over=False)
        if isinstance(event, m.ChatConversationChatCanceledEvent):
            return self._interrupt(over=True)
        if isinstance(event, _ENDS):
            return self._end(event)
        return self._talk(event, getattr(event, "data", None))

    def is_over(self, event: Any) -> bool:
        """Whether an event ended an answer, and the user has said nothing since it began."""
        return isinstance(event, _ENDS) and not self.answering and not self.hearing

    def _talk(self, event: Any, data: Any) -> list[VoiceStep]:
        if isinstance(event, m.ChatConversationAudioTranscriptUpdateEvent):
            return [VoiceStep("hearing", text=data.content or "")] if data else []
        if isinstance(event, m.ChatConversationAudioTranscriptCompletedEvent):
            return [VoiceStep("heard", text=data.content or "")] if data else []
        if self._muted:
            return []
        if isinstance(event, m.SocketConversationAudioSentenceStartEvent):
            return [VoiceStep("saying", text=data.text or "")] if data else []
        if isinstance(event, m.ChatConversationAudioDeltaEvent):
            return [VoiceStep("audio", audio=audio_of(event))]
        if (
            isinstance(event, m.ChatConversationMessageCompletedEvent)
            and data
            and data.type == m.MessageType.ANSWER
        ):
            # The user's own message and verbose ones come under this name too.
            self._text = data.content or ""
        return []

    def _interrupt(self, *, over: bool) -> list[VoiceStep]:
        found = [VoiceStep("interrupted")] if self.answering and not self._muted else []
        self._muted = self.answering or self._muted
        if over:
            self.answering = False
        return found

    def _end(self, event: Any) -> list[VoiceStep]:
        self.answering = False
        if isinstance(event, m.ChatConversationChatFailedEvent):
            data = event.data
            problem = getattr(data, "last_error", None) or data
            code, msg = getattr(problem, "code", None), getattr(problem, "msg", None) or ""
            error = ChatFailed(
                f"the chat failed: code {code}: {msg}",
                code=code if isinstance(code, int) else None,
                msg=msg,
            )
            error.chat_id, error.conversation_id = (
                getattr(data, "id", None),
                getattr(data, "conversation_id", None),
            )
            raise error
        return [VoiceStep("completed", text=self._text)]
