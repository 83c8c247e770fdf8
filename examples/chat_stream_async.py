"""The async version of chat_stream.py, with a callback for events.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import asyncio
import os

from cozekit import AsyncCoze, ChatEvent, events, messages


def show(event: ChatEvent) -> None:
    """Prints the answer piece by piece."""
    match event:
        case events.ChatMessageDeltaEvent(data=message):
            print(message.content, end="", flush=True)
        case events.ChatCompletedEvent():
            print()


async def main() -> None:
    question = [messages.user_text("Why is the sky blue?")]
    async with AsyncCoze() as coze:
        stream = coze.chat.stream(
            bot_id=os.environ["COZE_BOT_ID"], user_id="user-1", additional_messages=question
        )
        result = await stream.until_done(show)
        print("status:", result.chat.status)


if __name__ == "__main__":
    asyncio.run(main())
