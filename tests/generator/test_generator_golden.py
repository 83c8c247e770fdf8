"""The output for the tiny description, file by file. To renew it: `python -m
tests.generator.renew_golden`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.generator import renew_golden
from tests.generator.golden_files import COMMAND, GOLDEN, LEFT_OUT, golden_files, rendered

KEPT = {
    path.relative_to(GOLDEN).as_posix(): path
    for path in sorted(GOLDEN.rglob("*"))
    if path.is_file()
}


@pytest.mark.parametrize("path", KEPT)
def test_a_generated_file_is_as_it_was_last_reviewed(path: str) -> None:
    made = golden_files()
    assert path in made, f"nothing makes it any more; renew with `{COMMAND}`"
    assert made[path].decode() == KEPT[path].read_text(encoding="utf-8"), (
        f"renew with `{COMMAND}` and read the difference"
    )


def test_no_generated_file_is_missing_from_the_golden_output() -> None:
    assert sorted(set(golden_files()) - set(KEPT)) == [], f"renew with `{COMMAND}`"


def test_what_the_golden_output_leaves_out_is_generated() -> None:
    assert sorted(LEFT_OUT - set(rendered())) == []


def test_the_golden_output_shows_every_feature_of_the_description() -> None:
    text = {path: data.decode() for path, data in golden_files().items()}
    assert "PAGER = Pager(" in text["coze_openapi/api/gadgets/list.py"]
    assert "comma_separated(kinds)" in text["coze_openapi/api/gadgets/list.py"]
    assert '"Gadget-Dialect": "plain"' in text["coze_openapi/api/gadgets/list.py"]
    assert "path_segment('gadget_id', gadget_id)" in text["coze_openapi/api/gadgets/retrieve.py"]
    assert 'part("picture", picture)' in text["coze_openapi/api/gadgets/upload.py"]
    assert "WAITER = Waiter(" in text["coze_openapi/api/gadgets_runs/create.py"]
    runs, talks = text["coze_openapi/streams/workflow.py"], text["coze_openapi/streams/chat.py"]
    assert '"run.progress": EventType(events.WorkflowRunProgressEvent, RunPiece),' in runs
    assert '"error": EventType(events.WorkflowErrorEvent, Envelope, plain=True),' in runs
    assert '"done": EventType(events.WorkflowDoneEvent),' in runs
    assert "failed=RunFailed," in runs
    assert 'heartbeat=frozenset({"PING"}),' in runs
    assert "base.Interruption[RunQuestion, RunQuestionType, RunParameter]" in runs
    assert "state_model=Talk," in talks
    assert 'waiting=frozenset({"waits"}),' in talks
    assert 'follow_up=frozenset({"follow_up"}),' in talks
    assert 'tool_calls="action.calls",' in talks
    assert "streams.WorkflowStream" in text["coze_openapi/resources/gadgets_runs.py"]
    assert "streams.AsyncChatStream" in text["coze_openapi/resources_async/gadgets_talks.py"]
    assert (
        "class WorkflowRunQuestionEvent(base.WorkflowInterruptEvent[RunWaits, RunQuestion]"
        in text["coze_openapi/events/workflow.py"]
    )
    assert "(base.ChatStateEvent[Talk], eq=False)" in text["coze_openapi/events/chat.py"]
    assert "def parse" not in text["coze_openapi/api/gadgets_runs/resume.py"]
    assert "DeprecationWarning" in text["coze_openapi/resources/gadgets.py"]
    assert "class GadgetKind(OpenStrEnum)" in text["coze_openapi/models/gadgets.py"]
    assert "class GadgetState(OpenIntEnum)" in text["coze_openapi/models/gadgets.py"]
    assert "repr=False)" in text["coze_openapi/models/gadgets.py"]
    assert (
        "def runs(self) -> resources_async.AsyncGadgetsRuns"
        in text["coze_openapi/resources_async/gadgets.py"]
    )
    assert '"run.create": Run' in text["coze_openapi/events/gadgets_socket.py"]
    assert 'terminal=frozenset({"run.progress"}),' in text["coze_openapi/events/gadgets_socket.py"]
    assert '{"run.create": "run.created"}' in text["coze_openapi/events/gadgets_calls.py"]
    assert '"gadget.broken": Gadget' in text["coze_openapi/events/gadgets.py"]
    errors = text["coze_openapi/errors.py"]
    assert "4200: NotFoundError" in errors
    assert "class RunFailed(APIError)" in errors
    assert "run: models.Run | None = None" in errors
    assert 'token_variable="GADGET_TOKEN",' in errors
    assert 'base_url_variable="GADGET_BASE",' in errors
    assert 'servers=("https://api.example.com",),' in errors


def test_renewing_names_what_changes_and_leaves_nothing_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(renew_golden, "GOLDEN", tmp_path / "golden")
    assert renew_golden.main() == 0
    (tmp_path / "golden" / "old.py").touch()
    (tmp_path / "golden" / "openapi.yaml").write_text("", encoding="utf-8")
    (tmp_path / "golden" / "manifest.json").unlink()
    capsys.readouterr()
    assert renew_golden.main() == 0
    assert capsys.readouterr().out.splitlines() == [
        "manifest.json: missing",
        "old.py: nothing generates it",
        "openapi.yaml: differs",
        f"wrote {len(golden_files())} files, 3 of them new, changed or gone",
    ]
    found = {
        path.relative_to(tmp_path / "golden").as_posix()
        for path in (tmp_path / "golden").rglob("*")
        if path.is_file()
    }
    assert found == set(golden_files())


def test_the_generated_package_of_the_tiny_description_imports_every_module(tmp_path: Path) -> None:
    for path, data in rendered().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    modules = [
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in rendered()
        if path.endswith(".py")
    ]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *modules],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
