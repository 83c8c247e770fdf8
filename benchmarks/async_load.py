"""Concurrent async streams and calls compared with the official SDK, on the default transport and
on `cozekit[fast]`.
"""

from __future__ import annotations

from .processes import Worker, interleaved, server
from .report import Row, at_least, at_most

EVENTS = 1000
CHUNK = 2048
MB = 1_000_000


def async_load() -> list[Row]:
    """All async rows."""
    reason = interleaved(1, Worker(True, "has_fast"))[0][0]
    fast = not reason
    with server("async_server.py") as url:
        rows = [*_streams(url, fast), *_calls(url, fast), *_open(url, fast), *_big(url, fast)]
    return (
        rows
        if fast
        else [*rows, Row("the same with `cozekit[fast]`", "–", reason, None, "required", False)]
    )


def _best(rounds: int, task: str, url: str, fast: bool) -> list[float]:
    """Best results of cozekit, of the peer, and of cozekit with the fast transport if available."""
    workers = [Worker(True, task, url), Worker(False, task, url)] + (
        [Worker(True, f"{task}_fast", url)] if fast else []
    )
    return [min(results) for results in interleaved(rounds, *workers)]


def _streams(url: str, fast: bool) -> list[Row]:
    ours, peer, *more = _best(5, "async_streams", f"{url}/{CHUNK}/{EVENTS}", fast)
    name, other = "chat events, async, 100 concurrent streams", f"cozepy {_rate(peer)}"
    rows = [at_least(name, _rate(ours), other, peer / ours, 2.5)]
    return rows + [
        at_least(f"{name}, `fast`", _rate(seconds), other, peer / seconds, 5.0) for seconds in more
    ]


def _rate(seconds: float) -> str:
    return f"{1 / seconds / 1000:.1f} k/s" if seconds < 1e-3 else f"{1 / seconds:.0f} /s"


def _calls(url: str, fast: bool) -> list[Row]:
    ours, peer, *more = _best(5, "async_calls", url, fast)
    name, other = "calls, async, 100 in flight", f"cozepy {_rate(peer)}"
    rows = [Row(name, _rate(ours), other, peer / ours)]
    return rows + [
        at_least(f"{name}, `fast`", _rate(seconds), other, peer / seconds, 6.0) for seconds in more
    ]


def _open(url: str, fast: bool) -> list[Row]:
    ours, peer, *more = _best(1, "open_streams", f"{url}/hold", fast)
    if not ours or not peer:
        return []
    name = "memory per open stream, with 1,000 open, growth of the process"
    other = f"cozepy {peer / 1000:.0f} kB"
    rows = [Row(name, f"{ours / 1000:.0f} kB", other, ours / peer)]
    return rows + [
        Row(f"{name}, `fast`", f"{grown / 1000:.0f} kB", other, grown / peer) for grown in more
    ]


def _big(url: str, fast: bool) -> list[Row]:
    small, large = (_best(5, "big_event", f"{url}/big/{size * MB}", fast) for size in (1, 10))
    name = "one event of 10 MB, compared with 1 MB"
    rows = [
        at_most(f"{name}{suffix}", _ms(large[n]), _ms(small[n]), large[n] / small[n], 12)
        for n, suffix in ((0, ""), (2, ", `fast`"))
        if n < len(small)
    ]
    return [
        *rows,
        Row(
            f"{name}, cozepy", "–", f"cozepy {_ms(large[1])}, {_ms(small[1])}", large[1] / small[1]
        ),
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
