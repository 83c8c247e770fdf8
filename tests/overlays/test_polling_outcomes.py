"""What the outcome of a wait tells: the log id of a result and of an error, sync and async."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from cozekit import ChatCanceled, ChatFailed, CozeError, PollTimeout, WorkflowFailed
from cozekit.errors import TaskFailed
from tests.overlays.chunk_server import LOGID, ChunkServer, KeepOpen, reply
from tests.overlays.either import client, each_kind
from tests.overlays.wire import ASK, CHAT_ID, CONVERSATION_ID, RUN, at_once, chat

RUN_ID = {"code": 0, "execute_id": "8001"}


def data(found: object, logid: str | None = LOGID) -> Any:
    return reply({"code": 0, "data": found}, headers={"x-tt-logid": logid})


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
