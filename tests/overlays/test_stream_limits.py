"""Streams that take too long, and streams that are closed from elsewhere; no test waits longer than
a limit under test.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import coze_runtime.streams.event_stream
from coze_runtime._http.aiohttp_transport import AiohttpTransport
from coze_runtime.calls.deadlines import StreamLimits
from coze_runtime.calls.retries import RetryPolicy
from coze_runtime.streams.event_stream import EventStream
from cozekit import (
    APITimeoutError,
    ArgumentError,
    CozeError,
    StreamInterrupted,
    StreamTimeout,
    Timeout,
)
from tests.overlays.chunk_server import (
    ChunkServer,
    Endless,
    Head,
    KeepOpen,
    Raw,
    Send,
    Signal,
    Wait,
    reply,
    stream,
)
from tests.overlays.test_errors_everywhere import certificate, tls_front
from tests.overlays.wire import (
    ASK,
    CHAT,
    CREATED,
    DONE,
    HELLO,
    RUN,
    WAYS,
    async_coze,
    coze,
    each_transport,
    event,
    names,
)

LONG = 120.0
"""Seconds of the limits that are not under test."""
SHORT = 0.4
"""Seconds of the limits under test."""
TRIES = (0.2, 2.0, 20.0)
"""Seconds of a limit that must not pass before the first event has come: a busy machine may need
the longer ones.
"""
SOON = 20.0
"""Seconds in which everything must be over that is not to wait for a limit."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """What is imported and loaded once per process does not count against a limit under test."""
    with ChunkServer(*[stream(*CHAT)] * 4) as server:
        with coze(server) as client:
            client.chat.stream(**ASK).until_done()

        async def chat(transport: str) -> None:
            async with async_coze(server, transport) as other:
                await other.chat.stream(**ASK, deadline=LONG).until_done()

        for backend, transport in WAYS:
            anyio.run(chat, transport, backend=backend)


def test_without_limits_there_are_none() -> None:
    limits = StreamLimits(None, None)
    assert (limits.exact, limits.remaining(), limits.exceeded()) == (False, None, None)


def test_the_idle_time_runs_from_the_moment_the_caller_waits() -> None:
    clock = Clock()
    limits = StreamLimits(10, None, clock)
    clock.now += 9
    assert (limits.remaining(), limits.exceeded()) == (1, None)
    clock.now += 3
    assert limits.exceeded_before_read(0) == limits.exceeded() == "no event for 10 s"
    assert limits.exceeded_before_read(1) is None
    assert (limits.remaining(), limits.exceeded()) == (10, None)


def test_waiting_on_without_a_new_event_does_not_restart_the_idle_time() -> None:
    clock = Clock()
    limits = StreamLimits(10, None, clock)
    assert limits.exceeded_before_read(4) is None
    clock.now += 6
    assert limits.exceeded_before_read(4) is None
    clock.now += 6
    assert limits.exceeded_before_read(4) == "no event for 10 s"


def test_the_read_timeout_of_the_call_counts_where_no_idle_time_was_given() -> None:
    clock = Clock()
    limits, strict = StreamLimits(None, None, clock), StreamLimits(10, None, clock)
    limits.start_reading(60)
    strict.start_reading(60)
    assert (limits.exceeded_before_read(0), strict.exceeded_before_read(0)) == (None, None)
    clock.now += 59
    assert limits.exceeded() is None
    assert strict.exceeded() == "no event for 10 s"
    clock.now += 1
    assert limits.exceeded() == "no event for 60 s"
    assert (limits.exact, limits.remaining()) == (False, None)


def test_timeouts_of_a_request_are_cut_to_what_is_left() -> None:
    clock = Clock()
    limits = StreamLimits(None, 8, clock)
    assert limits.capped(Timeout(5, 60, None, 1)) == Timeout(5, 8, 8, 1)
    limits.start_reading(8)
    assert limits.default_idle == 60, "not what was left when the request was sent"
    assert limits.allows(7.9)
    assert not limits.allows(8)
    clock.now += 9
    assert limits.capped(Timeout(5, 60, None, 1)).read == pytest.approx(0.001)
    assert StreamLimits(None, None, clock).capped(Timeout(5, None, 1, 1)) == Timeout(5, None, 1, 1)


def test_the_deadline_is_not_moved_by_events() -> None:
    clock = Clock()
    limits = StreamLimits(10, 15, clock)
    clock.now += 9
    limits.exceeded_before_read(1)
    assert limits.remaining() == 6
    clock.now += 6
    assert limits.exceeded() == "the deadline of 15 s passed"


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "5", True])
def test_a_limit_that_is_no_number_above_zero_is_refused(limit: float) -> None:
    with pytest.raises(ArgumentError, match="idle_timeout"):
        StreamLimits(limit, None)
    with pytest.raises(ArgumentError, match="deadline"):
        StreamLimits(None, limit)


def test_a_refused_limit_sends_nothing() -> None:
    with ChunkServer([Head(), KeepOpen()]) as server, coze(server) as client:
        with pytest.raises(ArgumentError):
            client.chat.stream(**ASK, deadline=0)
        assert server.requests == []


QUIET = {
    "silence": [Head(), Send(CREATED), KeepOpen()],
    "keep-alives": [Head(), Send(CREATED), Endless(b": ping\n\n")],
    "an event that never ends": [Head(), Send(CREATED), Endless(b"data: x\n")],
}


@each_transport
@pytest.mark.parametrize("script", QUIET.values(), ids=QUIET)
@pytest.mark.parametrize(
    ("limit", "text"),
    [("idle_timeout", "no event for {:g} s"), ("deadline", "the deadline of {:g} s passed")],
    ids=["idle", "deadline"],
)
async def test_a_stream_without_events_is_given_up_in_time(
    script: list[object], limit: str, text: str, transport: str
) -> None:
    for seconds in TRIES:
        limits = {"deadline": LONG, limit: seconds}
        with ChunkServer(script) as server:  # type: ignore[arg-type]
            errors = await timeouts(server, transport, {"timeout": LONG}, limits)
            server.wait_for(lambda it: it.open_connections == 0)
        assert all(text.format(seconds) in str(error) for error in errors)
        if all(error.events for error in errors):
            break
    assert [names(error.events) for error in errors] == [["conversation.chat.created"]] * 2


async def timeouts(
    server: ChunkServer, transport: str, settings: dict[str, Any], limits: dict[str, float]
) -> list[StreamTimeout]:
    """The errors of a chat that is given up, sync and async."""
    with coze(server, **settings) as client, pytest.raises(StreamTimeout) as sync:
        list(client.chat.stream(**ASK, **limits))
    async with async_coze(server, transport, **settings) as other:
        with pytest.raises(StreamTimeout) as parallel:
            async for _ in other.chat.stream(**ASK, **limits):
                pass
    return [sync.value, parallel.value]


@each_transport
async def test_the_deadline_ends_a_stream_that_is_busy(transport: str) -> None:
    with ChunkServer([Head(), Send(CREATED), Endless(HELLO)]) as server:
        with coze(server, timeout=LONG) as client, pytest.raises(StreamTimeout, match="deadline"):
            for _ in client.chat.stream(**ASK, deadline=SHORT, idle_timeout=LONG):
                pass
        async with async_coze(server, transport, timeout=LONG) as other:
            with pytest.raises(StreamTimeout, match="deadline"):
                async for _ in other.chat.stream(**ASK, deadline=SHORT, idle_timeout=LONG):
                    pass


@each_transport
async def test_heartbeats_of_a_workflow_count_as_events(transport: str) -> None:
    beat = threading.Event()
    pings = [event("PING", "", number) for number in range(3)]
    script = [Head(), *(Send(ping) for ping in pings), Wait(beat), Send(event("Done", {}, 3))]
    with ChunkServer(script) as server, coze(server) as client:
        seen = []
        for item in client.workflows.runs.stream(**RUN, idle_timeout=LONG):
            seen.append(item.event)
            beat.set()
        assert seen == ["PING", "PING", "PING", "Done"]
    beat.clear()
    with ChunkServer(script) as server:
        async with async_coze(server, transport) as other:
            seen = []
            async for item in other.workflows.runs.stream(**RUN, idle_timeout=LONG):
                seen.append(item.event)
                beat.set()
    assert seen == ["PING", "PING", "PING", "Done"]


QUIETLY = f"no event for {SHORT} s|no data arrived within the read timeout"


@each_transport
@pytest.mark.parametrize("script", QUIET.values(), ids=QUIET)
async def test_the_read_timeout_of_the_call_is_the_limit_when_there_is_no_other(
    script: list[object], transport: str
) -> None:
    """Not even keep-alives hold a stream open for ever."""
    errors: list[StreamTimeout] = []
    for seconds in TRIES:
        texts = (f"no event for {seconds:g} s", "no bytes came within the read timeout")
        with ChunkServer(script) as server:  # type: ignore[arg-type]
            try:
                errors = await timeouts(server, transport, {"timeout": seconds}, {})
            except APITimeoutError:
                continue  # nothing came in time, not even the head
            server.wait_for(lambda it: it.open_connections == 0)
        assert all(any(text in str(error) for text in texts) for error in errors)
        if all(error.events for error in errors):
            break
    assert [names(error.events) for error in errors] == [["conversation.chat.created"]] * 2


def test_a_limit_does_not_stay_on_the_connection() -> None:
    go = threading.Event()
    slow = [Head(), Send(CREATED), Wait(go), Send(DONE)]
    with ChunkServer(stream(*CHAT), slow) as server, coze(server, timeout=LONG) as client:
        client.chat.stream(**ASK, deadline=LONG).until_done()
        opened = client.chat.stream(**ASK)
        reader = iter(opened)
        assert next(reader).event == "conversation.chat.created"
        network = opened._opened.http_response.extensions["network_stream"]
        go.set()
        assert names(list(reader)) == ["done"]
        assert "read" not in vars(network) or server.connections == 1
    assert server.connections == 1


@contextmanager
def in_thread(function: object, *arguments: object) -> Iterator[None]:
    begun = time.monotonic()
    thread = threading.Thread(target=function, args=arguments)  # type: ignore[arg-type]
    thread.start()
    yield
    thread.join(SOON)
    assert not thread.is_alive()
    assert time.monotonic() - begun < SOON


def until_it_waits(opened: EventStream[Any], first: threading.Event) -> None:
    """Returns when the reader of a stream has seen the first event and asks for more."""
    assert first.wait(SOON)
    end = time.monotonic() + SOON
    while not opened._reading:
        assert time.monotonic() < end


@pytest.mark.parametrize("how", ["the stream", "the client"])
def test_closing_from_another_thread_wakes_the_reader(how: str) -> None:
    first = threading.Event()
    with (
        ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server,
        coze(server, timeout=LONG) as client,
    ):
        opened = client.chat.stream(**ASK)

        def close() -> None:
            until_it_waits(opened, first)
            (opened if how == "the stream" else client).close()

        with in_thread(close), pytest.raises(StreamInterrupted) as caught:
            for _ in opened:
                first.set()
        server.wait_for(lambda it: it.open_connections == 0)
    assert names(caught.value.events) == ["conversation.chat.created"]
    if how == "the stream":
        assert "the stream was closed" in str(caught.value)


@each_transport
@pytest.mark.parametrize("limits", [{}, {"idle_timeout": LONG}], ids=["plain", "with a limit"])
@pytest.mark.parametrize("how", ["the stream", "the client"])
async def test_closing_from_another_task_wakes_the_reader(
    how: str, limits: dict[str, float], transport: str
) -> None:
    with ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server:
        async with async_coze(server, transport, timeout=LONG) as client:
            opened = client.chat.stream(**ASK, **limits)
            first = anyio.Event()

            async def close() -> None:
                await first.wait()
                await anyio.lowlevel.checkpoint()
                await (opened if how == "the stream" else client).close()

            with pytest.raises(StreamInterrupted) as caught:
                async for _ in collapse(opened, first, close):
                    pass
        server.wait_for(lambda it: it.open_connections == 0)
    assert names(caught.value.events) == ["conversation.chat.created"]


async def collapse(opened, first, close):  # type: ignore[no-untyped-def]
    """Reads in one task while another one closes; hands on what the reader raised, out of its
    group.
    """
    problem: list[BaseException] = []

    async def read() -> None:
        try:
            async for _ in opened:
                first.set()
        except StreamInterrupted as error:
            problem.append(error)

    with anyio.fail_after(SOON):
        async with anyio.create_task_group() as group:
            group.start_soon(close)
            await read()
    for error in problem:
        raise error
    yield None


@each_transport
async def test_cancelling_the_task_that_reads_gives_the_connection_back(transport: str) -> None:
    with ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server:
        async with async_coze(server, transport, timeout=LONG) as client:
            with anyio.CancelScope() as scope:
                async for _ in client.chat.stream(**ASK):
                    scope.cancel()
            assert scope.cancelled_caught
            # In a thread: the loop has to run for the connection to close.
            await anyio.to_thread.run_sync(server.wait_for, lambda it: it.open_connections == 0)


@each_transport
async def test_closing_while_the_answer_is_awaited_ends_the_opening(transport: str) -> None:
    asked = threading.Event()
    with ChunkServer([Signal(asked), KeepOpen()]) as server:
        async with async_coze(server, transport, timeout=LONG) as client:
            opened = client.chat.stream(**ASK)

            async def close() -> None:
                await anyio.to_thread.run_sync(asked.wait, SOON)
                await opened.close()

            with anyio.fail_after(SOON):
                async with anyio.create_task_group() as group:
                    group.start_soon(close)
                    with pytest.raises(CozeError, match="closed while it was being opened"):
                        await opened.open()
        server.wait_for(lambda it: it.open_connections == 0)


@each_transport
async def test_a_closed_stream_cannot_be_read(transport: str) -> None:
    with ChunkServer(stream(*CHAT)) as server:
        with coze(server) as client:
            sync = client.chat.stream(**ASK)
            sync.close()
            sync.close()
            with pytest.raises(StreamInterrupted, match="the stream was closed"):
                list(sync)
        async with async_coze(server, transport) as other:
            parallel = other.chat.stream(**ASK)
            await parallel.close()
            with pytest.raises(CozeError, match="the stream is closed"):
                async for _ in parallel:
                    pass
            async with other.chat.stream(**ASK) as opened:
                pass
            with pytest.raises(StreamInterrupted, match="the stream was closed"):
                async for _ in opened:
                    pass
    assert len(server.requests) == 2, "a stream that is closed before it is used sends nothing"


@each_transport
async def test_two_readers_of_one_stream_are_told_so(transport: str) -> None:
    with ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server:
        async with (
            async_coze(server, transport, timeout=LONG) as client,
            client.chat.stream(**ASK) as opened,
        ):
            assert (await anext(opened)).event == "conversation.chat.created"

            async def read() -> None:
                with pytest.raises(StreamInterrupted):
                    await anext(opened)

            with anyio.fail_after(SOON):
                async with anyio.create_task_group() as group:
                    group.start_soon(read)
                    await anyio.wait_all_tasks_blocked()
                    with pytest.raises(CozeError, match="another task is reading"):
                        await opened.next_bytes()
                    await opened.close()


class Hidden(httpx.AsyncHTTPTransport):
    """A transport of the caller's that does not show its socket."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        answer.extensions.pop("network_stream")
        return answer


