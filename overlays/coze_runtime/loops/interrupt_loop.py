"""Runs a workflow, answers what it asks and resumes it, until it has ended.

The functions are the steps of generated methods of the runs resource, whose other methods they use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError, TooManyRounds
from ..operation import CallOptions, Waiter
from ..polling.poll import PollClient, PollOptions, is_waiting, poll
from ..polling.wait import arguments_of, logid_of
from ..steps import Steps
from ..types import Listener
from .tool_loop import later
from .toolbox import Naming, asking, wire_text

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
    is_async: bool,
) -> Steps[Any]:
    """Runs a workflow to its end; see the generated method."""
    if not stream and on_event is not None:
        raise ArgumentError("on_event needs a stream", argument="on_event")
    ask = asking(answer, "answer", "answer", is_async=is_async)
    workflow_id = arguments["workflow_id"]
    loop = _Interrupts(max_resumes, {"workflow_id": workflow_id})
    limits = {"idle_timeout": idle_timeout, "deadline": deadline}
    if stream:
        opened = runs.stream(**arguments, **limits, **options._asdict())
        result = yield opened.until_done(on_event)
    else:
        result = result_type.of_run((yield runs.create(**arguments, **options._asdict())))
    while (waiting := result.interruption) is not None:
        loop.count(result, waiting)
        with loop.naming(result, waiting):
            reply = yield ask(waiting)
            if reply is None:
                return result
            resumed = _resume_arguments(waiting, workflow_id, reply)
            if stream:
                opened = runs.stream_resume(**resumed, **limits, **later(options))
                following = yield opened.until_done(on_event)
            else:
                following = result_type.of_run((yield runs.resume(**resumed, **later(options))))
            result = following.after(result)
    return result


def create_and_poll(
    runs: Any,
    client: PollClient,
    waiter: Waiter,
    result_type: Any,
    arguments: Mapping[str, Any],
    options: CallOptions,
    *,
    answer: Answer | None,
    max_resumes: int,
    poll_timeout: float,
    poll_interval: float | None,
    is_async: bool,
) -> Steps[Any]:
    """Runs asynchronously, polls, and answers what the run asks; see the generated method."""
    ids: dict[str, Any] = {}  # known once the run has begun
    loop = _Interrupts(max_resumes, ids) if answer is not None else None
    ask = asking(answer, "answer", "answer", is_async=is_async) if answer is not None else None
    arguments = {**arguments, "is_async": True}
    first = yield runs.create(**arguments, **options._asdict())
    run_ids = arguments_of(waiter, first, arguments)
    how = PollOptions(poll_timeout, poll_interval, call=options)
    history = (yield from poll(client, waiter, run_ids, how)).last
    while loop is not None and ask is not None and is_waiting(waiter, history):
        ids.update(run_ids)
        waiting = result_type.interruption_type(interrupt=history.interrupt_data)
        loop.count(history, waiting)
        with loop.naming(history, waiting):
            reply = yield ask(waiting)
            if reply is None:
                return history
            resumed = _resume_arguments(waiting, arguments["workflow_id"], reply)
            yield runs.resume(**resumed, **later(options))
            history = (yield from poll(client, waiter, run_ids, how)).last
    return history
