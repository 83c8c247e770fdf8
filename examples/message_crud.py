"""One message of a conversation: written, read, changed, deleted.

Reads COZE_API_TOKEN; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        conversation = coze.conversations.create()
        assert conversation.id is not None
        where = conversation.id
        message = coze.conversations.messages.create(
            conversation_id=where, role="user", content="Hello", content_type="text"
        )
        assert message.id is not None
        coze.conversations.messages.update(
            conversation_id=where,
            message_id=message.id,
            content="Hello, otter",
            content_type="text",
        )
        print(
            "now:",
            coze.conversations.messages.retrieve(
                conversation_id=where, message_id=message.id
            ).content,
        )
        coze.conversations.messages.delete(conversation_id=where, message_id=message.id)
        print("left:", len(list(coze.conversations.messages.list(conversation_id=where))))


if __name__ == "__main__":
    main()
