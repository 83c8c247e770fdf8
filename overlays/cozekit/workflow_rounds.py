"""The loop of interrupted workflow runs: run, answer what the run asks, resume, until it has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from coze_openapi.models.workflows_runs_run_histories import WorkflowRunHistory, WorkflowRunStatus

from .errors import ArgumentError, TooManyRounds, WorkflowFailed
from .polling import logid_of
from .tools import Naming, call_async, refuse_coroutine, wire_text
from .workflow_result import Interruption, WorkflowResult

if TYPE_CHECKING:
    from collections.abc import Mapping

R = TypeVar("R", WorkflowResult, WorkflowRunHistory)

Answer: TypeAlias = Callable[[Interruption], Any]
"""Gets what the run waits for; returns the answer, text as it is and anything else as JSON, or None to leave the run waiting."""

MAX_RESUMES = 3
"""Resumes that the service allows; it fails the run when the third answer does not fit either."""


class Interrupts(Generic[R]):
    """Answers interruptions until a run has ended, a bounded number of times."""

    def __init__(self, answer: Answer, max_resumes: int, ids: Mapping[str, Any]) -> None:
        """The loop; `ids` are told by its errors and may be filled in while it goes on.

        Raises:
            ArgumentError: The number of resumes is negative.
        """
        if max_resumes < 0:
            raise ArgumentError("max_resumes must not be negative", argument="max_resumes")
        self._answer = answer
        self._max = max_resumes
        self._ids = ids
        self._done = 0

    def run(self, begin: Callable[[], R], resume: Callable[[Interruption, str], R]) -> R:
        """The loop; ends early when the answer is None.

        Raises:
            TooManyRounds: The run is interrupted again after the allowed resumes.
            CozeError: A step failed. Once the run waits, every error tells its ids, also an exception of the answer function.
        """
        refuse_coroutine(self._answer, "answer", "answer")
        result = begin()
        while (waiting := self._waiting(result)) is not None:
            with self._naming(result, waiting):
                reply = self._answer(waiting)
                if reply is None:
                    return result
                result = self._joined(result, resume(waiting, wire_text(reply)))
        return result

    async def run_async(self, begin: Callable[[], Awaitable[R]], resume: Callable[[Interruption, str], Awaitable[R]]) -> R:
        """The async form of `run`; an answer function that is not async runs in a worker thread."""
        result = await begin()
        while (waiting := self._waiting(result)) is not None:
            with self._naming(result, waiting):
                reply = await call_async(self._answer, waiting)
                if reply is None:
                    return result
                result = self._joined(result, await resume(waiting, wire_text(reply)))
        return result

    def _waiting(self, result: R) -> Interruption | None:
        waiting = interruption_of(result, self._done + 1)
        if waiting is not None and self._done >= self._max:
            facts = {**self._told(result, waiting), "logid": logid_of(result)}
            known = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
            text = f"workflows_runs: the run is interrupted again after {self._max} resumes ({known})"
            raise TooManyRounds(text, rounds=self._done, result=result, logid=facts["logid"])
        self._done += 1
        return waiting

    def _naming(self, result: R, waiting: Interruption) -> Naming:
        return Naming(f"answering interruption {waiting.number}", self._told(result, waiting))

    def _told(self, result: R, waiting: Interruption) -> dict[str, Any]:
        """What the run is found again by and resumed with; streams do not tell the id of the run."""
        found = {"execute_id": result.execute_id} if result.execute_id else {}
        return {**self._ids, **found, "event_id": waiting.event_id, "interrupt_type": waiting.type}

    @staticmethod
    def _joined(earlier: R, later: R) -> R:
        if isinstance(earlier, WorkflowResult) and isinstance(later, WorkflowResult):
            later.after(earlier)
        return later


def interruption_of(result: WorkflowResult | WorkflowRunHistory, number: int = 1) -> Interruption | None:
    """What a run waits for; no state says so, only the data do."""
    if isinstance(result, WorkflowResult):
        return result.interruption
    if result.interrupt_data is None or not result.interrupt_data.event_id or result.execute_status != WorkflowRunStatus.RUNNING:
        return None
    return Interruption(interrupt=result.interrupt_data, number=number)


def is_waiting(history: WorkflowRunHistory) -> bool:
    """Whether an asynchronous run waits for its caller."""
    return interruption_of(history) is not None


def raise_unless_good(history: WorkflowRunHistory, ids: Mapping[str, Any]) -> WorkflowRunHistory:
    """The run, unless it ended in failure.

    Raises:
        WorkflowFailed: It did; the error names the run.
    """
    if history.execute_status != WorkflowRunStatus.FAIL:
        return history
    code = history.error_code
    number = int(code) if code is not None and str(code).lstrip("-").isdecimal() else None
    msg = history.error_message or "the run failed"
    where = ", ".join(f"{name} {value}" for name, value in ids.items())
    error = WorkflowFailed(
        f"workflows_runs_create: code {code}: {msg} ({where}, logid {logid_of(history)})",
        code=number,
        msg=msg,
        logid=logid_of(history),
        debug_url=history.debug_url,
    )
    error.execute_id = history.execute_id or ids.get("execute_id")
    raise error


def resume_arguments(waiting: Interruption, workflow_id: str, reply: str) -> dict[str, Any]:
    """The arguments that resume a run."""
    return {"workflow_id": workflow_id, "event_id": waiting.event_id, "interrupt_type": waiting.type, "resume_data": reply}
