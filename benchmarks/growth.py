"""How the generator and the import grow with the description: ten times the operations, under other
names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from .processes import ROOT, environment
from .rows import Row, at_most
from .tenfold import multiply

TIMES = 10
GENERATIONS = 2
ROUNDS = 25
IMPORT = "import cozekit"
USED = "import cozekit; cozekit.Coze('x').bots.list"
TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def growth() -> list[Row]:
    """Seconds of the generator, and seconds of imports with its output."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        count = {
            "one": multiply(ROOT / "spec", base / "one-spec", 1),
            "ten": multiply(ROOT / "spec", base / "ten-spec", TIMES),
        }
        found = [{name: _generate(base, name) for name in count} for _ in range(GENERATIONS)]
        wall = {name: min(turn[name].wall for turn in found) for name in count}
        # The other programs of a machine stretch a long run by far more than a short one; the
        # growth is that of the work.
        work = {name: min(turn[name].work for turn in found) for name in count}
        for name, expected in count.items():
            made = json.loads((base / name / "manifest.json").read_text(encoding="utf-8"))[
                "operations"
            ]
            if len(made) != expected:
                raise SystemExit(f"{len(made)} operations are generated of {expected}")
        alone, used = (_imports(base, code) for code in (IMPORT, USED))
    sizes = f"{count['one']:,} operations", f"{count['ten']:,} operations"
    return [
        at_most(
            f"generation of everything, {sizes[0]}, seconds",
            f"{wall['one']:.1f} s",
            "–",
            wall["one"],
            4,
        ),
        at_most(
            f"generation, {sizes[1]}, processor time",
            f"{work['ten']:.1f} s",
            f"{sizes[0]} {work['one']:.1f} s",
            work["ten"] / work["one"],
            12,
        ),
        Row(
            f"generation, {sizes[1]}, by the clock",
            f"{wall['ten']:.1f} s",
            f"{sizes[0]} {wall['one']:.1f} s",
            wall["ten"] / wall["one"],
        ),
        at_most(
            f"`{IMPORT}`, {sizes[1]}",
            _ms(alone[1]),
            f"{sizes[0]} {_ms(alone[0])}",
            alone[1] / alone[0],
            1.1,
        ),
        Row(f"`{USED}`, {sizes[1]}", _ms(used[1]), f"{sizes[0]} {_ms(used[0])}", used[1] / used[0]),
    ]


class Took(NamedTuple):
    """Seconds by the clock, and seconds of the processor."""

    wall: float
    work: float


def _generate(base: Path, name: str) -> Took:
    command = [
        sys.executable,
        "-m",
        "generator",
        "--spec",
        str(base / f"{name}-spec"),
        "--out",
        str(base / name),
        "--docs",
        str(base / f"{name}-docs"),
    ]
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment(ours=False)
    )
    wall, after = time.perf_counter() - start, os.times()
    work = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    if done.returncode:
        raise SystemExit(
            f"the generator fails on {name}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return Took(wall, work or wall)  # where the system does not tell, the clock has to do


def _imports(base: Path, code: str) -> tuple[float, float]:
    """Best seconds with the smaller and with the larger package, in turns; the first round writes
    the byte code.
    """
    found: dict[str, list[float]] = {"one": [], "ten": []}
    for _ in range(ROUNDS + 1):
        for name, times in found.items():
            paths = os.pathsep.join([str(base / name), str(ROOT / "overlays")])
            command = [sys.executable, "-c", TIMED.format(code)]
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=True,
                env=environment(ours=True, paths=paths),
            )
            times.append(float(done.stdout))
    return min(found["one"][1:]), min(found["ten"][1:])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
