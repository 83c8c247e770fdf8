"""The log id of every response, page, stream and error: the first thing that support asks for.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import APIError, Coze, messages


def main() -> None:
    with Coze() as coze:
        print("result:", coze.users.me().logid)
        print("page:  ", coze.workspaces.list().logid)
        question = [messages.user_text("Hi")]
        with coze.chat.stream(
            bot_id=os.environ["COZE_BOT_ID"], user_id="user-1", additional_messages=question
        ) as stream:
            stream.until_done()
            print("stream:", stream.logid)
        try:
            coze.bots.retrieve("1")
        except APIError as error:
            print("error: ", error.logid)


if __name__ == "__main__":
    main()
