"""Waiting: the core with a clock of its own, each waiter of the description, timeouts and
cancels.
"""

from __future__ import annotations

import inspect
import pickle
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_runtime.operation import Waiter
from coze_runtime.polling.poll import poll_request
from coze_runtime.polling.wait import GRACE, MAX_FAILURES, Wait, arguments_of
from coze_runtime.serialization.convert import get_path
from coze_runtime.steps import run_steps, run_steps_async
from cozekit import (
    ArgumentError,
    AsyncCoze,
    ChatCanceled,
    ChatFailed,
    ConflictError,
    Coze,
    CozeError,
    PollTimeout,
    RateLimitError,
    ServerError,
    WorkflowFailed,
    messages,
)
from cozekit.errors import APIConnectionError, InvalidRequestError, TaskFailed
from cozekit_emulator import Emulator, bots, workflows
from tests.contract.catalogue import operations
from tests.overlays.chunk_server import Abort, ChunkServer, Request, reply
from tests.overlays.either import client, coze, each_kind, local, sent_to, server
from tests.overlays.wire import at_once

__all__ = ["coze", "local", "server"]

API = Path(import_module("coze_openapi").__file__ or "").parent / "api"
WAITERS = sorted(
    f"{path.parent.name}.{path.stem}"
    for path in API.glob("*/*.py")
    if "\nWAITER = " in path.read_text()
)
ASK: dict[str, Any] = {
    "bot_id": bots.ANSWERING,
    "user_id": "u",
    "additional_messages": [messages.user_text("hi")],
}
IDS = {"id": "7001", "conversation_id": "7002"}
JOB = Waiter(
    "jobs_retrieve",
    "jobs.retrieve",
    {"id": "id"},
    "state",
    frozenset({"done"}),
    frozenset({"failed"}),
    frozenset({"waiting"}),
    1.0,
)


