"""Asks a question without streaming: the chat is polled until it has ended.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import os

from cozekit import Coze, messages


def main() -> None:
    question = [messages.user_text("Tell me about otters in one sentence.")]
    with Coze() as coze:
        bot_id = os.environ["COZE_BOT_ID"]
        result = coze.chat.create_and_poll(
            bot_id=bot_id, user_id="user-1", additional_messages=question, poll_timeout=120
        )
        print(result.answer)
        for follow_up in result.follow_ups:
            print("suggested question:", follow_up)
        if result.usage:
            print("tokens:", result.usage.token_count)


if __name__ == "__main__":
    main()