async def test_closing_wakes_the_reader_of_a_transport_that_hides_its_socket() -> None:
    with ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server:
        async with async_coze(server, Hidden(), timeout=LONG) as client:
            opened = client.chat.stream(**ASK)
            first = anyio.Event()

            async def close() -> None:
                await first.wait()
                await anyio.wait_all_tasks_blocked()
                await opened.close()

            with pytest.raises(StreamInterrupted, match="the stream was closed"):
                async for _ in collapse(opened, first, close):
                    pass
        server.wait_for(lambda it: it.open_connections == 0)


def test_a_head_that_never_ends_is_given_up_by_the_read_timeout() -> None:
    with (
        ChunkServer([Raw(b"HTTP/1.1 200 OK\r\n"), KeepOpen()]) as server,
        coze(server, timeout=0.05) as client,
        pytest.raises(CozeError, match="timed out"),
    ):
        client.chat.stream(**ASK)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("anyio_backend", "transport"),
    [("asyncio", None), ("asyncio", "httpx"), ("asyncio", "aiohttp"), ("trio", "httpx")],
    ids=["sync", "httpx", "aiohttp", "trio"],
)
async def test_closing_from_elsewhere_wakes_the_reader_over_tls_too(
    transport: str | None, tmp_path: Path
) -> None:
    files = certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(files[0]))
    with (
        ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server,
        tls_front(server, files) as url,
    ):
        if transport is None:
            with httpx.Client(verify=context) as own:
                sync = coze(url, http_client=own, timeout=LONG).chat.stream(**ASK)
                first = threading.Event()

                def close() -> None:
                    until_it_waits(sync, first)
                    sync.close()

                with (
                    in_thread(close),
                    pytest.raises(StreamInterrupted, match="the stream was closed"),
                ):
                    for _ in sync:
                        first.set()
        else:
            fast = (
                AiohttpTransport(tls=context)
                if transport == "aiohttp"
                else httpx.AsyncHTTPTransport(verify=context)
            )
            async with async_coze(url, fast, timeout=LONG) as client:
                opened = client.chat.stream(**ASK)
                begun = anyio.Event()

                async def close_async() -> None:
                    await begun.wait()
                    await anyio.wait_all_tasks_blocked()
                    await opened.close()

                with pytest.raises(StreamInterrupted, match="the stream was closed"):
                    async for _ in collapse(opened, begun, close_async):
                        pass


