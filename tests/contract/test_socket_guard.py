"""The guard that keeps the suite off the network."""

from __future__ import annotations

import socket

import anyio
import pytest

from tests.contract.server import LoopbackServer

OUTSIDE = "192.0.2.1"  # kept for documentation: belongs to nobody


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_connection_to_another_machine_is_refused(method: str) -> None:
    with (
        socket.socket() as outgoing,
        pytest.raises(RuntimeError, match="tests talk to loopback only"),
    ):
        getattr(outgoing, method)((OUTSIDE, 80))


def test_a_datagram_to_another_machine_is_refused() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as outgoing,
        pytest.raises(RuntimeError, match="tests talk to loopback only"),
    ):
        outgoing.sendto(b"", (OUTSIDE, 53))


def test_looking_up_a_name_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"look up 'example\.com'"):
        socket.getaddrinfo("example.com", 80)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("host", [OUTSIDE, "example.com"])
async def test_async_connections_to_another_machine_are_refused(host: str) -> None:
    # The attempts run in a group of tasks, which wraps their errors.
    with pytest.raises((RuntimeError, ExceptionGroup)) as caught:
        await anyio.connect_tcp(host, 80)
    error = caught.value.exceptions[0] if isinstance(caught.value, ExceptionGroup) else caught.value
    assert "tests talk to loopback only" in str(error)


def test_loopback_is_open(server: LoopbackServer) -> None:
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with socket.create_connection(address) as outgoing:
        assert outgoing.getpeername() == address


def test_unix_sockets_are_open() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"hello")
        assert there.recv(5) == b"hello"
