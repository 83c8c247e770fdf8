"""How long connections live: pools, loops, threads, processes, closing from anywhere."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
import trio

from coze_runtime._http.aiohttp_transport import AiohttpTransport
from coze_runtime._http.clients import new_async_client, new_client
from cozekit import (
    AsyncCoze,
    ChatFailed,
    Coze,
    CozeError,
    NotFoundError,
    StreamInterrupted,
)
from tests.overlays.chunk_server import (
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Request,
    Send,
    Signal,
    Step,
    reply,
    stream,
)
from tests.overlays.wire import (
    ASK,
    BOT,
    CHAT,
    COMPLETED,
    CREATED,
    DONE,
    HELLO,
    async_coze,
    coze,
    descriptors,
    each_transport,
    event,
    message,
)

LONG = 30.0
TWO = httpx.Limits(max_connections=2)
FAILED = event("error", {"code": 4013, "msg": "model"})


def small_async_client(transport: str) -> httpx.AsyncClient:
    if transport == "aiohttp":
        return httpx.AsyncClient(transport=AiohttpTransport(limits=TWO), timeout=None)
    return new_async_client("httpx", limits=TWO)


def by_bot(request: Request) -> list[Step]:
    """A chat whose end its `bot_id` chooses."""
    end = request.json["bot_id"]
    if end == "complete":
        return stream(*CHAT)
    if end in ("abandoned", "unread"):
        return [Head(), Send(CREATED), Send(HELLO), KeepOpen()]
    if end == "failing":
        return stream(CREATED, FAILED)
    return [Head(), Send(CREATED), Close()]


def read_sync(client: Coze, end: str) -> None:
    opened = client.chat.stream(**{**ASK, "bot_id": end})
    if end == "abandoned":
        for _ in opened:
            return
    elif end == "unread":
        return
    elif end == "complete":
        assert opened.until_done().answer == "Hello"
    else:
        with pytest.raises((ChatFailed, StreamInterrupted)):
            opened.until_done()


async def read_async(client: AsyncCoze, end: str) -> None:
    opened = client.chat.stream(**{**ASK, "bot_id": end})
    if end == "abandoned":
        async for _ in opened:
            return
    elif end == "unread":
        await opened.open()
    elif end == "complete":
        assert (await opened.until_done()).answer == "Hello"
    else:
        with pytest.raises((ChatFailed, StreamInterrupted)):
            await opened.until_done()


@pytest.mark.parametrize("end", ["complete", "abandoned", "unread", "failing", "cut"])
def test_a_pool_of_two_serves_fifty_streams_whatever_their_end(end: str) -> None:
    with ChunkServer(by_bot) as server, new_client(limits=TWO) as http_client:
        client = coze(server, http_client=http_client, timeout=5)
        read_sync(client, end)
        before = descriptors()
        for _ in range(50):
            read_sync(client, end)
        server.wait_for(lambda it: it.open_connections <= 2)
        assert descriptors() <= before + 2
        assert server.connections == (1 if end == "complete" else 51)


@each_transport
@pytest.mark.parametrize("end", ["complete", "abandoned", "unread", "failing", "cut"])
async def test_an_async_pool_of_two_serves_fifty_streams_whatever_their_end(
    end: str, transport: str
) -> None:
    with ChunkServer(by_bot) as server:
        async with small_async_client(transport) as http_client:
            client = async_coze(server, http_client=http_client, timeout=5)
            await read_async(client, end)
            before = descriptors()
            for _ in range(50):
                await read_async(client, end)
            await anyio.to_thread.run_sync(server.wait_for, lambda it: it.open_connections <= 2)
            # Threads of `to_thread` and sockets of the loop: a handful, and not one for each
            # stream.
            assert descriptors() <= before + 8
            if end == "complete":
                assert server.connections == 1


@each_transport
async def test_twenty_streams_that_are_read_use_one_connection(transport: str) -> None:
    with ChunkServer(stream(*CHAT)) as server:
        with coze(server) as client:
            for _ in range(20):
                client.chat.stream(**ASK).until_done()
        assert server.connections == 1
        async with async_coze(server, transport) as other:
            for _ in range(20):
                await other.chat.stream(**ASK).until_done()
        assert server.connections == 2


def test_a_stream_keeps_the_connections_of_a_client_that_nobody_holds() -> None:
    with ChunkServer(stream(*CHAT)) as server:
        opened = coze(server).chat.stream(**ASK)
        gc.collect()
        assert opened.until_done().answer == "Hello"


def test_a_client_that_is_dropped_closes_its_connections() -> None:
    with ChunkServer(reply(BOT)) as server:
        coze(server).bots.retrieve("b1")
        gc.collect()
        server.wait_for(lambda it: it.open_connections == 0)


@each_transport
async def test_an_async_client_that_is_dropped_closes_its_connections(transport: str) -> None:
    with ChunkServer(reply(BOT)) as server:
        await async_coze(server, transport).bots.retrieve("b1")
        gc.collect()
        await anyio.to_thread.run_sync(server.wait_for, lambda it: it.open_connections == 0)


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_one_async_client_serves_three_event_loops_one_after_the_other(transport: str) -> None:
    with ChunkServer(reply(BOT)) as server:
        client = async_coze(server, transport)

        async def ask() -> str | None:
            return (await client.bots.retrieve("b1")).name

        assert [asyncio.run(ask()) for _ in range(3)] == ["Otter"] * 3
        server.wait_for(lambda it: it.open_connections == 0)
        assert server.connections == 3
        assert not client._connections._pools
        asyncio.run(client.close())


def test_one_async_client_serves_asyncio_and_trio() -> None:
    with ChunkServer(reply(BOT)) as server:
        client = async_coze(server)

        async def ask() -> str | None:
            return (await client.bots.retrieve("b1")).name

        assert [asyncio.run(ask()), trio.run(ask), asyncio.run(ask())] == ["Otter"] * 3
        server.wait_for(lambda it: it.open_connections == 0)


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_one_async_client_serves_two_event_loops_at_once_and_closes_both(transport: str) -> None:
    with ChunkServer(reply(BOT)) as server:
        client = async_coze(server, transport)
        asked, closed = threading.Barrier(2), threading.Event()
        problems: list[BaseException] = []

        async def other() -> None:
            await client.bots.retrieve("b1")
            await asyncio.to_thread(asked.wait, LONG)
            await asyncio.to_thread(closed.wait, LONG)
            with pytest.raises(CozeError, match="closed"):
                await client.bots.retrieve("b1")

        def in_thread() -> None:
            try:
                asyncio.run(other())
            except BaseException as error:
                problems.append(error)

        async def main() -> None:
            await client.bots.retrieve("b1")
            await asyncio.to_thread(asked.wait, LONG)
            await client.close()
            try:
                # The other loop still runs: its connections are closed in it, and not because it
                # ends.
                await asyncio.to_thread(server.wait_for, lambda it: it.open_connections == 0)
            finally:
                closed.set()

        thread = threading.Thread(target=in_thread)
        thread.start()
        asyncio.run(main())
        thread.join(LONG)
        assert not problems
        server.wait_for(lambda it: it.open_connections == 0)


def test_a_loop_that_was_closed_by_hand_is_forgotten() -> None:
    with ChunkServer(reply(BOT)) as server:
        client = async_coze(server)
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(client.bots.retrieve("b1"))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        assert not client._connections._pools


def test_thirty_two_threads_share_one_client() -> None:
    with ChunkServer(reply(BOT)) as server, coze(server) as client:
        start = threading.Barrier(32)
        found: list[Any] = []

        def work() -> None:
            start.wait(LONG)
            found.extend(client.bots.retrieve(f"b{n}").logid for n in range(10))

        threads = [threading.Thread(target=work) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        assert len(found) == 320
        assert server.connections <= 32, "one set of connections for all threads"
        assert {request.target for request in server.requests} == {
            f"/v1/bots/b{n}" for n in range(10)
        }


def test_thirty_two_threads_stream_upload_and_fail_beside_each_other() -> None:
    def answer(request: Request) -> list[Step]:
        if "upload" in request.target:
            return reply(
                {"code": 0, "data": {"id": request.body[-200:].partition(b"file-")[2][:2].decode()}}
            )
        if "chat" in request.target:
            user = request.json["user_id"]
            return stream(
                CREATED, event("conversation.message.completed", message(user)), COMPLETED, DONE
            )
        return reply({"code": 4200, "msg": request.target})

    problems: list[BaseException] = []
    with ChunkServer(answer) as server, coze(server) as client:
        start = threading.Barrier(32)

        def work(number: int) -> None:
            name = f"{number:02}"
            try:
                start.wait(LONG)
                for _ in range(5):
                    assert client.chat.stream(bot_id="b1", user_id=name).until_done().answer == name
                    assert client.files.upload(file=("a.txt", f"file-{name}".encode())).id == name
                    with pytest.raises(NotFoundError, match=f"/v1/bots/{name}"):
                        client.bots.retrieve(name)
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        assert problems == []
        assert (len(server.requests), server.connections <= 32) == (32 * 15, True)


FORK = """
    import os, sys
    from cozekit import AsyncCoze, Coze
    import asyncio
    client, other = Coze("t", base_url=sys.argv[1]), AsyncCoze("t", base_url=sys.argv[1])
    client.bots.retrieve("parent")
    asyncio.run(other.bots.retrieve("parent-async"))
    client._connections._lock.acquire()     # as a thread of the parent may have done
    child = os.fork()
    if not child:
        client.bots.retrieve("child")
        asyncio.run(other.bots.retrieve("child-async"))
        client.close()
        os._exit(0)
    client._connections._lock.release()
    assert os.waitpid(child, 0)[1] == 0
    client.bots.retrieve("parent-again")
    client.close()
