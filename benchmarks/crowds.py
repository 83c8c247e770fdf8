"""Many at once: async streams and calls beside the official SDK, on the transport that everybody
has and on `cozekit[fast]`.
"""

from __future__ import annotations

from .processes import Worker, interleaved, server
from .rows import Row, at_least, at_most

EVENTS = 1000
CHUNK = 2048
MB = 1_000_000


def crowds() -> list[Row]:
    """All async rows."""
    missing = interleaved(1, Worker(True, "has_fast"))[0][0]
    fast = not missing
    with server("crowd.py") as url:
        rows = [*_streams(url, fast), *_calls(url, fast), *_open(url, fast), *_big(url, fast)]
    return (
        rows
        if fast
        else [*rows, Row("the same with `cozekit[fast]`", "–", missing, None, "needed", False)]
    )


def _best(rounds: int, task: str, url: str, fast: bool) -> list[float]:
    """Best figures of ours, of the peer, and of ours with the fast transport when it is there."""
    workers = [Worker(True, task, url), Worker(False, task, url)] + (
        [Worker(True, f"{task}_fast", url)] if fast else []
    )
    return [min(found) for found in interleaved(rounds, *workers)]


def _streams(url: str, fast: bool) -> list[Row]:
    ours, peer, *more = _best(5, "crowd_streams", f"{url}/{CHUNK}/{EVENTS}", fast)
    what, beside = "chat events, async, 100 streams at once", f"cozepy {_rate(peer)}"
    rows = [at_least(what, _rate(ours), beside, peer / ours, 2.5)]
    return rows + [at_least(f"{what}, `fast`", _rate(own), beside, peer / own, 5.0) for own in more]


def _rate(seconds: float) -> str:
    return f"{1 / seconds / 1000:.1f} k/s" if seconds < 1e-3 else f"{1 / seconds:.0f} /s"


def _calls(url: str, fast: bool) -> list[Row]:
    ours, peer, *more = _best(5, "crowd_calls", url, fast)
    what, beside = "calls, async, 100 in flight", f"cozepy {_rate(peer)}"
    rows = [Row(what, _rate(ours), beside, peer / ours)]
    return rows + [at_least(f"{what}, `fast`", _rate(own), beside, peer / own, 6.0) for own in more]


def _open(url: str, fast: bool) -> list[Row]:
    ours, peer, *more = _best(1, "open_streams", f"{url}/hold", fast)
    if not ours or not peer:
        return []
    what, beside = (
        "memory of one of 1,000 open streams, growth of the process",
        f"cozepy {peer / 1000:.0f} kB",
    )
    rows = [Row(what, f"{ours / 1000:.0f} kB", beside, ours / peer)]
    return rows + [
        Row(f"{what}, `fast`", f"{own / 1000:.0f} kB", beside, own / peer) for own in more
    ]


def _big(url: str, fast: bool) -> list[Row]:
    small, large = (_best(5, "big_event", f"{url}/big/{size * MB}", fast) for size in (1, 10))
    what = "one event of 10 MB, beside one of 1 MB"
    rows = [
        at_most(f"{what}{kind}", _ms(large[n]), _ms(small[n]), large[n] / small[n], 12)
        for n, kind in ((0, ""), (2, ", `fast`"))
        if n < len(small)
    ]
    return [
        *rows,
        Row(
            f"{what}, cozepy", "–", f"cozepy {_ms(large[1])}, {_ms(small[1])}", large[1] / small[1]
        ),
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
