"""The HTTP library, and nothing else that knows it.

| Module | What is there |
|---|---|
| `exchange` | sends a prepared request, reads or opens the response |
| `prepared` | a request as it goes out, an open response |
| `byte_stream` | the body of an open response, sync and async |
| `errors` | from the errors of the HTTP library to ours |
| `clients` | clients of the HTTP library with our limits, TLS, probes and proxies |
| `connections` | one set of connections per client, event loop and process; asyncio and trio |
| `aiohttp_transport` | the transport on aiohttp |
| `sockets` | waking a reader and shortening a wait, on the socket itself |

Importing this package does not import the HTTP library; its names are loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport as AsyncTransport
    from httpx import AsyncClient as AsyncHTTPClient
    from httpx import BaseTransport as Transport
    from httpx import Client as HTTPClient

    from .byte_stream import AsyncByteStream as AsyncByteStream
    from .byte_stream import ByteStream as ByteStream
    from .prepared import OpenResponse as OpenResponse
    from .prepared import PreparedRequest as PreparedRequest

__all__ = [
    "AsyncByteStream",
    "AsyncHTTPClient",
    "AsyncTransport",
    "ByteStream",
    "HTTPClient",
    "OpenResponse",
    "PreparedRequest",
    "Transport",
]

_PLACES = {
    "AsyncByteStream": ("coze_runtime._http.byte_stream", "AsyncByteStream"),
    "AsyncHTTPClient": ("httpx", "AsyncClient"),
    "AsyncTransport": ("httpx", "AsyncBaseTransport"),
    "ByteStream": ("coze_runtime._http.byte_stream", "ByteStream"),
    "HTTPClient": ("httpx", "Client"),
    "OpenResponse": ("coze_runtime._http.prepared", "OpenResponse"),
    "PreparedRequest": ("coze_runtime._http.prepared", "PreparedRequest"),
    "Transport": ("httpx", "BaseTransport"),
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    value: object = getattr(import_module(module), attribute)
    globals()[name] = value
    return value
