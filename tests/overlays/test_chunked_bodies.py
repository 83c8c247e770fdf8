"""Bodies in chunks: cut anywhere, framed in every legal and many illegal ways, or read by somebody
else before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest

from cozekit import StreamInterrupted
from tests.each import Problems, each
from tests.overlays.chunk_server import (
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Raw,
    Read,
    Request,
    Send,
    Step,
    Wait,
    stream,
)
from tests.overlays.test_stream_limits import SOON, in_thread, until_it_waits
from tests.overlays.wire import ASK, CHAT, CREATED, async_coze, coze, each_transport, event, names

SHORT = [event("a", "1"), event("done", "")]


def chunk(data: bytes, size: bytes = b"") -> bytes:
    return (size or b"%x" % len(data)) + b"\r\n" + data + b"\r\n"


def flushed(events: list[bytes]) -> bytes:
    """Events as servers flush them: name, line end, data and blank line are chunks."""
    parts = [part for each in events for part in each.partition(b"\n") if part]
    return b"".join(map(chunk, parts))


class Cut:
    """Answers with a body that is cut in two. The second part waits until the client has seen every
    event that was complete in the first.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.go = threading.Event()

    def __call__(self, request: Request) -> list[Step]:
        go = self.go = threading.Event()
        return [Head(), Raw(self.body[: self.at]), Wait(go), Raw(self.body[self.at :])]

    def every(self) -> Iterator[int]:
        """Sets each cut in turn; yields the number of events that are complete before it."""
        ends = [len(flushed(SHORT[:count])) - len(b"\r\n") for count in (1, 2)]
        for at in range(1, len(self.body) + 1):
            self.at = at
            yield sum(end <= at for end in ends)


def test_a_thread_gets_an_event_with_its_last_byte_wherever_the_framing_is_cut() -> None:
    cut, problems = Cut(flushed(SHORT)), Problems()
    with ChunkServer(cut) as server, coze(server, timeout=SOON) as client:
        for complete in cut.every():
            with problems.of(f"cut at byte {cut.at}"):
                events = iter(client.chat.stream(**ASK))
                seen = [next(events).event for _ in range(complete)]
                cut.go.set()
                assert seen + names(list(events)) == ["a", "done"]
    problems.must_be_none()
    assert server.connections == 1


@each_transport
async def test_a_task_gets_an_event_with_its_last_byte_wherever_the_framing_is_cut(
    transport: str,
) -> None:
    cut, problems = Cut(flushed(SHORT)), Problems()
    with ChunkServer(cut) as server:
        async with async_coze(server, transport, timeout=SOON) as client:
            for complete in cut.every():
                with problems.of(f"cut at byte {cut.at}"):
                    events = await client.chat.stream(**ASK).open()
                    seen = [(await anext(events)).event for _ in range(complete)]
                    cut.go.set()
                    assert seen + [item.event async for item in events] == ["a", "done"]
    problems.must_be_none()
    assert server.connections == 1


A, B = event("a", "1"), event("b", "2")
# What follows the first event → the names of the events that come, or the error after the first.
LEGAL = {
    "digits of either case and zeros before them": chunk(B, b"000%X" % len(B)),
    "an extension": chunk(B, b'%x;of="x"; y' % len(B)),
    "an extension as long as many chunks": chunk(B, b"%x;%b" % (len(B), b"x" * 5000)),
    "spaces after the size": chunk(B, b"%x  " % len(B)),
    "a chunk without an extension after one with it": chunk(B[:5], b"5;x=1") + chunk(B[5:]),
}
ILLEGAL = {
    "more bytes than the size says": chunk(B, b"5"),
    "more bytes, which look like a size": b"1\r\nbcd\r\n" + chunk(B),
    "fewer bytes than the size says, then the end": chunk(B, b"ffff"),
    "a size that no body has": chunk(B, b"f" * 16),
    "a size of more digits than any number has": chunk(B, b"1" * 40),
    "a size with a sign": chunk(B, b"+%x" % len(B)),
    "a size below zero": chunk(B, b"-1"),
    "a size with a prefix": chunk(B, b"0x%x" % len(B)),
    "a size with an underscore": chunk(B, b"0_%x" % len(B)),
    "no size": chunk(B, b" "),
    "no line end after the data": b"%x\r\n%b" % (len(B), B) + chunk(B),
    "half a line end": b"%x\r\n%b\r" % (len(B), B),
    "a line that never ends": b"1" * 200_000,
    "the end": b"",
}
OUR_READER = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


def script(rest: bytes, *, reads: bool, ends: bytes = b"") -> list[Step]:
    """The first event and the rest, in one piece or in two; then the connection is closed."""
    pause: list[Step] = [Read()] if reads else []
    return [Head(), Raw(chunk(A)), *pause, Raw(rest + ends), Close()]


