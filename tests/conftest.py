"""For the whole suite: no test reaches another machine."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

# Its assertions explain themselves wherever it is imported first.
pytest.register_assert_rewrite("tests.record.replay")


class NetworkUsed(RuntimeError):
    """A test tried to leave this machine; no OSError, so that no client mistakes it for a broken
    connection.
    """


def _is_local(host: Any) -> bool:
    text = host.decode() if isinstance(host, bytes) else host
    if text in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check(what: str, address: Any) -> None:
    # Addresses of Unix sockets are text or bytes, those of the internet are tuples.
    host = address[0] if isinstance(address, tuple) else None
    if not _is_local(host):
        raise NetworkUsed(f"{what} {host!r}: tests talk to loopback only")


def _guarded(original: Any, what: str) -> Any:
    def call(self: socket.socket, *args: Any) -> Any:
        if self.family != socket.AF_UNIX:
            _check(what, args[-1])
        return original(self, *args)

    return call


def pytest_configure() -> None:
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name), name))
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check("look up", (host,))
        return resolve(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
