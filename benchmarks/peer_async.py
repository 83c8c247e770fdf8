"""The async tasks of the official SDK: see `timing.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from timing import PACED, Round, calls, kept_open, latency, run, streams

IDS = {"conversation_id": "7390331532575195148", "chat_id": "7390342853760696354"}


def _coze(url: str) -> Any:
    from cozepy import AsyncCoze, AsyncTokenAuth

    return AsyncCoze(auth=AsyncTokenAuth("pat_benchmark"), base_url=url)


def _chat(coze: Any) -> Any:
    from cozepy import Message

    return coze.chat.stream(
        bot_id="1", user_id="1", additional_messages=[Message.build_user_question_text("Hi")]
    )


def _reader(url: str) -> Callable[[], Any]:
    from cozepy import ChatEventType

    coze = _coze(url)

    async def read() -> int:
        pieces = 0
        async for event in _chat(coze):
            if event.event == ChatEventType.CONVERSATION_MESSAGE_DELTA:
                pieces += bool(event.message.content)
        return pieces

    return read


def async_streams(url: str) -> Round:
    return streams(_reader(url), int(url.rsplit("/", 1)[1]))


def async_recorded(url: str) -> Round:
    return streams(_reader(url), int(url.rsplit("/", 1)[1]), 1, time.process_time)


def async_paced(url: str) -> Round:
    return streams(_reader(url), int(url.rsplit("/", 1)[1]), PACED, time.process_time)


def async_latencies(url: str) -> Round:
    from cozepy import ChatEventType

    coze = _coze(url)

    async def read() -> float:
        return median(
            [
                latency(event.message.content)
                async for event in _chat(coze)
                if event.event == ChatEventType.CONVERSATION_MESSAGE_DELTA
            ]
        )

    return lambda: run(read())


def async_calls(url: str) -> Round:
    coze = _coze(url)
    return calls(lambda: coze.chat.retrieve(**IDS))


def big_event(url: str) -> Round:
    return streams(_reader(url), 1, 1)


def open_streams(url: str) -> Round:
    coze = _coze(url)
    return kept_open(lambda: _chat(coze))


TASKS: dict[str, Callable[[str], Round]] = {
    "async_streams": async_streams,
    "async_recorded": async_recorded,
    "async_paced": async_paced,
    "async_latencies": async_latencies,
    "async_calls": async_calls,
    "big_event": big_event,
    "open_streams": open_streams,
}
