"""Calls that may arrive after the work has ended, such as a cancel: an error code says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol

from ..errors import APIError
from ..operation import CallOptions, Ended, Request, Response, later_options
from ..serialization.convert import get_path
from ..steps import Steps


class Caller(Protocol):
    """The part of a client that a single call uses."""

    def execute(
        self, request: Request, parse: Callable[[Response], Any], options: CallOptions
    ) -> Any:
        """Sends a request and parses the response; returns an awaitable in the async client."""
        ...


def call_unless_ended(
    client: Caller, operation: Any, arguments: Mapping[str, Any], options: CallOptions
) -> Steps[Any]:
    """Calls an operation. If the work had already ended, retrieves and returns it instead.

    Args:
        client: Sends the requests.
        operation: The module of the operation; it may have an `ENDED`.
        arguments: Arguments of the operation.
        options: Options of the call.

    Raises:
        CozeError: The errors of the operation.
    """
    try:
        return (yield client.execute(operation.build(**arguments), operation.parse, options))
    except APIError as error:
        ended: Ended | None = getattr(operation, "ENDED", None)
        if ended is None or error.code not in ended.codes:
            raise
        retrieve: Any = import_module(ended.module)
        request = retrieve.build(**arguments)
        work = yield client.execute(request, retrieve.parse, later_options(options))
        if get_path(work, ended.state) not in ended.states:
            raise
        return work
