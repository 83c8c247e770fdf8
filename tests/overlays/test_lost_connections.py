"""Connections that the server ends, or answers on, when nobody expects it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio.to_thread
import pytest

from cozekit import APIConnectionError, APIError
from tests.each import each
from tests.overlays.chunk_server import (
    CLOSE,
    LENGTH,
    Abort,
    ChunkServer,
    Head,
    Raw,
    Read,
    Send,
    Signal,
    Step,
    Wait,
    reply,
)
from tests.overlays.wire import BOT, async_coze, coze, each_transport

LARGE = 5_000_000
"""Bytes; more than the system takes before the server has read any."""


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A server that answers as soon as a request begins, and hangs up; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            with contextlib.suppress(OSError), sock:
                if not sock.recv(4096):
                    return
                sock.sendall(
                    b"HTTP/1.1 %d Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    % status
                )

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        socket.create_connection(listener.getsockname()).close()
        thread.join()
        listener.close()


REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an upload": ("files", "upload", {"file": ("a.bin", bytes(LARGE))}),
    "a large run": (
        "workflows.runs",
        "create",
        {"workflow_id": "1", "parameters": {"x": "y" * LARGE}},
    ),
}


def method(client: Any, resource: str, name: str) -> Any:
    for part in resource.split("."):
        client = getattr(client, part)
    return getattr(client, name)


@each_transport
@pytest.mark.parametrize("status", [401, 413, 429])
@each("resource, name, arguments", REQUESTS)
async def test_an_answer_that_comes_while_the_body_is_sent_is_the_answer(
    resource: str, name: str, arguments: dict[str, Any], status: int, transport: str
) -> None:
    with refusing(status) as url:
        with coze(url, max_retries=0) as client, pytest.raises(APIError) as caught:
            await anyio.to_thread.run_sync(lambda: method(client, resource, name)(**arguments))
        assert caught.value.http_status == status
        async with async_coze(url, transport, max_retries=0) as other:
            with pytest.raises(APIError) as caught:
                await method(other, resource, name)(**arguments)
        assert caught.value.http_status == status


SOUND = {"content-type": "audio/mpeg"}
CUTS: dict[str, list[Step]] = {
    "a body without a length": [Head(200, SOUND, CLOSE), Send(b"x" * 1000), Read(), Abort()],
    "a body with a length": [Head(200, SOUND, LENGTH, 2000), Send(b"x" * 1000), Read(), Abort()],
    "a body in chunks": [Head(200, SOUND), Send(b"x" * 1000), Read(), Abort()],
}


@each_transport
@each("script", CUTS)
async def test_a_reset_is_a_lost_connection_on_every_transport(
    script: list[Step], transport: str
) -> None:
    with ChunkServer(script) as server:
        with coze(server, max_retries=0) as client, pytest.raises(APIConnectionError):
            client.audio.speech.create(input="a", voice_id="v")
        async with async_coze(server, transport, max_retries=0) as other:
            with pytest.raises(APIConnectionError):
                await other.audio.speech.create(input="a", voice_id="v")


@each_transport
async def test_a_body_without_a_length_ends_with_its_connection(transport: str) -> None:
    with ChunkServer([Head(200, SOUND, CLOSE), Send(b"x" * 1000)]) as server:
        with coze(server) as client:
            assert len(client.audio.speech.create(input="a", voice_id="v")) == 1000
        async with async_coze(server, transport) as other:
            assert len(await other.audio.speech.create(input="a", voice_id="v")) == 1000


@each_transport
async def test_an_answer_that_nobody_asked_for_is_not_that_of_the_next_call(transport: str) -> None:
    unasked = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    go, sent = threading.Event(), threading.Event()
    first = [*reply(BOT), Wait(go), Raw(unasked), Signal(sent)]
    with ChunkServer(first, reply(BOT)) as server:
        async with async_coze(server, transport, max_retries=0) as client:
            await client.bots.retrieve("b1")
            go.set()
            await anyio.to_thread.run_sync(sent.wait)
            assert (await client.bots.retrieve("b1")).name == "Otter"
        assert server.connections == 2
