"""Typed streams over real sockets: events, ends, interruptions, failures; sync and async."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx
import pytest

from cozekit import (
    ChatFailed,
    NotFoundError,
    RateLimitError,
    ResponseError,
    StreamError,
    StreamInterrupted,
    UnknownEvent,
    WorkflowFailed,
)
from cozekit.errors import APIConnectionError, APIError, AuthenticationError, CozeError, ServerError
from cozekit.models import Message
from tests.each import Problems, each
from tests.overlays.chunk_server import (
    CLOSE,
    LENGTH,
    LOGID,
    Abort,
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Raw,
    Read,
    Script,
    Send,
    Step,
    reply,
    stream,
)
from tests.overlays.either import client as client_of
from tests.overlays.either import each_kind
from tests.overlays.wire import (
    ANSWERED,
    ASK,
    CHAT,
    CHAT_ID,
    COMPLETED,
    CONVERSATION_ID,
    CREATED,
    DONE,
    FLOW,
    HELLO,
    LO,
    RUN,
    async_coze,
    chat,
    coze,
    each_transport,
    event,
    message,
    names,
    node,
)

CHATFLOW: dict[str, Any] = {
    "workflow_id": "w1",
    "app_id": "a1",
    "additional_messages": [],
    "parameters": {},
}


async def chat_error(
    server: ChunkServer, transport: str, kind: type[CozeError], **limits: float
) -> tuple[CozeError, CozeError]:
    """What reading a chat raises, sync and async; the async one in any case on another
    connection.
    """
    with coze(server) as client, pytest.raises(kind) as sync:
        for _ in client.chat.stream(**ASK, **limits):
            pass
    async with async_coze(server, transport) as other:
        with pytest.raises(kind) as parallel:
            async for _ in other.chat.stream(**ASK, **limits):
                pass
    return sync.value, parallel.value


async def run_error(
    server: ChunkServer, transport: str, kind: type[CozeError]
) -> tuple[CozeError, CozeError]:
    with coze(server) as client, pytest.raises(kind) as sync:
        for _ in client.workflows.runs.stream(**RUN):
            pass
    async with async_coze(server, transport) as other:
        with pytest.raises(kind) as parallel:
            async for _ in other.workflows.runs.stream(**RUN):
                pass
    return sync.value, parallel.value


@each_transport
async def test_a_chat_comes_as_typed_events_with_text_usage_and_log_id(transport: str) -> None:
    with ChunkServer(stream(*CHAT)) as server:
        with coze(server) as client, client.chat.stream(**ASK) as sync:
            seen = list(sync)
        async with async_coze(server, transport) as other, other.chat.stream(**ASK) as parallel:
            also = [item async for item in parallel]
    for events, source in ((seen, sync), (also, parallel)):
        assert (
            names(events)
            == names(source.events)
            == [
                "conversation.chat.created",
                "conversation.message.delta",
                "conversation.message.delta",
                "conversation.message.completed",
                "conversation.chat.completed",
                "done",
            ]
        )
        assert source.text == "Hello"
        assert source.logid == LOGID == events[0].logid
        assert source.status == 200
        assert source.headers["content-type"] == "text/event-stream"
        assert events[4].chat.usage.token_count == 3


TALK = b"".join(
    [
        CREATED,
        event("conversation.message.delta", message("Grüße ")),
        event("conversation.message.delta", message("线🌞")),
        event("conversation.message.completed", message("Grüße 线🌞")),
        COMPLETED,
        DONE,
    ]
)
BORDERS = {
    "after the first byte": 1,
    "inside the name of a field": TALK.index(b"data:") + 2,
    "before a line end": TALK.index(b"\n"),
    "between the two line ends of a blank line": TALK.index(b"\n\n") + 1,
    "between two events": TALK.index(b"\n\n") + 2,
    "inside a character of two bytes": TALK.index("ü".encode()) + 1,
    "inside a character of four bytes": TALK.index("🌞".encode()) + 2,
    "before the last event": TALK.index(DONE),
    "inside the last event": TALK.index(DONE) + len(DONE) // 2,
    "before the last line end": len(TALK) - 1,
}


def check_talk(events: Sequence[Any]) -> None:
    """Every event of the talk came as it was sent."""
    assert names(events) == [
        "conversation.chat.created",
        "conversation.message.delta",
        "conversation.message.delta",
        "conversation.message.completed",
        "conversation.chat.completed",
        "done",
    ]
    assert [item.message.content for item in events[1:4]] == ["Grüße ", "线🌞", "Grüße 线🌞"]
    assert [item.chat.id for item in (events[0], events[4])] == [CHAT_ID] * 2
    assert events[4].chat.usage.output_count == 2


class InPieces(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers every request with these pieces, without a socket."""

    pieces: Sequence[bytes] = ()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, headers={"content-type": "text/event-stream"}, stream=Pieces(self.pieces)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_chat_is_the_same_however_its_bytes_are_cut() -> None:
    """At every byte, in memory; `test_a_chat_that_is_cut_at_a_border…` asks the sockets."""
    in_pieces, problems = InPieces(), Problems()
    url = "http://coze.test"
    with coze(url, transport=in_pieces) as client:
        async with async_coze(url, in_pieces) as other:
            for cut in range(1, len(TALK)):
                in_pieces.pieces = TALK[:cut], TALK[cut:]
                with problems.of(f"cut at byte {cut}"):
                    check_talk(list(client.chat.stream(**ASK)))
                    check_talk([item async for item in other.chat.stream(**ASK)])
    problems.must_be_none()


