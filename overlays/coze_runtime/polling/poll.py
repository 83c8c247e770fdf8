"""Starts work and polls for its outcome, as the `Waiter` of the operation says.

The functions are generators of steps (`coze_runtime.steps`) for both clients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol, Self

from ..calls.ended import Caller, call_unless_ended
from ..calls.settings import Settings
from ..errors import APIError, ArgumentError, CozeError, PollTimeout, TaskFailed
from ..models import ResultList
from ..operation import CallOptions, PageData, Request, Response, Waiter, later_options
from ..serialization.convert import get_path
from ..serialization.error_responses import number_of
from ..steps import Steps
from ..types import Timeout
from .wait import Wait, arguments_of, joined, logid_of


class PollClient(Caller, Protocol):
    """The part of a client that polling uses."""

    @property
    def settings(self) -> Settings:
        """The settings of the client; for its timeouts."""
        ...

    def with_options(self, *, max_retries: int) -> Self:
        """A copy with another number of retries.

        Args:
            max_retries: Most retries of a call.
        """
        ...


class PollOptions(NamedTuple):
    """How long and how often to poll, and the options of the first call."""

    timeout: float
    """Seconds until `PollTimeout`."""
    interval: float | None = None
    """Initial polling interval in seconds; by default that of the `Waiter`."""
    cancel: bool = False
    """Whether to cancel the work after the timeout."""
    call: CallOptions = CallOptions()
    """Options of the first call; headers and timeout also apply to the polls."""
    at_once: bool = False
    """Whether to poll before the first pause, because the work may have ended already."""

    def check(self) -> None:
        """Called before anything is sent.

        Raises:
            ArgumentError: `poll_timeout` or `poll_interval` is not a number of seconds.
        """
        for name, seconds in (("poll_timeout", self.timeout), ("poll_interval", self.interval)):
            if seconds is None and name == "poll_interval":
                continue
            if (
                isinstance(seconds, bool)
                or not isinstance(seconds, int | float)
                or not 0 <= seconds < math.inf
            ):
                raise ArgumentError(
                    f"{name} must be a number of seconds from 0 on, not {seconds!r}", argument=name
                )

    def for_poll(self, settings: Settings, request: Request, seconds_left: float) -> CallOptions:
        """The options of one poll, with timeouts capped to the seconds left."""
        limits = settings.timeout_for(request.operation, self.call.timeout)
        capped = Timeout(
            *(seconds_left if limit is None else min(limit, seconds_left) for limit in limits)
        )
        return CallOptions(extra_headers=self.call.extra_headers, timeout=capped)


class Outcome(NamedTuple):
    """How the work ended."""

    last: Any
    """The last response of the polled operation, or the part that `Waiter.pick` selects."""
    then: Any = None
    """The result of the operation `Waiter.then`."""


class PollRequest(NamedTuple):
    """The request of a poll."""

    request: Request
    parse: Callable[[Response], Any]
    waiter: Waiter
    """The waiter, with paths into the parsed result instead of the body."""


def poll_request(waiter: Waiter, arguments: Mapping[str, Any]) -> PollRequest:
    """Builds the request of a poll. A list operation is parsed to the list of its items."""
    operation: Any = import_module(waiter.module)
    pager = getattr(operation, "PAGER", None)
    parse: Callable[[Response], Any] = operation.parse
    if pager is not None:
        waiter = waiter._replace(state=waiter.state.removeprefix(f"{pager.items}."))
        parse = _items_of(operation.parse)
    return PollRequest(operation.build(**arguments), parse, waiter)


def _items_of(parse: Callable[[Response], PageData[Any]]) -> Callable[[Response], Any]:
    def items(response: Response) -> ResultList[Any]:
        page = parse(response)
        result: ResultList[Any] = ResultList(page.items)
        result.logid = page.logid
        return result

    return items


def start_and_poll(
    client: PollClient, operation: Any, arguments: Mapping[str, Any], options: PollOptions
) -> Steps[Outcome]:
    """Calls an operation that starts work, and polls for the outcome.

    Args:
        client: Sends the requests.
        operation: The module of the operation; it has a `WAITER`.
        arguments: Arguments of the operation.
        options: How to poll, and the options of the call.

    Raises:
        PollTimeout: The work did not finish in time.
        CozeError: The work or the polling failed.
    """
    options.check()
    waiter: Waiter = operation.WAITER
    parse = getattr(operation, "parse_started", operation.parse)
    first = yield client.execute(operation.build(**arguments), parse, options.call)
    ids = arguments_of(waiter, first, arguments)
    answered = get_path(arguments, waiter.answered) if waiter.answered else None
    return (
        yield from poll(
            client,
            waiter,
            ids,
            options,
            first if waiter.starts else None,
            frozenset(answered or ()),
        )
    )


def poll(
    client: PollClient,
    waiter: Waiter,
    ids: Mapping[str, Any],
    options: PollOptions,
    first: Any = None,
    answered: frozenset[str] = frozenset(),
) -> Steps[Outcome]:
    """Polls for the outcome of work that is in progress.

    Args:
        client: Sends the requests.
        waiter: How the work shows its state.
        ids: Arguments of the polled operation.
        options: How to poll.
        first: The first response, if it has the state of the work.
        answered: Ids of the requests that the first call answered.

    Raises:
        PollTimeout: The work did not finish in time.
        CozeError: The work or the polling failed.
    """
    options.check()
    polled = poll_request(waiter, ids)
    wait = _wait(polled.waiter, ids, options, answered)
    # `Wait` polls again after a failure; retries inside a poll could exceed its deadline.
    poll_client = client.with_options(max_retries=0)

    def poll_once() -> Any:
        call = options.for_poll(poll_client.settings, polled.request, wait.remaining())
        return poll_client.execute(polled.request, polled.parse, call)

    try:
        yield from wait.steps(poll_once, first)
    except PollTimeout as timeout:
        if not options.cancel:
            raise
        yield from _cancel(client, wait, timeout)
    _raise_for_failure(wait)
    if not waiter.then:
        return Outcome(get_path(wait.last, waiter.pick) if waiter.pick else wait.last)
    operation: Any = import_module(waiter.then)
    call = later_options(options.call)
    try:
        then = yield client.execute(operation.build(**ids), operation.parse, call)
    except CozeError as error:
        error.add_note(f"after {waiter.operation}, which ended as {wait.state} ({_ids(wait)})")
        raise
    return Outcome(wait.last, then)


def is_waiting(waiter: Waiter, response: Any) -> bool:
    """Whether work waits for the caller although its state does not say so."""
    return (
        bool(waiter.waits)
        and bool(get_path(response, waiter.waits))
        and get_path(response, waiter.state) in waiter.waiting_states
    )


def _wait(
    waiter: Waiter, ids: Mapping[str, Any], options: PollOptions, answered: frozenset[str]
) -> Wait[Any]:
    pause = waiter.pause

    def settled(response: Any) -> bool:
        if is_waiting(waiter, response) or _code_fails(waiter, response):
            return True
        # The first polls may still show the pause that has just been answered.
        asked = [id_ or "" for id_ in get_path(response, waiter.asked) or ()] if answered else []
        return get_path(response, waiter.state) in pause and not answered.issuperset(asked)

    return Wait(
        waiter._replace(pause=frozenset()) if answered else waiter,
        timeout=options.timeout,
        interval=options.interval,
        ids=ids,
        settled=settled if answered or waiter.waits or waiter.code_fails else None,
        at_once=options.at_once,
    )


def _code_fails(waiter: Waiter, response: Any) -> bool:
    return waiter.code_fails and bool(get_path(response, waiter.code))


def _cancel(client: Caller, wait: Wait[Any], timeout: PollTimeout) -> Steps[None]:
    """Cancels work that takes too long. If it has ended in the meantime, that is the outcome.

    Raises:
        PollTimeout: The work was cancelled, or cancelling failed.
    """
    operation: Any = import_module(wait.waiter.cancel)
    try:
        work = yield from call_unless_ended(client, operation, wait.ids, CallOptions())
    except CozeError as error:
        timeout.add_note(f"cancelling failed: {error}")
        raise timeout from error
    timeout.last, timeout.state = work, get_path(work, wait.waiter.state)
    timeout.logid = logid_of(work) or timeout.logid
    if timeout.state in wait.waiter.canceled:
        timeout.add_note("the work has been cancelled")
        raise timeout
    wait.last, wait.state = work, timeout.state


def _raise_for_failure(wait: Wait[Any]) -> None:
    """Raises if the work failed.

    Raises:
        APIError: The work failed; of the class for the state, or TaskFailed.
    """
    if wait.failed or _code_fails(wait.waiter, wait.last):
        raise _documented_error(wait) if wait.waiter.failures else _task_failed(wait)


def _documented_error(wait: Wait[Any]) -> APIError:
    """The error for the failed state; for an undocumented state, the first one."""
    waiter, last = wait.waiter, wait.last
    by_default = next(iter(waiter.failures.values()))
    logid = logid_of(last)
    failure = next(
        (failure for state, failure in waiter.failures.items() if state == wait.state), by_default
    )
    code, msg = (get_path(last, path) if path else None for path in (waiter.code, waiter.msg))
    ids = _ids(wait) + (f", logid {logid}" if logid else "")
    reason = f": code {code}: {msg or ''}" if code else ""
    error = failure.error(
        f"{waiter.operation}: {failure.text}{reason} ({ids})",
        code=number_of(code),
        msg=msg or failure.text,
        logid=logid,
        debug_url=getattr(last, "debug_url", None),
    )
    for name, value in {**wait.ids, waiter.keep: last}.items():
        if hasattr(error, name):
            setattr(error, name, value)
    return error


def _task_failed(wait: Wait[Any]) -> TaskFailed:
    waiter, last = wait.waiter, wait.last
    reason = _reason(waiter, last)
    text = f"{waiter.operation}: the task failed{f': {reason}' if reason else ''} ({_ids(wait)})"
    return TaskFailed(
        text, msg=reason, ids=wait.ids, state=wait.state, last=last, logid=logid_of(last)
    )


def _reason(waiter: Waiter, last: Any) -> str:
    """Why the work failed; empty if the service does not say."""
    reasons = waiter.reasons
    if reasons is None:
        return get_path(last, waiter.msg) or "" if waiter.msg else ""
    items = get_path(last, reasons.items) if reasons.items else last
    return "; ".join(
        f"{next((name for field in reasons.names if (name := getattr(item, field))), '')}: "
        f"{getattr(item, reasons.text) or 'no reason given'}"
        for item in items or ()
        if reasons.items or get_path(item, waiter.state.removeprefix("*.")) in waiter.failure
    )


def _ids(wait: Wait[Any]) -> str:
    return ", ".join(f"{name} {joined(value, ', ')}" for name, value in wait.ids.items())
