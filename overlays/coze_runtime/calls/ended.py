"""Calls that may come too late: an operation that says, by a code, that the work had ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol

from ..errors import APIError
from ..operation import CallOptions, Ended, Request, Response
from ..serialization.convert import get_path
from ..steps import Steps


class Caller(Protocol):
    """What a single call needs of a client."""

    def execute(
        self, request: Request, parse: Callable[[Response], Any], options: CallOptions
    ) -> Any:
        """Sends a request and reads the response; in the async client, something to await."""
        ...


def call_unless_ended(
    client: Caller, operation: Any, arguments: Mapping[str, Any], options: CallOptions
) -> Steps[Any]:
    """Calls an operation; where the work had ended just before, its state is the answer.

    Args:
        client: Sends the requests.
        operation: The module of the operation; it may have an `ENDED`.
        arguments: Arguments of the operation.
        options: Options of the call.

    Raises:
        CozeError: As the operation.
    """
    try:
        return (yield client.execute(operation.build(**arguments), operation.parse, options))
    except APIError as error:
        ended: Ended | None = getattr(operation, "ENDED", None)
        if ended is None or error.code not in ended.codes:
            raise
        reading: Any = import_module(ended.module)
        request = reading.build(**arguments)
        quiet = CallOptions(extra_headers=options.extra_headers, timeout=options.timeout)
        work = yield client.execute(request, reading.parse, quiet)
        if get_path(work, ended.state) not in ended.states:
            raise
        return work