class SyncHidden(httpx.HTTPTransport):
    """A transport of the caller's that does not show its socket."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        answer.extensions.pop("network_stream")
        return answer


def test_a_stream_ends_at_its_last_event_on_a_transport_whose_waits_cannot_be_cut_short() -> None:
    with ChunkServer([Head(), *(Send(piece) for piece in CHAT), KeepOpen()]) as server:
        with coze(server, transport=SyncHidden(), timeout=LONG) as client:
            begun = time.monotonic()
            assert client.chat.stream(**ASK).until_done().answer == "Hello"
            assert time.monotonic() - begun < SOON
        server.wait_for(lambda it: it.open_connections == 0)


class Talkative(httpx.BaseTransport):
    """A transport of the caller's, without a socket to set a limit on, whose answer goes on after
    the last event.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, headers={"content-type": "text/event-stream"}, content=self.pieces()
        )

    def pieces(self) -> Iterator[bytes]:
        yield b"".join(CHAT)
        end = time.monotonic() + 8
        while time.monotonic() < end:
            yield b": more\n\n"
        raise AssertionError("still being read")


def test_what_comes_after_the_last_event_is_not_read_for_ever_on_any_transport() -> None:
    with coze("http://127.0.0.1:1", transport=Talkative()) as client:
        assert client.chat.stream(**ASK).until_done().answer == "Hello"


