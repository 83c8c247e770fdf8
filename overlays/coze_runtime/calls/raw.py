"""`with_raw_response` and `with_streaming_response`, for any method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from .. import _http, publish
from ..errors import ArgumentError
from ..operation import Operation, Response

P = ParamSpec("P")
T = TypeVar("T")

# How the current method call treats its responses; other threads and tasks do not see it.
_responses: ContextVar[list[Response] | None] = ContextVar("cozekit_responses", default=None)
_unread: ContextVar[bool] = ContextVar("cozekit_unread", default=False)


class RawResponse(Generic[T]):
    """The result of a method together with status, headers and body of its response; returned by
    `with_raw_response`.
    """

    def __init__(self, parsed: T, responses: list[Response]) -> None:
        """Created by `with_raw_response`.

        Args:
            parsed: The result of the method.
            responses: Every response of the method, in order; at least one.
        """
        self.parsed = parsed
        """The result of the method."""
        self.responses = responses
        """Every response of the method, in order; methods that poll have several."""

    @property
    def status(self) -> int:
        """HTTP status of the last response."""
        return self.responses[-1].status

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the last response; lookup ignores case."""
        return self.responses[-1].headers

    @property
    def content(self) -> bytes:
        """Decompressed body of the last response, undocumented properties included."""
        return self.responses[-1].content

    @property
    def logid(self) -> str | None:
        """Log id of the last response."""
        return self.responses[-1].logid

    def __repr__(self) -> str:
        return f"<RawResponse {self.status} logid={self.logid} {self.parsed!r}>"


def is_active() -> bool:
    """Whether the method was called by `with_raw_response` or `with_streaming_response`."""
    return _unread.get() or _responses.get() is not None


@contextmanager
def one_call(operation: Operation) -> Iterator[list[Response] | None]:
    """Around the call of an operation: gives the list that its response goes into, or None when the
    response is left unread. Calls inside it, such as token requests, are calls as usual.

    Raises:
        ArgumentError: The response should be left unread, and it is not bytes.
    """
    responses = _responses.get()
    if _unread.get() and not operation.binary:
        raise ArgumentError(
            f"{operation.label}: with_streaming_response is for methods that return bytes",
            argument="method",
        )
    with _set(_responses, None), _set(_unread, False):
        yield responses


def reject_stream(operation: Operation) -> None:
    """Called before a stream is opened.

    Raises:
        ArgumentError: The method was called by `with_raw_response` or `with_streaming_response`.
    """
    if is_active():
        raise _not_applicable(operation.label)


@contextmanager
def _set(variable: ContextVar[Any], value: object) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def raw(method: Callable[P, T]) -> Callable[P, RawResponse[T]]:
    """Wraps a method for `with_raw_response`. The wrapper raises ArgumentError if the method opens
    a stream, which has `status`, `headers` and `logid` itself.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        responses: list[Response] = []
        with _set(_responses, responses):
            parsed = method(*args, **kwargs)
        if not responses:
            raise _not_applicable(_name(method))
        return RawResponse(parsed, responses)

    return call


def raw_async(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[RawResponse[T]]]:
    """The async form of `raw`."""

    @wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        responses: list[Response] = []
        with _set(_responses, responses):
            pending = method(*args, **kwargs)
            if not hasattr(pending, "__await__"):
                raise _not_applicable(_name(method))
            parsed = await pending
        if not responses:
            raise _not_applicable(_name(method))
        return RawResponse(parsed, responses)

    return call


def unread(method: Callable[P, object]) -> Callable[P, _http.ByteStream]:
    """Wraps a method for `with_streaming_response`. The wrapper raises ArgumentError if the method
    opens a stream itself.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> _http.ByteStream:
        with _set(_unread, True):
            opened = method(*args, **kwargs)
        if not isinstance(opened, _http.OpenResponse):
            raise _not_applicable(_name(method))
        return _http.ByteStream(opened)

    return call


def unread_async(
    method: Callable[P, Awaitable[object]],
) -> Callable[P, _http.AsyncByteStream]:
    """The async form of `unread`."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> _http.AsyncByteStream:
        async def start() -> _http.OpenResponse:
            with _set(_unread, True):
                pending = method(*args, **kwargs)
                opened = await pending if hasattr(pending, "__await__") else None
            if not isinstance(opened, _http.OpenResponse):
                raise _not_applicable(_name(method))
            return opened

        return _http.AsyncByteStream(start)

    return call


def _name(method: Callable[..., object]) -> str:
    return getattr(method, "__qualname__", repr(method))


def _not_applicable(name: str) -> ArgumentError:
    return ArgumentError(
        f"{name} does not read a complete response; a stream has status, headers and logid itself",
        argument="method",
    )


publish(globals(), "cozekit")
