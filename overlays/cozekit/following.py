"""Polls the operation that the description names for the outcome of another one, sync and async."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from coze_openapi.types import DEFAULT, CallOptions, PageData, ResultList, Timeout, Waiter

from .errors import TaskFailed
from .polling import Wait, logid_of, run, run_async

if TYPE_CHECKING:
    from coze_openapi.types import Request, Response

T = TypeVar("T")


class Question(NamedTuple):
    """The polled operation, ready to be asked."""

    request: Request
    parse: Callable[[Response], Any]
    waiter: Waiter
    """Its state stands where the method's result has it, not where the body has it."""


def question(waiter: Waiter, arguments: Mapping[str, Any]) -> Question:
    """The polled operation with its arguments; a list operation answers with its items."""
    resource, _, method = waiter.operation.rpartition("_")
    operation = import_module(f"coze_openapi.api.{resource}.{method}")
    pager = getattr(operation, "PAGER", None)
    parse: Callable[[Response], Any] = operation.parse
    if pager is not None:
        waiter = waiter._replace(state=waiter.state.removeprefix(f"{pager.items}."))
        parse = _items_of(operation.parse)
    return Question(operation.build(**arguments), parse, waiter)


def _items_of(parse: Callable[[Response], PageData[Any]]) -> Callable[[Response], Any]:
    def items(response: Response) -> ResultList[Any]:
        page = parse(response)
        found: ResultList[Any] = ResultList(page.items)
        found.logid = page.logid
        return found

    return items


class Following(NamedTuple):
    """How to wait: limits, and the options of the first call that hold for the polls too."""

    timeout: float
    interval: float | None = None
    extra_headers: Mapping[str, str] | None = None
    call_timeout: Any = DEFAULT
    at_once: bool = False

    @classmethod
    def of(cls, timeout: float, interval: float | None, given: Mapping[str, Any]) -> Following:
        """The way to wait after a call with these arguments."""
        return cls(timeout, interval, given.get("extra_headers"), given.get("timeout", DEFAULT))

    @classmethod
    def already(cls, timeout: float, interval: float | None) -> Following:
        """The way to wait for what was started before: it may be over, so the first look comes at once."""
        return cls(timeout, interval, None, DEFAULT, at_once=True)

    def options(self, client: Any, request: Request, left: float) -> CallOptions:
        """Options of one poll: no step of it outlasts the wait."""
        limits = client._timeout_of(request.operation, self.call_timeout)
        capped = Timeout(*(left if limit is None else min(limit, left) for limit in limits))
        return CallOptions(extra_headers=self.extra_headers, timeout=capped)


def follow(
    client: Any, waiter: Waiter, ids: Mapping[str, Any], how: Following, *, first: Any = None, settled: Callable[[Any], bool] | None = None
) -> Wait[Any]:
    """Waits until the state is final; `last` of the finished wait is the outcome.

    Raises:
        PollTimeout: It did not come in time.
        CozeError: Polling failed for good.
    """
    asked = question(waiter, ids)
    wait: Wait[Any] = Wait(asked.waiter, timeout=how.timeout, interval=how.interval, ids=ids, settled=settled, at_once=how.at_once)
    # The wait itself asks again after a failure; retries inside each poll would only hide its deadline.
    quick = client.with_options(max_retries=0)

    def ask() -> Any:
        return quick._call(asked.request, asked.parse, how.options(quick, asked.request, wait.remaining()))

    run(wait, ask, first, client._retries.wait)
    return wait


async def follow_async(
    client: Any, waiter: Waiter, ids: Mapping[str, Any], how: Following, *, first: Any = None, settled: Callable[[Any], bool] | None = None
) -> Wait[Any]:
    """The async form of `follow`."""
    asked = question(waiter, ids)
    wait: Wait[Any] = Wait(asked.waiter, timeout=how.timeout, interval=how.interval, ids=ids, settled=settled, at_once=how.at_once)
    quick = client.with_options(max_retries=0)

    async def ask() -> Any:
        return await quick._call(asked.request, asked.parse, how.options(quick, asked.request, wait.remaining()))

    await run_async(wait, ask, first, client._retries.wait_async)
    return wait


def outcome(wait: Wait[T], reason: Callable[[T], str]) -> T:
    """The last answer of a finished wait.

    Raises:
        TaskFailed: It shows a failure; `reason` words it.
    """
    assert wait.last is not None
    if not wait.failed:
        return wait.last
    known = ", ".join(f"{name} {look_text(value)}" for name, value in wait.ids.items())
    said = reason(wait.last)
    text = f"{wait.waiter.operation}: the task failed{f': {said}' if said else ''} ({known})"
    raise TaskFailed(text, msg=said, ids=wait.ids, state=wait.state, last=wait.last, logid=logid_of(wait.last))


def look_text(value: Any) -> str:
    """An id, or several with commas between them."""
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
