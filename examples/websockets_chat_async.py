"""A spoken answer to a text message, async, with event handlers instead of a loop.

Set COZE_API_TOKEN, COZE_BOT_ID, and COZE_API_BASE=https://api.coze.com for the international site.
Needs the extra `ws`.
"""

from __future__ import annotations

import asyncio
import os

from cozekit import AsyncCoze, models
from cozekit.websockets import AsyncWebSockets, audio_of

# Without COZE_BOT_ID: the bot of the local Coze.
BOT_ID = os.environ.get("COZE_BOT_ID", "7400000000000000101")


async def main() -> None:
    """Asks one question."""
    audio = bytearray()
    async with AsyncCoze() as coze:
        socket = AsyncWebSockets(coze).chat(bot_id=BOT_ID)

        @socket.on(models.ChatConversationAudioDeltaEvent)
        def play(event: models.ChatConversationAudioDeltaEvent) -> None:
            audio.extend(audio_of(event))

        @socket.on(models.SocketConversationAudioSentenceStartEvent)
        async def show(event: models.SocketConversationAudioSentenceStartEvent) -> None:
            print(f"says: {event.data.text if event.data else ''}")

        async with socket:
            await socket.conversation_message_create("杭州今天天气怎么样？")
            await socket.wait_for(models.ChatConversationChatCompletedEvent, timeout=60)
    print(f"{len(audio)} bytes of audio")


if __name__ == "__main__":
    asyncio.run(main())