"""


def script(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(text), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_forked_child_gets_connections_of_its_own() -> None:
    with ChunkServer(reply(BOT)) as server:
        done = script(FORK, server.url)
        assert (done.returncode, done.stderr) == (0, "")
        by_name = {
            request.target.rpartition("/")[2]: request.connection for request in server.requests
        }
    assert by_name["parent"] == by_name["parent-again"], "the child must not hang up for its parent"
    assert (
        len({by_name["parent"], by_name["child"], by_name["child-async"], by_name["parent-async"]})
        == 4
    )


# The child inherits the socket of the parent's connection, and the descriptor by which its event
# loop hears of that socket.
FORK_LIVE = """
    import asyncio, gc, os, signal, sys
    from cozekit import AsyncCoze
    signal.alarm(30)                        # nobody waits longer: neither the child nor, for it, the parent
    client = AsyncCoze("t", base_url=sys.argv[1], transport=sys.argv[2])

    async def in_child():
        assert not client._connections._pools, "these belong to the parent"
        async with client:
            await asyncio.gather(*(client.bots.retrieve(f"child-{n}") for n in range(3)))

    async def main():
        await client.bots.retrieve("parent")
        client._connections._lock.acquire()     # as a thread of the parent may have done
        child = os.fork()
        if not child:
            signal.alarm(20)                # alarms are not inherited
            asyncio.run(in_child())
            gc.collect()
            os._exit(0)
        client._connections._lock.release()
        assert (await asyncio.to_thread(os.waitpid, child, 0))[1] == 0
        assert len(client._connections._pools) == 1
        await client.bots.retrieve("parent-again")
        await client.close()
    asyncio.run(main())
