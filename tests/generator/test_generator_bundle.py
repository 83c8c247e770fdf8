"""Joining the files of a description: what is given twice, points nowhere or cannot be read is
named with its place and its fix.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

from generator.compile.bundle import bundle, references
from generator.yaml_files import DescriptionError
from tests.generator.tiny import SPEC, Description


def refusal(spec: Path, *, line: int | None = None) -> str:
    """The refusal without its line, which is told for every part of a file.

    Args:
        spec: The description.
        line: What the line has to be.
    """
    with pytest.raises(DescriptionError) as caught:
        bundle(spec)
    place, number, text = re.fullmatch(r"(spec/\S+?):(\d+): (.*)", str(caught.value)).groups()
    assert line in (None, int(number))
    return f"{place}: {text}"


def replaced(folder: Path, name: str, old: str, new: str) -> Path:
    """The tiny description as it stands on disk, with one piece of text replaced."""
    spec = Description().write(folder)
    text = (SPEC / name).read_text(encoding="utf-8")
    assert old in text
    (spec / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return spec


def test_a_key_given_twice_is_named_with_its_line(tmp_path: Path) -> None:
    spec = replaced(
        tmp_path, "resources/gadgets.yaml", "    Maker:\n", "    Maker:\n      type: object\n"
    )
    lines = (spec / "resources/gadgets.yaml").read_text(encoding="utf-8").splitlines()
    second = lines.index("    Maker:") + 3
    assert lines[second - 1] == "      type: object"
    assert (
        refusal(spec, line=second)
        == "spec/resources/gadgets.yaml: key 'type' is given twice; keep one of them"
    )


def test_a_path_given_twice_in_one_file_is_named_with_its_line(tmp_path: Path) -> None:
    spec = replaced(
        tmp_path, "resources/gadgets.yaml", "  /v1/gadgets/{gadget_id}:\n", "  /v1/gadgets:\n"
    )
    lines = (spec / "resources/gadgets.yaml").read_text(encoding="utf-8").splitlines()
    second = lines.index("  /v1/gadgets:", lines.index("  /v1/gadgets:") + 1) + 1
    assert (
        refusal(spec, line=second)
        == "spec/resources/gadgets.yaml: key '/v1/gadgets' is given twice; keep one of them"
    )


def test_a_key_given_twice_inside_braces_is_refused(tmp_path: Path) -> None:
    spec = replaced(tmp_path, "shared.yaml", 'version: "1"}', 'version: "1", title: Again}')
    assert refusal(spec, line=2) == "spec/shared.yaml: key 'title' is given twice; keep one of them"


def test_a_reference_to_a_missing_schema_of_the_same_file_is_refused(tmp_path: Path) -> None:
    spec = replaced(
        tmp_path,
        "resources/gadgets.yaml",
        "#/components/schemas/Maker",
        "#/components/schemas/Owner",
    )
    assert (
        refusal(spec)
        == "spec/resources/gadgets.yaml: $ref #/components/schemas/Owner leads nowhere; define "
        "it or fix the name"
    )


def test_a_reference_that_leads_nowhere_is_named_with_its_line(tmp_path: Path) -> None:
    text = (SPEC / "resources/gadgets.yaml").read_text(encoding="utf-8")
    spec = replaced(tmp_path, "resources/gadgets.yaml", "schemas/Maker", "schemas/Owner")
    first = text[: text.index("schemas/Maker")].count("\n") + 1
    refusal(spec, line=first)


def test_a_reference_to_a_missing_schema_of_another_file_is_refused(tmp_path: Path) -> None:
    old, new = "gadgets.yaml#/components/schemas/Maker", "gadgets.yaml#/components/schemas/Owner"
    assert refusal(replaced(tmp_path, "resources/gadgets_runs.yaml", old, new)) == (
        f"spec/resources/gadgets_runs.yaml: $ref {new} leads nowhere; define it or fix the name"
    )


def test_a_reference_to_a_missing_file_is_refused(tmp_path: Path) -> None:
    old, new = "gadgets.yaml#/components/schemas/Maker", "widgets.yaml#/components/schemas/Maker"
    assert refusal(replaced(tmp_path, "resources/gadgets_runs.yaml", old, new)) == (
        f"spec/resources/gadgets_runs.yaml: $ref {new} names a file that does not exist; fix the "
        "path"
    )


def test_a_reference_to_a_file_above_the_description_is_refused(tmp_path: Path) -> None:
    old, new = (
        "../shared.yaml#/components/schemas/Envelope",
        "../../shared.yaml#/components/schemas/Envelope",
    )
    assert refusal(replaced(tmp_path, "resources/gadgets_runs.yaml", old, new)) == (
        f"spec/resources/gadgets_runs.yaml: $ref {new} names a file that does not exist; fix the "
        "path"
    )


def test_every_reference_of_the_joined_document_is_local() -> None:
    joined = bundle(SPEC)
    found = set(references(joined.document))
    assert found
    assert {target for target in found if not target.startswith("#/components/")} == set()


def test_the_files_of_the_description_stay_as_they_were_written() -> None:
    assert "../shared.yaml#/components/schemas/Envelope" in set(
        references(bundle(SPEC).files["resources/gadgets.yaml"].content)
    )


def test_a_schema_defined_in_two_files_is_refused(tmp_path: Path) -> None:
    description = Description()
    description.runs["components"]["schemas"]["Maker"] = copy.deepcopy(description.node("Maker"))
    assert refusal(description.write(tmp_path)) == (
        "spec/resources/gadgets_runs.yaml: schemas/Maker is described in another file too; keep one"
    )


def test_an_operation_described_in_two_files_is_refused(tmp_path: Path) -> None:
    description = Description()
    node = copy.deepcopy(description.node("gadgets_delete"))
    node["operationId"] = "gadgets_runs_delete"
    description.runs["paths"]["/v1/gadget"] = {"delete": node}
    assert refusal(description.write(tmp_path)) == (
        "spec/resources/gadgets_runs.yaml: DELETE /v1/gadget is described in another file "
        "too; keep one"
    )


def test_two_methods_of_one_path_may_stand_in_two_files(tmp_path: Path) -> None:
    description = Description()
    node = copy.deepcopy(description.node("gadgets_delete"))
    node["operationId"] = "gadgets_runs_delete"
    description.runs["paths"]["/v1/gadget"] = {"post": node}
    assert [
        method
        for method, path, _ in bundle(description.write(tmp_path)).operations()
        if path == "/v1/gadget"
    ] == ["post", "delete"]


def test_an_operation_id_used_twice_is_refused(tmp_path: Path) -> None:
    description = Description()
    description.node("gadgets_runs_retrieve")["operationId"] = "gadgets_retrieve"
    assert refusal(description.write(tmp_path)) == (
        "spec/resources/gadgets_runs.yaml: operationId gadgets_retrieve is used in "
        "spec/resources/gadgets.yaml too; rename one of them"
    )


def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    spec = Description().write(tmp_path)
    (spec / "resources/gadgets.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: [}\n", encoding="utf-8"
    )
    assert refusal(spec, line=2) == (
        "spec/resources/gadgets.yaml: not valid YAML: did not find expected node content; fix it"
    )


@pytest.mark.parametrize(
    "content",
    ["", "- a list\n", "openapi: 3.1.0\n", "paths: []\n"],
    ids=["empty", "list", "no paths", "list of paths"],
)
def test_a_file_that_is_no_openapi_document_is_refused(content: str, tmp_path: Path) -> None:
    spec = Description().write(tmp_path)
    (spec / "resources/gadgets.yaml").write_text(content, encoding="utf-8")
    assert (
        refusal(spec)
        == "spec/resources/gadgets.yaml: not an OpenAPI document; it needs `openapi`, `info` and "
        "`paths`"
    )


@pytest.mark.parametrize("name", ["openapi.yaml", "shared.yaml"])
def test_a_root_file_that_is_no_openapi_document_is_refused(name: str, tmp_path: Path) -> None:
    spec = Description().write(tmp_path)
    (spec / name).write_text("", encoding="utf-8")
    assert (
        refusal(spec)
        == f"spec/{name}: not an OpenAPI document; it needs `openapi`, `info` and `paths`"
    )


def test_a_missing_root_file_is_named(tmp_path: Path) -> None:
    spec = Description().write(tmp_path)
    (spec / "shared.yaml").unlink()
    with pytest.raises(DescriptionError, match=r"^spec/shared\.yaml: cannot be read \("):
        bundle(spec)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    spec = Description().write(tmp_path)
    (spec / "shared.yaml").write_bytes("# 名\n".encode("gb18030"))
    with pytest.raises(DescriptionError, match=r"^spec/shared\.yaml: cannot be read \("):
        bundle(spec)


def test_a_date_in_the_description_stays_text(tmp_path: Path) -> None:
    spec = replaced(
        tmp_path, "resources/gadgets_runs.yaml", "example: Hello to you", "example: 2026-11-20"
    )
    assert bundle(spec).schemas["Run"]["properties"]["output"]["example"] == "2026-11-20"


def test_a_reference_to_a_part_that_is_not_joined_is_refused(tmp_path: Path) -> None:
    description = Description()
    description.gadgets["x-parts"] = {"Maker": {"type": "object"}}
    description.node("Gadget")["properties"]["maker"]["$ref"] = "#/x-parts/Maker"
    assert (
        refusal(description.write(tmp_path))
        == "spec/resources/gadgets.yaml: $ref #/x-parts/Maker points into a part; name that part "
        "under components/schemas"
    )


def test_a_reference_into_a_schema_is_refused(tmp_path: Path) -> None:
    description = Description()
    target = "#/components/schemas/Maker/properties/name"
    description.node("Gadget")["properties"]["maker"]["$ref"] = target
    assert refusal(description.write(tmp_path)) == (
        f"spec/resources/gadgets.yaml: $ref {target} points into a part; name that part under "
        "components/schemas"
    )


def test_two_tables_of_events_in_one_file_are_refused(tmp_path: Path) -> None:
    description = Description()
    socket = description.files["resources/gadgets_socket.yaml"]
    socket["x-coze-rtc"] = {"pages": ["gadget_calls"], "send": socket["x-coze-socket"]["send"]}
    message = (
        "x-coze-socket and x-coze-rtc would both be events/gadgets_socket.py; move one "
        "to another file"
    )
    assert refusal(description.write(tmp_path)) == f"spec/resources/gadgets_socket.yaml: {message}"


def test_a_kind_of_stream_described_in_two_files_is_refused(tmp_path: Path) -> None:
    description = Description()
    talks = description.files["resources/gadgets_talks.yaml"]
    talks["x-coze-stream-kind"]["kind"] = "workflow"
    assert refusal(description.write(tmp_path)) == (
        "spec/resources/gadgets_talks.yaml: x-coze-stream-kind workflow is described in another "
        "file too; keep one"
    )


def test_a_class_of_error_defined_in_two_files_is_refused(tmp_path: Path) -> None:
    description = Description()
    talks = description.files["resources/gadgets_talks.yaml"]
    talks["x-coze-error-classes"]["RunFailed"] = talks["x-coze-error-classes"].pop("TalkFailed")
    assert refusal(description.write(tmp_path)) == (
        "spec/resources/gadgets_talks.yaml: x-coze-error-classes RunFailed is described in another "
        "file too; keep one"
    )


def test_a_reference_of_a_kind_of_stream_or_of_an_error_that_leads_nowhere_is_refused(
    tmp_path: Path,
) -> None:
    nowhere = {"$ref": "#/components/schemas/Nothing"}
    described = (
        "spec/resources/gadgets_runs.yaml: $ref #/components/schemas/Nothing leads nowhere; "
        "define it or fix the name"
    )
    description = Description()
    description.runs["x-coze-stream-kind"]["usage_model"] = nowhere
    assert refusal(description.write(tmp_path / "kind")) == described
    description = Description()
    description.runs["x-coze-error-classes"]["RunFailed"]["properties"]["run"] |= nowhere
    assert refusal(description.write(tmp_path / "error")) == described
