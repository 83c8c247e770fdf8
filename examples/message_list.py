"""The messages of a conversation, page by page.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

from cozekit import Coze, messages


def main() -> None:
    with Coze() as coze:
        earlier = [messages.user_text(f"line {number}") for number in range(5)]
        conversation = coze.conversations.create(messages=earlier)
        assert conversation.id is not None
        pager = coze.conversations.messages.list(
            conversation_id=conversation.id, order="asc", limit=2
        )
        for number, page in enumerate(pager.pages(), start=1):
            print(
                f"page {number}:",
                [message.content for message in page.items],
                f"(log id {page.logid})",
            )


if __name__ == "__main__":
    main()