"""  # noqa: E501


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_a_child_that_is_forked_inside_of_an_event_loop_leaves_the_connection_of_its_parent_alone(
    transport: str,
) -> None:
    with ChunkServer(reply(BOT)) as server:
        done = script(FORK_LIVE, server.url, transport)
        assert (done.returncode, done.stderr) == (0, "")
        by_name = {
            request.target.rpartition("/")[2]: request.connection for request in server.requests
        }
        server.wait_for(lambda it: it.open_connections == 0)
    assert len(by_name) == len(server.requests) == 5
    assert by_name["parent"] == by_name["parent-again"], "the child must not hang up for its parent"
    assert by_name["parent"] not in {by_name[f"child-{number}"] for number in range(3)}


QUIET = """
    import gc, sys, threading
    opened = []
    sys.addaudithook(lambda name, args: opened.append(name) if name.startswith("socket.") else None)
    import cozekit
    clients = [cozekit.Coze("t"), cozekit.AsyncCoze("t"), cozekit.AsyncCoze("t", transport="httpx")]
    clients[0].with_options(timeout=3, max_retries=0)
    assert not opened, opened
    assert threading.active_count() == 1
    assert not {"aiohttp", "httpx", "trio"} & set(sys.modules)
    clients.clear(); gc.collect()
