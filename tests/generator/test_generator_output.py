"""Same description, same bytes; every departure is named; what would be lost or overwritten in
silence is refused.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.compile.bundle import bundle
from generator.compile.emit import compile_bundle, render
from tests.generator.golden_files import rendered
from tests.generator.tiny import ROOT, SPEC, Description

# These three hold the whole description or the hashes of everything, so any change shows in them.
ALWAYS = {"openapi.yaml", "manifest.json", "coze_openapi/openapi.json"}


def on_disk(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


# ---- determinism


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert render(compile_bundle(bundle(SPEC))) == rendered()


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_process_in_another_folder_with_another_hash_seed_writes_the_same_bytes(
    seed: str, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": seed,
        "LC_ALL": "C",
        "TZ": "Asia/Shanghai",
    }
    command = [
        sys.executable,
        "-m",
        "generator",
        "--spec",
        str(SPEC),
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"wrote {len(rendered())} files\n",
        "",
    )
    assert on_disk(tmp_path / "out") == rendered()
    assert list(elsewhere.iterdir()) == []


def test_a_formatter_configuration_beside_the_output_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ruff.toml").write_text(
        'line-length = 40\n[format]\nquote-style = "single"\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    assert run("--spec", SPEC, "--out", tmp_path / "out") == 0
    assert on_disk(tmp_path / "out") == rendered()


def test_the_order_of_the_files_on_disk_changes_nothing(tmp_path: Path) -> None:
    description = Description()
    spec = description.write(tmp_path)
    other = tmp_path / "other"
    for name in reversed(description.originals):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_bytes((spec / name).read_bytes())
    assert render(compile_bundle(bundle(other))) == render(compile_bundle(bundle(spec)))


# ---- writing and comparing


def test_old_output_is_deleted(tmp_path: Path) -> None:
    old = tmp_path / "out" / "coze_openapi" / "api" / "widgets" / "list.py"
    old.parent.mkdir(parents=True)
    old.touch()
    assert run("--spec", SPEC, "--out", tmp_path / "out") == 0
    assert set(on_disk(tmp_path / "out")) == set(rendered())
    assert not old.parent.exists()


def test_check_finds_nothing_after_writing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--spec", SPEC, "--out", tmp_path / "out") == 0
    capsys.readouterr()
    assert run("--check", "--spec", SPEC, "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out == f"{len(rendered())} generated files: in order\n"


def test_check_names_changed_missing_and_extra_files_and_touches_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("--spec", SPEC, "--out", out) == 0
    (out / "coze_openapi/models/gadgets.py").write_bytes(
        rendered()["coze_openapi/models/gadgets.py"] + b"\n"
    )
    (out / "coze_openapi/api/gadgets/list.py").unlink()
    (out / "coze_openapi/api/gadgets/steal.py").touch()
    before = on_disk(out)
    capsys.readouterr()
    assert run("--check", "--spec", SPEC, "--out", out) == 1
    assert capsys.readouterr().out.splitlines() == [
        "coze_openapi/api/gadgets/list.py: missing",
        "coze_openapi/api/gadgets/steal.py: nothing generates it",
        "coze_openapi/models/gadgets.py: differs",
        f"{len(rendered())} generated files: 3 findings",
    ]
    assert on_disk(out) == before


def test_check_names_every_file_when_nothing_was_generated_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--check", "--spec", SPEC, "--out", tmp_path / "out") == 1
    assert capsys.readouterr().out.splitlines()[:-1] == [
        *sorted(f"{path}: missing" for path in rendered()),
        "operations.md: differs",
    ]
    assert not (tmp_path / "out").exists()


def test_check_takes_no_notice_of_compiled_modules(tmp_path: Path) -> None:
    assert run("--spec", SPEC, "--out", tmp_path / "out") == 0
    cache = tmp_path / "out" / "coze_openapi" / "__pycache__"
    cache.mkdir()
    (cache / "types.cpython-311.pyc").touch()
    assert run("--check", "--spec", SPEC, "--out", tmp_path / "out") == 0


def test_nothing_is_written_when_the_linter_finds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    description = Description()
    del description.node("Maker")["description"]
    spec = description.write(tmp_path)
    assert run("--spec", spec, "--out", tmp_path / "out") == 1
    assert (
        capsys.readouterr().out.splitlines()[0]
        == "spec/resources/gadgets.yaml:281: Maker: no description; say what it is, in English"
    )
    assert not (tmp_path / "out").exists()


def test_the_command_lint_reports_a_sound_description_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("lint", "--spec", SPEC, "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out == "7 files of the description: in order\n"
    assert not (tmp_path / "out").exists()


# ---- a change travels to the files that one expects, and to no other


def drop_response_field(d: Description) -> None:
    del d.node("Run")["properties"]["output"]


def drop_body_field(d: Description) -> None:
    del d.node("CreateRunRequest")["properties"]["makers"]


def drop_query_field(d: Description) -> None:
    d.node("gadgets_list")["parameters"].remove(d.parameter("gadgets_list", "kinds"))


def drop_known_value(d: Description) -> None:
    del d.node("RunStatus")["x-known-values"]["running"]


def drop_operation(d: Description) -> None:
    del d.gadgets["paths"]["/v1/gadget"]


def add_error_code(d: Description) -> None:
    d.node("shared.yaml")["x-coze-error-codes"][4016] = {
        "error": "ConflictError",
        "meaning": "the gadget is busy",
    }


def add_event(d: Description) -> None:
    payload = d.node("gadgets_runs_create")["x-coze-stream"]["events"]["run.progress"]
    d.node("gadgets_runs_create")["x-coze-stream"]["events"]["run.begun"] = payload
    d.node("RunEventType")["x-known-values"]["run.begun"] = "The run begins."


def drop_role(d: Description) -> None:
    del d.runs["x-coze-stream-kind"]["roles"]["heartbeat"]


def add_field_of_an_error(d: Description) -> None:
    field = {"type": "string", "description": "Why."}
    d.runs["x-coze-error-classes"]["RunFailed"]["properties"]["reason"] = field


def drop_terminal_event(d: Description) -> None:
    del d.files["resources/gadgets_socket.yaml"]["x-coze-socket"]["terminal"]


def drop_alias(d: Description) -> None:
    del d.files["resources/gadgets_calls.yaml"]["x-coze-rtc"]["aliases"]


def rename_variables(d: Description) -> None:
    d.node("openapi.yaml")["x-coze-environment"]["token"] = "OTHER_TOKEN"


def methods(module: str) -> set[str]:
    return {f"coze_openapi/{folder}/{module}.py" for folder in ("resources", "resources_async")}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop_response_field, {"coze_openapi/models/gadgets_runs.py"}),
        (drop_body_field, {"coze_openapi/api/gadgets_runs/create.py"} | methods("gadgets_runs")),
        (drop_query_field, {"coze_openapi/api/gadgets/list.py"} | methods("gadgets")),
        (drop_known_value, {"coze_openapi/models/gadgets_runs.py"}),
        (drop_operation, {"coze_openapi/api/gadgets/delete.py"} | methods("gadgets")),
        (add_error_code, {"coze_openapi/errors.py"}),
        (
            add_event,
            {
                "coze_openapi/events/__init__.py",
                "coze_openapi/events/workflow.py",
                "coze_openapi/streams/workflow.py",
                "coze_openapi/models/gadgets_runs.py",
            },
        ),
        (drop_role, {"coze_openapi/streams/workflow.py"}),
        (add_field_of_an_error, {"coze_openapi/errors.py"}),
        (drop_terminal_event, {"coze_openapi/events/gadgets_socket.py"}),
        (drop_alias, {"coze_openapi/events/gadgets_calls.py"}),
        (rename_variables, {"coze_openapi/errors.py"}),
    ],
)
def test_a_change_of_the_description_changes_exactly_the_files_that_hold_it(
    change: Callable[[Description], None], expected: set[str], tmp_path: Path
) -> None:
    before = Description().compile(tmp_path / "before")
    description = Description()
    change(description)
    after = description.compile(tmp_path / "after")
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == expected | ALWAYS


def test_the_file_of_a_deleted_operation_is_gone(tmp_path: Path) -> None:
    description = Description()
    drop_operation(description)
    assert "coze_openapi/api/gadgets/delete.py" not in description.compile(tmp_path)


# ---- what would be lost or overwritten in silence is an error with exit code 2


def warned_default(d: Description) -> None:
    d.parameter("gadgets_list", "page_num")["schema"]["default"] = "first"


def warned_status(d: Description) -> None:
    responses = d.node("gadgets_retrieve")["responses"]
    responses["2x"] = copy.deepcopy(responses["200"])


def warned_media(d: Description) -> None:
    content = d.node("gadgets_upload")["requestBody"]["content"]
    content["application/gadget"] = content.pop("multipart/form-data")


def no_openapi(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["type"] = "strin"


def renamed_operation(d: Description) -> None:
    d.node("gadgets_upload")["operationId"] = "gadgets_Upload_upload"


def renamed_schema(d: Description) -> None:
    d.gadgets["components"]["schemas"]["GadgetV2x"] = copy.deepcopy(d.node("Maker"))
    d.node("Gadget")["properties"]["owner"] = {
        "$ref": "#/components/schemas/GadgetV2x",
        "description": "Who owns it.",
    }


def argument_in_two_places(d: Description) -> None:
    d.node("gadgets_list")["parameters"].append(
        {**d.parameter("gadgets_list", "page_num"), "name": "Kinds", "in": "header"}
    )


def arguments_that_differ_by_a_dash(d: Description) -> None:
    d.node("gadgets_list")["parameters"].append(
        {**d.parameter("gadgets_list", "page_num"), "name": "page-num"}
    )


def two_tags_with_one_module(d: Description) -> None:
    d.node("openapi.yaml")["tags"].append(
        {"name": "gadgets_runs", "description": "Runs once more."}
    )
    node = copy.deepcopy(d.node("gadgets_runs_retrieve"))
    node |= {"operationId": "gadgets_runs_list", "tags": ["gadgets_runs"]}
    d.runs["paths"]["/v2/runs/{run_id}"] = {"get": node}


def stream_with_the_name_of_its_plain_method(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["method"] = "create"


def stream_with_the_name_of_another_method(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["method"] = "retrieve"


def method_with_the_name_of_a_sub_resource(d: Description) -> None:
    d.node("openapi.yaml")["tags"].append({"name": "gadgets.list", "description": "Lists."})
    node = copy.deepcopy(d.node("gadgets_delete"))
    node |= {"operationId": "gadgets_list_delete", "tags": ["gadgets.list"]}
    lists = {
        "openapi": "3.1.0",
        "info": {"title": "Lists", "version": "1"},
        "paths": {"/v1/list": {"delete": node}},
    }
    d.files["resources/gadgets_list.yaml"] = lists


def argument_with_the_name_of_an_option(d: Description) -> None:
    d.node("gadgets_list")["parameters"].append(
        {**d.parameter("gadgets_list", "page_num"), "name": "timeout"}
    )


def argument_with_the_name_of_a_variable_of_the_method(d: Description) -> None:
    d.node("gadgets_list")["parameters"].append(
        {**d.parameter("gadgets_list", "page_num"), "name": "operation"}
    )


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (
            renamed_schema,
            "schemas GadgetV2x do not come out of the parser under their own name; rename them",
        ),
        (
            argument_in_two_places,
            "gadgets_list: two arguments have the same Python name; rename one in the description",
        ),
        (
            arguments_that_differ_by_a_dash,
            "gadgets_list: two arguments have the same Python name; rename one in the description",
        ),
        (
            two_tags_with_one_module,
            "tags gadgets.runs and gadgets_runs are both the module gadgets_runs; rename one",
        ),
        (
            stream_with_the_name_of_its_plain_method,
            "tag gadgets.runs: two methods or resources are called create; rename one",
        ),
        (
            stream_with_the_name_of_another_method,
            "tag gadgets.runs: two methods or resources are called retrieve; rename one",
        ),
        (
            method_with_the_name_of_a_sub_resource,
            "tag gadgets: two methods or resources are called list; rename one",
        ),
        (
            argument_with_the_name_of_an_option,
            "gadgets_list(timeout): the generated method needs this name itself",
        ),
        (
            argument_with_the_name_of_a_variable_of_the_method,
            "gadgets_list(operation): the generated method needs this name itself",
        ),
    ],
)
def test_what_would_be_lost_or_overwritten_is_refused_and_nothing_is_written(
    spoil: Callable[[Description], None],
    named: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    description = Description()
    spoil(description)
    spec = description.write(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept.txt").touch()
    assert run("--spec", spec, "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith(named)
    assert set(on_disk(tmp_path / "out")) == {"kept.txt"}


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (warned_default, 'does not fit the schema: "first" is not of type "integer"'),
        (warned_status, "gadgets_retrieve.responses: unknown key 2x"),
        (warned_media, "gadgets_upload.requestBody.content: unknown key application/gadget"),
        (no_openapi, 'Maker.name.type: "strin" cannot be here'),
        (renamed_operation, '"gadgets_Upload_upload" cannot be here; give <tag>_<method>'),
    ],
)
def test_what_the_parser_would_drop_is_refused_before_it_and_nothing_is_written(
    spoil: Callable[[Description], None],
    named: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    description = Description()
    spoil(description)
    spec = description.write(tmp_path)
    assert run("--spec", spec, "--out", tmp_path / "out") == 1
    assert named in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [[], ["--check"], ["lint"]], ids=["generate", "check", "lint"])
def test_a_description_that_cannot_be_joined_ends_every_command_with_exit_code_2(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = Description().write(tmp_path)
    (spec / "shared.yaml").unlink()
    assert run(*command, "--spec", spec, "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("spec/shared.yaml: cannot be read (")


def test_schemas_that_differ_only_in_case_are_both_generated(tmp_path: Path) -> None:
    description = Description()
    for field, name in (("part", "GadgetPart"), ("other", "Gadgetpart")):
        description.gadgets["components"]["schemas"][name] = copy.deepcopy(
            description.node("Maker")
        )
        description.node("Gadget")["properties"][field] = {
            "$ref": f"#/components/schemas/{name}",
            "description": "A part.",
        }
    text = description.compile(tmp_path)["coze_openapi/models/gadgets.py"].decode()
    assert ("class GadgetPart(Model)" in text, "class Gadgetpart(Model)" in text) == (True, True)
