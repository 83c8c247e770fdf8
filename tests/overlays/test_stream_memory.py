"""What a stream keeps: its text, and the last events; all events only when it is asked to."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.overlays.chunk_server import ChunkServer, stream
from tests.overlays.either import client, each_kind
from tests.overlays.wire import (
    ASK,
    COMPLETED,
    CREATED,
    DONE,
    RUN,
    coze,
    event,
    message,
    names,
    node,
)

COUNT, WARM = 10_000, 1_000
DELTA = "conversation.message.delta"


class Deltas(httpx.BaseTransport, httpx.SyncByteStream):
    """Answers with the same event again and again, 20 in a piece."""

    def __init__(self, first: bytes, delta: bytes, last: bytes) -> None:
        self.first, self.delta, self.last = first, delta, last

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)

    def __iter__(self) -> Iterator[bytes]:
        yield self.first
        for _ in range(COUNT // 20):
            yield b"".join([self.delta] * 20)
        yield self.last


LONG = {"meta_data": {"x": "x" * 200}}
CASES: dict[str, tuple[Any, bytes]] = {
    "answer": (lambda coze: coze.chat.stream(**ASK), event(DELTA, message("word ") | LONG)),
    "answer without an id": (
        lambda coze: coze.chat.stream(**ASK),
        event(DELTA, message("word ") | LONG | {"id": None}),
    ),
    "reasoning": (
        lambda coze: coze.chat.stream(**ASK),
        event(DELTA, message("") | LONG | {"reasoning_content": "word "}),
    ),
    "other message": (
        lambda coze: coze.chat.stream(**ASK),
        event(DELTA, message("word ", "function_call") | LONG),
    ),
    "run": (
        lambda coze: coze.workflows.runs.stream(**RUN),
        event("Message", node("word ", 0) | {"ext": {"x": "x" * 200}}),
    ),
}


@pytest.mark.parametrize(("ask", "delta"), CASES.values(), ids=CASES)
def test_the_memory_of_a_stream_grows_with_its_text_alone(ask: Any, delta: bytes) -> None:
    is_run = delta.startswith(b"event:Message")
    last = event("Done", {}) if is_run else COMPLETED + DONE
    transport = Deltas(b"" if is_run else CREATED, delta, last)
    sizes: list[int] = []
    with coze("http://coze.test", transport=transport) as client, ask(client) as opened:
        tracemalloc.start()
        try:
            for number, _ in enumerate(opened):
                if number in (WARM, COUNT - 10):
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    text = len("word ") * COUNT
    assert sizes[1] - sizes[0] < 3 * text + 50_000


@each_kind
def test_a_stream_keeps_all_events_when_it_is_asked_to(kind: str) -> None:
    chat = [CREATED, *[event(DELTA, message("a"))] * 50, COMPLETED, DONE]
    run = [*(event("PING", "", number) for number in range(50)), event("Done", {}, 50)]
    for events, ask in (
        (chat, lambda coze, **how: coze.chat.stream(**ASK, **how)),
        (run, lambda coze, **how: coze.workflows.runs.stream(**RUN, **how)),
    ):
        with ChunkServer(stream(*events)) as server, client(kind, server.url) as coze:
            for how, count in (({}, 20), ({"keep_events": True}, len(events))):
                opened = ask(coze, **how)
                seen = list(opened)
                assert names(opened.events) == names(seen)[-count:]