"""


def test_nothing_is_opened_at_import_or_construction_even_with_a_proxy_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    done = script(QUIET)
    assert (done.returncode, done.stderr) == (0, "")


WITHOUT_CLOSE = """
    import asyncio, sys
    from cozekit import AsyncCoze, Coze
    client = Coze("t", base_url=sys.argv[1])
    client.bots.retrieve("b1")
    async def main(transport):
        other = AsyncCoze("t", base_url=sys.argv[1], transport=transport)
        await other.bots.retrieve("b1")
        async for _ in other.chat.stream(bot_id="b1", user_id="u1"):
            break
    asyncio.run(main("httpx")); asyncio.run(main("aiohttp"))
    for _ in client.chat.stream(bot_id="b1", user_id="u1"):
        break
"""


def test_a_program_that_closes_nothing_ends_without_a_warning() -> None:
    def answer(request: Request) -> list[Step]:
        return [Head(), Send(CREATED), KeepOpen()] if request.method == "POST" else reply(BOT)

    with ChunkServer(answer) as server:
        done = script(WITHOUT_CLOSE, server.url)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_client_says_so() -> None:
    with ChunkServer(reply(BOT)) as server:
        client = coze(server)
        client.bots.retrieve("b1")
        copied = client.with_options(timeout=3)
        copied.close()
        client.bots.retrieve("b1")
        client.close()
        client.close()
        for closed in (client, copied):
            with pytest.raises(CozeError, match="the client is closed; create a new one"):
                closed.bots.retrieve("b1")
        unused = coze(server)
        unused.close()
        with pytest.raises(CozeError, match="the client is closed"):
            unused.bots.retrieve("b1")
    assert len(server.requests) == 2


@each_transport
async def test_a_closed_async_client_says_so(transport: str) -> None:
    with ChunkServer(reply(BOT)) as server:
        async with async_coze(server, transport) as client:
            async with client.with_options(timeout=3) as copied:
                await copied.bots.retrieve("b1")
            await client.bots.retrieve("b1")
        await client.close()
        for closed in (client, copied):
            with pytest.raises(CozeError, match="the client is closed; create a new one"):
                await closed.bots.retrieve("b1")
    assert len(server.requests) == 2


async def test_a_client_of_the_callers_is_left_open_and_told_when_it_is_closed() -> None:
    with ChunkServer(reply(BOT)) as server:
        with httpx.Client() as own:
            with coze(server, http_client=own) as client:
                client.bots.retrieve("b1")
            own.get(server.url)
        with pytest.raises(CozeError, match="the client is closed"):
            client.bots.retrieve("b1")
        with pytest.raises(CozeError, match="the http_client of this client is closed"):
            coze(server, http_client=own).bots.retrieve("b1")
        async with httpx.AsyncClient() as parallel:
            async with async_coze(server, http_client=parallel) as other:
                await other.bots.retrieve("b1")
            await parallel.get(server.url)
        with pytest.raises(CozeError, match="the http_client of this client is closed"):
            await async_coze(server, http_client=parallel).bots.retrieve("b1")


@pytest.mark.parametrize("name", ["read", "chat"])
def test_closing_a_client_wakes_a_call_in_another_thread(name: str) -> None:
    asked = threading.Event()
    with ChunkServer([Signal(asked), KeepOpen()]) as server:
        client = coze(server, timeout=120)
        problems: list[BaseException] = []

        def call() -> None:
            try:
                client.bots.retrieve("b1") if name == "read" else client.chat.create(**ASK)
            except CozeError as error:
                problems.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        assert asked.wait(LONG)
        client.close()
        thread.join(5)
        assert not thread.is_alive()
    assert type(problems[0]) is CozeError, "no connection error, which might be worth a repetition"
    assert "closed" in str(problems[0])
    assert len(server.requests) == 1, "a call on a closed client is not repeated"


@each_transport
@pytest.mark.parametrize("name", ["read", "chat"])
async def test_closing_a_client_wakes_a_call_in_another_task(name: str, transport: str) -> None:
    asked = threading.Event()
    with ChunkServer([Signal(asked), KeepOpen()]) as server:
        client = async_coze(server, transport, timeout=120)

        async def close() -> None:
            await anyio.to_thread.run_sync(asked.wait, LONG)
            await client.close()

        with anyio.fail_after(LONG):
            async with anyio.create_task_group() as group:
                group.start_soon(close)
                with pytest.raises(CozeError, match="closed") as caught:
                    await (
                        client.bots.retrieve("b1") if name == "read" else client.chat.create(**ASK)
                    )
    assert type(caught.value) is CozeError
    assert len(server.requests) == 1


@pytest.mark.parametrize("make", [Coze, AsyncCoze])
@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_client_is_never_pickled_with_its_token(
    make: type[Coze], duplicate: Callable[[object], object]
) -> None:
    with pytest.raises(TypeError, match="create a client in each process"):
        duplicate(make("pat_secret"))


def test_a_shallow_copy_shares_connections_and_token() -> None:
    with ChunkServer(reply(BOT)) as server, coze(server) as client:
        client.bots.retrieve("b1")
        copy.copy(client).bots.retrieve("b1")
    assert server.connections == 1
    assert (
        server.requests[0].headers["authorization"] == server.requests[1].headers["authorization"]
    )


def test_a_loop_that_was_closed_without_its_last_rites_is_forgotten_at_the_next_one() -> None:
    client = async_coze("http://127.0.0.1:1", "httpx")

    async def use() -> None:
        client._connections.get()

    loops = [asyncio.new_event_loop() for _ in range(3)]
    for loop in loops:
        loop.run_until_complete(use())
        assert list(client._connections._pools) == [loop]
        loop.close()


BUSY_FORK = """
    import os, signal, sys
    from cozekit import Coze
    client = Coze("t", base_url=sys.argv[1])
    client.bots.retrieve("parent")
    # As a thread of the parent that is in the midst of a call may have done.
    lock = client._connections.get()._transport._pool._optional_thread_lock._lock
    lock.acquire()
    child = os.fork()
    if not child:
        signal.alarm(20)    # who waits for that lock waits for ever
        client.bots.retrieve("child")
        sys.exit()          # with everything that happens at exit
    lock.release()
    assert os.waitpid(child, 0)[1] == 0
    client.bots.retrieve("parent-again")
    client.close()
