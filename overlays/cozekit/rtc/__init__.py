"""Events of real-time calls: built, written, read.

A call runs in an RTC room that `coze.audio.rooms.create` opens. Sound and events pass through an
RTC client, not through this API: it hands texts over, and this module makes and reads them.

    text = encode(message_create("你好"))  # a message for the RTC user whose id is the bot id
    event = parse(received)
    if isinstance(event, RtcErrorEvent):
        raise error_of(event)

Events may be sent once the bot has joined the room, and only to it: the receiver of the RTC message
is the user whose id equals `bot_id`, not the `uid` that the room call returned.

Source: pages signaling_uplink_event, signaling_downlink_event, realtime_error_codes.
"""

from __future__ import annotations

from coze_openapi.senders.rtc import GENERATE_AUDIO_LIMITS
from coze_openapi.senders.rtc import chat_cancel as chat_cancel
from coze_openapi.senders.rtc import client_vad as client_vad
from coze_openapi.senders.rtc import generate_audio as generate_audio
from coze_openapi.senders.rtc import input_audio_complete as input_audio_complete
from coze_openapi.senders.rtc import input_audio_start as input_audio_start
from coze_openapi.senders.rtc import message_create as message_create
from coze_openapi.senders.rtc import mode_update as mode_update
from coze_openapi.senders.rtc import pre_answer_update as pre_answer_update
from coze_openapi.senders.rtc import session_update as session_update
from coze_openapi.senders.rtc import submit_tool_outputs as submit_tool_outputs

from .events import DOWNLINK as DOWNLINK
from .events import UPLINK as UPLINK
from .events import DownlinkEvent as DownlinkEvent
from .events import UnknownEvent as UnknownEvent
from .events import UplinkEvent as UplinkEvent
from .events import encode as encode
from .events import error_of as error_of
from .events import parse as parse
from .events import parse_uplink as parse_uplink

MAX_SPOKEN_BYTES: int = GENERATE_AUDIO_LIMITS["text"].max_bytes or 0
"""Bytes of UTF-8 that `generate_audio` takes; 0 when the description states no limit."""
