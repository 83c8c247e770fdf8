"""The tasks of cozekit, one per process: see `timing.py`."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import ours_async
import payloads
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

TOKEN = "pat_benchmark"
CALLS = 150
IDS = {"conversation_id": "7390331532575195148", "chat_id": "7390342853760696354"}


def _coze(url: str) -> Any:
    import cozekit

    return cozekit.Coze(TOKEN, base_url=url)


def _response(content: bytes, operation: Any) -> Any:
    from coze_runtime.operation import Response

    headers = {"content-type": "application/json", "x-tt-logid": payloads.LOGID}
    return Response(status=200, headers=headers, content=content, operation=operation)


def decode_message(url: str) -> Round:
    """From the JSON of a message to the model."""
    from coze_openapi.api.chat.create import OPERATION
    from coze_openapi.models.chat import Message
    from coze_runtime.serialization.codec import decode_event

    assert decode_event(payloads.MESSAGE, Message, OPERATION).content.startswith("0 ")
    return lambda: timed(2000, lambda: decode_event(payloads.MESSAGE, Message, OPERATION))


def decode_answer(url: str) -> Round:
    """From the response of a call to the result of the method."""
    from coze_openapi.api.conversations_messages.retrieve import OPERATION, parse

    response = _response(payloads.ANSWER, OPERATION)
    assert parse(response).content.startswith("0 ")
    return lambda: timed(1000, lambda: parse(response))


def decode_page(url: str) -> Round:
    """From the response of a call to the items of its page."""
    from coze_openapi.api.conversations_messages.list import OPERATION
    from coze_openapi.models.conversations_messages import ListMessagesResponse
    from coze_runtime.serialization.codec import decode

    response = _response(payloads.PAGE, OPERATION)
    assert len(decode(response, ListMessagesResponse).data) == 50
    return lambda: timed(100, lambda: decode(response, ListMessagesResponse))


def decode_piece(url: str) -> Round:
    """From the data of an event to its message."""
    from coze_openapi.api.chat.create import OPERATION
    from coze_openapi.models.chat import Message
    from coze_runtime.serialization.codec import decode_event

    data = payloads.piece(0)
    return lambda: timed(2000, lambda: decode_event(data, Message, OPERATION))


def _all_messages() -> Callable[[], list[Any]]:
    from coze_openapi.api.chat.create import OPERATION
    from coze_openapi.models.chat import Message
    from coze_runtime.serialization.codec import decode_event

    decode_event(payloads.piece(0), Message, OPERATION)  # one-time costs do not count
    return lambda: [
        decode_event(payloads.encoded(payloads.message(n)), Message, OPERATION)
        for n in range(payloads.MESSAGES)
    ]


def memory_traced(url: str) -> Round:
    decode_all = _all_messages()
    return lambda: traced(decode_all)


def memory_resident(url: str) -> Round:
    decode_all = _all_messages()
    return lambda: resident(decode_all)


def _events(url: str) -> int:
    return int(url.rsplit("/", 1)[1])


def _reader(url: str) -> Callable[[], int]:
    from cozekit import messages

    coze = _coze(url)

    def read() -> int:
        pieces = 0
        with coze.chat.stream(
            bot_id="1", user_id="1", additional_messages=[messages.user_text("Hi")]
        ) as events:
            for event in events:
                if event.event == "conversation.message.delta":
                    pieces += bool(event.message.content)
        return pieces

    return read


def stream(url: str) -> Round:
    read = _reader(url)
    return lambda: timed_stream(read, _events(url))


def recorded(url: str) -> Round:
    return cpu_stream(_reader(url), _events(url))


def latencies(url: str) -> Round:
    """The median time from sending an event to its delivery."""
    coze = _coze(url)

    def read() -> float:
        with coze.chat.stream(bot_id="1", user_id="1") as events:
            return median(
                latency(event.message.content)
                for event in events
                if event.event == "conversation.message.delta"
            )

    return read


def stream_raw(url: str) -> Round:
    read = _raw_reader(url)
    return lambda: timed_stream(read, _events(url))


def recorded_raw(url: str) -> Round:
    read = _raw_reader(url)
    return cpu_stream(lambda: read() and _events(url), _events(url))


def _raw_reader(url: str) -> Callable[[], int]:
    """The lower bound: the bytes of the same stream, ignored."""
    import httpx

    client = httpx.Client(timeout=600)

    def read() -> int:
        size = 0
        with client.stream("POST", f"{url}/v3/chat", json={"stream": True}) as response:
            for chunk in response.iter_bytes():
                size += len(chunk)
        return size

    return read


def call(url: str) -> Round:
    coze = _coze(url)
    assert coze.chat.retrieve(**IDS).status == "completed"
    return lambda: timed(CALLS, lambda: coze.chat.retrieve(**IDS))


def call_bare(url: str) -> Round:
    """The lower bound: the same request and the same JSON, and nothing else."""
    import httpx

    client = httpx.Client()
    headers = {"Authorization": f"Bearer {TOKEN}"}

    def once() -> object:
        return json.loads(
            client.get(f"{url}/v3/chat/retrieve", params=IDS, headers=headers).content
        )

    once()
    return lambda: timed(CALLS, once)


def loaded(url: str) -> Round:
    """Number of modules loaded by a client and one chat."""
    coze = _coze(url)
    coze.chat.create(bot_id="1", user_id="1")
    return lambda: {
        "generated": modules("coze_openapi", "coze_runtime"),
        "all": modules("coze_openapi", "coze_runtime", "cozekit"),
    }


def size(url: str) -> Round:
    """Our packages as in the working tree (they may be installed in development mode), and their
    dependencies.
    """
    from importlib import metadata

    total = 0
    for name in ("coze_openapi", "coze_runtime", "cozekit"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        files = (
            path
            for path in Path(spec.origin).parent.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        )
        total += sum(path.stat().st_size for path in files)
    seen = {"cozekit"}
    required = [
        line for line in metadata.distribution("cozekit").requires or [] if "extra ==" not in line
    ]
    total += sum(
        installed(line.split(">")[0].split("<")[0].split("=")[0].strip(), seen) for line in required
    )
    return lambda: total


def versions(url: str) -> Round:
    from importlib import metadata

    names = ("cozekit", "httpx", "msgspec", "attrs")
    return lambda: {
        "python": sys.version.split()[0],
        **{name: metadata.version(name) for name in names},
    }


TASKS: dict[str, Callable[[str], Round]] = {
    "decode_message": decode_message,
    "decode_answer": decode_answer,
    "decode_page": decode_page,
    "decode_piece": decode_piece,
    "memory_traced": memory_traced,
    "memory_resident": memory_resident,
    "stream": stream,
    "stream_raw": stream_raw,
    "recorded": recorded,
    "recorded_raw": recorded_raw,
    "latencies": latencies,
    "call": call,
    "call_bare": call_bare,
    "loaded": loaded,
    "size": size,
    "versions": versions,
    **ours_async.TASKS,
}

if __name__ == "__main__":
    work(TASKS)
