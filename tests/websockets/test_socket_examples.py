"""Every example of a voice socket (`websockets_*.py`) runs as a program against the local Coze."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cozekit_emulator import Emulator

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("websockets_*.py"))


@pytest.fixture(scope="module")
def local() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_socket_example_runs_and_says_what_it_did(
    name: str, local: Emulator, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "COZE_API_BASE": local.base_url,
        "COZE_API_TOKEN": local.token,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "generated"), str(ROOT / "overlays")]),
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py")]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
