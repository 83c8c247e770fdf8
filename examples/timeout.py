"""Time limits: for the client, for one call, and for a whole stream.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import APITimeoutError, Coze, StreamTimeout, Timeout, messages


def main() -> None:
    question = [messages.user_text("Tell me a long story.")]
    with Coze(timeout=Timeout(connect=5, read=60)) as coze:
        try:
            print("quick:", coze.users.me(timeout=10).user_name)
        except APITimeoutError as error:
            print("no response within 10 seconds:", error)
        try:
            with coze.chat.stream(
                bot_id=os.environ["COZE_BOT_ID"],
                user_id="user-1",
                additional_messages=question,
                idle_timeout=30,
                deadline=120,
            ) as stream:
                print("story:", "".join(stream.text_stream()))
        except StreamTimeout as error:
            print("it took too long; events so far:", len(error.events))


if __name__ == "__main__":
    main()
