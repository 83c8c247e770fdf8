"""`make record`: what a live server answers becomes a cassette without ids and secrets, which then
plays.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from coze_openapi import Client
from coze_runtime.errors import APIConnectionError
from cozekit_emulator import Emulator, workflows
from cozekit_emulator.state.bots import ANSWERING
from cozekit_emulator.state.ids import CONVERSATION, USER, WORKSPACE
from tests.contract.catalogue import operations
from tests.contract.matching import recorder
from tests.contract.replay import KINDS
from tests.record.__main__ import main
from tests.record.leaks import findings
from tests.record.recorder import RECORDED
from tests.record.replay import recordings, replay

CALLS = {
    "bots_list": {"workspace_id": WORKSPACE, "page_size": 3},
    "bots_create": {"space_id": WORKSPACE, "name": "Recorded"},
    "chat_create": {"bot_id": ANSWERING, "user_id": "somebody-0001"},
    "conversations_messages_list": {"conversation_id": CONVERSATION},
    "conversations_delete": {"conversation_id": CONVERSATION},
    "files_upload": {},
    "audio_speech_create": {},
    "users_me": {},
    "variables_retrieve": {"connector_uid": "somebody-0001", "bot_id": ANSWERING},
    "workflows_runs_stream": {"workflow_id": workflows.PLAIN},
}


@pytest.fixture
def token(local_coze: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    local_coze.reset()
    monkeypatch.setenv("COZE_API_TOKEN", local_coze.token)
    return local_coze.token


def run(local_coze: Emulator, folder: Path, *arguments: str) -> int:
    return main([*arguments, "--base-url", local_coze.base_url, "--folder", str(folder)])


def given(folder: Path, name: str) -> list[str]:
    path = folder / "arguments.yaml"
    path.write_text(yaml.safe_dump({name: CALLS[name]}), encoding="utf-8")
    return ["--arguments", str(path)]


@pytest.mark.parametrize("name", CALLS)
def test_a_recorded_call_plays_sync_and_async_with_the_same_result(
    name: str, local_coze: Emulator, token: str, tmp_path: Path
) -> None:
    assert run(local_coze, tmp_path, name, *given(tmp_path, name)) == 0
    path = tmp_path / f"{name}.yaml"
    assert [replay(path, kind) for kind in KINDS] == [[], []]
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        rf"{token}|{WORKSPACE}|{USER}|{CONVERSATION}|{local_coze.port}|somebody-0001", text
    )


def test_an_operation_with_two_methods_is_recorded_with_both(
    local_coze: Emulator, token: str, tmp_path: Path
) -> None:
    run(local_coze, tmp_path, "chat_create")
    assert [recording.streaming for recording in recordings(tmp_path / "chat_create.yaml")] == [
        False,
        True,
    ]


def test_a_tag_records_what_reads_and_names_what_it_leaves_out(
    local_coze: Emulator, token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(local_coze, tmp_path, "bots") == 0
    left_out = re.findall(r"^(\w+): left out", capsys.readouterr().err, re.MULTILINE)
    written = {path.stem for path in tmp_path.glob("*.yaml")}
    assert written == {
        "bots_list",
        "bots_list_published",
        "bots_retrieve",
        "bots_retrieve_published",
    }
    assert written | set(left_out) == {op.id for op in operations().values() if op.tag == "bots"}
    assert {request.operation for request in local_coze.requests} == written


def test_what_changes_things_is_recorded_when_it_is_asked_for(
    local_coze: Emulator, token: str, tmp_path: Path
) -> None:
    run(local_coze, tmp_path, "folders", "bots", "--writes")
    assert "bots_create" in {path.stem for path in tmp_path.glob("*.yaml")}


def test_the_same_id_has_the_same_placeholder_in_request_and_answer(
    local_coze: Emulator, token: str, tmp_path: Path
) -> None:
    run(
        local_coze,
        tmp_path,
        "conversations_messages_list",
        *given(tmp_path, "conversations_messages_list"),
    )
    recorded = recordings(tmp_path / "conversations_messages_list.yaml")[0]
    asked = dict(recorded.query)["conversation_id"]
    assert {message["conversation_id"] for message in recorded.answer["value"]["data"]} == {asked}
    assert len(
        {message["id"] for message in recorded.answer["value"]["data"]} | {asked}
    ) == 1 + len(recorded.answer["value"]["data"])


def test_only_headers_of_the_list_are_kept(
    local_coze: Emulator, token: str, tmp_path: Path
) -> None:
    run(local_coze, tmp_path, "files_upload", *given(tmp_path, "files_upload"))
    interaction = yaml.safe_load((tmp_path / "files_upload.yaml").read_text(encoding="utf-8"))[
        "interactions"
    ][0]
    assert set(interaction["request"]["headers"]) == {"accept", "content-type"}
    assert set(interaction["response"]["headers"]) == {"content-type", "x-tt-logid"}


def test_a_refused_call_leaves_no_cassette_and_the_others_go_on(
    local_coze: Emulator, token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local_coze.emulate("status=500;times=1", "bots_retrieve")
    assert run(local_coze, tmp_path, "bots_retrieve", "bots_list") == 1
    assert "bots_retrieve: not recorded: " in capsys.readouterr().err
    assert {path.name for path in tmp_path.glob("*")} == {"bots_list.yaml"}


def test_a_replay_never_asks_the_server_and_never_writes(
    local_coze: Emulator, token: str, tmp_path: Path
) -> None:
    run(local_coze, tmp_path, "bots_list", *given(tmp_path, "bots_list"))
    path = tmp_path / "bots_list.yaml"
    # The cassette answers for the very server that runs: what it does not know would be found
    # there.
    text = path.read_text(encoding="utf-8").replace("https://api.coze.cn", local_coze.base_url)
    path.write_text(text, encoding="utf-8")
    local_coze.reset()
    with (
        recorder().use_cassette(str(path)),
        Client(token, base_url=local_coze.base_url, max_retries=0) as client,
        pytest.raises(APIConnectionError, match="CannotOverwriteExistingCassetteException"),
    ):
        client.bots.list(workspace_id="another")
    with (
        recorder().use_cassette(str(tmp_path / "none.yaml")),
        Client(token, base_url=local_coze.base_url, max_retries=0) as client,
        pytest.raises(APIConnectionError, match="CannotOverwriteExistingCassetteException"),
    ):
        client.bots.list(workspace_id=WORKSPACE)
    assert path.read_text(encoding="utf-8") == text
    assert not (tmp_path / "none.yaml").exists()
    assert local_coze.requests == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["bots_lst"], "no operation and no tag is called bots_lst"), ([], "OPERATION")],
    ids=["unknown", "nothing"],
)
def test_a_wrong_command_line_says_what_is_wrong(
    arguments: list[str], expected: str, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert expected in capsys.readouterr().err


def test_without_a_token_nothing_is_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COZE_API_TOKEN", raising=False)
    with pytest.raises(SystemExit):
        main(["bots_list", "--base-url", "http://127.0.0.1:9"])
    assert "COZE_API_TOKEN is not set" in capsys.readouterr().err


def test_an_argument_that_the_operation_does_not_have_is_refused_by_name(
    local_coze: Emulator, token: str, tmp_path: Path
) -> None:
    path = tmp_path / "arguments.json"
    path.write_text(json.dumps({"bots_list": {"workspace": "1"}}), encoding="utf-8")
    with pytest.raises(SystemExit, match="bots_list has no argument workspace "):
        run(local_coze, tmp_path, "bots_list", "--arguments", str(path))


def test_every_recording_of_the_official_service_plays() -> None:
    """A drift is a fact that the description lacks. Other servers have a table of their own."""
    for path in sorted(RECORDED.glob("*.yaml")):
        assert [replay(path, kind) for kind in KINDS] == [[], []], path.name


def test_no_committed_cassette_holds_a_secret() -> None:
    found: dict[str, Any] = {}
    paths = sorted(RECORDED.parent.rglob("*"))
    for path in paths:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            left = findings(yaml.safe_load(text)) + findings(text)
            found |= {path.name: left} if left else {}
    assert found == {}
    assert len(paths) > 100
