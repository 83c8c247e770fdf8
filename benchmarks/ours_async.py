"""Our side of the async measurements: see `rounds_async.py`. A task name with `_fast` uses
`cozekit[fast]`, the others plain httpx.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Literal

from rounds import Round
from rounds_async import calls, kept_open, streams

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
        seen = 0
        async with _chat(coze) as events:
            async for event in events:
                if event.event == "conversation.message.delta":
                    seen += bool(event.message.content)
        return seen

    return read


def crowd_streams(transport: Transport, url: str) -> Round:
    return streams(_reader(url, transport), int(url.rsplit("/", 1)[1]))


def crowd_calls(transport: Transport, url: str) -> Round:
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
    """Whether the fast transport can be used here; the reason why not otherwise."""

    def turn() -> str:
        try:
            _coze("http://127.0.0.1:9", "aiohttp")
            import aiohttp  # noqa: F401  # the client looks for it at its first call

            import coze_runtime._http.aiohttp_transport  # noqa: F401
        except Exception as error:  # an older state of the tree has no such argument
            return f"no `cozekit[fast]`: {error}"
        return ""

    return turn


_BOTH: dict[str, Callable[[Transport, str], Round]] = {
    "crowd_streams": crowd_streams,
    "crowd_calls": crowd_calls,
    "big_event": big_event,
    "open_streams": open_streams,
}
TASKS: dict[str, Callable[[str], Round]] = {"has_fast": has_fast}
for _name, _task in _BOTH.items():
    TASKS[_name] = partial(_task, "httpx")
    TASKS[f"{_name}_fast"] = partial(_task, "aiohttp")