@OUR_READER
@pytest.mark.parametrize("reads", [False, True], ids=["at once", "in pieces"])
@each("framing", LEGAL)
async def test_legal_framing_is_read(framing: bytes, reads: bool) -> None:
    ends = chunk(event("done", "")) + b"0\r\nTrailer: of the body\r\n\r\n"
    with ChunkServer(script(framing, reads=reads, ends=ends)) as server:
        with coze(server) as client:
            assert names(list(client.chat.stream(**ASK))) == ["a", "b", "done"]
        async with async_coze(server) as other:
            assert [item.event async for item in other.chat.stream(**ASK)] == ["a", "b", "done"]


@OUR_READER
@pytest.mark.parametrize("reads", [False, True], ids=["at once", "in pieces"])
@each("framing", ILLEGAL)
async def test_illegal_framing_is_a_lost_connection_after_what_came_before(
    framing: bytes, reads: bool
) -> None:
    with ChunkServer(script(framing, reads=reads)) as server:
        with coze(server) as client, pytest.raises(StreamInterrupted) as caught:
            list(client.chat.stream(**ASK))
        assert caught.value.events[0].event == "a"
        async with async_coze(server) as other:
            with pytest.raises(StreamInterrupted) as caught:
                [item async for item in other.chat.stream(**ASK)]
        assert caught.value.events[0].event == "a"


class ReadAlready(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport of the caller's, for recordings or a cache, that has read the body."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with httpx.Client() as client:
            got = client.send(request)
        return httpx.Response(200, headers=got.headers, content=got.content)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            got = await client.send(request)
        return httpx.Response(200, headers=got.headers, content=got.content)


async def test_a_body_that_a_transport_has_read_is_read_once() -> None:
    with ChunkServer(stream(*CHAT)) as server:
        with coze(server, transport=ReadAlready()) as client:
            assert client.chat.stream(**ASK).until_done().answer == "Hello"
        async with async_coze(server, ReadAlready()) as other:
            assert (await other.chat.stream(**ASK).until_done()).answer == "Hello"


async def test_a_body_that_a_hook_has_read_is_read_once() -> None:
    async def read(response: httpx.Response) -> None:
        await response.aread()

    with ChunkServer(stream(*CHAT)) as server:
        with (
            httpx.Client(event_hooks={"response": [lambda it: it.read()]}) as http_client,
            coze(server, http_client=http_client, timeout=SOON) as client,
        ):
            assert client.chat.stream(**ASK).until_done().answer == "Hello"
        async with (
            httpx.AsyncClient(event_hooks={"response": [read]}) as http_client_async,
            async_coze(server, http_client=http_client_async, timeout=SOON) as other,
        ):
            assert (await other.chat.stream(**ASK).until_done()).answer == "Hello"


class SharedSocket:
    """The connection of a response that carries others too."""

    def __init__(self, network: Any) -> None:
        self.network = network

    def get_extra_info(self, info: str) -> Any:
        raise AssertionError("the socket belongs to the other responses too")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return bytes(self.network.read(max_bytes, timeout))


class Multiplexed(httpx.HTTPTransport):
    """Says that it speaks HTTP/2, where a stream has no socket of its own."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        shared = SharedSocket(answer.extensions["network_stream"])
        answer.extensions.update(http_version=b"HTTP/2", network_stream=shared)
        return answer


class AsyncMultiplexed(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        shared = SharedSocket(answer.extensions["network_stream"])
        answer.extensions.update(http_version=b"HTTP/2", network_stream=shared)
        return answer


def test_a_stream_that_shares_its_connection_leaves_the_socket_alone() -> None:
    first, go = threading.Event(), threading.Event()
    script: list[Step] = [Head(), Send(CREATED), Wait(go), Send(CREATED), KeepOpen()]
    with ChunkServer(script) as server, coze(server, transport=Multiplexed()) as client:
        opened = client.chat.stream(**ASK)

        def close() -> None:
            until_it_waits(opened, first)
            opened.close()
            go.set()  # the reader sees that the stream is closed when data arrives

        with in_thread(close), pytest.raises(StreamInterrupted, match="the stream was closed"):
            for _ in opened:
                first.set()


async def test_a_task_that_reads_a_shared_connection_is_woken_without_its_socket() -> None:
    with ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server:
        async with async_coze(server, AsyncMultiplexed()) as client:
            opened = await client.chat.stream(**ASK).open()
            await anext(opened)
            async with anyio.create_task_group() as group:

                async def read() -> None:
                    with pytest.raises(StreamInterrupted, match="the stream was closed"):
                        await anext(opened)

                group.start_soon(read)
                await anyio.wait_all_tasks_blocked()
                await opened.close()
