"""Our side of the measurements, one task per process: see `rounds.py`."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ours_async
import payloads
from rounds import Round, installed, modules, resident, timed, timed_stream, traced, work

TOKEN = "pat_benchmark"
CALLS = 150
IDS = {"conversation_id": "7390331532575195148", "chat_id": "7390342853760696354"}


def _coze(url: str) -> Any:
    import cozekit

    return cozekit.Coze(TOKEN, base_url=url)


def _answer(content: bytes, operation: Any) -> Any:
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
    """From the answer of a call to what the method returns."""
    from coze_openapi.api.conversations_messages.retrieve import OPERATION, parse

    answer = _answer(payloads.ANSWER, OPERATION)
    assert parse(answer).content.startswith("0 ")
    return lambda: timed(1000, lambda: parse(answer))


def decode_page(url: str) -> Round:
    """From the answer of a call to the items of its page."""
    from coze_openapi.api.conversations_messages.list import OPERATION
    from coze_openapi.models.conversations_messages import ListMessagesResponse
    from coze_runtime.serialization.codec import decode

    answer = _answer(payloads.PAGE, OPERATION)
    assert len(decode(answer, ListMessagesResponse).data) == 50
    return lambda: timed(100, lambda: decode(answer, ListMessagesResponse))


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

    decode_event(payloads.piece(0), Message, OPERATION)  # what is made once is not counted
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


def stream(url: str) -> Round:
    from cozekit import messages

    coze = _coze(url)

    def read() -> int:
        seen = 0
        with coze.chat.stream(
            bot_id="1", user_id="1", additional_messages=[messages.user_text("Hi")]
        ) as events:
            for event in events:
                if event.event == "conversation.message.delta":
                    seen += bool(event.message.content)
        return seen

    return lambda: timed_stream(read, _events(url))


def stream_raw(url: str) -> Round:
    """The floor: the bytes of the same stream, looked at by nobody."""
    import httpx

    client = httpx.Client(timeout=600)

    def read() -> int:
        size = 0
        with client.stream("POST", f"{url}/v3/chat", json={"stream": True}) as answer:
            for chunk in answer.iter_bytes():
                size += len(chunk)
        return size

    return lambda: timed_stream(read, _events(url))


def call(url: str) -> Round:
    coze = _coze(url)
    assert coze.chat.retrieve(**IDS).status == "completed"
    return lambda: timed(CALLS, lambda: coze.chat.retrieve(**IDS))


def call_bare(url: str) -> Round:
    """The floor: the same request and the same JSON, and nothing else."""
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
    """Modules of the generated package after a client and one chat."""
    coze = _coze(url)
    coze.chat.create(bot_id="1", user_id="1")
    return lambda: {
        "generated": modules("coze_openapi", "coze_runtime"),
        "all": modules("coze_openapi", "coze_runtime", "cozekit"),
    }


def size(url: str) -> Round:
    """Our packages as they lie in the tree (they may be installed in development mode), and what
    they need.
    """
    from importlib import metadata

    total = 0
    for name in ("coze_openapi", "coze_runtime", "cozekit"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        files = (
            path
            for path in Path(found.origin).parent.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        )
        total += sum(path.stat().st_size for path in files)
    seen = {"cozekit"}
    needed = [
        line for line in metadata.distribution("cozekit").requires or [] if "extra ==" not in line
    ]
    total += sum(
        installed(line.split(">")[0].split("<")[0].split("=")[0].strip(), seen) for line in needed
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
    "call": call,
    "call_bare": call_bare,
    "loaded": loaded,
    "size": size,
    "versions": versions,
    **ours_async.TASKS,
}

if __name__ == "__main__":
    work(TASKS)
