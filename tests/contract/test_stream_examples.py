"""The description shows an event stream wherever there is one, so that a mock server can answer."""

from __future__ import annotations

from typing import Any

import pytest

from coze_openapi import AsyncClient, Client
from coze_runtime.streams.events import UnknownEvent
from tests.contract.catalogue import Op, operations, sample_argument, split_arguments
from tests.contract.server import LoopbackServer, Reply

STREAMS = {op.id: op for op in operations().values() if op.stream}
every_stream = pytest.mark.parametrize("op", STREAMS.values(), ids=STREAMS)


def example(op: Op) -> Reply:
    content = op.node["responses"]["200"]["content"]["text/event-stream"]
    return Reply(content["example"].encode(), content_type="text/event-stream")


def opened(op: Op, client: Any) -> Any:
    required = {p.argument: sample_argument(p) for p in op.parameters if p.required}
    positional, named = split_arguments(op, required)
    return op.method_of(client, streaming=True)(*positional, **named)


@every_stream
def test_the_example_is_a_stream_of_known_events_to_its_end(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    server.answer(example(op))
    with opened(op, client) as stream:
        events = list(stream)
    assert not [event for event in events if isinstance(event, UnknownEvent)]
    assert len(events) > 1


@every_stream
async def test_the_async_client_reads_as_many_events(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    server.answer(example(op))
    with opened(op, client) as stream:
        count = sum(1 for _ in stream)
    async with opened(op, async_client) as stream:
        assert len([event async for event in stream]) == count
