"""Everything that touches the HTTP library (httpx) or aiohttp.

| Module | Contents |
|---|---|
| `exchange` | sends a prepared request; reads or opens the response |
| `diagnosis` | what an error of the HTTP library means, in our words |
| `prepared` | a request ready to be sent; an open response |
| `byte_stream` | the body of an open response, sync and async |
| `uploads` | sends files |
| `chunk_reader` | takes all chunks of a body that have arrived at once |
| `clients` | creates httpx clients with our limits, TLS, keep-alive probes and proxies |
| `environment` | proxies and TLS files that the environment names |
| `connections` | one set of connections per client, event loop and process; asyncio and trio |
| `aiohttp_transport` | an httpx transport on aiohttp |
| `sockets` | wakes a blocked reader and shortens its timeout, on the socket itself |

Importing this package does not import httpx: the names below are loaded on first use.
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

_LOCATIONS = {
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
    if name not in _LOCATIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _LOCATIONS[name]
    value: object = getattr(import_module(module), attribute)
    globals()[name] = value
    return value
