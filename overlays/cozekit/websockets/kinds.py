"""The four sockets as the description has them, and what may come from each."""

from __future__ import annotations

from typing import TypeAlias

from coze_openapi import models as m
from coze_openapi.events import websockets_chat, websockets_simult_interpretation, websockets_speech, websockets_transcriptions

from .wire import Reconnected, Spec, UnknownEvent

SPEECH = Spec.of(websockets_speech, "speech.audio.completed")
TRANSCRIPTIONS = Spec.of(websockets_transcriptions, "transcriptions.message.completed")
CHAT = Spec.of(
    websockets_chat,
    "conversation.chat.completed",
    "conversation.chat.failed",
    "conversation.chat.canceled",
    "conversation.audio.completed",
)
SIMULT_INTERPRETATION = Spec.of(websockets_simult_interpretation, "simult_interpretation.message.completed")

_Always: TypeAlias = m.SocketErrorEvent | UnknownEvent | Reconnected

SpeechEvent: TypeAlias = (
    m.SpeechCreatedEvent
    | m.SpeechUpdatedEvent
    | m.SpeechInputTextBufferCompletedEvent
    | m.SocketConversationAudioSentenceStartEvent
    | m.SpeechAudioUpdateEvent
    | m.SpeechAudioCompletedEvent
    | _Always
)
TranscriptionsEvent: TypeAlias = (
    m.TranscriptionsCreatedEvent
    | m.TranscriptionsUpdatedEvent
    | m.SocketInputAudioBufferCompletedEvent
    | m.SocketInputAudioBufferClearedEvent
    | m.TranscriptionsMessageUpdateEvent
    | m.TranscriptionsMessageCompletedEvent
    | _Always
)
ChatSocketEvent: TypeAlias = (
    m.ChatCreatedEvent
    | m.ChatUpdatedEvent
    | m.ChatConversationChatCreatedEvent
    | m.ChatConversationChatInProgressEvent
    | m.ChatConversationMessageDeltaEvent
    | m.ChatConversationMessageCompletedEvent
    | m.SocketConversationAudioSentenceStartEvent
    | m.ChatConversationAudioDeltaEvent
    | m.ChatConversationAudioCompletedEvent
    | m.ChatConversationChatCompletedEvent
    | m.ChatConversationChatFailedEvent
    | m.ChatConversationChatRequiresActionEvent
    | m.ChatConversationChatCanceledEvent
    | m.ChatConversationAudioTranscriptUpdateEvent
    | m.ChatConversationAudioTranscriptCompletedEvent
    | m.ChatConversationClearedEvent
    | m.SocketInputAudioBufferCompletedEvent
    | m.SocketInputAudioBufferClearedEvent
    | m.ChatInputAudioBufferSpeechStartedEvent
    | m.ChatInputAudioBufferSpeechStoppedEvent
    | m.ChatDumpAudioEvent
    | _Always
)
SimultInterpretationEvent: TypeAlias = (
    m.SimultInterpretationCreatedEvent
    | m.SimultInterpretationUpdatedEvent
    | m.SimultInterpretationAudioDeltaEvent
    | m.SimultInterpretationTranscriptionDeltaEvent
    | m.SimultInterpretationTranslationDeltaEvent
    | m.SocketInputAudioBufferCompletedEvent
    | m.SimultInterpretationMessageCompletedEvent
    | _Always
)
