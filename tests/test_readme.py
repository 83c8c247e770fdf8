"""Every snippet of the README runs against the local Coze, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cozekit
from cozekit import Coze
from cozekit_emulator import Emulator, bots, workflows
from cozekit_emulator.state.ids import WORKSPACE
from tests import surface

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with Emulator() as emulator:
        monkeypatch.setenv("COZE_API_BASE", emulator.base_url)
        monkeypatch.setenv("COZE_API_TOKEN", emulator.token)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        yield emulator


def test_every_snippet_of_the_readme_runs(local: Emulator, capsys: pytest.CaptureFixture[str]):
    stand_ins = {
        "pat_…": local.token,
        "7342…": bots.ANSWERING,
        "7366…": workflows.PLAIN,
        "7391…": WORKSPACE,
    }
    with Coze() as coze:
        names: dict[str, object] = {"coze": coze}
        for snippet in SNIPPETS:
            for placeholder, value in stand_ins.items():
                snippet = snippet.replace(placeholder, value)
            assert "…" not in snippet, "a placeholder has no stand-in"
            names["coze"] = coze  # an earlier snippet has closed its own
            exec(compile(snippet, "README.md", "exec"), names)
    said = capsys.readouterr().out
    assert said.count("你好") >= 4, "two streams and two polls print the answer of the bot"
    assert "Hangzhou" in said


def test_the_readme_shows_the_installation_by_line_20_and_code_by_line_25():
    lines = README.splitlines()
    assert any("pip install" in line for line in lines[:20])
    assert any(line.startswith("from cozekit import") for line in lines[:25])
    assert len(lines) <= 150


ARCHITECTURE = ("architecture.md", "decisions.md", "description.md")
"""Pages about the packages below `cozekit`, which may name them in their code."""
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]


@pytest.mark.parametrize(
    "path", [*PAGES, *sorted(ROOT.glob("examples/**/*.py"))], ids=lambda path: path.name
)
def test_what_users_read_imports_public_modules_alone(path: Path):
    text = path.read_text(encoding="utf-8")
    code = [text] if path.suffix == ".py" else re.findall(r"```\w*\n(.*?)```", text, re.S)
    imported = {
        module
        for snippet in code
        for module in re.findall(r"^\s*(?:from|import) ((?:cozekit|coze_)[\w.]*)", snippet, re.M)
    }
    imported = {module for module in imported if not module.startswith("cozekit_emulator")}
    assert imported <= surface.modules().keys()
    if path.name not in ARCHITECTURE and path != ROOT / "CHANGELOG.md":
        named = re.findall(r"`coze_(?:openapi|runtime)\.[\w.]+`", text)
        assert named == [], "users import cozekit"


def test_the_changelog_begins_with_the_version_of_the_package():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## (\S+)", text, re.M)
    assert heading is not None
    assert heading[1] == cozekit.__version__


def test_every_relative_link_of_the_documents_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_map_of_the_architecture_names_every_module_of_the_client():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    parts = [
        path
        for package in ("cozekit", "coze_runtime")
        for path in (ROOT / "overlays" / package).iterdir()
        if not path.name.startswith(("__", "."))
    ]
    expected = {
        f"`{path.stem}`" if path.suffix == ".py" else f"`{path.name}/`"
        for path in parts
        if path.suffix in (".py", "")
    }
    assert {"`streams/`", "`client`"} <= expected
    assert {name for name in expected if name not in text} == set()
