"""The processes of the benchmarks: the server, the workers of both sides, and the peer's
environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEER = HERE / ".venv-peer"
REQUIREMENTS = HERE / "requirements-peer.txt"
# Measure the working tree, not what happens to be installed.
OUR_PATHS = os.pathsep.join(str(ROOT / name) for name in ("generated", "overlays"))


def environment(ours: bool, paths: str = OUR_PATHS) -> dict[str, str]:
    """Environment variables of a process, without proxies and the caller's settings, so that only
    loopback is used.
    """
    ignored = (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "pythonpath",
        "coze_api_token",
        "coze_api_base",
    )
    kept = {name: value for name, value in os.environ.items() if name.lower() not in ignored}
    return {**kept, "PYTHONPATH": paths} if ours else kept


def peer_python() -> str:
    """The interpreter of the peer's environment, which is created if it is missing or its
    requirements have changed.
    """
    python = PEER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = PEER / ".requirements"
    if (
        not python.exists()
        or not stamp.exists()
        or stamp.read_text(encoding="utf-8") != REQUIREMENTS.read_text(encoding="utf-8")
    ):
        print("creating the environment of the official SDK …", file=sys.stderr)
        venv.create(PEER, with_pip=True, clear=True)
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(REQUIREMENTS),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"cannot install the official SDK:\n{done.stderr}")
        stamp.write_text(REQUIREMENTS.read_text(encoding="utf-8"), encoding="utf-8")
    return str(python)


class Worker:
    """One task in a separate process; `run_round` runs a round of it."""

    def __init__(self, ours: bool, task: str, url: str = "") -> None:
        python, script = (sys.executable, "ours.py") if ours else (peer_python(), "peer.py")
        command = [python, str(HERE / script), task, url]
        # Standard error (warnings of libraries) is only shown if the worker fails.
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed by __exit__
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env=environment(ours),
        )
        self._name = f"{script} {task}"
        self._read_line()  # ready

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._stderr.seek(0)
            raise SystemExit(f"{self._name} ended with {status}:\n{self._stderr.read()}")
        return line.strip()

    def run_round(self) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._read_line())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._stderr.close()


def interleaved(rounds: int, *workers: Worker) -> list[list[Any]]:
    """The results of each worker. The workers take turns, so that a busy moment of the machine
    affects them all.
    """
    results: list[list[Any]] = [[] for _ in workers]
    with ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker)
        for number in range(rounds):
            # The order alternates as well, so that it does not matter.
            for index in sorted(range(len(workers)), reverse=bool(number % 2)):
                results[index].append(workers[index].run_round())
    return results


@contextmanager
def server(script: str = "server.py") -> Iterator[str]:
    """A loopback server; its URL."""
    command = [sys.executable, str(HERE / script)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(ours=False),
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.communicate()


def start_times(codes: Sequence[tuple[str, str, bool]], rounds: int) -> dict[str, list[float]]:
    """Seconds that an interpreter takes to run each `(name, code, ours)`, without the first round,
    which writes byte code.
    """
    seconds: dict[str, list[float]] = {name: [] for name, _, _ in codes}
    for number in range(rounds + 1):
        for name, code, ours in codes:
            python = sys.executable if ours else peer_python()
            start = time.perf_counter()
            done = subprocess.run(
                [python, "-c", code],
                capture_output=True,
                text=True,
                check=False,
                env=environment(ours),
            )
            duration = time.perf_counter() - start
            if done.returncode:
                raise SystemExit(f"{code!r} failed:\n{done.stderr}")
            if number:
                seconds[name].append(duration)
    return seconds
