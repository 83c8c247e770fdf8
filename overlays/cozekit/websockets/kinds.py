"""The four sockets as the description has them, and what may come from each."""

from __future__ import annotations

from typing import TypeAlias

from coze_openapi.events import (
    websockets_chat,
    websockets_simult_interpretation,
    websockets_speech,
    websockets_transcriptions,
)

from .wire import Reconnected, Spec, UnknownEvent

SPEECH = Spec.of(websockets_speech)
TRANSCRIPTIONS = Spec.of(websockets_transcriptions)
CHAT = Spec.of(websockets_chat)
SIMULT_INTERPRETATION = Spec.of(websockets_simult_interpretation)

SpeechEvent: TypeAlias = websockets_speech.Received | UnknownEvent | Reconnected
TranscriptionsEvent: TypeAlias = websockets_transcriptions.Received | UnknownEvent | Reconnected
ChatSocketEvent: TypeAlias = websockets_chat.Received | UnknownEvent | Reconnected
SimultInterpretationEvent: TypeAlias = (
    websockets_simult_interpretation.Received | UnknownEvent | Reconnected
)
