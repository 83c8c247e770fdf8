"""A worker: one task in one process, one round for each line that comes in. Standard
library only.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from re import match
from typing import Any

Round = Callable[[], Any]
DISTRIBUTION_NAME = r"[A-Za-z0-9._-]+"


def work(tasks: dict[str, Callable[[str], Round]]) -> None:
    """Makes the task that the command line names ready, and runs a round for each line on standard
    input.
    """
    name, url = sys.argv[1:3]
    turn = tasks[name](url)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn()), flush=True)


def timed(count: int, call: Callable[[], object]) -> float:
    """Seconds for one of `count` calls, the collector of garbage off as in `timeit`."""
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    for _ in range(count):
        call()
    found = (time.perf_counter() - start) / count
    gc.enable()
    return found


def timed_stream(read: Callable[[], int], events: int) -> float:
    """Seconds for one event of a stream, which `read` reads to its end; it returns what it has seen
    of it.
    """
    start = time.perf_counter()
    seen = read()
    found = (time.perf_counter() - start) / events
    if seen < events:
        raise SystemExit(f"the stream has {seen} of {events} events")
    return found


def traced(decode_all: Callable[[], list[Any]]) -> int:
    """Bytes of Python objects that stay while the result is held."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = decode_all()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return after - before


def resident(decode_all: Callable[[], list[Any]]) -> int | None:
    """Bytes by which the process grows while the result is held; `None` where the system does not
    tell.
    """
    gc.collect()
    before = resident_now()
    kept = decode_all()
    gc.collect()
    after = resident_now()
    del kept
    return after - before if before else None


def resident_now() -> int:
    """Bytes that the process has in memory; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return next(
        int(line.split()[1]) * 1024
        for line in status.read_text().splitlines()
        if line.startswith("VmRSS")
    )


def installed(name: str, seen: set[str] | None = None) -> int:
    """Bytes of the installed files of a distribution and of everything it needs, without byte code
    and extras.
    """
    seen = set() if seen is None else seen
    key = name.lower().replace("_", "-").replace(".", "-")
    if key in seen:
        return 0
    seen.add(key)
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return 0  # needed only on other systems or versions
    paths = [Path(str(found.locate_file(file))) for file in found.files or []]
    own = sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())
    needed = [line for line in found.requires or [] if "extra ==" not in line]
    return own + sum(
        installed(begin.group(), seen)
        for line in needed
        if (begin := match(DISTRIBUTION_NAME, line))
    )


def modules(*packages: str) -> int:
    """How many modules of these packages are loaded."""
    return sum(name.partition(".")[0] in packages for name in sys.modules)
