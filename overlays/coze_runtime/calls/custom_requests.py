"""`client.request`: calls to endpoints that are not in the description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError
from ..operation import Operation, Request, Response, omit_none, valid_unicode
from ..serialization.codec import read_as
from ..types import FileInput

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
    """Builds the request; see `SyncAPIClient.request` for the parameters.

    Raises:
        ArgumentError: `method` is not an HTTP method, `path` does not start with one `/` or is not
            valid Unicode, or a file cannot be read.
    """
    method = method.upper()
    if method not in _METHODS:
        raise ArgumentError(f"{method!r} is not an HTTP method", argument="method")
    if not path.startswith("/") or path.startswith("//") or "?" in path or "#" in path:
        raise ArgumentError(
            f"path must start with one `/` and contain no `?` or `#`, not {path!r}",
            argument="path",
        )
    parts = None
    if files is not None:
        from ..serialization.multipart import part

        parts = {name: part(name, value) for name, value in files.items()}
    path = valid_unicode("path", path)
    operation = Operation(f"{method} {path}", method, path, billed=billed, slow=billed, binary=True)
    return Request(
        operation,
        path,
        omit_none(dict(query or {})),
        {},
        dict(body) if body is not None else None,
        parts,
    )


def parser(cast_to: Any, unwrap: str | None) -> Callable[[Response], Any]:
    """The function that parses the response."""
    return lambda response: read_as(response, cast_to, unwrap)
