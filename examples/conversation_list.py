"""The conversations of a bot, newest first, with a name for one of them.

Reads COZE_API_TOKEN and COZE_BOT_ID; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    bot_id = os.environ["COZE_BOT_ID"]
    with Coze() as coze:
        made = coze.conversations.create(bot_id=bot_id, name="Otters")
        assert made.id is not None
        coze.conversations.update(made.id, name="All about otters")
        pages = coze.conversations.list(bot_id=bot_id, sort_order="DESC", page_size=20)
        for conversation in pages:
            print(conversation.id, conversation.name or "-", conversation.created_at)
        print("same:", coze.conversations.retrieve(conversation_id=made.id).name)


if __name__ == "__main__":
    main()
