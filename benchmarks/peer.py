"""The tasks of the official SDK, run in its own environment: see `timing.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import metadata
from statistics import median
from typing import Any

import payloads
import peer_async
from timing import (
    Round,
    cpu_stream,
    installed,
    latency,
    modules,
    resident,
    timed,
    timed_stream,
    traced,
    work,
)

CALLS = 150
IDS = {"conversation_id": "7390331532575195148", "chat_id": "7390342853760696354"}


def _coze(url: str) -> Any:
    from cozepy import Coze, TokenAuth

    return Coze(auth=TokenAuth("pat_benchmark"), base_url=url)


def decode_message(url: str) -> Round:
    """From the JSON of a message to the model."""
    from cozepy import Message

    return lambda: timed(1000, lambda: Message.model_validate(json.loads(payloads.MESSAGE)))


def decode_answer(url: str) -> Round:
    """From the response of a call to the method's result, with the SDK's own function; the time to
    build the response is subtracted.
    """
    import httpx
    from cozepy import Message

    requester = _coze("http://127.0.0.1:9")._requester
    headers = {"content-type": "application/json", "x-tt-logid": payloads.LOGID}

    def response() -> httpx.Response:
        return httpx.Response(200, headers=headers, content=payloads.ANSWER)

    def run_round() -> float:
        whole = timed(
            200, lambda: requester._parse_response("get", url, response(), Message, False)
        )
        return whole - timed(200, response)

    return run_round


def decode_page(url: str) -> Round:
    """JSON to models only."""
    from cozepy import Message

    return lambda: timed(
        50, lambda: [Message.model_validate(item) for item in json.loads(payloads.PAGE)["data"]]
    )


def decode_piece(url: str) -> Round:
    """From the data of an event to its message; the SDK's stream passes text."""
    from cozepy import Message

    text = payloads.piece(0).decode()
    return lambda: timed(2000, lambda: Message.model_validate_json(text))


def _all_messages() -> Callable[[], list[Any]]:
    from cozepy import Message

    Message.model_validate_json(payloads.piece(0))
    return lambda: [
        Message.model_validate_json(payloads.encoded(payloads.message(n)))
        for n in range(payloads.MESSAGES)
    ]


def memory_traced(url: str) -> Round:
    decode_all = _all_messages()
    return lambda: traced(decode_all)


def memory_resident(url: str) -> Round:
    decode_all = _all_messages()
    return lambda: resident(decode_all)


def _reader(url: str) -> Callable[[], int]:
    from cozepy import ChatEventType, Message

    coze = _coze(url)
    question = Message.build_user_question_text("Hi")

    def read() -> int:
        pieces = 0
        for event in coze.chat.stream(bot_id="1", user_id="1", additional_messages=[question]):
            if event.event == ChatEventType.CONVERSATION_MESSAGE_DELTA:
                pieces += bool(event.message.content)
        return pieces

    return read


def _events(url: str) -> int:
    return int(url.rsplit("/", 1)[1])


def stream(url: str) -> Round:
    read = _reader(url)
    return lambda: timed_stream(read, _events(url))


def recorded(url: str) -> Round:
    return cpu_stream(_reader(url), _events(url))


def latencies(url: str) -> Round:
    from cozepy import ChatEventType, Message

    coze = _coze(url)
    question = Message.build_user_question_text("Hi")

    def read() -> float:
        return median(
            latency(event.message.content)
            for event in coze.chat.stream(bot_id="1", user_id="1", additional_messages=[question])
            if event.event == ChatEventType.CONVERSATION_MESSAGE_DELTA
        )

    return read


def call(url: str) -> Round:
    coze = _coze(url)
    assert coze.chat.retrieve(**IDS).status == "completed"
    return lambda: timed(CALLS, lambda: coze.chat.retrieve(**IDS))


def loaded(url: str) -> Round:
    _coze(url).chat.create(bot_id="1", user_id="1")
    return lambda: {"all": modules("cozepy")}


def size(url: str) -> Round:
    total = installed("cozepy")
    return lambda: total


def versions(url: str) -> Round:
    return lambda: {
        "python": sys.version.split()[0],
        **{name: metadata.version(name) for name in ("cozepy", "httpx", "pydantic")},
    }


TASKS: dict[str, Callable[[str], Round]] = {
    "decode_message": decode_message,
    "decode_answer": decode_answer,
    "decode_page": decode_page,
    "decode_piece": decode_piece,
    "memory_traced": memory_traced,
    "memory_resident": memory_resident,
    "stream": stream,
    "recorded": recorded,
    "latencies": latencies,
    "call": call,
    "loaded": loaded,
    "size": size,
    "versions": versions,
    **peer_async.TASKS,
}

if __name__ == "__main__":
    work(TASKS)
