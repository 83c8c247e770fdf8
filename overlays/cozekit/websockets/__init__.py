"""Voice sockets: speech, transcription, spoken dialogue, and (undocumented) interpretation; extra
`ws`.

    wav = coze.websockets.speech().say_file("你好", "hello.wav")
    text = coze.websockets.transcriptions().transcribe("question.wav")

    with coze.websockets.chat(bot_id="…") as socket:
        socket.conversation_message_create("你好")
        for event in socket:
            if event.event_type == "conversation.chat.completed":
                break

Use a socket in a `with` (`async with`) block. It has a method for every event that a client can
send. Receive events by iterating, with `wait_for`, or with handlers
(`@socket.on("speech.audio.update")`), in any combination. Events that this package does not know
arrive as `UnknownEvent`. Failures raise `WebSocketError`; a failed handshake raises `APIError` or
`APIConnectionError`. Events that are not consumed are buffered up to a limit
(`SocketOptions.max_bytes`); beyond it the server has to wait.

Source: pages tts_api, tts_event, asr_api, asr_event, streaming_chat_api, streaming_chat_event,
    streaming_chat_downlink_event.

Modules:

- `_resource`: `WebSockets` and `AsyncWebSockets`, which create the sockets.
- `_speech`, `_transcriptions` (with interpretation), `_chat`: the sockets, sync and async, and
  their helpers.
- `_socket`: public methods of all sockets: connect, send, iterate, wait, handlers, close.
- `_connection`: reader, writer, reconnection and closing, shared by sync and async sockets.
- `_drivers`: run the connection in threads or tasks, and do the I/O.
- `_handshake`: options, URL, headers, errors of the handshake.
- `_event_queue`: queues of outgoing and received events; handlers.
- `_protocol`: encoding and decoding of events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_openapi.senders import *  # noqa: F403

    from ._chat import AsyncChatSocket as AsyncChatSocket
    from ._chat import ChatSocket as ChatSocket
    from ._chat import Dialogue as Dialogue
    from ._chat import VoiceStep as VoiceStep
    from ._handshake import Reconnect as Reconnect
    from ._handshake import SocketOptions as SocketOptions
    from ._protocol import ChatSocketEvent as ChatSocketEvent
    from ._protocol import Reconnected as Reconnected
    from ._protocol import SimultInterpretationEvent as SimultInterpretationEvent
    from ._protocol import SpeechEvent as SpeechEvent
    from ._protocol import TranscriptionsEvent as TranscriptionsEvent
    from ._protocol import UnknownEvent as UnknownEvent
    from ._protocol import WebSocketTimeout as WebSocketTimeout
    from ._protocol import audio_of as audio_of
    from ._resource import AsyncWebSockets as AsyncWebSockets
    from ._resource import WebSockets as WebSockets
    from ._speech import AsyncSpeechSocket as AsyncSpeechSocket
    from ._speech import SpeechSocket as SpeechSocket
    from ._transcriptions import AsyncSimultInterpretationSocket as AsyncSimultInterpretationSocket
    from ._transcriptions import AsyncTranscriptionsSocket as AsyncTranscriptionsSocket
    from ._transcriptions import SimultInterpretationSocket as SimultInterpretationSocket
    from ._transcriptions import TranscriptionsSocket as TranscriptionsSocket
else:
    from coze_runtime import lazy

    __getattr__, __dir__ = lazy(
        globals(),
        {
            "coze_openapi.senders": "*",
            "._chat": "AsyncChatSocket ChatSocket Dialogue VoiceStep",
            "._handshake": "Reconnect SocketOptions",
            "._protocol": "ChatSocketEvent Reconnected SimultInterpretationEvent SpeechEvent "
            "TranscriptionsEvent UnknownEvent WebSocketTimeout audio_of",
            "._resource": "AsyncWebSockets WebSockets",
            "._speech": "AsyncSpeechSocket SpeechSocket",
            "._transcriptions": "AsyncSimultInterpretationSocket AsyncTranscriptionsSocket "
            "SimultInterpretationSocket TranscriptionsSocket",
        },
    )
