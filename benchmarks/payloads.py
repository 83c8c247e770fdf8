"""The data of the benchmarks, the same bytes for both sides. Also run by the interpreter of the
official SDK, so standard library only.
"""

from __future__ import annotations

import json

LOGID = "20260101000000BENCHMARK"
TEXT = "春天来了，the garden wakes up 🌱 — 花开了。"
MESSAGES = 10_000


def message(number: int, content: str = TEXT) -> dict[str, object]:
    """A message with the keys and types of the documented example of conversation messages, and its
    own values.
    """
    return {
        "bot_id": "7374752000116113452",
        "chat_id": f"73903428{number:011d}",
        "content": f"{number} {content}",
        "content_type": "text",
        "conversation_id": "7390331532575195148",
        "created_at": 1718592898 + number,
        "id": f"73903429{number:011d}",
        "meta_data": {},
        "role": "assistant",
        "type": "answer",
        "updated_at": str(1718592899 + number),
    }


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def chat(status: str) -> dict[str, object]:
    return {
        "id": "7390342853760696354",
        "conversation_id": "7390331532575195148",
        "bot_id": "7374752000116113452",
        "created_at": 1720698285,
        "completed_at": 1720698285,
        "status": status,
        "last_error": {"code": 0, "msg": ""},
        "usage": {"token_count": 633, "output_count": 19, "input_count": 614},
    }


MESSAGE = encoded(message(0))
ANSWER = encoded({"code": 0, "data": message(0), "msg": "", "detail": {"logid": LOGID}})
PAGE = encoded(
    {
        "code": 0,
        "msg": "",
        "first_id": "1",
        "last_id": "50",
        "has_more": True,
        "data": [message(n, TEXT * 4) for n in range(50)],
    }
)
CHAT = encoded({"code": 0, "msg": "", "data": chat("completed"), "detail": {"logid": LOGID}})


def piece(number: int) -> bytes:
    """A streamed piece of an answer, with the keys of the documented example: ids and a few
    characters.
    """
    return encoded(
        {
            "id": "7382159494123470858",
            "conversation_id": "7381473525342978089",
            "bot_id": "7379462189365198898",
            "role": "assistant",
            "type": "answer",
            "content": TEXT[number % 20 :][:4],
            "content_type": "text",
            "chat_id": "7382159487131697202",
        }
    )


def stream(events: int) -> list[bytes]:
    """The events of a chat whose answer has that many pieces."""
    first = [
        f"event:conversation.chat.{name}\ndata:".encode() + encoded(chat(name)) + b"\n\n"
        for name in ("created", "in_progress")
    ]
    last = [
        b"event:conversation.chat.completed\ndata:" + encoded(chat("completed")) + b"\n\n",
        b'event:done\ndata:"[DONE]"\n\n',
    ]
    return [
        *first,
        *(
            b"event:conversation.message.delta\ndata:" + piece(number) + b"\n\n"
            for number in range(events)
        ),
        *last,
    ]
