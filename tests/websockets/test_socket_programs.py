"""What a whole program meets: imports, missing extras, other event loops, forgotten sockets,
secrets.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from scripted_sockets import send, until_closed

from cozekit import AsyncCoze, Coze
from cozekit.auth import Auth
from cozekit.errors import AuthenticationError, CozeError, WebSocketError
from cozekit.websockets import AsyncWebSockets, WebSocketTimeout

ROOT = Path(__file__).parents[2]


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT / "generated"), str(ROOT / "overlays")])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )


def test_importing_cozekit_loads_no_socket() -> None:
    done = run("import cozekit, sys; print([name for name in sys.modules if 'websockets' in name])")
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("is_async", [False, True])
def test_without_the_extra_the_error_names_it(is_async: bool) -> None:
    program = """
import sys, asyncio
sys.modules["websockets"] = None
import cozekit.websockets
from cozekit import AsyncCoze, Coze
async def opened():
    await cozekit.websockets.AsyncWebSockets(AsyncCoze("tok", base_url="http://127.0.0.1:1")).speech().connect()
try:
    if sys.argv[1] == "True":
        asyncio.run(opened())
    else:
        Coze("tok", base_url="http://127.0.0.1:1").websockets.speech().connect()
except cozekit.CozeError as error:
    print(error)
"""
    done = run(program, str(is_async))
    assert "pip install 'cozekit[ws]'" in done.stdout, done.stderr


def test_a_program_that_forgets_to_close_its_socket_ends(peers: Any) -> None:
    program = """
import sys, threading
from cozekit import Coze
socket = Coze("tok", base_url=sys.argv[1]).websockets.speech().connect()
socket.input_text_buffer_append("x")
assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
print("end")
"""  # noqa: E501
    done = run(program, peers(until_closed).base_url)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "end", "")


def test_a_sync_socket_that_is_dropped_ends_its_threads_and_its_connection(peers: Any) -> None:
    ended = threading.Event()

    def script(connection: Any) -> None:
        send(connection, "speech.created")
        try:
            until_closed(connection)
        finally:
            ended.set()

    others = set(threading.enumerate())
    with Coze("tok", base_url=peers(script).base_url) as client:
        events = iter(client.websockets.speech().connect())
        assert next(events).event_type == "speech.created"  # an iteration keeps its socket
        del events
        assert ended.wait(10)
        threads = [
            thread for thread in set(threading.enumerate()) - others if thread.name[:7] == "cozekit"
        ]
        for thread in threads:
            thread.join(10)
        assert not [thread.name for thread in threads if thread.is_alive()]


def test_an_async_program_that_forgets_to_close_its_socket_ends_quietly(peers: Any) -> None:
    program = """
import sys, asyncio
from cozekit import AsyncCoze, Coze
from cozekit.websockets import AsyncWebSockets
async def main():
    client = AsyncCoze("tok", base_url=sys.argv[1])
    socket = await AsyncWebSockets(client).speech().connect()
    await socket.input_text_buffer_append("x")
    print("end")
asyncio.run(main())
"""
    done = run(program, peers(until_closed).base_url)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "end", "")


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_on_trio_the_error_says_that_asyncio_is_needed(anyio_backend: str) -> None:
    async with AsyncCoze("tok", base_url="http://127.0.0.1:1") as client:
        with pytest.raises(CozeError, match="asyncio only"):
            await AsyncWebSockets(client).speech().connect()


async def test_a_cancelled_block_leaves_nothing_behind(peers: Any) -> None:
    import asyncio

    import anyio

    async with AsyncCoze("tok", base_url=peers(until_closed).base_url) as client:
        before = asyncio.all_tasks()
        with anyio.move_on_after(0.05):
            async with AsyncWebSockets(client).speech() as socket:
                await socket.wait_for("speech.created")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert socket.state == "closed"
        assert {
            task for task in asyncio.all_tasks() - before if "cozekit" in task.get_name()
        } == set()


def test_errors_can_be_pickled_and_copied() -> None:
    import copy
    import pickle

    for error in (WebSocketError("m", code=4000, msg="x", logid="l"), WebSocketTimeout("late")):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert (type(twin), twin.args, twin.__dict__) == (
                type(error),
                error.args,
                error.__dict__,
            )


def test_no_token_shows(peers: Any) -> None:
    with (
        Coze("canary-token", base_url=peers(until_closed).base_url) as client,
        client.websockets.speech() as socket,
    ):
        shown = repr(socket) + str(socket) + repr(client.websockets)
    assert "canary" not in shown


async def test_no_token_shows_in_the_log_of_the_handshake(
    peers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("INFO", "websockets.server")
    url = peers(until_closed).base_url
    with Coze("canary-token", base_url=url) as client, client.websockets.speech():
        pass
    async with AsyncCoze("canary-token", base_url=url) as coze, coze.websockets.speech():
        pass
    assert "canary" not in caplog.text


class Renewable(Auth):
    """A token that the server refuses, and its successor."""

    renewable = True

    def __init__(self) -> None:
        self.current = "old"

    def token(self, client: Any) -> str:
        return self.current

    async def token_async(self, client: Any) -> str:
        return self.current

    def renew(self, client: Any, rejected: str) -> bool:
        self.current = "new"
        return rejected == "old"

    async def renew_async(self, client: Any, rejected: str) -> bool:
        return self.renew(client, rejected)


@pytest.mark.parametrize("accepted", ["new", "never"])
async def test_a_token_that_the_handshake_refuses_is_renewed_once(
    peers: Any, accepted: str
) -> None:
    seen = []

    def check(connection: Any, request: Any) -> Any:
        seen.append(request.headers["Authorization"])
        return None if seen[-1] == f"Bearer {accepted}" else connection.respond(401, "")

    url = peers(until_closed, process_request=check).base_url
    async with AsyncCoze(auth=Renewable(), base_url=url) as client:
        socket = AsyncWebSockets(client).speech()
        if accepted == "new":
            async with socket:
                assert socket.state == "open"
        else:
            with pytest.raises(AuthenticationError):
                await socket.connect()
    with Coze(auth=Renewable(), base_url=url) as sync_client:
        sync_socket = sync_client.websockets.speech()
        if accepted == "new":
            with sync_socket:
                assert sync_socket.state == "open"
        else:
            with pytest.raises(AuthenticationError):
                sync_socket.connect()
    assert seen == ["Bearer old", "Bearer new"] * 2
