"""Event streams taken apart by hand, so that these tests see the bytes and not a decoder's idea of
them.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx

from cozekit_emulator import bots
from tests.emulator.arguments import question


class Event(NamedTuple):
    name: str
    data: Any
    raw: str


def split(body: str) -> list[Event]:
    """Events of a complete stream; every event must end with a blank line."""
    assert body.endswith("\n\n")
    found = []
    for raw in body.removesuffix("\n\n").split("\n\n"):
        fields = dict(line.split(":", 1) for line in raw.split("\n"))
        data = fields["data"].removeprefix(" ")
        found.append(Event(fields["event"].strip(), json.loads(data) if data else None, raw))
    return found


def chat(
    http: httpx.Client, bot_id: str = bots.ANSWERING, text: str = "你好", **more: Any
) -> list[Event]:
    """The events of one streamed chat."""
    query = {"conversation_id": more.pop("conversation_id")} if "conversation_id" in more else None
    body = {
        "bot_id": bot_id,
        "user_id": "u",
        "stream": True,
        "additional_messages": [question(text)],
        **more,
    }
    answer = http.post("/v3/chat", params=query, json=body)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8", answer.text
    return split(answer.content.decode())


def names(events: list[Event]) -> list[str]:
    """Names without repetition."""
    return [
        event.name
        for number, event in enumerate(events)
        if number == 0 or events[number - 1].name != event.name
    ]
