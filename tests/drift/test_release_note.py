"""The release note of a pair of bundles names each change, groups it by resource, and marks what
breaks callers.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.compile.bundle import Bundle, bundle
from generator.pages import release_note
from generator.yaml_files import DescriptionError

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "release_notes.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def old() -> Bundle:
    return bundle(HERE / "spec")


def changed(old: Bundle, case: dict[str, Any]) -> Bundle:
    """The bundle after one change of the cases."""
    document: Any = copy.deepcopy(old.document)
    *steps, last = case["at"]
    node = document
    for step in steps:
        node = node[step]
    if "moved" in case:
        node[last] = node.pop(case["moved"])
    elif "value" not in case:
        del node[last]
    elif isinstance(node, list):
        node.insert(last, case["value"])
    else:
        node[last] = case["value"]
    return Bundle(document)


def test_the_same_description_gives_no_change(old: Bundle) -> None:
    assert release_note.release_note(old, old) == "No change of the description.\n"


@pytest.mark.parametrize("name", CASES)
def test_a_change_of_this_kind_stands_alone_in_the_release_note(old: Bundle, name: str) -> None:
    section, line = CASES[name]["note"]
    note = release_note.release_note(old, changed(old, CASES[name]))
    assert [text for text in note.splitlines() if text.startswith(("- ", "### "))] == [
        f"### {section}",
        f"- {line}",
    ]


def test_the_note_has_the_layout_of_the_changelog(old: Bundle) -> None:
    new = changed(changed(old, CASES["known value added"]), CASES["field of an answer removed"])
    assert (
        release_note.release_note(old, new)
        == "### Added\n\n**books**\n\n- `BookFormat`: known value `film`\n\n### "
        "Removed\n\n**books**\n\n- ⚠️ `Book`: `id`\n"
    )


def test_two_files_give_the_note_on_standard_output(
    old: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = []
    for name, content in (
        ("old.yaml", old),
        ("new.yaml", changed(old, CASES["known value removed"])),
    ):
        paths.append(tmp_path / name)
        paths[-1].write_text(yaml.safe_dump(content.document), encoding="utf-8")
    assert release_note.main(*paths) == 0
    assert "- `BookFormat`: known value `audio`" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [("[]", "not a bundle; give a file like generated/openapi.yaml"), (None, "cannot be read")],
)
def test_a_file_that_is_no_bundle_is_refused(
    tmp_path: Path, text: str | None, message: str
) -> None:
    file = tmp_path / "x.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(DescriptionError, match=message):
        release_note.load(file)