"""


def test_a_child_that_was_forked_during_a_call_of_another_thread_waits_for_nobody() -> None:
    with ChunkServer(reply(BOT)) as server:
        done = script(BUSY_FORK, server.url)
        assert (done.returncode, done.stderr) == (0, "")
        by_name = {
            request.target.rpartition("/")[2]: request.connection for request in server.requests
        }
    assert by_name["parent"] == by_name["parent-again"] != by_name["child"]


FORK_IN_LOOP = """
    import asyncio, gc, os, signal, sys
    from cozekit import AsyncCoze
    client = AsyncCoze("t", base_url=sys.argv[1], transport=sys.argv[2])
    async def main():
        await client.bots.retrieve("parent")
        child = os.fork()
        if not child:
            signal.alarm(20)
            asyncio.run(client.bots.retrieve("child"))
            gc.collect()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        await client.bots.retrieve("parent-again")
        await client.close()
    asyncio.run(main())
"""


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_a_child_that_was_forked_inside_of_an_event_loop_leaves_its_connections_alone(
    transport: str,
) -> None:
    with ChunkServer(reply(BOT)) as server:
        done = script(FORK_IN_LOOP, server.url, transport)
        assert (done.returncode, done.stderr) == (0, "")
        by_name = {
            request.target.rpartition("/")[2]: request.connection for request in server.requests
        }
    assert by_name["parent"] == by_name["parent-again"] != by_name["child"]


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_a_stream_that_is_abandoned_in_the_last_moment_of_its_loop_is_closed_in_it(
    transport: str,
) -> None:
    answers: list[httpx.Response] = []
    with ChunkServer([Head(), Send(CREATED), KeepOpen()]) as server:
        client = async_coze(server, transport)

        async def main() -> None:
            opened = await client.chat.stream(**ASK).open()
            assert opened._opened is not None
            answers.append(opened._opened.http_response)

        asyncio.run(main())
        assert answers[0].is_closed
        server.wait_for(lambda it: it.open_connections == 0)


async def test_a_generated_client_that_is_closed_says_so_too() -> None:
    from coze_openapi import AsyncClient, Client

    with ChunkServer(reply(BOT)) as server:
        with Client("t", base_url=server.url) as client:
            client.bots.retrieve("b1")
        with pytest.raises(CozeError, match="the client is closed; create a new one") as sync:
            client.bots.retrieve("b1")
        async with AsyncClient("t", base_url=server.url) as other:
            await other.bots.retrieve("b1")
        with pytest.raises(CozeError, match="the client is closed; create a new one") as parallel:
            await other.bots.retrieve("b1")
    assert type(sync.value) is type(parallel.value) is CozeError, "nothing to repeat"
    assert len(server.requests) == 2
