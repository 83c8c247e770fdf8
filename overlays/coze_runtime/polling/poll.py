"""Starts work and polls for its outcome, as the `Waiter` of the operation says.

Everything here is steps (`coze_runtime.steps`), for both clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol, Self

from ..calls.ended import Caller, call_unless_ended
from ..calls.settings import Settings
from ..errors import APIError, CozeError, PollTimeout, TaskFailed
from ..models import ResultList
from ..operation import CallOptions, PageData, Request, Response, Waiter
from ..serialization.convert import get_path
from ..serialization.error_responses import number_of
from ..steps import Steps
from ..types import Timeout
from .wait import Wait, arguments_of, logid_of, shown


class PollClient(Caller, Protocol):
    """What polling needs of a client."""

    @property
    def settings(self) -> Settings:
        """The timeouts."""
        ...

    def with_options(self, *, max_retries: int) -> Self:
        """A copy with another number of retries."""
        ...


class PollOptions(NamedTuple):
    """How long and how often to poll, and the options of the first call that hold for the polls
    too.
    """

    timeout: float
    interval: float | None = None
    cancel: bool = False
    """Whether work that takes longer is cancelled."""
    call: CallOptions = CallOptions()
    at_once: bool = False
    """Whether the first poll comes without a pause: the work may be over already."""

    def later(self) -> CallOptions:
        """Options of the calls that come after the first one."""
        return CallOptions(extra_headers=self.call.extra_headers, timeout=self.call.timeout)

    def for_poll(self, settings: Settings, request: Request, left: float) -> CallOptions:
        """Options of one poll: no step of it outlasts the wait."""
        limits = settings.timeout_for(request.operation, self.call.timeout)
        capped = Timeout(*(left if limit is None else min(limit, left) for limit in limits))
        return CallOptions(extra_headers=self.call.extra_headers, timeout=capped)


class Outcome(NamedTuple):
    """How the work ended."""

    last: Any
    """The last answer of the polled operation, or the part of it that matters."""
    then: Any = None
    """What the operation that is called at the end returned."""


class PollRequest(NamedTuple):
    """The polled operation, ready to be sent."""

    request: Request
    parse: Callable[[Response], Any]
    waiter: Waiter
    """Its state is where the method's result has it, not where the body has it."""


def poll_request(waiter: Waiter, arguments: Mapping[str, Any]) -> PollRequest:
    """The polled operation with its arguments; a list operation answers with its items."""
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
        found: ResultList[Any] = ResultList(page.items)
        found.logid = page.logid
        return found

    return items


def start_and_poll(
    client: PollClient, operation: Any, arguments: Mapping[str, Any], how: PollOptions
) -> Steps[Outcome]:
    """Sends an operation that starts work, and polls for the outcome.

    Args:
        client: Sends the requests.
        operation: The module of the operation; it has a `WAITER`.
        arguments: Arguments of the operation.
        how: How to poll.

    Raises:
        PollTimeout: The outcome did not come in time.
        CozeError: The work failed, or polling did, for good.
    """
    waiter: Waiter = operation.WAITER
    first = yield client.execute(operation.build(**arguments), operation.parse, how.call)
    ids = arguments_of(waiter, first, arguments)
    answered = frozenset(get_path(arguments, waiter.answered) or ()) if waiter.answered else None
    return (
        yield from poll(
            client, waiter, ids, how, first if waiter.starts else None, answered or frozenset()
        )
    )


def poll(
    client: PollClient,
    waiter: Waiter,
    ids: Mapping[str, Any],
    how: PollOptions,
    first: Any = None,
    answered: frozenset[str] = frozenset(),
) -> Steps[Outcome]:
    """Polls for the outcome of work that runs already.

    Args:
        client: Sends the requests.
        waiter: What the description says.
        ids: Arguments of the polled operation.
        how: How to poll.
        first: What the first call answered, where that is a state.
        answered: Ids that the first call answered.

    Raises:
        PollTimeout: The outcome did not come in time.
        CozeError: The work failed, or polling did, for good.
    """
    polled = poll_request(waiter, ids)
    wait = _wait(polled.waiter, ids, how, answered)
    # The wait itself polls again after a failure; retries inside each poll would only hide its
    # deadline.
    quick = client.with_options(max_retries=0)

    def once() -> Any:
        options = how.for_poll(quick.settings, polled.request, wait.remaining())
        return quick.execute(polled.request, polled.parse, options)

    try:
        yield from wait.steps(once, first)
    except PollTimeout as late:
        if not how.cancel:
            raise
        yield from _cancel(client, wait, late)
    _raise_for_failure(wait)
    if not waiter.then:
        return Outcome(get_path(wait.last, waiter.pick) if waiter.pick else wait.last)
    following: Any = import_module(waiter.then)
    try:
        then = yield client.execute(following.build(**ids), following.parse, how.later())
    except CozeError as error:
        error.add_note(f"after {waiter.operation}, which ended as {wait.state} ({_ids(wait)})")
        raise
    return Outcome(wait.last, then)


