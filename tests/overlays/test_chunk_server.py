"""The scripted server itself: the stream tests are worth no more than it is."""

from __future__ import annotations

import threading

import httpx
import pytest

from tests.overlays.chunk_server import (
    CLOSE,
    LENGTH,
    LOGID,
    Abort,
    ChunkServer,
    Close,
    Endless,
    Head,
    KeepOpen,
    Raw,
    Request,
    Send,
    Signal,
    Step,
    Wait,
    reply,
    stream,
)


@pytest.mark.parametrize("framing", ["chunked", LENGTH, CLOSE])
def test_a_stream_arrives_whole_in_every_framing(framing: str) -> None:
    with (
        ChunkServer(stream(b"event:a\n", b"", b"data:1\n\n", framing=framing)) as server,
        httpx.Client() as client,
    ):
        answers = [client.get(server.url + "/x?y=1") for _ in range(2)]
    assert [answer.content for answer in answers] == [b"event:a\ndata:1\n\n"] * 2
    assert answers[0].headers["content-type"] == "text/event-stream"
    assert answers[0].headers["x-tt-logid"] == LOGID
    assert server.connections == (2 if framing == CLOSE else 1)
    assert [(request.target, request.finished) for request in server.requests] == [
        ("/x?y=1", True)
    ] * 2


def test_requests_are_recorded_with_their_bodies() -> None:
    with ChunkServer(reply({"code": 0})) as server, httpx.Client() as client:
        client.post(server.url, json={"a": "你"}, headers={"X-One": "1"})
        client.post(server.url, content=iter([b"ab", b"c"]))
    first, second = server.requests
    assert (first.method, first.json, first.headers["x-one"], second.body) == (
        "POST",
        {"a": "你"},
        "1",
        b"abc",
    )


def test_each_request_gets_its_script_and_the_last_one_repeats() -> None:
    def echo(request: Request) -> list[Step]:
        return reply(request.body)

    with ChunkServer(reply({"n": 1}, 520), echo) as server, httpx.Client() as client:
        answers = [client.post(server.url, content=b"%d" % number) for number in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [
        (520, b'{"n": 1}'),
        (200, b"1"),
        (200, b"2"),
    ]


def test_a_header_of_none_is_not_sent() -> None:
    with ChunkServer([Head(headers={"Content-Type": None, "x-new": "1"})]) as server:
        answer = httpx.get(server.url)
    assert "content-type" not in answer.headers
    assert answer.headers["x-new"] == "1"


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([], httpx.RemoteProtocolError),
        ([Abort()], httpx.ReadError),
        ([Raw(b"SSH-2.0-x\r\n\r\n")], httpx.RemoteProtocolError),
        ([Head(), Send(b"x"), Close()], httpx.RemoteProtocolError),
        ([Head(), Raw(b"5\r\nab"), Close()], httpx.RemoteProtocolError),
        ([Head(framing=LENGTH, length=9), Send(b"x"), Close()], httpx.RemoteProtocolError),
        ([Head(), Send(b"x"), Abort()], httpx.ReadError),
    ],
    ids=[
        "no answer",
        "reset before the head",
        "no HTTP",
        "cut between chunks",
        "cut in a chunk",
        "too short",
        "reset in the body",
    ],
)
def test_a_broken_answer_is_seen_as_such_by_the_client(
    steps: list[Step], error: type[Exception]
) -> None:
    with ChunkServer(steps) as server, pytest.raises(error):
        httpx.get(server.url)
    assert len(server.requests) == 1


def test_the_server_waits_for_the_test_and_tells_it_how_far_it_is() -> None:
    go, come = threading.Event(), threading.Event()
    script = [Head(), Send(b"one"), Wait(go), Signal(come), Send(b"two")]
    with ChunkServer(script) as server, httpx.stream("GET", server.url) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"one"
        assert not come.is_set()
        go.set()
        assert next(pieces) == b"two"
        assert come.is_set()


@pytest.mark.parametrize("last", [KeepOpen(), Endless(b": ping\n\n")], ids=["silent", "endless"])
def test_a_client_that_goes_away_ends_the_connection(last: Step) -> None:
    with ChunkServer([Head(), Send(b"x"), last]) as server:
        with httpx.stream("GET", server.url) as answer:
            pieces = answer.iter_raw()  # closes the answer when it is thrown away
            next(pieces)
            assert server.open_connections == 1
        server.wait_for(lambda counts: counts.open_connections == 0)
        assert not server.requests[0].finished


@pytest.mark.parametrize(
    "last",
    [KeepOpen(), Endless(b"x"), Wait(threading.Event())],
    ids=["silent", "endless", "waiting"],
)
def test_leaving_the_block_ends_every_script(last: Step) -> None:
    with httpx.Client() as client:
        with ChunkServer([Head(), Send(b"x"), last]) as server:
            answer = client.send(client.build_request("GET", server.url), stream=True)
            pieces = answer.iter_raw()
            next(pieces)
        with pytest.raises(httpx.TransportError):
            list(pieces)


def test_an_error_in_a_script_is_raised_at_the_end_of_the_block() -> None:
    with (
        pytest.raises(ValueError, match="unknown framing"),
        ChunkServer([Head(framing="x")]) as server,
        pytest.raises(httpx.TransportError),
    ):
        httpx.get(server.url)
