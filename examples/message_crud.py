"""Creates, changes, reads and deletes a message of a conversation.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        conversation = coze.conversations.create()
        assert conversation.id is not None
        conversation_id = conversation.id
        message = coze.conversations.messages.create(
            conversation_id=conversation_id, role="user", content="Hello", content_type="text"
        )
        assert message.id is not None
        coze.conversations.messages.update(
            conversation_id=conversation_id,
            message_id=message.id,
            content="Hello, otter",
            content_type="text",
        )
        print(
            "now:",
            coze.conversations.messages.retrieve(
                conversation_id=conversation_id, message_id=message.id
            ).content,
        )
        coze.conversations.messages.delete(conversation_id=conversation_id, message_id=message.id)
        print("left:", len(list(coze.conversations.messages.list(conversation_id=conversation_id))))


if __name__ == "__main__":
    main()
