"""Creates and renames a conversation, and lists the conversations of the bot, newest first.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    bot_id = os.environ["COZE_BOT_ID"]
    with Coze() as coze:
        created = coze.conversations.create(bot_id=bot_id, name="Otters")
        assert created.id is not None
        coze.conversations.update(created.id, name="All about otters")
        pages = coze.conversations.list(bot_id=bot_id, sort_order="DESC", page_size=20)
        for conversation in pages:
            print(conversation.id, conversation.name or "-", conversation.created_at)
        print("renamed:", coze.conversations.retrieve(conversation_id=created.id).name)


if __name__ == "__main__":
    main()
