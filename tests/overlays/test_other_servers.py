"""A client of a Coze Studio server: other routes, ids as numbers, calls that it does not have."""

from __future__ import annotations

from typing import Any

import pytest

from cozekit import ArgumentError, AsyncCoze, Coze
from cozekit.errors import NotFoundError
from cozekit.models import WorkflowRunStatus
from tests.contract.catalogue import operations
from tests.contract.replay import replaying
from tests.each import each
from tests.overlays.chunk_server import ChunkServer, reply
from tests.overlays.either import each_kind
from tests.record.recorder import RECORDED
from tests.record.replay import Recording, recordings

HISTORIES = {
    recording.answer["value"]["data"][0]["execute_status"]: recording
    for recording in recordings(RECORDED / "coze_studio" / "undocumented.yaml")
    if "data" in recording.answer.get("value", {})
}


def run(kind: str, recording: Recording, method: str, **named: Any) -> tuple[Any, str]:
    """What a method gives when the server answers as recorded, and what it asked for."""
    query = dict(recording.query)
    with (
        ChunkServer(reply(recording.answer["value"])) as server,
        replaying(kind, server.url, server="coze_studio") as coze,
    ):
        runs = coze.workflows.runs
        call = runs.wait if method == "wait" else runs.run_histories.retrieve
        ids = {name: query[name] for name in ("workflow_id", "execute_id")}
        result = call(**ids, **named)
        return result, server.requests[0].target


@each_kind
def test_the_history_of_a_run_has_its_own_route_and_exact_ids(kind: str) -> None:
    recording = HISTORIES["Success"]
    result, target = run(kind, recording, "retrieve")
    assert target == (
        "/v1/workflow/get_run_history?workflow_id=7713130724445913088&execute_id=7713137628115107840"
    )
    assert result.execute_id == "7713137628115107840"
    assert result.execute_status is WorkflowRunStatus.SUCCESS


@each_kind
def test_waiting_for_a_run_ends_at_an_interruption(kind: str) -> None:
    result, _ = run(kind, HISTORIES["<UNSET>"], "wait", poll_interval=0)
    assert result.execute_status is WorkflowRunStatus.UNSET


@each_kind
def test_ids_of_documents_go_as_numbers(kind: str) -> None:
    answer = reply({"code": 0, "msg": "", "data": {"data": []}})
    with (
        ChunkServer(answer) as server,
        replaying(kind, server.url, server="coze_studio") as coze,
    ):
        coze.datasets.process("7", document_ids=["7713137646423244800", "x"])
        assert server.requests[0].json == {"document_ids": [7713137646423244800, "x"]}


@each_kind
def test_a_call_that_the_server_does_not_have_is_refused_by_name_and_not_sent(kind: str) -> None:
    with (
        ChunkServer(reply({})) as server,
        replaying(kind, server.url, server="coze_studio") as coze,
    ):
        with pytest.raises(NotFoundError) as caught:
            coze.users.me()
        assert str(caught.value) == "coze.users.me: Coze Studio does not have this operation"
        coze.request("GET", "/v1/own")
        assert [request.target for request in server.requests] == ["/v1/own"]


@each("name", [name for name, op in operations().items() if "x-coze-also-on" in op.node])
def test_a_recorded_operation_is_not_refused(name: str) -> None:
    assert "coze_studio" in operations()[name].module.OPERATION.also_on


@pytest.mark.parametrize("make", [Coze, AsyncCoze])
def test_the_kind_of_server_is_read_from_the_environment(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COZE_SERVER", "coze_studio")
    monkeypatch.setenv("COZE_API_BASE", "http://127.0.0.1:8888")
    client = make("pat_test")
    assert client.settings.server == "coze_studio"
    assert client.with_options(timeout=1).settings.server == "coze_studio"


@each(
    "named, problem",
    {
        "unknown": ({"server": "studio"}, "server must be 'coze_studio', or None"),
        "no address": ({"server": "coze_studio"}, "has no usual address: pass base_url"),
    },
)
def test_a_server_that_cannot_be_used_is_refused(named: dict[str, Any], problem: str) -> None:
    with pytest.raises(ArgumentError, match=problem):
        Coze("pat_test", **named)
