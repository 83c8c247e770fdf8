"""Every snippet of the README runs against the local Coze, in the order in which it stands."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import pytest

from cozekit import Coze
from cozekit_emulator import Emulator, bots, workflows
from cozekit_emulator.state.ids import WORKSPACE

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
            if "main" in names:
                anyio.run(names.pop("main"))
    said = capsys.readouterr().out
    assert said.count("你好") >= 3, "two streams and a poll print the answer of the bot"
    assert "Hangzhou" in said


def test_the_readme_shows_the_installation_by_line_20_and_code_by_line_25():
    lines = README.splitlines()
    assert any("pip install" in line for line in lines[:20])
    assert any(line.startswith("from cozekit import") for line in lines[:25])
    assert len(lines) <= 150


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
