"""What a worker process runs: one task, one round for each line on standard input. Also run by
the interpreter of the official SDK, so standard library only.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import metadata
from pathlib import Path
from re import match
from typing import Any

Round = Callable[[], Any]
DISTRIBUTION_NAME = r"[A-Za-z0-9._-]+"

STREAMS = 100
IN_FLIGHT = 100
CALLS = 5
OPEN = 1000
PACED = 50

# One loop for the life of the process: connections stay open between rounds, as they do in a
# server.
_LOOP = asyncio.new_event_loop()


def work(tasks: dict[str, Callable[[str], Round]]) -> None:
    """Prepares the task named on the command line, and runs a round for each line on standard
    input.
    """
    name, url = sys.argv[1:3]
    run_round = tasks[name](url)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(run_round()), flush=True)


def timed(count: int, call: Callable[[], object]) -> float:
    """Seconds per call over `count` calls, with garbage collection off as in `timeit`."""
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    for _ in range(count):
        call()
    seconds = (time.perf_counter() - start) / count
    gc.enable()
    return seconds


def timed_stream(read: Callable[[], int], events: int) -> float:
    """Seconds per event of a stream; `read` reads it whole and returns the number of events."""
    start = time.perf_counter()
    count = read()
    seconds = (time.perf_counter() - start) / events
    if count < events:
        raise SystemExit(f"the stream has {count} of {events} events")
    return seconds


def cpu_stream(read: Callable[[], int], events: int) -> Round:
    """Processor seconds per event of a stream, as `timed_stream` reads it."""

    def run_round() -> float:
        gc.collect()
        start = time.process_time()
        count = read()
        seconds = (time.process_time() - start) / events
        if count != events:
            raise SystemExit(f"the stream has {count} of {events} events")
        return seconds

    return run_round


def latency(stamp: str) -> float:
    """Seconds since an event was sent; its text is the time at which that was, in the same
    machine.
    """
    return (time.monotonic_ns() - int(stamp)) / 1e9


def traced(decode_all: Callable[[], list[Any]]) -> int:
    """Bytes of the Python objects kept alive by the result."""
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
    """Bytes by which the process grows while the result is kept; `None` if the system does not
    report it.
    """
    gc.collect()
    before = resident_now()
    kept = decode_all()
    gc.collect()
    after = resident_now()
    del kept
    return after - before if before else None


def resident_now() -> int:
    """Resident memory of the process in bytes; 0 if the system does not report it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return next(
        int(line.split()[1]) * 1024
        for line in status.read_text().splitlines()
        if line.startswith("VmRSS")
    )


def installed(name: str, seen: set[str] | None = None) -> int:
    """Installed size in bytes of a distribution and its dependencies, without byte code and
    extras.
    """
    seen = set() if seen is None else seen
    key = name.lower().replace("_", "-").replace(".", "-")
    if key in seen:
        return 0
    seen.add(key)
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return 0  # only required on other systems or versions
    paths = [Path(str(distribution.locate_file(file))) for file in distribution.files or []]
    own = sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())
    required = [line for line in distribution.requires or [] if "extra ==" not in line]
    return own + sum(
        installed(prefix.group(), seen)
        for line in required
        if (prefix := match(DISTRIBUTION_NAME, line))
    )


def modules(*packages: str) -> int:
    """How many modules of these packages are loaded."""
    return sum(name.partition(".")[0] in packages for name in sys.modules)


def run(work: Awaitable[Any]) -> Any:
    return _LOOP.run_until_complete(work)


def streams(
    read: Callable[[], Awaitable[int]],
    events: int,
    count: int = STREAMS,
    clock: Callable[[], float] = time.perf_counter,
) -> Round:
    """Seconds per event with `count` streams read concurrently; `read` reads one and returns the
    number of its pieces.
    """

    async def all_at_once() -> float:
        start = clock()
        counts = await asyncio.gather(*(read() for _ in range(count)))
        seconds = clock() - start
        if set(counts) != {events}:
            raise SystemExit(f"the streams have {sorted(set(counts))} of {events} events")
        return seconds / count / events

    return _warmed_up(all_at_once)


def calls(once: Callable[[], Awaitable[object]]) -> Round:
    """Seconds per call with 100 calls in flight at any time."""

    async def in_turn() -> None:
        for _ in range(CALLS):
            await once()

    async def all_at_once() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(in_turn() for _ in range(IN_FLIGHT)))
        return (time.perf_counter() - start) / IN_FLIGHT / CALLS

    return _warmed_up(all_at_once)


def _warmed_up(work: Callable[[], Awaitable[float]]) -> Round:
    """The round, after a first one that opens the connections."""
    run(work())

    def run_round() -> float:
        gc.collect()
        return float(run(work()))

    return run_round


def kept_open(opened: Callable[[], AsyncIterator[object]]) -> Round:
    """Bytes by which the process grows per stream, with 1,000 streams open; 0 if the system does
    not report it.
    """

    async def begin() -> AsyncIterator[object]:
        stream = opened()
        await anext(stream)
        return stream

    async def hold() -> float:
        first = await begin()  # one-time costs do not count
        gc.collect()
        before = resident_now()
        kept = [first, *[await begin() for _ in range(OPEN - 1)]]
        gc.collect()
        grown = resident_now() - before if before else 0
        for stream in kept:
            await stream.aclose()  # type: ignore[attr-defined]
        return grown / (OPEN - 1)

    return lambda: run(hold())
