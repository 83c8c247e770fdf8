"""Workflow runs: plain, asynchronous, streamed, interrupted."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from coze_openapi import Client
from coze_runtime.errors import APIError
from cozekit_emulator import Emulator, workflows
from tests.emulator.events import Event, split


@pytest.fixture(autouse=True)
def _fresh(coze_emulator: Emulator) -> None:
    """Every test begins with a fresh memory."""


def stream(http: httpx.Client, workflow_id: str, **more: Any) -> list[Event]:
    answer = http.post("/v1/workflow/stream_run", json={"workflow_id": workflow_id, **more})
    assert answer.headers["content-type"].startswith("text/event-stream"), answer.text
    return split(answer.text)


def resume(http: httpx.Client, interrupt: dict[str, Any], text: str) -> httpx.Response:
    body = {
        "workflow_id": workflows.INTERRUPTING,
        "event_id": interrupt["event_id"],
        "interrupt_type": interrupt["type"],
        "resume_data": text,
    }
    return http.post("/v1/workflow/stream_resume", json=body)


def test_a_run_answers_with_its_output_as_json_text(client: Client) -> None:
    result = client.workflows.runs.create(workflow_id=workflows.PLAIN, parameters={"city": "杭州"})
    assert json.loads(result.data) == {"output": "收到 ✅ city=杭州"}
    assert result.usage.token_count == result.usage.input_count + result.usage.output_count


def test_the_fields_of_a_run_stand_beside_the_code(http: httpx.Client) -> None:
    body = http.post("/v1/workflow/run", json={"workflow_id": workflows.PLAIN}).json()
    assert {"code", "msg", "data", "debug_url", "execute_id", "usage", "detail"} == set(body)


def test_a_failing_run_is_an_error_with_a_debug_url(client: Client) -> None:
    with pytest.raises(APIError) as caught:
        client.workflows.runs.create(workflow_id=workflows.FAILING)
    assert (caught.value.code, bool(caught.value.debug_url)) == (5000, True)


@pytest.mark.parametrize("workflow_id", ["1", workflows.UNPUBLISHED])
def test_an_unknown_or_unpublished_workflow_is_refused(client: Client, workflow_id: str) -> None:
    with pytest.raises(APIError, match="4200"):
        client.workflows.runs.create(workflow_id=workflow_id)


@pytest.mark.parametrize(
    ("workflow_id", "end"), [(workflows.PLAIN, "Success"), (workflows.FAILING, "Fail")]
)
def test_an_asynchronous_run_is_running_and_then_over(
    client: Client, workflow_id: str, end: str
) -> None:
    execute_id = client.workflows.runs.create(workflow_id=workflow_id, is_async=True).execute_id
    seen = [
        client.workflows.runs.run_histories.retrieve(workflow_id, execute_id).execute_status
        for _ in range(3)
    ]
    assert seen == ["Running", end, end]


def test_the_history_keeps_output_and_nodes(client: Client) -> None:
    execute_id = client.workflows.runs.create(
        workflow_id=workflows.PLAIN, parameters={"a": 1}
    ).execute_id
    history = client.workflows.runs.run_histories.retrieve(workflows.PLAIN, execute_id)
    assert json.loads(json.loads(history.output)["Output"]) == {"output": "收到 ✅ a=1"}
    node = history.node_execute_status["输出"].node_execute_uuid
    found = client.workflows.runs.run_histories.execute_nodes.retrieve(
        workflows.PLAIN, execute_id, node
    )
    assert (found.is_finish, found.node_output) == (True, "正在处理你的请求 🚀")


def test_the_history_of_another_workflow_is_not_found(client: Client) -> None:
    execute_id = client.workflows.runs.create(workflow_id=workflows.PLAIN).execute_id
    with pytest.raises(APIError, match="4314"):
        client.workflows.runs.run_histories.retrieve(workflows.FAILING, execute_id)


def test_a_stream_counts_its_events_from_0_in_three_lines_each(http: httpx.Client) -> None:
    events = stream(http, workflows.PLAIN)
    for number, event in enumerate(events):
        lines = event.raw.split("\n")
        assert lines[:2] == [f"id: {number}", f"event: {event.name}"]
        assert lines[2].startswith("data: ")
    assert [event.name for event in events] == ["Message"] * 4 + ["Done"]


def test_pieces_are_counted_per_node_and_the_last_one_says_so(http: httpx.Client) -> None:
    pieces = [event.data for event in stream(http, workflows.PLAIN) if event.name == "Message"]
    found = [
        (piece["node_title"], piece["node_seq_id"], piece["node_is_finish"]) for piece in pieces
    ]
    assert found == [
        ("输出", "0", False),
        ("输出", "1", False),
        ("输出", "2", True),
        ("End", "0", True),
    ]


def test_a_failing_stream_ends_with_an_error_event(http: httpx.Client) -> None:
    last = stream(http, workflows.FAILING)[-1]
    assert (last.name, last.data) == (
        "Error",
        {"error_code": 5000, "error_message": "the workflow failed"},
    )


def test_a_heartbeat_has_a_number_and_no_data(http: httpx.Client) -> None:
    events = stream(http, workflows.SLOW)
    assert [event.name for event in events] == [
        "Message",
        "PING",
        "Message",
        "PING",
        "Message",
        "PING",
        "Message",
        "Done",
    ]
    assert events[1].raw == "id: 1\nevent: PING\ndata: "


def test_an_interrupt_is_resumed_and_the_count_begins_anew(http: httpx.Client) -> None:
    events = stream(http, workflows.INTERRUPTING)
    assert [event.name for event in events] == ["Message", "Interrupt"]
    interrupt = events[-1].data["interrupt_data"]
    assert ("/" in interrupt["event_id"], interrupt["type"]) == (True, 2)
    resumed = split(resume(http, interrupt, "杭州").text)
    assert resumed[0].raw.startswith("id: 0\n")
    assert [event.name for event in resumed] == ["Message"] * 4 + ["Done"]
    assert "杭州" in resumed[3].data["content"]


def test_a_blank_answer_is_asked_again_and_the_third_one_fails(http: httpx.Client) -> None:
    events = stream(http, workflows.INTERRUPTING)
    ends = []
    for _ in range(3):
        events = split(resume(http, events[-1].data["interrupt_data"], " ").text)
        ends.append(events[-1].name)
    assert ends == ["Interrupt", "Interrupt", "Error"]


def test_a_finished_run_cannot_be_resumed(http: httpx.Client) -> None:
    interrupt = stream(http, workflows.INTERRUPTING)[-1].data["interrupt_data"]
    resume(http, interrupt, "杭州")
    assert resume(http, interrupt, "杭州").json()["code"] == 4315


def test_an_unknown_event_cannot_be_resumed(http: httpx.Client) -> None:
    assert resume(http, {"event_id": "1/1", "type": 2}, "杭州").json()["code"] == 4314


def test_a_plain_run_is_resumed_by_its_own_call_only(client: Client, http: httpx.Client) -> None:
    interrupt = client.workflows.runs.create(workflow_id=workflows.INTERRUPTING).interrupt_data
    assert resume(http, {"event_id": interrupt.event_id, "type": 2}, "杭州").json()["code"] == 4000
    result = client.workflows.runs.resume(
        workflow_id=workflows.INTERRUPTING,
        event_id=interrupt.event_id,
        interrupt_type=interrupt.type,
        resume_data="杭州",
    )
    assert json.loads(result.data) == {"output": "好的，杭州 ☀️"}


def test_an_asynchronous_run_shows_its_interrupt_and_goes_on_when_resumed(client: Client) -> None:
    execute_id = client.workflows.runs.create(
        workflow_id=workflows.INTERRUPTING, is_async=True
    ).execute_id

    def read() -> Any:
        return client.workflows.runs.run_histories.retrieve(workflows.INTERRUPTING, execute_id)

    waiting = [read() for _ in range(3)][-1]
    assert waiting.execute_status == "Running"
    client.workflows.runs.resume(
        workflow_id=workflows.INTERRUPTING,
        event_id=waiting.interrupt_data.event_id,
        interrupt_type=2,
        resume_data="杭州",
    )
    assert [read().execute_status for _ in range(2)] == ["Running", "Success"]
