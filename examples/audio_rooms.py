"""A real-time call: opens an RTC room, and shows the events that pass through it.

The audio needs an RTC client, which is not included.

Set COZE_API_TOKEN, COZE_BOT_ID, and COZE_API_BASE=https://api.coze.com for the international site.
An open room is billed.
"""

from __future__ import annotations

import os

from cozekit import Coze, rtc

# Without COZE_BOT_ID: the bot of the local Coze.
BOT_ID = os.environ.get("COZE_BOT_ID", "7400000000000000101")


def main() -> None:
    """Shows what an RTC client gets, and what it sends to the bot in the room."""
    with Coze() as coze:
        room = coze.audio.rooms.create(bot_id=BOT_ID)
    print(
        f"room {room.room_id}, app {room.app_id}, you are {room.uid}; join it with the "
        "returned token"
    )

    print("to the bot:  ", rtc.encode(rtc.message_create("你好")))
    received = (
        '{"id":"1","event_type":"conversation.chat.completed",'
        '"data":{"id":"2","status":"completed"}}'
    )
    print("from the bot:", type(rtc.parse(received)).__name__)


if __name__ == "__main__":
    main()
