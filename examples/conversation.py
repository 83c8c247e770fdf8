"""A conversation of several questions, in which the bot remembers what was said before.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import os

from cozekit import Coze, messages


def main() -> None:
    bot_id = os.environ["COZE_BOT_ID"]
    with Coze() as coze:
        conversation = coze.conversations.create(
            bot_id=bot_id, messages=[messages.user_text("My name is Otter.")]
        )
        assert conversation.id is not None
        for text in ("What is my name?", "How many letters does it have?"):
            result = coze.chat.create_and_poll(
                bot_id=bot_id,
                user_id="user-1",
                conversation_id=conversation.id,
                additional_messages=[messages.user_text(text)],
            )
            print(f"{text} {result.answer}")
        print(
            "stored:",
            len(list(coze.conversations.messages.list(conversation_id=conversation.id))),
            "messages",
        )
        section = coze.conversations.clear(conversation.id)
        print("context cleared; the new section is", section.id)
        coze.conversations.delete(conversation.id)


if __name__ == "__main__":
    main()