def is_waiting(waiter: Waiter, answer: Any) -> bool:
    """Whether work waits for its caller although no state says so."""
    return (
        bool(waiter.waits)
        and bool(get_path(answer, waiter.waits))
        and get_path(answer, waiter.state) in waiter.waiting_states
    )


def _wait(
    waiter: Waiter, ids: Mapping[str, Any], how: PollOptions, answered: frozenset[str]
) -> Wait[Any]:
    pause = waiter.pause

    def settled(answer: Any) -> bool:
        if is_waiting(waiter, answer) or _code_fails(waiter, answer):
            return True
        # What comes next may still be the state before the answers, which would ask again.
        asked = [name or "" for name in get_path(answer, waiter.asked) or ()] if answered else []
        return get_path(answer, waiter.state) in pause and not answered.issuperset(asked)

    return Wait(
        waiter._replace(pause=frozenset()) if answered else waiter,
        timeout=how.timeout,
        interval=how.interval,
        ids=ids,
        settled=settled if answered or waiter.waits or waiter.code_fails else None,
        at_once=how.at_once,
    )


def _code_fails(waiter: Waiter, answer: Any) -> bool:
    return waiter.code_fails and bool(get_path(answer, waiter.code))


def _cancel(client: Caller, wait: Wait[Any], late: PollTimeout) -> Steps[None]:
    """Cancels work that takes too long. It may have ended in the meantime, and then that counts.

    Raises:
        PollTimeout: The work was cancelled, and the error holds it; or cancelling failed.
    """
    operation: Any = import_module(wait.waiter.cancel)
    try:
        work = yield from call_unless_ended(client, operation, wait.ids, CallOptions())
    except CozeError as error:
        late.add_note(f"cancelling failed: {error}")
        raise late from error
    late.last, late.state = work, get_path(work, wait.waiter.state)
    late.logid = logid_of(work) or late.logid
    if late.state in wait.waiter.canceled:
        late.add_note("the work has been cancelled")
        raise late
    wait.last, wait.state = work, late.state


def _raise_for_failure(wait: Wait[Any]) -> None:
    """Raises what a finished wait shows to be a failure.

    Raises:
        APIError: Of the class that the description names for the state, else `TaskFailed`.
    """
    waiter, last = wait.waiter, wait.last
    if not wait.failed and not _code_fails(waiter, last):
        return
    if not waiter.failures:
        raise _task_failed(wait)
    first = next(iter(waiter.failures))
    state = next((state for state in waiter.failures if state == wait.state), first)
    failure, logid = waiter.failures[state], logid_of(last)
    code, msg = (get_path(last, path) if path else None for path in (waiter.code, waiter.msg))
    where = _ids(wait) + (f", logid {logid}" if logid else "")
    reason = f": code {code}: {msg or ''}" if code else ""
    error = failure.error(
        f"{waiter.operation}: {failure.text}{reason} ({where})",
        code=number_of(code),
        msg=msg or failure.text,
        logid=logid,
        debug_url=getattr(last, "debug_url", None),
    )
    _keep(error, {**wait.ids, waiter.keep: last})
    raise error


def _keep(error: APIError, facts: Mapping[str, Any]) -> None:
    """Puts facts on the attributes that the class has for them."""
    for name in facts.keys() & set(dir(error)):
        setattr(error, name, facts[name])


def _task_failed(wait: Wait[Any]) -> TaskFailed:
    waiter, last = wait.waiter, wait.last
    reason = _reason(waiter, last)
    text = f"{waiter.operation}: the task failed{f': {reason}' if reason else ''} ({_ids(wait)})"
    return TaskFailed(
        text, msg=reason, ids=wait.ids, state=wait.state, last=last, logid=logid_of(last)
    )


def _reason(waiter: Waiter, last: Any) -> str:
    """Why the parts of the work failed, in words; empty where the service does not tell."""
    if waiter.reasons is None:
        return ""
    where = waiter.reasons
    items = get_path(last, where.items) if where.items else last
    return "; ".join(
        f"{next((text for name in where.names if (text := getattr(item, name))), '')}: "
        f"{getattr(item, where.text) or 'no reason given'}"
        for item in items or ()
        if where.items or get_path(item, waiter.state.removeprefix("*.")) in waiter.failure
    )


def _ids(wait: Wait[Any]) -> str:
    return ", ".join(f"{name} {shown(value, ', ')}" for name, value in wait.ids.items())
