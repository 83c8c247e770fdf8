"""Events that a client sends in a real-time call, one function each."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from coze_openapi import models as m

from ..errors import ArgumentError

M = TypeVar("M")

MAX_SPOKEN_BYTES = 1023
"""Bytes of UTF-8 that `generate_audio` takes."""


def _new(model: type[M], event_type: str, id: str | None, data: Any) -> M:
    found: M = model(id=id or str(uuid.uuid4()), event_type=event_type, data=data)  # type: ignore[call-arg]
    return found


def session_update(settings: m.RtcSessionSettings, *, id: str | None = None) -> m.RtcSessionUpdateEvent:
    """Changes settings of the call; fields of `settings` that are not set stay as they are. Answered by `session.updated` or `error`.

    Args:
        settings: What to change.
        id: Id of the event; a new UUID when left out, as for all builders.

    Raises:
        ArgumentError: More than 10 keywords, or one of more than 8 characters.

    Source: signaling_uplink_event
    """
    interrupt = settings.chat_config.interrupt_config if settings.chat_config is not None else None
    words = (interrupt.keywords if interrupt is not None else None) or []
    if len(words) > 10 or any(len(word) > 8 for word in words):
        raise ArgumentError("at most 10 keywords of at most 8 characters each interrupt a call", argument="settings")
    return _new(m.RtcSessionUpdateEvent, "session.update", id, settings)


def message_create(
    content: str,
    *,
    role: Literal["user", "assistant"] | m.MessageRole = "user",
    content_type: Literal["text", "object_string"] | m.MessageContentType = "text",
    id: str | None = None,
) -> m.VoiceConversationMessageCreateEvent:
    """Puts a message into the dialogue; one of the `user` starts a reply, one of the `assistant` is only context.

    Args:
        content: Text, or for `object_string` the JSON text of an array of MessageContentItem.
        role: Who speaks.
        content_type: How `content` is written.
        id: Id of the event.

    Source: signaling_uplink_event
    """
    data = m.VoiceMessage(role=m.MessageRole(role), content_type=m.MessageContentType(content_type), content=content)
    return _new(m.VoiceConversationMessageCreateEvent, "conversation.message.create", id, data)


def submit_tool_outputs(
    chat_id: str, tool_outputs: Sequence[m.ToolOutput], *, id: str | None = None
) -> m.VoiceConversationChatSubmitToolOutputsEvent:
    """Answers `conversation.chat.requires_action`.

    Args:
        chat_id: Id of the waiting chat.
        tool_outputs: One result for every tool call.
        id: Id of the event.

    Source: signaling_uplink_event
    """
    data = m.VoiceToolOutputs(chat_id=chat_id, tool_outputs=list(tool_outputs))
    return _new(m.VoiceConversationChatSubmitToolOutputsEvent, "conversation.chat.submit_tool_outputs", id, data)


def chat_cancel(*, id: str | None = None) -> m.RtcConversationChatCancelEvent:
    """Stops the running reply. Source: signaling_uplink_event"""
    return _new(m.RtcConversationChatCancelEvent, "conversation.chat.cancel", id, {})


def client_vad(speaking: bool, *, id: str | None = None) -> m.RtcClientVadEvent:
    """Tells that the person began (True) or stopped speaking. Only with the turn detection `client_vad`, and on changes only.

    Source: signaling_uplink_event
    """
    return _new(m.RtcClientVadEvent, "client.vad", id, m.RtcClientVad(vad=speaking))


def pre_answer_update(
    pre_answer: m.RtcPreAnswer, trigger: m.RtcPreAnswerTrigger | None = None, *, id: str | None = None
) -> m.RtcSessionPreAnswerUpdateEvent:
    """Sets what the bot says to bridge the time to its reply. Answered by `session.pre_answer.updated`.

    Args:
        pre_answer: What is said.
        trigger: When; always, when left out.
        id: Id of the event.

    Raises:
        ArgumentError: Words of more than 10 characters, or a time outside 0 to 3,000 milliseconds.

    Source: signaling_uplink_event
    """
    if any(len(words) > 10 for words in pre_answer.pre_answer_list or ()):
        raise ArgumentError("words that bridge the time have at most 10 characters", argument="pre_answer")
    if trigger is not None and trigger.time_after is not None and not 0 <= trigger.time_after <= 3000:
        raise ArgumentError("time_after is 0 to 3,000 milliseconds", argument="trigger")
    data = m.RtcPreAnswerSettings(pre_answer=pre_answer, trigger=trigger)
    return _new(m.RtcSessionPreAnswerUpdateEvent, "session.pre_answer.update", id, data)


def mode_update(user_language: str, *, id: str | None = None) -> m.RtcModeUpdateEvent:
    """Sets the language that is spoken, such as `en-US`; only with the stream mode `output_no_stream`.

    Answered by `mode.updated` or `error`. Source: signaling_uplink_event
    """
    chat = m.RtcChatMode(user_language=m.ChatAsrLanguage(user_language))
    return _new(m.RtcModeUpdateEvent, "mode.update", id, m.RtcMode(mode=m.RtcModeName.CHAT, chat=chat))


def generate_audio(text: str, *, id: str | None = None) -> m.VoiceInputTextGenerateAudioEvent:
    """Has a text spoken as it is, without asking the bot; running speech is interrupted.

    Args:
        text: 1 to 1,023 bytes of UTF-8.
        id: Id of the event.

    Raises:
        ArgumentError: The text is empty or too long.

    Source: signaling_uplink_event
    """
    if not 1 <= len(text.encode()) <= MAX_SPOKEN_BYTES:
        raise ArgumentError(f"text has {len(text.encode())} bytes; 1 to {MAX_SPOKEN_BYTES} are spoken", argument="text")
    data = m.GeneratedAudioRequest(mode=m.GeneratedAudioMode.TEXT, text=text)
    return _new(m.VoiceInputTextGenerateAudioEvent, "input_text.generate_audio", id, data)


def input_audio_start(*, id: str | None = None) -> m.RtcInputAudioBufferStartEvent:
    """The person begins to speak. Push to talk only. Source: signaling_uplink_event"""
    return _new(m.RtcInputAudioBufferStartEvent, "input_audio_buffer.start", id, {})


def input_audio_complete(*, id: str | None = None) -> m.RtcInputAudioBufferCompleteEvent:
    """The person has finished. Push to talk only. Source: signaling_uplink_event"""
    return _new(m.RtcInputAudioBufferCompleteEvent, "input_audio_buffer.complete", id, {})
