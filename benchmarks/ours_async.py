"""The async tasks of cozekit: see `timing.py`. Tasks that end in `_fast` use `cozekit[fast]`, the
others plain httpx.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from statistics import median
from typing import Any, Literal

from timing import PACED, Round, calls, kept_open, latency, run, streams

TOKEN = "pat_benchmark"
IDS = {"conversation_id": "7390331532575195148", "chat_id": "7390342853760696354"}
Transport = Literal["httpx", "aiohttp"]


def _coze(url: str, transport: Transport) -> Any:
    import cozekit

    return cozekit.AsyncCoze(TOKEN, base_url=url, transport=transport)


def _chat(coze: Any) -> Any:
    from cozekit import messages

    return coze.chat.stream(bot_id="1", user_id="1", additional_messages=[messages.user_text("Hi")])


def _reader(url: str, transport: Transport) -> Callable[[], Any]:
    coze = _coze(url, transport)

    async def read() -> int:
        pieces = 0
        async with _chat(coze) as events:
            async for event in events:
                if event.event == "conversation.message.delta":
                    pieces += bool(event.message.content)
        return pieces

    return read


def async_streams(transport: Transport, url: str) -> Round:
    return streams(_reader(url, transport), int(url.rsplit("/", 1)[1]))


def async_recorded(transport: Transport, url: str) -> Round:
    return streams(_reader(url, transport), int(url.rsplit("/", 1)[1]), 1, time.process_time)


def async_paced(transport: Transport, url: str) -> Round:
    return streams(_reader(url, transport), int(url.rsplit("/", 1)[1]), PACED, time.process_time)


def async_latencies(transport: Transport, url: str) -> Round:
    """The median time from sending an event to its delivery."""
    coze = _coze(url, transport)

    async def read() -> float:
        async with _chat(coze) as events:
            return median(
                [
                    latency(event.message.content)
                    async for event in events
                    if event.event == "conversation.message.delta"
                ]
            )

    return lambda: run(read())


def async_raw(url: str, count: int) -> Round:
    """The lower bound: the bytes of the same streams, ignored."""
    import httpx

    client = httpx.AsyncClient(timeout=600)
    events = int(url.rsplit("/", 1)[1])

    async def read() -> int:
        async with client.stream("POST", f"{url}/v3/chat", json={"stream": True}) as response:
            async for _ in response.aiter_bytes():
                pass
        return events

    return streams(read, events, count, time.process_time)


def async_calls(transport: Transport, url: str) -> Round:
    coze = _coze(url, transport)
    return calls(lambda: coze.chat.retrieve(**IDS))


def big_event(transport: Transport, url: str) -> Round:
    return streams(_reader(url, transport), 1, 1)


def open_streams(transport: Transport, url: str) -> Round:
    coze = _coze(url, transport)

    async def opened() -> AsyncIterator[object]:
        async with _chat(coze) as events:
            async for event in events:
                yield event

    return kept_open(opened)


def has_fast(url: str) -> Round:
    """Why the fast transport cannot be used here; empty if it can."""

    def run_round() -> str:
        try:
            _coze("http://127.0.0.1:9", "aiohttp")
            import aiohttp  # noqa: F401  # the client imports it at its first call

            import coze_runtime._http.aiohttp_transport  # noqa: F401
        except Exception as error:  # any reason will do
            return f"no `cozekit[fast]`: {error}"
        return ""

    return run_round


_BOTH: dict[str, Callable[[Transport, str], Round]] = {
    "async_streams": async_streams,
    "async_recorded": async_recorded,
    "async_paced": async_paced,
    "async_latencies": async_latencies,
    "async_calls": async_calls,
    "big_event": big_event,
    "open_streams": open_streams,
}
TASKS: dict[str, Callable[[str], Round]] = {
    "has_fast": has_fast,
    "async_recorded_raw": partial(async_raw, count=1),
    "async_paced_raw": partial(async_raw, count=PACED),
}
for _name, _task in _BOTH.items():
    TASKS[_name] = partial(_task, "httpx")
    TASKS[f"{_name}_fast"] = partial(_task, "aiohttp")
