"""Answers as they came: `with_raw_response` and `with_streaming_response`, for any method, without
a second set of methods.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from .. import _http
from .._publish import publish
from ..errors import ArgumentError
from ..operation import Response

P = ParamSpec("P")
T = TypeVar("T")

# What the method that is being called does with its answer; context variables are seen by this
# thread or task alone.
_answers: ContextVar[list[Response] | None] = ContextVar("cozekit_answers", default=None)
_unread: ContextVar[bool] = ContextVar("cozekit_unread", default=False)


class RawResponse(Generic[T]):
    """What a method returned, and the answer that it was made of."""

    def __init__(self, parsed: T, answers: list[Response]) -> None:
        """Made by `with_raw_response`.

        Args:
            parsed: What the method returns without `with_raw_response`.
            answers: Every response of the method, in order; at least one.
        """
        self.parsed = parsed
        """What the method returns otherwise."""
        self.answers = answers
        """Every answer of the method, in order; methods that poll have several."""

    @property
    def status(self) -> int:
        """HTTP status of the last answer."""
        return self.answers[-1].status

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the last answer; names in any case."""
        return self.answers[-1].headers

    @property
    def content(self) -> bytes:
        """Body of the last answer, decompressed; it holds what the description does not
        know yet.
        """
        return self.answers[-1].content

    @property
    def logid(self) -> str | None:
        """Log id of the last answer."""
        return self.answers[-1].logid

    def __repr__(self) -> str:
        return f"<RawResponse {self.status} logid={self.logid} {self.parsed!r}>"


def note(response: Response) -> Response:
    """Keeps an answer for whoever asked for it."""
    answers = _answers.get()
    if answers is not None:
        answers.append(response)
    return response


def wants_unread() -> bool:
    """Whether the answer of the present call is to stay unread."""
    return _unread.get()


@contextmanager
def _set(variable: ContextVar[Any], value: object) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def raw(method: Callable[P, T]) -> Callable[P, RawResponse[T]]:
    """The method, returning the raw answer as well.

    Raises:
        ArgumentError: It sent no request whose answer is read at once; a stream has `status`,
            `headers` and `logid` itself.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        answers: list[Response] = []
        with _set(_answers, answers):
            parsed = method(*args, **kwargs)
        if not answers:
            close = getattr(parsed, "close", None)
            if close is not None:
                close()
            raise _no_answer(method)
        return RawResponse(parsed, answers)

    return call


def raw_async(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[RawResponse[T]]]:
    """The async form of `raw`."""

    @wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        answers: list[Response] = []
        with _set(_answers, answers):
            found = method(*args, **kwargs)
            if not hasattr(found, "__await__"):
                raise _no_answer(method)
            parsed = await found
        if not answers:
            raise _no_answer(method)
        return RawResponse(parsed, answers)

    return call


def unread(method: Callable[P, object]) -> Callable[P, _http.ByteStream]:
    """The method, returning the open body instead of reading it.

    Raises:
        ArgumentError: The response of the method is not read at once.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> _http.ByteStream:
        with _set(_unread, True):
            found = method(*args, **kwargs)
        if not isinstance(found, _http.OpenResponse):
            raise _no_answer(method)
        return _http.ByteStream(found)

    return call


def unread_async(
    method: Callable[P, Awaitable[object]],
) -> Callable[P, _http.AsyncByteStream]:
    """The async form of `unread`."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> _http.AsyncByteStream:
        async def start() -> _http.OpenResponse:
            with _set(_unread, True):
                found = await method(*args, **kwargs)
            if not isinstance(found, _http.OpenResponse):
                raise _no_answer(method)
            return found

        return _http.AsyncByteStream(start)

    return call


def _no_answer(method: Callable[..., object]) -> ArgumentError:
    name = getattr(method, "__qualname__", repr(method))
    return ArgumentError(
        f"{name} returns no answer that is read at once; a stream has status, headers and logid "
        "itself",
        argument="method",
    )


publish(globals(), "cozekit")
