"""Every benchmark, with its budget."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .async_load import async_load
from .framing import framing
from .processes import ROOT, Worker, interleaved, server, start_times
from .report import Row, at_least, at_most
from .scaling import scaling

MB = 1_000_000
EVENTS = 20_000


def imports() -> list[Row]:
    client = "cozekit.Coze('x', base_url='http://127.0.0.1:9')"
    seconds = start_times(
        [
            ("start", "pass", True),
            ("alone", "import cozekit", True),
            ("httpx", "import httpx", True),
            # `Coze` opens nothing when constructed: create the connections as the first call
            # would.
            ("client", f"import cozekit; {client}._connections.get()", True),
            ("httpx client", "import httpx; httpx.Client()", True),
            ("peer start", "pass", False),
            ("peer client", "from cozepy import Coze, TokenAuth; Coze(auth=TokenAuth('x'))", False),
        ],
        rounds=11,
    )
    median = {name: statistics.median(times) for name, times in seconds.items()}
    net = {
        name: median[name] - median["peer start" if name.startswith("peer") else "start"]
        for name in median
    }
    text = {name: f"{value * 1000:.0f} ms" for name, value in net.items()}
    httpx = net["httpx client"]
    return [
        at_most(
            "import only, compared with `import httpx`",
            text["alone"],
            f"httpx {text['httpx']}",
            net["alone"] / net["httpx"],
            0.15,
        ),
        at_most(
            "import and client, compared with httpx and a client",
            text["client"],
            f"httpx {text['httpx client']}",
            net["client"] / httpx,
            1.25,
        ),
        Row(
            "the same for cozepy, compared with httpx",
            "–",
            f"cozepy {text['peer client']}",
            net["peer client"] / httpx,
        ),
    ]


def modules() -> list[Row]:
    with server() as url:
        ours, peer = interleaved(1, Worker(True, "loaded", url), Worker(False, "loaded", url))
    count = ours[0]["generated"]
    return [
        Row(
            "modules of `coze_openapi` and `coze_runtime` loaded by one chat call",
            str(count),
            f"cozepy {peer[0]['all']}",
            None,
            "≤ 40",
            count <= 40,
        ),
        Row(
            "the same including modules of `cozekit`",
            str(ours[0]["all"]),
            f"cozepy {peer[0]['all']}",
            None,
        ),
    ]


def decode() -> list[Row]:
    def compare(task: str) -> tuple[str, str, float]:
        ours, peer = (
            min(times) for times in interleaved(15, Worker(True, task), Worker(False, task))
        )
        return _micro(ours), f"cozepy {_micro(peer)}", peer / ours

    return [
        at_least("decode one message: JSON to model", *compare("decode_message"), 5.0),
        at_least("decode a page of 50 messages: JSON to models", *compare("decode_page"), 4.0),
        Row("decode one response, as a call does", *compare("decode_answer")),
        Row("decode one event, as a stream does", *compare("decode_piece")),
    ]


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs"


def stream() -> list[Row]:
    rows = []
    # With 2 KiB the official SDK reaches 0.08 of raw bytes; the budgets were set for that. Larger
    # chunks make the raw bytes nearly free, smaller ones cost the HTTP library more than the
    # events cost either client.
    for size, chunks, budget, share in (
        (2048, "2 KiB chunks", 4.1, 0.35),
        (16384, "16 KiB chunks", 5.3, None),
        (0, "one event per chunk", None, None),
    ):
        with server() as base:
            url = f"{base}/{size}/{EVENTS}"
            workers = (
                Worker(True, "stream", url),
                Worker(False, "stream", url),
                Worker(True, "stream_raw", url),
            )
            ours, peer, raw = (min(times) for times in interleaved(9, *workers))
        rate = {
            name: f"{1 / seconds / 1000:.0f} k/s"
            for name, seconds in (("ours", ours), ("peer", peer), ("raw", raw))
        }
        title = f"chat events, sync, {chunks}"
        for line, limit in (
            ((title, rate["ours"], f"cozepy {rate['peer']}", peer / ours), budget),
            (
                (
                    f"{title}, share of raw bytes",
                    rate["ours"],
                    f"`iter_bytes` {rate['raw']}",
                    raw / ours,
                ),
                share,
            ),
        ):
            rows.append(Row(*line) if limit is None else at_least(*line, limit))
    return rows


def call() -> list[Row]:
    # Several sets of processes: where one happens to be in memory changes a call by more than the
    # budget allows.
    rounds: list[list[float]] = [[], [], []]
    for _ in range(6):
        with server() as url:
            workers = (
                Worker(True, "call", url),
                Worker(False, "call", url),
                Worker(True, "call_bare", url),
            )
            for all_times, times in zip(rounds, interleaved(12, *workers), strict=True):
                all_times.extend(times)
    ours, peer, bare = map(min, rounds)
    return [
        at_most(
            "sequential call, compared with bare httpx and JSON",
            _micro(ours),
            f"httpx {_micro(bare)}",
            ours / bare,
            1.0,
        ),
        Row(
            "the same for cozepy, compared with bare httpx",
            "–",
            f"cozepy {_micro(peer)}",
            peer / bare,
        ),
    ]


def memory() -> list[Row]:
    rows = []
    for task, kind, has_budget in (
        ("memory_traced", "Python objects", True),
        ("memory_resident", "growth of the process", False),
    ):
        # A new process per round, as memory freed by an earlier round would be reused.
        rounds = [interleaved(1, Worker(True, task), Worker(False, task)) for _ in range(3)]
        ours, peer = (
            statistics.median(results[side][0] or 0 for results in rounds) for side in (0, 1)
        )
        if not ours or not peer:
            continue
        line = (
            f"10,000 decoded messages, {kind}",
            f"{ours / MB:.1f} MB",
            f"cozepy {peer / MB:.1f} MB",
            ours / peer,
        )
        rows.append(at_most(*line, 0.45) if has_budget else Row(*line))
    return rows


def size() -> list[Row]:
    ours, peer = (
        results[0] for results in interleaved(1, Worker(True, "size"), Worker(False, "size"))
    )
    return [
        at_most(
            "installed size with dependencies, without byte code",
            f"{ours / MB:.1f} MB",
            f"cozepy {peer / MB:.1f} MB",
            ours / peer,
            1 / 3,
        ),
        Row("wheel", f"{wheel_size() / 1000:.0f} kB", "–", None),
    ]


def wheel_size() -> int:
    """Size in bytes of a newly built wheel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the wheel could not be built:\n{done.stderr[-2000:]}")
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.stat().st_size


def versions() -> tuple[dict[str, str], dict[str, str]]:
    """Versions of what was measured, on our side and on the peer's."""
    ours, peer = interleaved(1, Worker(True, "versions"), Worker(False, "versions"))
    return ours[0], peer[0]


MEASURES: dict[str, Callable[[], list[Row]]] = {
    "import": imports,
    "modules": modules,
    "decode": decode,
    "stream": stream,
    "framing": framing,
    "call": call,
    "async": async_load,
    "memory": memory,
    "size": size,
    "scaling": scaling,
}
