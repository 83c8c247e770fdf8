"""Adds an invented endpoint to a copy of the project, by the six steps of CONTRIBUTING.md and
nothing else, and runs what a contributor runs: `python -m tests.six_steps.trial`.

It prints the seconds of each step. `--quick` leaves out the tests that every change has to pass.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).with_name("list_readings.md")
NAME = "readers_readings_list"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "dist", "__pycache__", ".*_cache")
CALL = """
from cozekit import Coze
from cozekit_emulator import Emulator
with Emulator() as local, Coze(local.token, base_url=local.base_url) as coze:
    readings = coze.readers.readings.list("73428668*****", from_=1718289297)
    print(readings.pages_read, readings.book_titles, local.requests[-1].operation)
"""
TESTS = (
    "tests/contract tests/emulator/test_every_operation.py tests/emulator/test_known_fields.py "
    "tests/generator tests/drift tests/described tests/test_ledger.py tests/test_public_surface.py "
    "tests/test_repository.py tests/test_nothing_is_said_twice.py tests/test_readme.py"
).split()


class Project:
    """A copy of the project, and what was run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)

    def run(self, *arguments: str) -> str:
        """Runs Python in the copy.

        Raises:
            SystemExit: It failed.
        """
        paths = [self.folder / "generated", self.folder / "overlays", self.folder]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        what = " ".join(arguments)[:60].strip().replace("\n", " ")
        print(f"{time.monotonic() - begin:6.1f} s  python {what}", flush=True)
        if done.returncode:
            raise SystemExit(f"{done.stdout[-8000:]}{done.stderr[-4000:]}")
        return done.stdout

    def write_texts(self) -> None:
        """Writes the texts that the draft leaves as gaps."""
        for file in (self.folder / "spec").rglob("*.yaml"):
            content = file.read_text(encoding="utf-8")
            if "TODO:" in content:
                written = _written(yaml.safe_load(content))
                text = yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=100)
                file.write_text(text, encoding="utf-8")


def _written(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _written(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_written(item) for item in node]
    return "What a reader has read" if isinstance(node, str) and node.startswith("TODO:") else node


def describe(project: Project) -> None:
    """Steps 1 to 4: ledger, description and documented exchange are drafted, the texts written, the
    client generated. Step 5 is for operations that stream or take time.
    """
    project.run("-m", "generator", "adopt", str(PAGE), "--operation", NAME)
    project.write_texts()
    project.run("-m", "generator")
    project.run("-m", "tests.contract.make_cassettes")


def finish(project: Project) -> None:
    """Step 6, up to the tests."""
    project.run("-m", "tests.surface")
    log = project.folder / "CHANGELOG.md"
    text = log.read_text(encoding="utf-8")
    log.write_text(text.replace("### Added\n\n", "### Added\n\n- Readings.\n", 1), encoding="utf-8")
    project.run("-m", "generator", "--check")


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project")
        describe(project)
        finish(project)
        print(project.run("-c", CALL), end="")
        if "--quick" not in arguments:
            project.run("-m", "pytest", "-q", "-n", "2", *TESTS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
