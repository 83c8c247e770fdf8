"""What waiting keeps to and tells: timeouts of each poll, the clock, pauses without waiting, and
log ids of outcomes and errors.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from inspect import signature
from typing import Any

import httpx
import pytest

from coze_runtime.calls.deadlines import StreamLimits
from coze_runtime.polling.wait import GRACE, Wait
from cozekit import (
    ChatCanceled,
    ChatFailed,
    CozeError,
    PollTimeout,
    RetryPolicy,
    Timeout,
    WorkflowFailed,
)
from cozekit.errors import TaskFailed
from tests.overlays.chunk_server import LOGID, ChunkServer, KeepOpen, reply, stream
from tests.overlays.either import client, each_kind
from tests.overlays.wire import ASK, CHAT_ID, CONVERSATION_ID, FLOW, RUN, at_once, chat

RUN_ID = {"code": 0, "execute_id": "8001"}
INTERRUPT = {"event_id": "8001/1", "type": 2, "data": ""}
USAGE = {"token_count": 5, "output_count": 2, "input_count": 3}


def data(found: object, logid: str | None = LOGID) -> Any:
    return reply({"code": 0, "data": found}, headers={"x-tt-logid": logid})


# ---- the timeout of each poll


class Watched:
    """An HTTP client of a kind that notes the read timeout of each request."""

    def __init__(self, kind: str) -> None:
        self.reads: list[float] = []

        async def note(request: httpx.Request) -> None:
            self._note(request)

        if kind == "sync":
            self.http: Any = httpx.Client(event_hooks={"request": [self._note]})
        else:
            self.http = httpx.AsyncClient(event_hooks={"request": [note]})

    def _note(self, request: httpx.Request) -> None:
        self.reads.append(request.extensions["timeout"]["read"])


def read_timeouts(
    kind: str, call: Callable[[Any], Any], *scripts: Any, **settings: Any
) -> list[float]:
    """The read timeout of each request that a call sends; pauses take no time."""
    watched = Watched(kind)
    policy, _ = at_once()
    with (
        ChunkServer(*scripts) as server,
        client(kind, server.url, http_client=watched.http, max_retries=policy, **settings) as coze,
    ):
        with pytest.raises(PollTimeout):
            call(coze)
        if kind == "sync":
            watched.http.close()
        else:
            coze._portal.call(watched.http.aclose)
    return watched.reads


@each_kind
def test_no_poll_may_take_longer_than_what_is_left_and_a_grace(kind: str) -> None:
    def call(coze: Any) -> Any:
        return coze.chat.create_and_poll(**ASK, poll_timeout=40, poll_interval=10)

    first, *polls = read_timeouts(kind, call, data(chat("in_progress")), timeout=900)
    assert first == 900
    assert polls[:3] == pytest.approx([30, 20, 10], abs=4)
    assert polls[-1] == GRACE
    assert polls == sorted(polls, reverse=True)


@each_kind
def test_the_timeout_of_the_first_call_holds_for_the_polls(kind: str) -> None:
    def call(coze: Any) -> Any:
        return coze.chat.create_and_poll(**ASK, poll_timeout=40, poll_interval=10, timeout=7)

    first, *polls = read_timeouts(kind, call, data(chat("in_progress")), timeout=900)
    assert first == 7
    assert polls[:3] == [7, 7, 7]


@each_kind
def test_polls_have_no_longer_timeout_than_the_client_when_the_call_names_none(kind: str) -> None:
    def call(coze: Any) -> Any:
        return coze.chat.wait(
            chat_id=CHAT_ID, conversation_id=CONVERSATION_ID, poll_timeout=40, poll_interval=10
        )

    polls = read_timeouts(kind, call, data(chat("in_progress")), timeout=Timeout(read=6))
    assert polls[:4] == [6, 6, 6, 6]


@each_kind
def test_a_poll_without_an_answer_ends_with_the_wait(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coze_runtime.polling.wait.GRACE", 0.1)
    scripts = [data(chat("created")), [KeepOpen()]]
    begun = time.monotonic()
    with (
        ChunkServer(*scripts) as server,
        client(kind, server.url, timeout=20) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        coze.chat.create_and_poll(**ASK, poll_timeout=0.3, poll_interval=0.05)
    assert time.monotonic() - begun < 10
    assert (caught.value.state, caught.value.ids["chat_id"]) == ("created", CHAT_ID)


# ---- clock and sleep


@pytest.mark.parametrize("kind", [Wait, StreamLimits])
def test_the_clock_of_limits_is_monotonic(kind: type) -> None:
    assert signature(kind).parameters["clock"].default is time.monotonic


@each_kind
@pytest.mark.parametrize("jump", [1e9, -1e9])
def test_a_jump_of_the_clock_on_the_wall_does_not_matter(
    kind: str, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        monkeypatch.setattr(time, "time", lambda: real() + jump)

    async def sleep_async(seconds: float) -> None:
        sleep(seconds)

    policy = RetryPolicy(sleep=sleep, sleep_async=sleep_async)
    scripts = [data(chat("created")), data(chat("in_progress")), data(chat("completed")), data([])]
    with ChunkServer(*scripts) as server, client(kind, server.url, max_retries=policy) as coze:
        result = coze.chat.create_and_poll(**ASK, poll_timeout=30)
    assert result.chat.status == "completed"
    assert slept == [1, 1.5]


@each_kind
def test_the_sleep_of_the_retry_policy_is_that_of_polls_so_that_programs_test_without_waiting(
    kind: str,
) -> None:
    policy, slept = at_once()
    scripts = [
        data(chat("created")),
        *[data(chat("in_progress"))] * 3,
        data(chat("completed")),
        data([]),
    ]
    begun = time.monotonic()
    with ChunkServer(*scripts) as server, client(kind, server.url, max_retries=policy) as coze:
        coze.chat.create_and_poll(**ASK, poll_interval=3)
    assert slept == [3, 4.5, 5, 5]
    assert time.monotonic() - begun < 10


@each_kind
def test_a_pause_that_takes_no_time_counts_in_full_so_that_the_deadline_comes(kind: str) -> None:
    policy, slept = at_once()
    late = pytest.raises(PollTimeout, match="no outcome within 3600 s")
    with (
        ChunkServer(data(chat("created"))) as server,
        client(kind, server.url, max_retries=policy) as coze,
        late,
    ):
        coze.chat.create_and_poll(**ASK, poll_timeout=3600, poll_interval=900)
    assert slept == [900, 900, 900, pytest.approx(900, abs=30)]


@pytest.mark.parametrize("late", [0.0, 0.25])
def test_a_pause_that_lasts_longer_than_wanted_counts_as_long_as_it_was(late: float) -> None:
    from coze_openapi.api.chat.create import WAITER

    now = 0.0
    wait: Wait[Any] = Wait(WAITER, timeout=100, interval=10, ids={}, clock=lambda: now)
    steps = wait.steps(lambda: "polled")
    assert next(steps).seconds == 10
    now += 10 + late
    assert next(steps) == "polled"
    assert wait.remaining() == 90 - late


# ---- log ids and other facts


@each_kind
@pytest.mark.parametrize(("status", "error"), [("failed", ChatFailed), ("canceled", ChatCanceled)])
def test_a_chat_that_ends_badly_tells_its_log_id(
    kind: str, status: str, error: type[CozeError]
) -> None:
    scripts = [data(chat("created"), "FIRST"), data(chat(status), "LAST")]
    with (
        ChunkServer(*scripts) as server,
        client(kind, server.url) as coze,
        pytest.raises(error) as caught,
    ):
        coze.chat.create_and_poll(**ASK, poll_interval=0)
    assert (caught.value.logid, "logid LAST" in str(caught.value)) == ("LAST", True)


@each_kind
def test_a_wait_that_takes_too_long_tells_the_log_id_of_the_last_answer(kind: str) -> None:
    policy, _ = at_once()
    scripts = [data(chat("created"), "FIRST"), data(chat("in_progress"), "LAST")]
    with (
        ChunkServer(*scripts) as server,
        client(kind, server.url, max_retries=policy) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        coze.chat.create_and_poll(**ASK, poll_timeout=3)
    error = caught.value
    assert (error.logid, "logid LAST" in str(error)) == ("LAST", True)
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.logid, twin.ids, twin.state) == (
        str(error),
        "LAST",
        error.ids,
        error.state,
    )


@each_kind
def test_an_answer_that_was_an_error_counts_as_the_last_one(kind: str) -> None:
    policy, _ = at_once()
    down = reply({"code": 5000, "msg": "down"}, 500, {"x-tt-logid": "DOWN"})
    with (
        ChunkServer(down) as server,
        client(kind, server.url, max_retries=policy) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        coze.chat.wait(chat_id=CHAT_ID, conversation_id=CONVERSATION_ID, poll_timeout=2)
    assert (caught.value.logid, caught.value.last) == ("DOWN", None)


@each_kind
def test_a_wait_without_any_answer_has_no_log_id(kind: str) -> None:
    policy, _ = at_once()
    settings: dict[str, Any] = {"max_retries": policy, "timeout": 0.3}
    with (
        ChunkServer([KeepOpen()]) as server,
        client(kind, server.url, **settings) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        coze.chat.wait(chat_id=CHAT_ID, conversation_id=CONVERSATION_ID, poll_timeout=0.1)
    assert caught.value.logid is None
    assert "logid" not in str(caught.value)


@each_kind
def test_a_chat_that_was_cancelled_for_its_slowness_tells_the_log_id_of_the_cancel(
    kind: str,
) -> None:
    scripts = [data(chat("created"), "FIRST"), data(chat("canceled"), "CANCEL")]
    with (
        ChunkServer(*scripts) as server,
        client(kind, server.url) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        coze.chat.create_and_poll(**ASK, poll_timeout=0, cancel_on_timeout=True)
    assert caught.value.logid == "CANCEL"


TASKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "benefits.bill_tasks": (
        {"task_id": "t1"},
        {"total": 1, "task_infos": [{"task_id": "t1", "status": "failed"}]},
    ),
    "entities.copy_tasks": ({"task_id": "t1"}, {"task_id": "t1", "task_status": "failed"}),
    "datasets.documents": (
        {"dataset_id": "d1", "document_ids": ["0"]},
        {"data": [{"document_id": "0", "status": 9}]},
    ),
}


@each_kind
@pytest.mark.parametrize("resource", TASKS)
def test_a_task_that_fails_tells_its_log_id(kind: str, resource: str) -> None:
    ids, answer = TASKS[resource]
    owner, name = resource.split(".")
    with (
        ChunkServer(data(answer)) as server,
        client(kind, server.url) as coze,
        pytest.raises(TaskFailed) as caught,
    ):
        getattr(getattr(coze, owner), name).wait(**ids, poll_interval=0)
    assert caught.value.logid == LOGID


@each_kind
@pytest.mark.parametrize(
    ("own", "told"), [("OFRUN", "OFRUN"), (None, LOGID)], ids=["of the run", "of the call"]
)
def test_a_run_that_fails_tells_its_own_log_id_or_that_of_the_call(
    kind: str, own: str | None, told: str
) -> None:
    history = {"execute_id": "8001", "execute_status": "Fail", "error_code": "5000", "logid": own}
    with (
        ChunkServer(reply(RUN_ID), data([history])) as server,
        client(kind, server.url) as coze,
        pytest.raises(WorkflowFailed) as caught,
    ):
        coze.workflows.runs.create_and_poll(**RUN, poll_interval=0)
    assert (caught.value.logid, f"logid {told}" in str(caught.value)) == (told, True)


@each_kind
def test_the_result_of_a_streamed_run_has_its_log_id(kind: str) -> None:
    with ChunkServer(stream(*FLOW)) as server, client(kind, server.url) as coze:
        assert coze.workflows.runs.run_interactive(**RUN, answer=str).logid == LOGID
        assert coze.workflows.runs.stream(**RUN).until_done().logid == LOGID


@each_kind
def test_the_result_of_an_awaited_run_has_usage_id_address_and_log_id(kind: str) -> None:
    answer = reply(
        {"code": 0, "data": "{}", "execute_id": "8001", "debug_url": "https://x", "usage": USAGE}
    )
    with ChunkServer(answer) as server, client(kind, server.url) as coze:
        result = coze.workflows.runs.run_interactive(**RUN, answer=str, stream=False)
    assert (result.output, result.execute_id, result.debug_url, result.logid) == (
        "{}",
        "8001",
        "https://x",
        LOGID,
    )
    assert (result.usage.token_count, result.usage.output_count, result.usage.input_count) == (
        5,
        2,
        3,
    )


@each_kind
def test_an_awaited_run_that_was_resumed_keeps_its_id_and_sums_its_usage(kind: str) -> None:
    first = reply({**RUN_ID, "interrupt_data": INTERRUPT, "usage": USAGE})
    second = reply({"code": 0, "data": "{}", "usage": USAGE}, headers={"x-tt-logid": "SECOND"})
    with ChunkServer(first, second) as server, client(kind, server.url) as coze:
        result = coze.workflows.runs.run_interactive(**RUN, answer=lambda _: "x", stream=False)
    assert (result.execute_id, result.logid) == ("8001", "SECOND")
    assert result.usage.token_count == 10
