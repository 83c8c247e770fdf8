"""A recorded long answer in several framings: processor time per event compared with the official
SDK and with bare httpx, at full speed and at the pace of a model; and the time to delivery.
"""

from __future__ import annotations

from .processes import Worker, interleaved, server
from .recorded import PIECES
from .report import Row, at_least, at_most

ROUNDS = 5
PACED = 60
"""Events of each slow stream: three seconds."""
STAMPED = 200
# Framing, its name, least ratios: sync, async httpx, aiohttp.
FRAMINGS = (
    ("as_recorded", "as recorded", (10.0, 7.0, 8.0)),
    ("event", "one event per chunk", (5.0, 4.5, 6.5)),
    ("2048", "2 KiB chunks", (2.9, 3.1, 6.5)),
    ("16384", "16 KiB chunks", (4.6, 4.5, 6.0)),
)
# How cozekit reads → its task, the one of the official SDK and the one of bare httpx.
WAYS = {
    "sync": ("recorded", "recorded", "recorded_raw"),
    "async": ("async_recorded", "async_recorded", "async_recorded_raw"),
    "async, `fast`": ("async_recorded_fast", "async_recorded", "async_recorded_raw"),
}


def framing() -> list[Row]:
    """All rows."""
    rows: list[Row] = []
    with server("recorded_server.py") as url:
        for name, title, budgets in FRAMINGS:
            rows += _whole(f"{url}/whole/{name}/{PIECES}", title, budgets)
        rows += _paced(f"{url}/paced/{PACED}")
        return rows + _latency(f"{url}/stamped/{STAMPED}")


def _best(
    url: str, *tasks: tuple[bool, str], rounds: int = ROUNDS
) -> dict[tuple[bool, str], float]:
    """Task, of our side or not → its best result."""
    different = dict.fromkeys(tasks)
    results = interleaved(rounds, *(Worker(ours, task, url) for ours, task in different))
    return {task: min(result) for task, result in zip(different, results, strict=True)}


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs"


def _whole(url: str, title: str, budgets: tuple[float, ...]) -> list[Row]:
    tasks = [
        (ours, task)
        for own, peer, bare in WAYS.values()
        for ours, task in ((True, own), (False, peer), (True, bare))
    ]
    best = _best(url, *tasks)
    rows = []
    for (way, (own, peer, bare)), budget in zip(WAYS.items(), budgets, strict=True):
        name = f"recorded answer, {title}, {way}"
        seconds, other, bytes_only = best[True, own], best[False, peer], best[True, bare]
        rows.append(
            at_least(name, _micro(seconds), f"cozepy {_micro(other)}", other / seconds, budget)
        )
        line = (f"{name}, bytes only", _micro(seconds), f"httpx {_micro(bytes_only)}")
        rows.append(Row(*line, bytes_only / seconds))
    return rows


def _paced(url: str) -> list[Row]:
    peer, bare = (False, "async_paced"), (True, "async_paced_raw")
    own, fast = (True, "async_paced"), (True, "async_paced_fast")
    best = _best(url, own, fast, peer, bare, rounds=2)
    name, other = "50 slow streams, processor time per event", f"cozepy {_micro(best[peer])}"

    def compared(way: str, task: tuple[bool, str]) -> tuple[str, str, str, float]:
        return f"{name}{way}", _micro(best[task]), other, best[task] / best[peer]

    # On httpx, the event loop and anyio alone take more than the budget.
    return [
        Row(*compared("", own)),
        at_most(*compared(", `fast`", fast), 0.4),
        Row(*compared(", bare httpx", bare)),
    ]


def _latency(url: str) -> list[Row]:
    own = {
        "sync": ((True, "latencies"), (False, "latencies")),
        "async": ((True, "async_latencies"), (False, "async_latencies")),
        "async, `fast`": ((True, "async_latencies_fast"), (False, "async_latencies")),
    }
    best = _best(url, *(task for pair in own.values() for task in pair), rounds=3)
    return [
        Row(
            f"time from sending an event to its delivery, {way}",
            _micro(best[task]),
            f"cozepy {_micro(best[peer])}",
            best[task] / best[peer],
        )
        for way, (task, peer) in own.items()
    ]
