"""What has to be done to sockets themselves: waking a reader, and shortening a wait.

The HTTP library has no public way to either. Everything here asks first and does nothing where a
transport does not show its socket.
"""

from __future__ import annotations

import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx

from .prepared import OpenResponse


def hang_up(answer: httpx.Response) -> bool:
    """Wakes whoever waits for bytes of this answer: shuts the socket down, and leaves closing it to
    the reader.

    Returns False when the transport does not show its socket.
    """
    network = answer.extensions.get("network_stream")
    return network is not None and shut_down(network.get_extra_info("socket"))


def shut_down(sock: Any) -> bool:
    """Ends both directions of a socket, of the standard library or of an event loop; False when it
    is none.
    """
    try:
        if isinstance(sock, socket.socket):
            # The method of a TLS socket would take its state away under the reader.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
            return True
        number = sock.fileno() if sock is not None else -1
        if number < 0:
            return False
        with socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as twin:
            twin.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is down already
    return True


def hang_up_all(client: httpx.Client) -> None:
    """Wakes every thread that waits for an answer on these connections; closing alone would leave
    it waiting.
    """
    for sock in _sockets(client):
        shut_down(sock)


def close_inherited(client: httpx.Client) -> None:
    """In a child process: closes this side of the parent's connections, without a word to the
    server and without a lock.
    """
    for sock in _sockets(client):
        socket.socket.close(sock)


def _sockets(client: httpx.Client) -> Iterator[Any]:
    """Sockets of a client, as far as its transports show them: the library has no public way to
    list them.
    """
    transports = [getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()]
    for transport in transports:
        for connection in list(getattr(getattr(transport, "_pool", None), "_connections", ())):
            inner = connection
            while hasattr(inner, "_connection"):
                inner = inner._connection
            network = getattr(inner, "_network_stream", None)
            sock = network.get_extra_info("socket") if network is not None else None
            if isinstance(sock, socket.socket):
                yield sock


def limit_reads(opened: OpenResponse, remaining: Callable[[], float | None]) -> bool:
    """From now on each wait for bytes of a sync answer ends after the seconds that `remaining`
    gives; None is the usual timeout.

    The HTTP library fixes its read timeout when a request is sent; a deadline needs one that
    shrinks. The network stream is its documented extension; a transport that has none keeps the
    timeout of the call, and the result is False.
    """
    network: Any = opened.http_response.extensions.get("network_stream")
    read = getattr(type(network), "read", None)
    if read is None or not hasattr(network, "__dict__"):
        return False
    found = weakref.ref(opened.http_response)

    def shortened(max_bytes: int, timeout: float | None = None) -> bytes:
        answer = found()
        if answer is None or answer.is_closed:
            # The connection serves another call by now.
            vars(network).pop("read", None)
            return cast(bytes, read(network, max_bytes, timeout=timeout))
        left = remaining()
        if left is not None and left <= 0:
            raise httpx.ReadTimeout("no time is left")
        return cast(bytes, read(network, max_bytes, timeout=timeout if left is None else left))

    network.read = shortened
    return True