@each_transport
@each("cut", BORDERS)
async def test_a_chat_that_is_cut_at_a_border_comes_whole_over_a_socket(
    cut: int, transport: str
) -> None:
    with ChunkServer([Head(), Send(TALK[:cut]), Read(), Send(TALK[cut:])]) as server:
        with coze(server) as client:
            check_talk(list(client.chat.stream(**ASK)))
        async with async_coze(server, transport) as other:
            check_talk([item async for item in other.chat.stream(**ASK)])


@each_transport
async def test_a_stream_ends_at_its_last_event_although_the_server_keeps_the_socket_open(
    transport: str,
) -> None:
    with ChunkServer([Head(), *(Send(piece) for piece in CHAT), KeepOpen()]) as server:
        with coze(server, timeout=30) as client:
            assert client.chat.stream(**ASK).until_done().answer == "Hello"
        async with async_coze(server, transport, timeout=30) as other:
            assert (await other.chat.stream(**ASK).until_done()).answer == "Hello"
        server.wait_for(lambda it: it.open_connections == 0)


@each_transport
async def test_unknown_events_are_passed_on_with_name_and_data(transport: str) -> None:
    new = [
        event("conversation.dream.begun", {"depth": 3}),
        event("conversation.note", "plain text"),
        event("bare", ""),
    ]
    with ChunkServer(stream(CREATED, *new, DONE)) as server:
        with coze(server) as client:
            seen = list(client.chat.stream(**ASK))
        async with async_coze(server, transport) as other:
            also = [item async for item in other.chat.stream(**ASK)]
    for events in (seen, also):
        assert [(item.event, item.data) for item in events[1:4]] == [
            ("conversation.dream.begun", {"depth": 3}),
            ("conversation.note", "plain text"),
            ("bare", ""),
        ]


ENDS: dict[str, Script] = {
    "the body ends": stream(CREATED, HELLO),
    "the body ends without length": stream(CREATED, HELLO, framing=CLOSE),
    "the connection closes within the body": [Head(), Send(CREATED + HELLO), Close()],
    "the connection closes within an event": [
        Head(),
        Send(CREATED + HELLO),
        Send(LO[:30]),
        Close(),
    ],
    "the connection is reset": [Head(), Send(CREATED + HELLO), Abort()],
    "the promised length does not come": [
        Head(framing="length", length=9999),
        Send(CREATED + HELLO),
        Close(),
    ],
}