def test_two_threads_that_read_one_stream_are_told_so() -> None:
    first = threading.Event()
    problems: list[BaseException] = []
    with (
        ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server,
        coze(server, timeout=5) as client,
    ):
        opened = client.chat.stream(**ASK)

        def read_too() -> None:
            until_it_waits(opened, first)
            try:
                opened.next_bytes()
            except BaseException as error:
                problems.append(error)
            opened.close()

        with in_thread(read_too), pytest.raises(StreamInterrupted, match="the stream was closed"):
            for _ in opened:
                first.set()
    assert [(type(problem), str(problem)) for problem in problems] == [
        (CozeError, "coze.chat.create: another thread is reading the stream")
    ]


@each_transport
async def test_the_time_that_the_caller_takes_over_an_event_is_no_idle_time(transport: str) -> None:
    go = threading.Event()
    script = [Head(), Send(CREATED), Wait(go), Send(HELLO), Send(DONE)]
    clock = Clock()

    def take_long() -> None:
        clock.now += 15
        go.set()

    with ChunkServer(script) as server:
        with (
            coze(server, timeout=LONG) as client,
            client.chat.stream(**ASK, idle_timeout=LONG) as sync,
        ):
            sync._limits = StreamLimits(10, None, clock)
            seen = [(item.event, take_long())[0] for item in sync]
        go.clear()
        async with (
            async_coze(server, transport, timeout=LONG) as other,
            other.chat.stream(**ASK, idle_timeout=LONG) as parallel,
        ):
            parallel._limits = StreamLimits(10, None, clock)
            also = [(item.event, take_long())[0] async for item in parallel]
    assert seen == also == ["conversation.chat.created", "conversation.message.delta", "done"]


