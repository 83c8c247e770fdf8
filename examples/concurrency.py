"""Many concurrent chats in one event loop, a limited number at a time.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import asyncio
import os

from cozekit import AsyncCoze, messages


async def main() -> None:
    limit = asyncio.Semaphore(4)
    async with AsyncCoze() as coze:

        async def ask(text: str) -> str:
            async with limit:
                question = [messages.user_text(text)]
                result = await coze.chat.run(
                    bot_id=os.environ["COZE_BOT_ID"], user_id="user-1", additional_messages=question
                )
            return result.answer

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(ask(f"What is {number} times {number}?")) for number in range(10)
            ]
        for task in tasks:
            print(task.result())


if __name__ == "__main__":
    asyncio.run(main())