@each_transport
@pytest.mark.parametrize("script", ENDS.values(), ids=ENDS)
async def test_any_other_end_is_an_interruption_with_what_arrived(
    script: Script, transport: str
) -> None:
    with ChunkServer(script) as server:
        for error in await chat_error(server, transport, StreamInterrupted):
            assert isinstance(error, StreamInterrupted)
            # A reset may overtake what was sent before it.
            assert (
                names(error.events)
                == ["conversation.chat.created", "conversation.message.delta"][: len(error.events)]
            )
            assert (
                len(error.events) == 2
                or "reset" in str(error).lower()
                or error.__cause__ is not None
            )
            assert (error.logid, error.request and error.request.operation) == (
                LOGID,
                "chat_create",
            )
            assert server.url in str(error)
            assert names(pickle.loads(pickle.dumps(error)).events) == names(error.events)
    assert len(server.requests) == 2, "a stream is never begun again"


@each_transport
async def test_broken_framing_is_a_connection_error(transport: str) -> None:
    with ChunkServer([Head(), Send(CREATED), Raw(b"zz\r\nnot a chunk\r\n")]) as server:
        # aiohttp looks at the first bytes of the body together with the head, so the stream may not
        # even begin.
        for error in await chat_error(server, transport, APIConnectionError):
            assert isinstance(error, StreamInterrupted) or transport == "aiohttp"


def test_iterating_again_after_an_interruption_raises_again() -> None:
    with ChunkServer(stream(CREATED, HELLO)) as server, coze(server) as client:
        opened = client.chat.stream(**ASK)
        for _ in range(2):
            with pytest.raises(StreamInterrupted):
                list(opened)


def test_iterating_again_after_a_failure_raises_it_again() -> None:
    with (
        ChunkServer(stream(CREATED, event("error", {"code": 4013, "msg": "model"}))) as server,
        coze(server) as client,
    ):
        opened = client.chat.stream(**ASK)
        for _ in range(2):
            with pytest.raises(ChatFailed):
                opened.until_done()


@each_transport
async def test_a_loop_that_is_left_can_be_taken_up_again(transport: str) -> None:
    with ChunkServer(stream(*CHAT)) as server:
        with coze(server) as client, client.chat.stream(**ASK) as sync:
            first = next(iter(sync))
            rest = list(sync)
        async with async_coze(server, transport) as other, other.chat.stream(**ASK) as parallel:
            also_first = await anext(parallel)
            also_rest = [item async for item in parallel]
    assert names([first, *rest]) == names([also_first, *also_rest])
    assert len(rest) == len(also_rest) == 5


TEXT = "event interval error"
FAILURES = {
    "failed, as the chat": (
        event("conversation.chat.failed", chat("failed", last_error={"code": 5000, "msg": TEXT})),
        5000,
    ),
    "failed, as code and text": (
        event("conversation.chat.failed", {"code": 701231, "msg": TEXT}),
        701231,
    ),
    "failed, with the code as text": (
        event("conversation.chat.failed", {"code": "720702204", "msg": TEXT}),
        720702204,
    ),
    "error": (event("error", {"code": 4013, "msg": TEXT}), 4013),
}


