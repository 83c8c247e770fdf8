"""Runs a workflow; answers its interruptions and resumes it until it has ended.

The functions are the steps of generated methods of the runs resource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError, TooManyRounds
from ..operation import CallOptions, Waiter, later_options
from ..polling.poll import PollClient, PollOptions, is_waiting, poll
from ..polling.wait import arguments_of, logid_of
from ..steps import Steps
from ..streams.events import check_listener
from ..types import Listener, OnGap
from .toolbox import ErrorIds, callable_for, wire_text

Answer = Callable[[Any], Any]


class _Interrupts:
    """Counts the interruptions of a run."""

    def __init__(self, max_resumes: int, run_ids: Mapping[str, Any]) -> None:
        if max_resumes < 0:
            raise ArgumentError("max_resumes must not be negative", argument="max_resumes")
        self._max_resumes = max_resumes
        self._run_ids = run_ids
        self._count = 0

    def count(self, result: Any, interruption: Any) -> None:
        """Counts an interruption.

        Raises:
            TooManyRounds: The run has been resumed `max_resumes` times.
        """
        if self._count >= self._max_resumes:
            facts = {**self._ids(result, interruption), "logid": logid_of(result)}
            details = ", ".join(
                f"{name} {value}" for name, value in facts.items() if value is not None
            )
            raise TooManyRounds(
                f"the run is interrupted again after {self._max_resumes} resumes, the most that "
                f"max_resumes allows ({details})",
                rounds=self._count,
                result=result,
                logid=facts["logid"],
            )
        self._count += 1
        interruption.number = self._count

    def error_ids(self, result: Any, interruption: Any) -> ErrorIds:
        """Adds the ids of the run to errors raised in the block."""
        return ErrorIds(
            f"answering interruption {interruption.number}", self._ids(result, interruption)
        )

    def _ids(self, result: Any, interruption: Any) -> dict[str, Any]:
        """The ids to resume the run with; streams do not show `execute_id`."""
        execute_id = {"execute_id": result.execute_id} if result.execute_id else {}
        return {
            **self._run_ids,
            **execute_id,
            "event_id": interruption.event_id,
            "interrupt_type": interruption.type,
        }


def _resume_arguments(interruption: Any, workflow_id: str, reply: Any) -> dict[str, Any]:
    return {
        "workflow_id": workflow_id,
        "event_id": interruption.event_id,
        "interrupt_type": interruption.type,
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
    on_gap: OnGap,
    is_async: bool,
) -> Steps[Any]:
    """The steps of `coze.workflows.runs.run_interactive`; see there for the parameters."""
    check_listener(on_event)
    if not stream and on_event is not None:
        raise ArgumentError("on_event needs stream=True", argument="on_event")
    get_reply = callable_for(answer, "answer", "answer", is_async=is_async)
    workflow_id = arguments["workflow_id"]
    loop = _Interrupts(max_resumes, {"workflow_id": workflow_id})
    how = {"idle_timeout": idle_timeout, "deadline": deadline, "on_gap": on_gap}
    later = later_options(options)._asdict()
    if stream:
        opened = runs.stream(**arguments, **how, **options._asdict())
        result = yield opened.until_done(on_event)
    else:
        ended = yield runs.create(**arguments, **options._asdict())
        result = result_type.of_run(ended, ended.data)
    while (interruption := result.interruption) is not None:
        loop.count(result, interruption)
        with loop.error_ids(result, interruption):
            reply = yield get_reply(interruption)
            if reply is None:
                return result
            resumed = _resume_arguments(interruption, workflow_id, reply)
            if stream:
                opened = runs.stream_resume(**resumed, **how, **later)
                next_result = yield opened.until_done(on_event)
            else:
                ended = yield runs.resume(**resumed, **later)
                next_result = result_type.of_run(ended, ended.data)
            result = next_result.after(result)
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
    """The steps of `coze.workflows.runs.create_and_poll`; see there for the parameters."""
    ids: dict[str, Any] = {}  # filled once the run has started
    later = later_options(options)._asdict()
    loop = _Interrupts(max_resumes, ids) if answer is not None else None
    get_reply = (
        callable_for(answer, "answer", "answer", is_async=is_async) if answer is not None else None
    )
    arguments = {**arguments, "is_async": True}
    poll_options = PollOptions(poll_timeout, poll_interval, call=options)
    poll_options.check()
    first = yield runs.create(**arguments, **options._asdict())
    run_ids = arguments_of(waiter, first, arguments)
    history = (yield from poll(client, waiter, run_ids, poll_options)).last
    while loop is not None and get_reply is not None and is_waiting(waiter, history):
        ids.update(run_ids)
        interruption = result_type.interruption_type(interrupt=history.interrupt_data)
        loop.count(history, interruption)
        with loop.error_ids(history, interruption):
            reply = yield get_reply(interruption)
            if reply is None:
                return history
            resumed = _resume_arguments(interruption, arguments["workflow_id"], reply)
            yield runs.resume(**resumed, **later)
            history = (yield from poll(client, waiter, run_ids, poll_options)).last
    return history
