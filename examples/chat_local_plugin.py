"""A bot that calls functions of this program; their results are sent back until it has answered.

Reads COZE_API_TOKEN and COZE_BOT_ID (a bot with a local plugin `get_weather`). Set COZE_API_BASE
for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze, messages


def get_weather(location: str) -> dict[str, object]:
    """Runs in this program, with the arguments chosen by the bot."""
    print("asked for the weather in", location)
    return {"location": location, "temperature": 21, "sky": "clear"}


def main() -> None:
    question = [messages.user_text("How is the weather in Hangzhou?")]
    with Coze() as coze:
        result = coze.chat.run(
            bot_id=os.environ["COZE_BOT_ID"],
            user_id="user-1",
            additional_messages=question,
            tools={"get_weather": get_weather},
            max_rounds=5,
            on_tool_error="report",
        )
        print(result.answer)


if __name__ == "__main__":
    main()