@each_transport
@pytest.mark.parametrize("limits", [{"idle_timeout": 10}, {}], ids=["idle", "read timeout"])
async def test_a_caller_who_opens_a_stream_and_reads_it_later_has_all_the_time(
    limits: dict[str, float], transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(
        coze_runtime.streams.event_stream, "StreamLimits", partial(StreamLimits, clock=clock)
    )
    with ChunkServer(stream(*CHAT)) as server:
        with coze(server, timeout=10) as client, client.chat.stream(**ASK, **limits) as sync:
            clock.now += 30
            assert sync.until_done().answer == "Hello"
        async with (
            async_coze(server, transport, timeout=10) as other,
            other.chat.stream(**ASK, **limits) as parallel,
        ):
            clock.now += 30
            assert (await parallel.until_done()).answer == "Hello"


@each_transport
async def test_little_time_left_for_the_answer_is_no_limit_for_its_events(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a pause for a repetition little of the idle time is left; from the answer on, each
    event has all of it again.
    """
    clock = Clock()
    go = threading.Event()
    monkeypatch.setattr(
        coze_runtime.streams.event_stream, "StreamLimits", partial(StreamLimits, clock=clock)
    )

    def pause(_: float) -> None:
        clock.now += LONG - SHORT
        threading.Timer(SHORT * 1.5, go.set).start()

    async def pause_async(seconds: float) -> None:
        pause(seconds)

    policy = RetryPolicy(sleep=pause, sleep_async=pause_async)
    busy = reply({"code": 4009, "msg": "busy"}, 429)
    slow = [Head(), Send(CREATED), Wait(go), *(Send(piece) for piece in CHAT[1:])]
    with ChunkServer(busy, slow, busy, slow) as server:
        with coze(server, max_retries=policy) as client:
            assert client.chat.stream(**ASK, idle_timeout=LONG).until_done().answer == "Hello"
        go.clear()
        async with async_coze(server, transport, max_retries=policy) as other:
            assert (
                await other.chat.stream(**ASK, idle_timeout=LONG).until_done()
            ).answer == "Hello"


@each_transport
async def test_the_limits_of_an_async_stream_run_from_its_opening(transport: str) -> None:
    clock = Clock()
    with ChunkServer(stream(*CHAT)) as server:
        async with async_coze(server, transport, timeout=LONG) as client:
            opened = client.chat.stream(**ASK, idle_timeout=LONG, deadline=LONG)
            opened._limits = StreamLimits(
                10, 20, clock
            )  # in place of the one that was made with the stream
            clock.now += 30
            assert (await opened.until_done()).answer == "Hello"
