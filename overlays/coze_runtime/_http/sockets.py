"""Wakes a blocked reader, shortens its timeout and keeps it reading, on the socket itself.

httpx has no public way to do so. If a transport does not show its socket, or if the socket
carries other responses too, the functions do nothing.
"""

from __future__ import annotations

import socket
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, cast

import httpx

from .prepared import OpenResponse


class ReadFirstSocket(socket.socket):
    """A socket of an event loop that, after the server has hung up, pretends to send as long as
    there is something to read.

    A server that refuses an upload responds and hangs up. An event loop drops a socket when sending
    fails, and the response with it.
    """

    __slots__ = ()

    def send(self, data: Any, flags: int = 0) -> int:
        """Sends, or pretends to."""
        try:
            return super().send(data, flags)
        except (BrokenPipeError, ConnectionResetError):
            if self._has_unread_data():
                return len(data)
            raise

    def sendmsg(self, buffers: Any, *arguments: Any) -> int:
        """Sends, or pretends to; what event loops call from Python 3.12 on."""
        parts = list(buffers)
        try:
            return super().sendmsg(parts, *arguments)
        except (BrokenPipeError, ConnectionResetError):
            if self._has_unread_data():
                return sum(map(len, parts))
            raise

    def _has_unread_data(self) -> bool:
        try:
            return bool(self.recv(1, socket.MSG_PEEK))
        except OSError:
            return False


def network_stream(response: httpx.Response) -> Any:
    """The connection of a response; None if the transport does not show it, or if the connection
    carries other responses too, as with HTTP/2.
    """
    if response.extensions.get("http_version") == b"HTTP/2":
        return None
    return response.extensions.get("network_stream")


def hang_up(response: httpx.Response) -> None:
    """Wakes a blocked reader of a response: shuts the socket down. The reader closes it."""
    network = network_stream(response)
    if network is not None:
        shut_down(network.get_extra_info("socket"))


def shut_down(sock: Any) -> None:
    """Shuts down both directions of a socket of the standard library or of an event loop."""
    with suppress(OSError):  # it is down already
        if isinstance(sock, socket.socket):
            # Not `sock.shutdown`: that of a TLS socket would destroy the state the reader uses.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        elif sock is not None and (descriptor := sock.fileno()) >= 0:
            with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)


def hang_up_all(client: httpx.Client) -> None:
    """Wakes every thread that waits for a response; closing alone would leave it waiting."""
    for sock in _sockets(client):
        shut_down(sock)


def close_inherited(client: httpx.Client) -> None:
    """After a fork, in the child: closes its copies of the parent's sockets. Sends nothing to the
    server and takes no lock.
    """
    for sock in _sockets(client):
        socket.socket.close(sock)


def _sockets(client: httpx.Client) -> Iterator[Any]:
    """The sockets of a client, as far as its transports show them; httpx has no public way to list
    them.
    """
    transports = [getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()]
    for transport in transports:
        for connection in list(getattr(getattr(transport, "_pool", None), "connections", ())):
            innermost = connection
            while (inside := getattr(innermost, "_connection", None)) is not None:
                innermost = inside
            network = getattr(innermost, "_network_stream", None)
            sock = network.get_extra_info("socket") if network is not None else None
            if isinstance(sock, socket.socket):
                yield sock


def limit_reads(opened: OpenResponse, remaining: Callable[[], float | None]) -> bool:
    """Limits every further read of a sync response to `remaining()` seconds; None means the read
    timeout of the call.

    httpx fixes the read timeout when the request is sent, but a deadline needs one that shrinks.

    Returns:
        False if the transport has no network stream (a documented extension of httpx), or with
        HTTP/2; then the timeout of the call still applies.
    """
    network = network_stream(opened.http_response)
    read = getattr(type(network), "read", None)
    if read is None or not hasattr(network, "__dict__"):
        return False
    response_ref = weakref.ref(opened.http_response)

    def limited_read(max_bytes: int, timeout: float | None = None) -> bytes:
        response = response_ref()
        if response is None or response.is_closed:
            # The connection now serves another call.
            vars(network).pop("read", None)
            return cast(bytes, read(network, max_bytes, timeout=timeout))
        seconds_left = remaining()
        if seconds_left is None:
            seconds_left = timeout
        elif seconds_left <= 0:
            raise httpx.ReadTimeout("the deadline has passed")
        return cast(bytes, read(network, max_bytes, timeout=seconds_left))

    network.read = limited_read
    return True
