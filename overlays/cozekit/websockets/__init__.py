"""Voice sockets: speech, transcription, spoken dialogue, and (undocumented) interpretation; extra
`ws`.

    wav = coze.websockets.speech().say_file("你好", "hello.wav")
    text = coze.websockets.transcriptions().transcribe("question.wav")

    with coze.websockets.chat(bot_id="…") as socket:
        socket.conversation_message_create("你好")
        for event in socket:
            if event.event_type == "conversation.chat.completed":
                break

A socket is used in a `with` (`async with`) block. Every event that a program may send is a method.
Events that come are iterated over, awaited with `wait_for`, or given to handlers
(`@socket.on("speech.audio.update")`), in any combination. Events that this package does not know
come as `UnknownEvent`. Failures are `WebSocketError`s, those of the handshake `APIError` or
`APIConnectionError`. Events nobody takes are kept up to a limit (`SocketOptions.max_bytes`); beyond
it the server has to wait.

Source: pages tts_api, tts_event, asr_api, asr_event, streaming_chat_api, streaming_chat_event,
    streaming_chat_downlink_event.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_openapi.senders import ChatSender as ChatSender
    from coze_openapi.senders import SimultInterpretationSender as SimultInterpretationSender
    from coze_openapi.senders import SpeechSender as SpeechSender
    from coze_openapi.senders import TranscriptionsSender as TranscriptionsSender

    from .async_sockets import AsyncChatSocket as AsyncChatSocket
    from .async_sockets import AsyncSimultInterpretationSocket as AsyncSimultInterpretationSocket
    from .async_sockets import AsyncSpeechSocket as AsyncSpeechSocket
    from .async_sockets import AsyncTranscriptionsSocket as AsyncTranscriptionsSocket
    from .dialogue import Dialogue as Dialogue
    from .dialogue import VoiceStep as VoiceStep
    from .entry import AsyncWebSockets as AsyncWebSockets
    from .entry import WebSockets as WebSockets
    from .kinds import ChatSocketEvent as ChatSocketEvent
    from .kinds import SimultInterpretationEvent as SimultInterpretationEvent
    from .kinds import SpeechEvent as SpeechEvent
    from .kinds import TranscriptionsEvent as TranscriptionsEvent
    from .options import Reconnect as Reconnect
    from .options import SocketOptions as SocketOptions
    from .sockets import ChatSocket as ChatSocket
    from .sockets import SimultInterpretationSocket as SimultInterpretationSocket
    from .sockets import SpeechSocket as SpeechSocket
    from .sockets import TranscriptionsSocket as TranscriptionsSocket
    from .sound import audio_of as audio_of
    from .wire import Reconnected as Reconnected
    from .wire import UnknownEvent as UnknownEvent
    from .wire import WebSocketTimeout as WebSocketTimeout

# Names by the module that holds them; a module is loaded when one of its names is first used.
_NAMES = {
    "coze_openapi.senders": "ChatSender SimultInterpretationSender SpeechSender "
    "TranscriptionsSender",
    ".async_sockets": "AsyncChatSocket AsyncSimultInterpretationSocket AsyncSpeechSocket "
    "AsyncTranscriptionsSocket",
    ".dialogue": "Dialogue VoiceStep",
    ".entry": "AsyncWebSockets WebSockets",
    ".kinds": "ChatSocketEvent SimultInterpretationEvent SpeechEvent TranscriptionsEvent",
    ".options": "Reconnect SocketOptions",
    ".sockets": "ChatSocket SimultInterpretationSocket SpeechSocket TranscriptionsSocket",
    ".sound": "audio_of",
    ".wire": "Reconnected UnknownEvent WebSocketTimeout",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
if not TYPE_CHECKING:  # type checkers read the imports above
    __all__ = sorted(_MODULES)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
