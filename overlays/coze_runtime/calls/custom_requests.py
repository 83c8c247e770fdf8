"""Requests that nobody described: `client.request`, for endpoints newer than this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError
from ..operation import CallOptions, Operation, Request, Response, omit_none
from ..serialization.codec import read_as
from ..types import FileInput, TimeoutInput

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def build(
    method: str,
    path: str,
    *,
    query: Mapping[str, Any] | None,
    body: Mapping[str, Any] | None,
    files: Mapping[str, FileInput] | None,
    billed: bool,
) -> Request:
    """The request, not yet sent.

    Raises:
        ArgumentError: The method is none of HTTP, or the path is no path below the base URL.
    """
    method = method.upper()
    if method not in _METHODS:
        raise ArgumentError(f"{method!r} is not an HTTP method", argument="method")
    if not path.startswith("/") or path.startswith("//") or "?" in path or "#" in path:
        raise ArgumentError(
            f"path must begin with one `/` and hold no `?` and no `#`, not {path!r}",
            argument="path",
        )
    parts = None
    if files is not None:
        from ..serialization.multipart import part

        parts = {name: part(name, value) for name, value in files.items()}
    operation = Operation(f"{method} {path}", method, path, billed=billed, slow=billed)
    return Request(
        operation,
        path,
        omit_none(dict(query or {})),
        {},
        dict(body) if body is not None else None,
        parts,
    )


def parser(cast_to: Any, unwrap: str | None) -> Callable[[Response], Any]:
    """Reads the answer."""
    return lambda response: read_as(response, cast_to, unwrap)


def options(headers: Mapping[str, str] | None, timeout: TimeoutInput) -> CallOptions:
    """Options of the call."""
    return CallOptions(extra_headers=headers, timeout=timeout)
