"""Runs a workflow, answers what it asks and resumes it, until it has ended.

The functions are behind generated methods of the runs resource, which give them themselves: they
use its other methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError, TooManyRounds
from ..operation import CallOptions, Waiter
from ..polling.outcome import (
    AsyncPollClient,
    PollOptions,
    SyncPollClient,
    is_waiting,
    poll,
    poll_async,
)
from ..polling.wait import arguments_of, logid_of
from ..types import Listener
from .tool_loop import later
from .toolbox import Naming, call_async, refuse_coroutine, wire_text

Answer = Callable[[Any], Any]


class _Interrupts:
    """Counts the interruptions of a run, and knows what its errors tell."""

    def __init__(self, max_resumes: int, ids: Mapping[str, Any]) -> None:
        if max_resumes < 0:
            raise ArgumentError("max_resumes must not be negative", argument="max_resumes")
        self._max = max_resumes
        self._ids = ids
        self._done = 0

    def count(self, result: Any, waiting: Any) -> None:
        """One more interruption.

        Raises:
            TooManyRounds: It is one more than allowed.
        """
        if self._done >= self._max:
            facts = {**self._told(result, waiting), "logid": logid_of(result)}
            known = ", ".join(
                f"{name} {value}" for name, value in facts.items() if value is not None
            )
            raise TooManyRounds(
                f"the run is interrupted again after {self._max} resumes ({known})",
                rounds=self._done,
                result=result,
                logid=facts["logid"],
            )
        self._done += 1
        waiting.number = self._done

    def naming(self, result: Any, waiting: Any) -> Naming:
        """Around a step: its errors tell where the run can be found again."""
        return Naming(f"answering interruption {waiting.number}", self._told(result, waiting))

    def _told(self, result: Any, waiting: Any) -> dict[str, Any]:
        """What the run is found again by and resumed with; streams do not tell its id."""
        found = {"execute_id": result.execute_id} if result.execute_id else {}
        return {
            **self._ids,
            **found,
            "event_id": waiting.event_id,
            "interrupt_type": waiting.type,
        }


def _resume_arguments(waiting: Any, workflow_id: str, reply: Any) -> dict[str, Any]:
    return {
        "workflow_id": workflow_id,
        "event_id": waiting.event_id,
        "interrupt_type": waiting.type,
        "resume_data": wire_text(reply),
    }


def run(
    runs: Any,
    result_type: Any,
    arguments: Mapping[str, Any],
    options: CallOptions,
    *,
    answer: Answer,
    max_resumes: int,
    on_event: Listener[Any] | None,
    stream: bool,
    idle_timeout: float | None,
    deadline: float | None,
) -> Any:
    """The loop; see the generated method."""
    if not stream and on_event is not None:
        raise ArgumentError("on_event needs a stream", argument="on_event")
    refuse_coroutine(answer, "answer", "answer")
    workflow_id = arguments["workflow_id"]
    loop = _Interrupts(max_resumes, {"workflow_id": workflow_id})
    limits = {"idle_timeout": idle_timeout, "deadline": deadline}
    if stream:
        result = runs.stream(**arguments, **limits, **options._asdict()).until_done(on_event)
    else:
        result = result_type.of_run(runs.create(**arguments, **options._asdict()))
    while (waiting := result.interruption) is not None:
        loop.count(result, waiting)
        with loop.naming(result, waiting):
            reply = answer(waiting)
            if reply is None:
                return result
            resumed = _resume_arguments(waiting, workflow_id, reply)
            if stream:
                opened = runs.stream_resume(**resumed, **limits, **later(options))
                found = opened.until_done(on_event)
            else:
                found = result_type.of_run(runs.resume(**resumed, **later(options)))
            result = found.after(result)
    return result


async def run_async(
    runs: Any,
    result_type: Any,
    arguments: Mapping[str, Any],
    options: CallOptions,
    *,
    answer: Answer,
    max_resumes: int,
    on_event: Listener[Any] | None,
    stream: bool,
    idle_timeout: float | None,
    deadline: float | None,
) -> Any:
    """The async form of `run`; an answer function that is not async runs in a worker thread."""
    if not stream and on_event is not None:
        raise ArgumentError("on_event needs a stream", argument="on_event")
    workflow_id = arguments["workflow_id"]
    loop = _Interrupts(max_resumes, {"workflow_id": workflow_id})
    limits = {"idle_timeout": idle_timeout, "deadline": deadline}
    if stream:
        opened = runs.stream(**arguments, **limits, **options._asdict())
        result = await opened.until_done(on_event)
    else:
        result = result_type.of_run(await runs.create(**arguments, **options._asdict()))
    while (waiting := result.interruption) is not None:
        loop.count(result, waiting)
        with loop.naming(result, waiting):
            reply = await call_async(answer, waiting)
            if reply is None:
                return result
            resumed = _resume_arguments(waiting, workflow_id, reply)
            if stream:
                opened = runs.stream_resume(**resumed, **limits, **later(options))
                found = await opened.until_done(on_event)
            else:
                found = result_type.of_run(await runs.resume(**resumed, **later(options)))
            result = found.after(result)
    return result


def create_and_poll(
    runs: Any,
    client: SyncPollClient,
    waiter: Waiter,
    result_type: Any,
    arguments: Mapping[str, Any],
    options: CallOptions,
    *,
    answer: Answer | None,
    max_resumes: int,
    poll_timeout: float,
    poll_interval: float | None,
) -> Any:
    """Runs asynchronously, polls, and answers what the run asks; see the generated method."""
    ids: dict[str, Any] = {}  # known once the run has begun
    loop = _Interrupts(max_resumes, ids) if answer is not None else None
    if answer is not None:
        refuse_coroutine(answer, "answer", "answer")
    arguments = {**arguments, "is_async": True}
    first = runs.create(**arguments, **options._asdict())
    found = arguments_of(waiter, first, arguments)
    how = PollOptions(poll_timeout, poll_interval, call=options)
    history = poll(client, waiter, found, how).last
    while loop is not None and answer is not None and is_waiting(waiter, history):
        ids.update(found)
        waiting = result_type.interruption_type(interrupt=history.interrupt_data)
        loop.count(history, waiting)
        with loop.naming(history, waiting):
            reply = answer(waiting)
            if reply is None:
                return history
            resumed = _resume_arguments(waiting, arguments["workflow_id"], reply)
            runs.resume(**resumed, **later(options))
            history = poll(client, waiter, found, how).last
    return history


async def create_and_poll_async(
    runs: Any,
    client: AsyncPollClient,
    waiter: Waiter,
    result_type: Any,
    arguments: Mapping[str, Any],
    options: CallOptions,
    *,
    answer: Answer | None,
    max_resumes: int,
    poll_timeout: float,
    poll_interval: float | None,
) -> Any:
    """The async form of `create_and_poll`."""
    ids: dict[str, Any] = {}  # known once the run has begun
    loop = _Interrupts(max_resumes, ids) if answer is not None else None
    arguments = {**arguments, "is_async": True}
    first = await runs.create(**arguments, **options._asdict())
    found = arguments_of(waiter, first, arguments)
    how = PollOptions(poll_timeout, poll_interval, call=options)
    history = (await poll_async(client, waiter, found, how)).last
    while loop is not None and answer is not None and is_waiting(waiter, history):
        ids.update(found)
        waiting = result_type.interruption_type(interrupt=history.interrupt_data)
        loop.count(history, waiting)
        with loop.naming(history, waiting):
            reply = await call_async(answer, waiting)
            if reply is None:
                return history
            resumed = _resume_arguments(waiting, arguments["workflow_id"], reply)
            await runs.resume(**resumed, **later(options))
            history = (await poll_async(client, waiter, found, how)).last
    return history
