"""Calls that may come too late: an operation that says, by a code, that the work had ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, TypeVar

from ..convert import get_path
from ..errors import APIError
from ..operation import CallOptions, Ended, Request, Response

T = TypeVar("T")


class SyncCaller(Protocol):
    """What is needed of a client."""

    def execute(self, request: Request, parse: Callable[[Response], T], options: CallOptions) -> T:
        """Sends a request and reads the response."""
        ...


class AsyncCaller(Protocol):
    """The async form of `SyncCaller`."""

    async def execute(
        self, request: Request, parse: Callable[[Response], T], options: CallOptions
    ) -> T:
        """Sends a request and reads the response."""
        ...


def execute_unless_ended(
    client: SyncCaller, operation: Any, arguments: Mapping[str, Any], options: CallOptions
) -> Any:
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
        return client.execute(operation.build(**arguments), operation.parse, options)
    except APIError as error:
        ended: Ended | None = getattr(operation, "ENDED", None)
        if ended is None or error.code not in ended.codes:
            raise
        reading: Any = import_module(ended.module)
        request = reading.build(**arguments)
        found = client.execute(request, reading.parse, _reading_options(options))
        if get_path(found, ended.state) not in ended.states:
            raise
        return found


async def execute_unless_ended_async(
    client: AsyncCaller, operation: Any, arguments: Mapping[str, Any], options: CallOptions
) -> Any:
    """The async form of `execute_unless_ended`."""
    try:
        return await client.execute(operation.build(**arguments), operation.parse, options)
    except APIError as error:
        ended: Ended | None = getattr(operation, "ENDED", None)
        if ended is None or error.code not in ended.codes:
            raise
        reading: Any = import_module(ended.module)
        request = reading.build(**arguments)
        found = await client.execute(request, reading.parse, _reading_options(options))
        if get_path(found, ended.state) not in ended.states:
            raise
        return found


def _reading_options(options: CallOptions) -> CallOptions:
    return CallOptions(extra_headers=options.extra_headers, timeout=options.timeout)
