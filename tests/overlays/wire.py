"""What the tests of calls and streams send each other: bodies, events, clients, counts of this
process.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from coze_runtime.calls.retries import RetryPolicy
from cozekit import AsyncCoze, Coze
from tests.overlays.chunk_server import ChunkServer

WAYS = [("asyncio", "httpx"), ("asyncio", "aiohttp"), ("trio", "httpx")]
each_transport = pytest.mark.parametrize(
    ("anyio_backend", "transport"), WAYS, ids=[f"{backend}-{name}" for backend, name in WAYS]
)
"""An async test on every transport and event loop that there is; both are its arguments."""

TOKEN = "pat_secret0token"
CHAT_ID, CONVERSATION_ID = "7390342853760696354", "7390331532575195148"
NOW = RetryPolicy(first_delay=0)
"""The usual repetitions, without waiting."""

BOT = {
    "code": 0,
    "msg": "",
    "data": {"bot_id": "b1", "name": "Otter"},
    "detail": {"logid": "BODYLOGID"},
}
ASK: dict[str, Any] = {"bot_id": "b1", "user_id": "u1"}
RUN: dict[str, Any] = {"workflow_id": "w1"}


def event(name: str, data: object, number: int | None = None) -> bytes:
    """One event as Coze writes it: `id` in workflow streams only."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    first = "" if number is None else f"id: {number}\n"
    return f"{first}event:{name}\ndata:{text}\n\n".encode()


def chat(status: str, **more: object) -> dict[str, object]:
    return {
        "id": CHAT_ID,
        "conversation_id": CONVERSATION_ID,
        "bot_id": "b1",
        "status": status,
        **more,
    }


def message(content: str, kind: str = "answer", number: int = 1) -> dict[str, object]:
    return {
        "id": f"m{number}",
        "role": "assistant",
        "type": kind,
        "content": content,
        "content_type": "text",
        "chat_id": CHAT_ID,
    }


CREATED = event("conversation.chat.created", chat("created"))
HELLO = event("conversation.message.delta", message("Hel"))
LO = event("conversation.message.delta", message("lo"))
ANSWERED = event("conversation.message.completed", message("Hello"))
COMPLETED = event(
    "conversation.chat.completed",
    chat("completed", usage={"token_count": 3, "output_count": 2, "input_count": 1}),
)
DONE = event("done", '"[DONE]"')
CHAT = [CREATED, HELLO, LO, ANSWERED, COMPLETED, DONE]


def node(content: str, piece: int, *, last: bool = False, title: str = "Out") -> dict[str, object]:
    return {
        "content": content,
        "node_title": title,
        "node_seq_id": str(piece),
        "node_is_finish": last,
        "node_execute_uuid": f"x-{title}",
    }


FLOW = [
    event("Message", node("one", 0), 0),
    event("PING", "", 1),
    event("Message", node("two", 1, last=True), 2),
    event("Done", {"debug_url": "https://www.coze.cn/work_flow?execute_id=1"}, 3),
]


def coze(server: ChunkServer | str, **settings: Any) -> Coze:
    return Coze(
        TOKEN,
        base_url=server if isinstance(server, str) else server.url,
        **{"max_retries": NOW, **settings},
    )


def async_coze(server: ChunkServer | str, transport: Any = None, **settings: Any) -> AsyncCoze:
    url = server if isinstance(server, str) else server.url
    return AsyncCoze(TOKEN, base_url=url, transport=transport, **{"max_retries": NOW, **settings})


def descriptors() -> int:
    """Open descriptors of this process."""
    gc.collect()
    return len(list(Path("/dev/fd").iterdir()))


def at_once() -> tuple[RetryPolicy, list[float]]:
    """A policy that does not wait, and the pauses that it would have made."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert len(slept) < 100, "a wait without an end"

    async def sleep_async(seconds: float) -> None:
        sleep(seconds)

    return RetryPolicy(first_delay=0, sleep=sleep, sleep_async=sleep_async), slept


def names(events: Sequence[Any]) -> list[str]:
    return [item.event for item in events]


def never(*_: object) -> None:
    raise AssertionError("this must not be called")


Script = Callable[..., Any]