@each_transport
@pytest.mark.parametrize(("last", "code"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_in_the_stream_is_an_error_with_code_message_and_ids(
    last: bytes, code: int, transport: str
) -> None:
    with ChunkServer([Head(), Send(CREATED + HELLO + last), KeepOpen()]) as server:
        for error in await chat_error(server, transport, ChatFailed):
            assert isinstance(error, ChatFailed)
            assert (error.code, error.msg, error.logid) == (code, TEXT, LOGID)
            assert (error.chat_id, error.conversation_id) == (CHAT_ID, CONVERSATION_ID)
            for part in ("coze.chat.create", str(code), TEXT, LOGID, server.url):
                assert part in str(error)


@each_transport
async def test_an_error_event_without_any_facts_is_an_error_all_the_same(transport: str) -> None:
    with ChunkServer(stream(CREATED, event("error", {}))) as server:
        for error in await chat_error(server, transport, ChatFailed):
            assert isinstance(error, ChatFailed)
            assert (error.code, error.msg) == (None, "the stream reported error")


@each_transport
@pytest.mark.parametrize(
    "odd", ["--5", "²", "x", "9" * 5000, True, [1]], ids=lambda odd: str(odd)[:3]
)
async def test_a_code_that_is_no_number_is_shown_as_it_came(odd: object, transport: str) -> None:
    with ChunkServer(stream(CREATED, event("error", {"code": odd, "msg": TEXT}))) as server:
        for error in await chat_error(server, transport, ChatFailed):
            assert isinstance(error, ChatFailed)
            assert (error.code, error.msg) == (None, TEXT)
            assert str(odd) in str(error)


@each_transport
async def test_a_failed_run_is_an_error_with_code_and_message(transport: str) -> None:
    last = event("Error", {"error_code": 4000, "error_message": "Request parameter error"}, 1)
    with ChunkServer(stream(FLOW[0], last)) as server:
        for error in await run_error(server, transport, WorkflowFailed):
            assert isinstance(error, WorkflowFailed)
            assert (error.code, error.msg, error.logid) == (4000, "Request parameter error", LOGID)


REFUSALS = {
    "an envelope under 200": (
        reply({"code": 4200, "msg": "no", "detail": {"logid": "INBODY"}}),
        NotFoundError,
        4200,
    ),
    "an envelope under 401": (reply({"code": 4100, "msg": "no"}, 401), AuthenticationError, 4100),
    "a page of a gateway": (
        reply(b"<html>bad gateway</html>", 502, {"content-type": "text/html"}),
        ServerError,
        None,
    ),
    "too many requests": (reply({"code": 4009, "msg": "busy"}), RateLimitError, 4009),
}


@each_transport
@pytest.mark.parametrize(("script", "kind", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_json_in_place_of_a_stream_is_the_same_error_as_in_a_plain_call(
    script: Script, kind: type[APIError], code: int | None, transport: str
) -> None:
    with ChunkServer(script) as server:
        with coze(server, max_retries=0) as client:
            with pytest.raises(kind) as plain:
                client.chat.create(**ASK)
            with pytest.raises(kind) as sync:
                client.chat.stream(**ASK)
        async with async_coze(server, transport, max_retries=0) as other:
            with pytest.raises(kind) as parallel:
                async with other.chat.stream(**ASK):
                    pass
    for found in (sync.value, parallel.value):
        assert (type(found), found.code, found.logid) == (
            type(plain.value),
            code,
            plain.value.logid,
        )
        assert str(found) == str(plain.value)


@each_transport
@pytest.mark.parametrize("body", [{"code": 0, "msg": ""}, b"", b"[]"])
async def test_a_success_that_is_no_stream_is_a_response_error(
    body: object, transport: str
) -> None:
    with ChunkServer(reply(body)) as server:
        for error in await chat_error(server, transport, ResponseError):
            assert "expected an event stream" in str(error)


@each_transport
async def test_an_event_that_is_no_json_is_a_stream_error_with_the_events_before_it(
    transport: str,
) -> None:
    with ChunkServer(stream(CREATED, event("conversation.message.delta", "{broken"))) as server:
        for error in await chat_error(server, transport, StreamError):
            assert isinstance(error, StreamError)
            assert names(error.events) == ["conversation.chat.created"]


def test_a_deeply_nested_event_is_a_stream_error() -> None:
    data = "[" * 100_000 + "]" * 100_000
    with (
        ChunkServer(stream(CREATED, event("conversation.message.delta", data))) as server,
        coze(server) as client,
        pytest.raises(StreamError),
    ):
        list(client.chat.stream(**ASK))


@each_transport
async def test_a_workflow_stream_comes_with_numbers_heartbeats_and_debug_url(
    transport: str,
) -> None:
    with ChunkServer(stream(*FLOW)) as server:
        with coze(server) as client:
            seen = list(client.workflows.runs.stream(**RUN))
        async with async_coze(server, transport) as other:
            also = [item async for item in other.workflows.runs.stream(**RUN)]
    for events in (seen, also):
        assert [(item.event, item.id) for item in events] == [
            ("Message", 0),
            ("PING", 1),
            ("Message", 2),
            ("Done", 3),
        ]
        assert events[3].debug_url == "https://www.coze.cn/work_flow?execute_id=1"


def test_what_does_not_apply_to_an_event_reads_none() -> None:
    news = event("news", {"message": "x", "chat": "x", "interrupt": "x", "debug_url": "x"})
    scripts = stream(CREATED, news, HELLO, DONE), stream(news, *FLOW)
    with ChunkServer(*scripts) as server, coze(server) as client:
        created, unknown, delta, done = client.chat.stream(**ASK)
        also_unknown, piece, ping, _, last = client.workflows.runs.stream(**RUN)
    assert (created.chat, created.message, created.debug_url) == (created.data, None, None)
    assert (delta.chat, delta.message, delta.debug_url) == (None, delta.data, None)
    assert (done.chat, done.message, done.debug_url) == (None, None, None)
    assert (piece.message, piece.interrupt, piece.debug_url) == (piece.data, None, None)
    assert (ping.message, ping.interrupt, ping.debug_url) == (None, None, None)
    assert (last.message, last.interrupt) == (None, None)
    for item in (unknown, also_unknown):
        assert isinstance(item, UnknownEvent) and item.data["message"] == "x"
        assert {item.message, item.chat, item.interrupt, item.debug_url} == {None}


@each_transport
@pytest.mark.parametrize("number", [b"\xc2\xb2", b"x", b"9" * 5000], ids=["power", "text", "long"])
async def test_an_id_that_is_no_number_is_none(number: bytes, transport: str) -> None:
    odd = b"id:" + number + b"\n" + event("Message", {**node("one", 0), "node_seq_id": "9" * 5000})
    flow = [odd, b"id:" + number + b"\n" + event("news", 1), *FLOW]
    with ChunkServer(stream(*flow)) as server:
        with coze(server) as client:
            seen = list(client.workflows.runs.stream(**RUN))
        async with async_coze(server, transport) as other:
            also = [item async for item in other.workflows.runs.stream(**RUN)]
    for events in (seen, also):
        assert [item.id for item in events] == [None, None, 0, 1, 2, 3]


def test_the_bytes_of_the_message_that_asked_for_the_stream_hold_the_switch() -> None:
    with ChunkServer(stream(*CHAT)) as server, coze(server) as client:
        client.chat.stream(**ASK).until_done()
    assert server.requests[0].json["stream"] is True
    assert json.loads(server.requests[0].body)["bot_id"] == "b1"


@each_transport
async def test_audio_after_the_completed_chat_still_arrives(transport: str) -> None:
    audio = event("conversation.audio.delta", message("AAAA"))
    with ChunkServer(stream(CREATED, ANSWERED, COMPLETED, audio, DONE)) as server:
        with coze(server) as client:
            assert names(list(client.chat.stream(**ASK)))[-2:] == [
                "conversation.audio.delta",
                "done",
            ]
        async with async_coze(server, transport) as other:
            assert names([item async for item in other.chat.stream(**ASK)])[-2:] == [
                "conversation.audio.delta",
                "done",
            ]


def test_a_compressed_stream_is_decompressed_and_gives_its_connection_back() -> None:
    events = gzip.compress(b"".join(CHAT))
    packed = stream(events[:40], events[40:], headers={"content-encoding": "gzip"})
    with ChunkServer(packed, packed) as server, coze(server) as client:
        for _ in range(2):
            assert client.chat.stream(**ASK).until_done().answer == "Hello"
        assert len({request.connection for request in server.requests}) == 1


def test_a_body_that_was_read_to_its_end_gives_its_connection_back_without_close() -> None:
    with ChunkServer(stream(*CHAT), stream(*CHAT)) as server, coze(server) as client:
        kept = []
        for _ in range(2):
            opened = client.chat.stream(**ASK)
            assert b"".join(opened.iter_bytes()) == b"".join(CHAT)
            kept.append(opened)
        assert len({request.connection for request in server.requests}) == 1


@each_transport
@pytest.mark.parametrize("missing", [1, 2], ids=["its blank line", "its line end too"])
async def test_a_last_event_counts_without(missing: int, transport: str) -> None:
    with ChunkServer(stream(CREATED, DONE[:-missing])) as server:
        with coze(server) as client:
            seen = list(client.chat.stream(**ASK))
        async with async_coze(server, transport) as other:
            also = [item async for item in other.chat.stream(**ASK)]
    assert names(seen) == names(also) == ["conversation.chat.created", "done"]


@each_transport
async def test_a_last_event_whose_data_is_cut_does_not_count(transport: str) -> None:
    with ChunkServer(stream(*FLOW[:3], FLOW[3][:-5])) as server:
        for error in await run_error(server, transport, StreamInterrupted):
            assert isinstance(error, StreamInterrupted)
            assert names(error.events) == ["Message", "PING", "Message"]


@each_transport
async def test_the_events_so_far_are_those_that_were_handed_out_although_more_have_arrived(
    transport: str,
) -> None:
    with ChunkServer(stream(b"".join(CHAT))) as server:
        with coze(server) as client, client.chat.stream(**ASK) as sync:
            counts = [len(sync.events) for _ in sync]
        async with async_coze(server, transport) as other, other.chat.stream(**ASK) as parallel:
            also = [len(parallel.events) async for _ in parallel]
    assert counts == also == [1, 2, 3, 4, 5, 6]


@each_transport
async def test_what_comes_after_the_last_event_is_left_alone(transport: str) -> None:
    with ChunkServer(stream(CREATED + DONE + HELLO)) as server:
        with coze(server) as client, client.chat.stream(**ASK) as sync:
            seen = list(sync)
        async with async_coze(server, transport) as other, other.chat.stream(**ASK) as parallel:
            also = [item async for item in parallel]
    for events in (seen, sync.events, also, parallel.events):
        assert names(events) == ["conversation.chat.created", "done"]


@each_transport
@pytest.mark.parametrize("empty", [b"data:\n", b""], ids=["empty data", "no data"])
async def test_a_known_event_without_data_is_passed_on(empty: bytes, transport: str) -> None:
    bare = b"event:conversation.message.delta\n" + empty + b"\n"
    with ChunkServer(stream(CREATED, bare, DONE)) as server:
        with coze(server) as client:
            seen = list(client.chat.stream(**ASK))
        async with async_coze(server, transport) as other:
            also = [item async for item in other.chat.stream(**ASK)]
    for events in (seen, also):
        assert names(events) == ["conversation.chat.created", "conversation.message.delta", "done"]
        assert isinstance(events[1].data, Message) and events[1].message is events[1].data
        assert events[1].data.to_dict() == {}


@each_transport
@pytest.mark.parametrize("empty", [b"data:\n", b"", b"data:null\n", b"data:{}\n"])
async def test_an_event_that_says_nothing_changes_nothing(empty: bytes, transport: str) -> None:
    def bare(name: str) -> bytes:
        return f"event:{name}\n".encode() + empty + b"\n"

    states = [bare(f"conversation.chat.{name}") for name in ("created", "in_progress", "completed")]
    talk = [*CHAT[:-1], *states, bare("conversation.message.completed"), CHAT[-1]]
    run = [FLOW[0], bare("Message"), *FLOW[1:]]
    with ChunkServer(stream(*talk), stream(*run), stream(*talk), stream(*run)) as server:
        with coze(server) as client:
            told = client.chat.stream(**ASK).until_done()
            flowed = client.workflows.runs.stream(**RUN).until_done()
        async with async_coze(server, transport) as other:
            also_told = await other.chat.stream(**ASK).until_done()
            also_flowed = await other.workflows.runs.stream(**RUN).until_done()
    with ChunkServer(stream(*CHAT), stream(*FLOW)) as server, coze(server) as client:
        assert told == also_told == client.chat.stream(**ASK).until_done()
        assert flowed == also_flowed == client.workflows.runs.stream(**RUN).until_done()
    assert (told.chat.id, told.answer, len(flowed.nodes) > 0) == (CHAT_ID, "Hello", True)


def test_events_that_are_read_anew_are_as_they_were_and_report_no_drift_again() -> None:
    drifts: list[object] = []
    odd = event("conversation.message.delta", {**message("a"), "role": 7})
    with (
        ChunkServer(stream(CREATED, odd, DONE)) as server,
        coze(server, on_drift=drifts.append) as client,
    ):
        opened = client.chat.stream(**ASK)
        seen = list(opened)
        told = len(drifts)
        again = opened.events
    assert [(item.event, item.data, item.logid) for item in again] == [
        (item.event, item.data, item.logid) for item in seen
    ]
    assert {item.logid for item in again} == {LOGID}
    assert told == len(drifts) == 1


@each_kind
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"code":0,"msg":""}', b"event:done\ndata:{}\n\n", b"<html>"],
    ids=range(5),
)
@pytest.mark.parametrize("content_type", [None, ""], ids=["absent", "empty"])
def test_an_answer_without_a_type_in_place_of_a_stream_is_a_typed_error(
    kind: str, content_type: str | None, body: bytes
) -> None:
    script: list[Step] = [Head(200, {"content-type": content_type}, LENGTH, len(body)), Send(body)]
    for ask in (
        lambda c: list(c.chat.stream(**ASK)),
        lambda c: list(c.workflows.runs.stream(**RUN)),
    ):
        problem = pytest.raises(ResponseError, match="expected an event stream")
        with (
            ChunkServer(script) as server,
            client_of(kind, server.url) as client,
            problem as caught,
        ):
            ask(client)
        assert (caught.value.http_status, caught.value.logid) == (200, LOGID)


@each_kind
@pytest.mark.parametrize("content_type", [None, ""], ids=["absent", "empty"])
def test_an_error_without_a_type_in_place_of_a_stream_is_that_error(
    kind: str, content_type: str | None
) -> None:
    script = reply({"code": 4015, "msg": "not published"}, headers={"content-type": content_type})
    problem = pytest.raises(NotFoundError, match="not published")
    with ChunkServer(script) as server, client_of(kind, server.url) as client, problem as caught:
        list(client.chat.stream(**ASK))
    assert caught.value.code == 4015


@each_kind
def test_messages_without_the_usual_fields_do_not_end_a_stream(kind: str) -> None:
    delta = "conversation.message.delta"
    bare = [event(delta, {"id": "m1"}), event(delta, {**message(""), "content": None})]
    untitled = {name: value for name, value in node("a", 0).items() if name != "node_title"}
    run = [event("Message", untitled, 0), event("Done", {}, 1)]
    with (
        ChunkServer(stream(CREATED, *bare, COMPLETED, DONE), stream(*run)) as server,
        client_of(kind, server.url) as client,
    ):
        seen = list(client.chat.stream(**ASK))
        steps = list(client.workflows.runs.stream(**RUN))
    assert names(seen)[1:3] == [delta, delta]
    assert [item.message.content for item in seen[1:3]] == [None, None]
    assert (steps[0].message.content, steps[0].message.node_title) == ("a", None)


@each_kind
def test_the_last_event_of_a_chatflow_tells_the_address_of_its_run(kind: str) -> None:
    last = event("done", {"debug_url": "https://www.coze.cn/work_flow?execute_id=1"})
    with (
        ChunkServer(stream(CREATED, COMPLETED, last)) as server,
        client_of(kind, server.url) as client,
    ):
        assert (
            list(client.workflows.chat.stream(**CHATFLOW))[-1].debug_url
            == "https://www.coze.cn/work_flow?execute_id=1"
        )
