"""The numbers of workflow streams: a hole is an error, a warning or nothing, as `on_gap` says."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from cozekit import ArgumentError, StreamError
from tests.overlays.chunk_server import ChunkServer, stream
from tests.overlays.either import client, each_kind
from tests.overlays.test_streams import run_error
from tests.overlays.wire import FLOW, RUN, coze, each_transport, event, node

LOSSES = {
    "events at the start": ([event("Message", node("b", 0), 3)], "events 1 to 2 are missing", 0),
    "an event after a lower number": (
        [*(event("PING", "", number) for number in (0, 1, 2, 0, 4))],
        "event 3 is missing",
        4,
    ),
    "an event of a stream that begins with 1": (
        [event("PING", "", 1), event("PING", "", 3)],
        "event 2 is missing",
        1,
    ),
    "an event between two": (
        [event("Message", node("a", 0), 0), event("PING", "", 3)],
        "events 1 to 2 are missing",
        1,
    ),
    "the last event but one": ([FLOW[0], FLOW[3]], "events 1 to 2 are missing", 1),
    "a piece of a node": (
        [event("Message", node("a", 0)), event("Message", node("c", 2))],
        "message 1 is missing in node 'x-Out'",
        1,
    ),
    "a piece of a node in its second round": (
        [event("Message", node(*piece)) for piece in (("a", 0), ("b", 1))]
        + [
            event("Message", node("c", 2, last=True)),
            event("Message", node("a", 0)),
            event("Message", node("c", 2)),
        ],
        "message 1 is missing in node 'x-Out'",
        4,
    ),
}


@each_transport
@pytest.mark.parametrize(("pieces", "problem", "kept"), LOSSES.values(), ids=LOSSES)
async def test_a_hole_in_the_documented_numbers_is_an_error(
    pieces: list[bytes], problem: str, kept: int, transport: str
) -> None:
    with ChunkServer(stream(*pieces, event("Done", {}))) as server:
        for error in await run_error(server, transport, StreamError):
            assert isinstance(error, StreamError)
            assert problem in str(error)
            assert len(error.events) == kept


@each_transport
async def test_a_heartbeat_that_swallowed_the_first_message_is_an_error(transport: str) -> None:
    first = event("Message", node("a", 0), 0)
    joined = first.removesuffix(b"\n") + event("PING", "{}", 1)
    with ChunkServer(stream(joined, event("Done", {}, 2))) as server:
        for error in await run_error(server, transport, StreamError):
            assert "event PING is not valid JSON" in str(error)


INTACT = {
    "nodes side by side": [
        node("a", 0, title="A"),
        node("a", 0, title="B"),
        node("b", 1, title="A"),
        node("b", 1, title="B"),
    ],
    "a node that is over and goes on at another number": [
        node("a", 0, last=True),
        node("d", 3),
        node("e", 4),
    ],
    "one node twice": [
        node("a", 0),
        node("b", 1, last=True),
        node("a", 0),
        node("b", 1, last=True),
    ],
    "a node that a resumed run goes on with": [node("d", 3), node("e", 4)],
    "nodes without an id of the same title": [
        {**node("x", n), "node_execute_uuid": None} for n in (0, 1, 0, 2, 1, 3)
    ],
    "a piece that comes twice": [node("a", 0), node("a", 0), node("b", 1)],
    "numbers that are none": [
        {**node("a", 0), "node_seq_id": ""},
        {**node("b", 0), "node_seq_id": "x"},
    ],
}


@pytest.mark.parametrize("nodes", INTACT.values(), ids=INTACT)
def test_numbers_without_a_hole_are_no_loss(nodes: list[dict[str, object]]) -> None:
    pieces = [event("Message", data, number) for number, data in enumerate(nodes)]
    with (
        ChunkServer(stream(*pieces, event("Done", {}, len(nodes)))) as server,
        coze(server) as client,
    ):
        assert len(list(client.workflows.runs.stream(**RUN))) == len(nodes) + 1


NUMBERS = {
    "from 0": [0, 1, 2, 3],
    "from 1": [1, 2, 3],
    "a heartbeat with 0": [0, 1, 2, 0, 3, 4],
    "a heartbeat without": [0, 1, None, 2],
    "one twice": [0, 1, 1, 2],
    "lower ones in between": [0, 1, 2, 3, 1, 2, 4],
}


@each_kind
@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_events_without_a_hole_are_no_loss(kind: str, numbers: list[int | None]) -> None:
    events = [event("PING", "", number) for number in numbers]
    last = event("Done", {}, max(filter(None, numbers)) + 1)
    with ChunkServer(stream(*events, last)) as server, client(kind, server.url) as coze:
        assert len(list(coze.workflows.runs.stream(**RUN))) == len(numbers) + 1


HOLE = stream(FLOW[0], FLOW[3])
WAYS: dict[str, Any] = {
    "run": lambda coze, how: coze.workflows.runs.stream(**RUN, on_gap=how).until_done(),
    "resumed run": lambda coze, how: coze.workflows.runs.stream_resume(
        **RUN, event_id="1/1", interrupt_type=2, resume_data="x", on_gap=how
    ).until_done(),
    "loop": lambda coze, how: coze.workflows.runs.run_interactive(**RUN, answer=str, on_gap=how),
}
each_way = pytest.mark.parametrize("run", WAYS.values(), ids=WAYS)


@each_kind
@each_way
@pytest.mark.parametrize("how", ["warn", "ignore"])
def test_a_run_goes_on_over_a_hole_when_it_is_told_to(
    kind: str, run: Any, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "cozekit")
    with ChunkServer(HOLE) as server, client(kind, server.url) as coze:
        assert run(coze, how).output == "one"
    warnings = [record.getMessage() for record in caplog.records if record.name == "cozekit"]
    assert ["events 1 to 2 are missing" in text for text in warnings] == [True] * (how == "warn")


@each_kind
@each_way
def test_another_word_for_holes_is_refused_before_anything_is_sent(kind: str, run: Any) -> None:
    with (
        ChunkServer(HOLE) as server,
        client(kind, server.url) as coze,
        pytest.raises(ArgumentError, match='"raise", "warn" or "ignore"') as caught,
    ):
        run(coze, "shrug")
    assert (caught.value.argument, server.requests) == ("on_gap", [])
