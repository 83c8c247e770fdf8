"""A chatflow: a workflow that answers in a conversation.

Reads COZE_API_TOKEN, COZE_CHATFLOW_ID, COZE_BOT_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze, events, messages


def main() -> None:
    with (
        Coze() as coze,
        coze.workflows.chat.stream(
            workflow_id=os.environ["COZE_CHATFLOW_ID"],
            bot_id=os.environ["COZE_BOT_ID"],
            additional_messages=[messages.user_text("Hello, who are you?")],
            parameters={},
        ) as stream,
    ):
        for event in stream:
            if isinstance(event, events.ChatMessageDeltaEvent):
                print(event.message.content, end="", flush=True)
            if event.debug_url:
                print("\ndebug page:", event.debug_url)


if __name__ == "__main__":
    main()