class Time:
    """A clock that moves only when somebody sleeps, and that remembers for how long."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


def states(*values: Any) -> Callable[[], dict[str, Any]]:
    """Answers of a poll: states, or errors to raise; the last one for ever."""
    left = list(values)

    def ask() -> dict[str, Any]:
        value = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(value, Exception):
            raise value
        return {"state": value}

    return ask


def waiting(time: Time, *, timeout: float = 60, interval: float | None = None) -> Wait[Any]:
    return Wait(JOB, timeout=timeout, interval=interval, ids={"id": "j1"}, clock=time.clock)


def run(
    wait: Wait[Any],
    poll: Callable[[], Any],
    first: Any = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Any:
    run_steps(wait.steps(poll, first), sleep)
    return wait.last


@pytest.mark.parametrize(
    "wrong",
    [
        {"poll_timeout": -1},
        {"poll_timeout": "x"},
        {"poll_timeout": None},
        {"poll_timeout": float("nan")},
        {"poll_interval": -1},
    ],
    ids=str,
)
def test_a_limit_that_cannot_be_is_refused_before_anything_is_sent(wrong: dict[str, Any]) -> None:
    with ChunkServer() as server, Coze("t", base_url=server.url) as client:
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            client.chat.create_and_poll(**ASK, **wrong)
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            client.workflows.runs.create_and_poll(workflow_id="w", **wrong)
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            client.chat.wait(chat_id="c", conversation_id="v", **wrong)
    assert server.requests == []


# ---- the core


@pytest.mark.parametrize("final", ["done", "failed", "waiting"])
def test_a_wait_ends_in_every_final_state(final: str) -> None:
    time = Time()
    wait = waiting(time)
    assert run(wait, states("running", "new", final), sleep=time.sleep) == {"state": final}
    assert wait.state == final
    assert wait.failed is (final == "failed")


def test_pauses_grow_by_half_up_to_five_seconds() -> None:
    time = Time()
    run(waiting(time), states(*["running"] * 6, "done"), sleep=time.sleep)
    assert time.slept == [1, 1.5, 2.25, 3.375, 5, 5, 5]


def test_work_that_may_be_over_is_looked_at_at_once_even_without_time_to_wait() -> None:
    time = Time()
    wait: Wait[Any] = Wait(JOB, timeout=0, ids={}, at_once=True, clock=time.clock)
    assert run(wait, states("done"), sleep=time.sleep) == {"state": "done"}
    assert time.slept == []


def test_a_longer_interval_is_not_shortened() -> None:
    time = Time()
    run(waiting(time, interval=8), states("running", "running", "done"), sleep=time.sleep)
    assert time.slept == [8, 8, 8]


def test_a_first_answer_that_is_final_needs_no_poll() -> None:
    time = Time()
    assert run(waiting(time), states(AssertionError("polled")), {"state": "done"}, time.sleep) == {
        "state": "done"
    }
    assert time.slept == []


def test_the_deadline_holds_and_tells_ids_and_state() -> None:
    time = Time()
    with pytest.raises(
        PollTimeout, match=r"no outcome within 10 s .* id=j1; last state: running"
    ) as caught:
        run(waiting(time, timeout=10), states("running"), sleep=time.sleep)
    assert sum(time.slept) == 10
    assert (caught.value.ids, caught.value.state, caught.value.last) == (
        {"id": "j1"},
        "running",
        {"state": "running"},
    )


@pytest.mark.parametrize("state", [None, "unheard-of"])
def test_a_state_that_nobody_knows_goes_on(state: Any) -> None:
    time = Time()
    assert run(waiting(time), states(state, state, "done"), sleep=time.sleep) == {"state": "done"}


def test_polls_that_fail_in_passing_are_survived() -> None:
    time = Time()
    failures = [
        ServerError("502"),
        APIConnectionError("reset"),
        RateLimitError("slow down"),
        ServerError("503"),
    ]
    assert run(
        waiting(time), states(*failures, "running", *failures, "done"), sleep=time.sleep
    ) == {"state": "done"}


def test_polls_that_go_on_failing_raise_the_last_failure_with_the_ids() -> None:
    time = Time()
    with pytest.raises(ServerError) as caught:
        run(
            waiting(time), states("running", *[ServerError("502")] * MAX_FAILURES), sleep=time.sleep
        )
    assert caught.value.__notes__ == [
        "while waiting for jobs_retrieve with id=j1; last state: running"
    ]


def test_an_error_that_will_not_pass_ends_the_wait_with_the_ids() -> None:
    time = Time()
    with pytest.raises(InvalidRequestError) as caught:
        run(waiting(time), states(InvalidRequestError("4000")), sleep=time.sleep)
    assert "id=j1" in caught.value.__notes__[0]
    assert len(time.slept) == 1


def test_the_time_that_a_rate_limit_names_is_waited() -> None:
    time = Time()
    run(
        waiting(time), states(RateLimitError("slow down", retry_after=20), "done"), sleep=time.sleep
    )
    assert time.slept == [1, 20]


def test_a_pause_never_outlasts_the_deadline() -> None:
    time = Time()
    with pytest.raises(PollTimeout):
        run(
            waiting(time, timeout=10),
            states(RateLimitError("slow down", retry_after=500)),
            sleep=time.sleep,
        )
    assert time.now == 110


def test_a_poll_may_take_what_is_left_and_a_grace() -> None:
    time = Time()
    wait = waiting(time, timeout=60)
    assert wait.remaining() == 60
    time.now += 59
    assert wait.remaining() == GRACE


async def test_the_async_driver_takes_the_same_steps() -> None:
    time = Time()
    answers = states("running", ServerError("502"), "running", "done")

    async def ask() -> dict[str, Any]:
        return answers()

    wait = waiting(time)
    await run_steps_async(wait.steps(ask), time.sleep_async)
    assert wait.last == {"state": "done"}
    assert time.slept == [1, 1.5, 2.25, 3.375]


def test_work_on_several_things_is_over_when_each_of_them_is() -> None:
    several = JOB._replace(state="*.state")
    time = Time()
    wait: Wait[Any] = Wait(several, timeout=60, ids={"ids": ["a", "b"]}, clock=time.clock)
    done, running = {"state": "done"}, {"state": "running"}
    answers = [[], [done], [done, running], [done, {"state": "failed"}]]
    assert run(wait, lambda: answers.pop(0), sleep=time.sleep) == [done, {"state": "failed"}]
    assert wait.failed


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", 1),
        ("a.x", None),
        ("x.y", None),
        ("l.0.n", 5),
        ("l.7.n", None),
        ("l.*.n", [5, 6]),
        ("l.*", [{"n": 5}, {"n": 6}]),
    ],
)
def test_paths_lead_through_objects_and_lists(path: str, found: Any) -> None:
    assert get_path({"a": {"b": 1}, "l": [{"n": 5}, {"n": 6}]}, path) == found


def test_an_answer_without_the_id_is_an_error() -> None:
    with pytest.raises(CozeError, match="jobs_retrieve: the response contains no id"):
        arguments_of(JOB, {"id": None}, {})


# ---- the data of the description


@pytest.mark.parametrize("name", WAITERS)
def test_every_waiter_of_the_description_names_an_operation_that_takes_its_arguments(
    name: str,
) -> None:
    waiter: Waiter = import_module(f"coze_openapi.api.{name}").WAITER
    ids = {argument: ["x"] if argument.endswith("s") else "x" for argument in waiter.arguments}
    asked = poll_request(waiter, ids)
    assert asked.request.operation.call == waiter.operation
    assert waiter.success and waiter.failure


def test_every_waiter_of_the_description_has_a_method_that_waits() -> None:
    described = {
        f"{op.tag.replace('.', '_')}.{op.method_name}"
        for op in operations().values()
        if "x-coze-waiter" in op.node
    }
    assert set(WAITERS) == described


# ---- chats


def test_a_chat_is_awaited(coze: Any, local: Emulator) -> None:
    result = coze.chat.create_and_poll(**ASK, poll_interval=0)
    assert result.chat.status == "completed"
    assert "hi" in result.answer
    assert sent_to(local, "chat_retrieve") == 2


@pytest.mark.parametrize(
    "rule", ["status=502", "html", "status=503;times=3", "cut=5", "retry-after=0"]
)
def test_a_poll_that_fails_in_passing_does_not_lose_the_chat(
    coze: Any, local: Emulator, rule: str
) -> None:
    local.emulate(rule, "chat_retrieve")
    assert coze.chat.create_and_poll(**ASK, poll_interval=0).chat.status == "completed"
    assert sent_to(local, "chat_create") == 1


@each_kind
def test_a_reset_connection_does_not_lose_the_chat(kind: str) -> None:
    def data(**fields: Any) -> Any:
        return reply({"code": 0, "data": {**IDS, **fields}})

    scripts = [
        data(status="created"),
        [Abort()],
        data(status="completed"),
        reply({"code": 0, "data": []}),
    ]
    with ChunkServer(*scripts) as http, client(kind, http.url) as coze:
        assert coze.chat.create_and_poll(**ASK, poll_interval=0).chat.status == "completed"


@each_kind
@pytest.mark.parametrize(
    ("status", "kind_of_error"), [("failed", ChatFailed), ("canceled", ChatCanceled)]
)
def test_a_chat_that_ends_badly_raises_with_code_message_and_ids(
    kind: str, status: str, kind_of_error: type[CozeError]
) -> None:
    chat = {**IDS, "status": status, "last_error": {"code": 5000, "msg": "event interval error"}}
    with (
        ChunkServer(reply({"code": 0, "data": chat})) as http,
        client(kind, http.url) as coze,
        pytest.raises(kind_of_error) as caught,
    ):
        coze.chat.create_and_poll(**ASK)
    error = caught.value
    assert (error.code, error.msg, error.chat_id, error.conversation_id) == (
        5000,
        "event interval error",
        "7001",
        "7002",
    )
    assert "7001" in str(error) and "7002" in str(error)


CHAT_IDS = {"chat_id": IDS["id"], "conversation_id": IDS["conversation_id"]}
CHAT_POLLS: dict[str, tuple[dict[str, Any], int]] = {
    "create_and_poll": (ASK, 1),
    "wait": (CHAT_IDS, 1),
    "submit_tool_outputs_and_poll": (
        {**CHAT_IDS, "tool_outputs": [{"tool_call_id": "t1", "output": "21"}]},
        2,
    ),
}
"""Method → its arguments, and how many calls it takes to see the state of the chat."""


@each_kind
@pytest.mark.parametrize("method", CHAT_POLLS)
def test_a_chat_with_an_error_code_has_failed_at_once_whatever_its_state(
    kind: str, method: str
) -> None:
    arguments, calls = CHAT_POLLS[method]
    policy, _ = at_once()
    chat = {**IDS, "status": "in_progress", "last_error": {"code": 4011, "msg": "no tokens"}}
    with (
        ChunkServer(reply({"code": 0, "data": chat})) as http,
        client(kind, http.url, max_retries=policy) as coze,
    ):
        with pytest.raises(ChatFailed, match="4011"):
            getattr(coze.chat, method)(**arguments)
        assert len(http.requests) == calls


def test_a_chat_that_takes_too_long_raises_with_its_ids_and_can_be_waited_for(coze: Any) -> None:
    with pytest.raises(PollTimeout) as caught:
        coze.chat.create_and_poll(**ASK, poll_timeout=0)
    error = caught.value
    assert error.state == "created"
    result = coze.chat.wait(**error.ids, poll_interval=0)
    assert result.chat.id == error.ids["chat_id"]
    assert result.chat.status == "completed"


def test_a_chat_that_takes_too_long_is_cancelled_on_request(coze: Any, local: Emulator) -> None:
    with pytest.raises(PollTimeout) as caught:
        coze.chat.create_and_poll(**ASK, poll_timeout=0, cancel_on_timeout=True)
    assert caught.value.state == "canceled"
    assert caught.value.last.status == "canceled"
    assert sent_to(local, "chat_cancel") == 1


@each_kind
def test_a_chat_that_ends_while_it_is_cancelled_counts_as_it_ended(kind: str) -> None:
    late = reply({"code": 4104, "msg": "cannot be cancelled"})
    scripts = [
        reply({"code": 0, "data": {**IDS, "status": "created"}}),
        late,
        reply({"code": 0, "data": {**IDS, "status": "completed"}}),
        reply({"code": 0, "data": [{**IDS, "type": "answer", "content": "just in time"}]}),
    ]
    with ChunkServer(*scripts) as http, client(kind, http.url) as coze:
        result = coze.chat.create_and_poll(**ASK, poll_timeout=0, cancel_on_timeout=True)
    assert result.answer == "just in time"


@each_kind
def test_a_cancel_that_fails_after_the_timeout_does_not_hide_the_timeout(kind: str) -> None:
    scripts = [
        reply({"code": 0, "data": {**IDS, "status": "created"}}),
        reply({"code": 4101, "msg": "not allowed"}),
    ]
    with (
        ChunkServer(*scripts) as http,
        client(kind, http.url) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        coze.chat.create_and_poll(**ASK, poll_timeout=0, cancel_on_timeout=True)
    assert "not allowed" in caught.value.__notes__[0]
    assert caught.value.ids["chat_id"] == "7001"


def test_cancelling_a_chat_that_has_ended_returns_it(coze: Any) -> None:
    ended = coze.chat.create_and_poll(**ASK, poll_interval=0).chat
    assert (
        coze.chat.cancel(chat_id=ended.id, conversation_id=ended.conversation_id).status
        == "completed"
    )


def test_cancelling_a_chat_that_waits_for_tools_is_refused(coze: Any) -> None:
    chat = coze.chat.create_and_poll(**{**ASK, "bot_id": bots.TOOL_CALLING}, poll_interval=0).chat
    with pytest.raises(ConflictError) as caught:
        coze.chat.cancel(chat_id=chat.id, conversation_id=chat.conversation_id)
    assert caught.value.code == 4104


def test_cancelling_a_running_chat_cancels_it(coze: Any) -> None:
    chat = coze.chat.create(**ASK)
    assert (
        coze.chat.cancel(chat_id=chat.id, conversation_id=chat.conversation_id).status == "canceled"
    )


def test_messages_that_cannot_be_read_leave_the_ids_on_the_error(
    coze: Any, local: Emulator
) -> None:
    local.emulate("status=403;code=4101", "chat_messages_list")
    with pytest.raises(CozeError) as caught:
        coze.chat.create_and_poll(**ASK, poll_interval=0)
    assert "which ended as completed" in caught.value.__notes__[0]
    assert "chat_id 75" in caught.value.__notes__[0]


@each_kind
def test_polls_carry_the_headers_of_the_call(kind: str) -> None:
    done = reply({"code": 0, "data": {**IDS, "status": "completed"}})
    scripts = [
        reply({"code": 0, "data": {**IDS, "status": "created"}}),
        done,
        reply({"code": 0, "data": []}),
    ]
    with ChunkServer(*scripts) as http, client(kind, http.url) as coze:
        coze.chat.create_and_poll(**ASK, poll_interval=0, extra_headers={"X-Tenant": "t7"})
    assert [request.headers.get("x-tenant") for request in http.requests[:2]] == ["t7", "t7"]


# ---- workflow runs


def test_an_asynchronous_run_is_awaited(coze: Any, local: Emulator) -> None:
    history = coze.workflows.runs.create_and_poll(
        workflow_id=workflows.PLAIN, parameters={"a": "1"}, poll_interval=0
    )
    assert history.execute_status == "Success"
    assert "a=1" in history.output
    assert sent_to(local, "workflows_runs_run_histories_retrieve") == 2


def test_a_run_that_fails_raises_with_code_id_and_debug_address(coze: Any) -> None:
    with pytest.raises(WorkflowFailed, match="the workflow failed") as caught:
        coze.workflows.runs.create_and_poll(workflow_id=workflows.FAILING, poll_interval=0)
    error = caught.value
    assert error.code == 5000
    assert error.execute_id and error.execute_id in str(error)
    assert error.debug_url and "execute_id" in error.debug_url


def test_a_run_that_takes_too_long_raises_with_its_ids_and_can_be_waited_for(coze: Any) -> None:
    with pytest.raises(PollTimeout) as caught:
        coze.workflows.runs.create_and_poll(workflow_id=workflows.PLAIN, poll_timeout=0)
    assert caught.value.ids["workflow_id"] == workflows.PLAIN
    assert coze.workflows.runs.wait(**caught.value.ids, poll_interval=0).execute_status == "Success"


@each_kind
def test_a_run_whose_answer_has_no_id_is_an_error(kind: str) -> None:
    answer = reply({"code": 0, "data": "{}"})
    with (
        ChunkServer(answer) as http,
        client(kind, http.url) as coze,
        pytest.raises(CozeError, match="the response contains no execute_id"),
    ):
        coze.workflows.runs.create_and_poll(workflow_id="w")


# ---- copies, bills, documents


def test_a_copy_is_awaited(coze: Any) -> None:
    task = coze.entities.copy_tasks.create_and_poll(
        entity_id=bots.ANSWERING, entity_type="bot", to_workspace_id="1", poll_interval=0
    )
    assert task.task_status == "successful"
    assert task.source_entity_id == bots.ANSWERING
    assert coze.entities.copy_tasks.wait(task.task_id, poll_interval=0).task_id == task.task_id


def test_an_export_of_bills_is_awaited(coze: Any) -> None:
    task = coze.benefits.bill_tasks.create_and_poll(
        started_at=1741795200, ended_at=1741881600, poll_interval=0
    )
    assert task.status == "succeed"
    assert task.file_urls
    assert coze.benefits.bill_tasks.wait(task.task_id, poll_interval=0).task_id == task.task_id


def bill(status: str) -> Any:
    return reply(
        {"code": 0, "data": {"total": 1, "task_infos": [{"task_id": "t1", "status": status}]}}
    )


def copy(status: str, **more: Any) -> Any:
    return reply({"code": 0, "data": {"task_id": "t1", "task_status": status, **more}})


def progress(*statuses: int) -> Any:
    infos = [
        {"document_id": str(n), "document_name": f"{n}.txt", "status": s, "status_descript": "bad"}
        for n, s in enumerate(statuses)
    ]
    return reply({"code": 0, "data": {"data": infos}})


FAILED = [
    (
        "benefits.bill_tasks",
        {"task_id": "t1"},
        [bill("running"), bill("failed")],
        "the task failed (task_ids t1)",
        "failed",
    ),
    (
        "entities.copy_tasks",
        {"task_id": "t1"},
        [
            copy("in_progress"),
            copy("failed", failed_reasons=[{"entity_name": "Otter", "failed_reason": "no rights"}]),
        ],
        "the task failed: Otter: no rights (task_id t1)",
        "failed",
    ),
    (
        "datasets.documents",
        {"dataset_id": "d1", "document_ids": ["0", "1"]},
        [progress(0, 9), progress(1, 9)],
        "the task failed: 1.txt: bad (dataset_id d1, document_ids 0, 1)",
        [1, 9],
    ),
]


@each_kind
@pytest.mark.parametrize(
    ("resource", "ids", "scripts", "text", "state"), FAILED, ids=[row[0] for row in FAILED]
)
def test_a_task_that_fails_raises_with_reason_and_ids(
    kind: str, resource: str, ids: Any, scripts: Any, text: str, state: Any
) -> None:
    with (
        ChunkServer(*scripts) as http,
        client(kind, http.url) as coze,
        pytest.raises(TaskFailed) as caught,
    ):
        owner, name = resource.split(".")
        getattr(getattr(coze, owner), name).wait(**ids, poll_interval=0)
    error = caught.value
    assert text in str(error)
    assert error.state == state
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.ids, twin.state) == (str(error), error.ids, error.state)


@each_kind
@pytest.mark.parametrize(
    ("resource", "ids", "scripts", "text", "state"), FAILED, ids=[row[0] for row in FAILED]
)
def test_a_task_that_takes_too_long_raises_with_its_ids(
    kind: str, resource: str, ids: Any, scripts: Any, text: str, state: Any
) -> None:
    with (
        ChunkServer(scripts[0]) as http,
        client(kind, http.url) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        owner, name = resource.split(".")
        getattr(getattr(coze, owner), name).wait(**ids, poll_timeout=0)
    told = {"task_ids": ["t1"]} if resource == "benefits.bill_tasks" else ids
    assert caught.value.ids == told
    assert len(http.requests) == 1
    assert caught.value.last


@each_kind
def test_documents_that_the_answer_leaves_out_are_still_waited_for(kind: str) -> None:
    with (
        ChunkServer(progress(), progress(1), progress(1, 1)) as http,
        client(kind, http.url) as coze,
    ):
        found = coze.datasets.documents.wait(
            dataset_id="d1", document_ids=["0", "1"], poll_interval=0
        )
    assert [item.status for item in found] == [1, 1]
    assert len(http.requests) == 3


@each_kind
def test_a_poll_is_not_repeated_inside_itself(kind: str) -> None:
    def answer(request: Request) -> Any:
        return reply({"code": 5000, "msg": "down"}, 500)

    with ChunkServer(answer) as http, client(kind, http.url) as coze, pytest.raises(ServerError):
        coze.entities.copy_tasks.wait("t1", poll_interval=0)
    assert len(http.requests) == MAX_FAILURES


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers for a chat that is over at the first poll; keeps the timeouts of each path."""

    def __init__(self) -> None:
        self.timeouts: dict[str, dict[str, float]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.timeouts[request.url.path] = request.extensions["timeout"]
        ends = {
            "/v3/chat": {**IDS, "status": "created"},
            "/v3/chat/retrieve": {**IDS, "status": "completed"},
        }
        return httpx.Response(200, json={"code": 0, "data": ends.get(request.url.path, [])})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@each_kind
def test_no_step_of_a_poll_outlasts_the_wait(kind: str) -> None:
    seen = Recorder()
    with client(kind, "http://127.0.0.1:1", transport=seen) as coze:
        coze.chat.create_and_poll(**ASK, poll_interval=0, poll_timeout=20)
    poll = seen.timeouts["/v3/chat/retrieve"]
    assert poll["connect"] == 5
    assert all(15 < poll[step] <= 20 for step in ("read", "write", "pool"))


# What takes its time is started by one method and awaited by another; every start has a method that
# does both.
WAITING = [
    ("chat", "create_and_poll"),
    ("chat", "submit_tool_outputs_and_poll"),
    ("chat", "wait"),
    ("workflows.runs", "create_and_poll"),
    ("workflows.runs", "resume_and_poll"),
]


@pytest.mark.parametrize(("resource", "method"), WAITING)
def test_both_clients_wait_with_the_same_arguments(resource: str, method: str) -> None:
    forms = []
    for found in (Coze("t"), AsyncCoze("t")):
        for step in resource.split("."):
            found = getattr(found, step)
        forms.append(getattr(found, method))
    sync, parallel = forms
    assert inspect.iscoroutinefunction(parallel) and not inspect.iscoroutinefunction(sync)
    assert list(inspect.signature(sync).parameters) == list(inspect.signature(parallel).parameters)
    assert {"poll_timeout", "poll_interval"} <= set(inspect.signature(parallel).parameters)
