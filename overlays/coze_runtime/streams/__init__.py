"""Event streams.

| Module | What is there |
|---|---|
| `sse` | bytes to server-sent events, by the standard |
| `events` | base classes of events; what the description says of a kind of stream; callbacks |
| `event_parser` | server-sent events to typed events; knows when a stream is over |
| `chat`, `workflow` | how the events of a chat or of a run add up |
| `event_stream` | reads an open response and hands out its events, sync and async |
| `sequence` | finds events that are missing |
| `speech` | sound as it arrives |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .speech import AsyncSpeechStream as AsyncSpeechStream
    from .speech import SpeechStream as SpeechStream


def __getattr__(name: str) -> object:
    """Names of annotations; what they stand for is loaded when somebody looks."""
    if name not in ("AsyncSpeechStream", "SpeechStream"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import speech

    value: object = getattr(speech, name)
    return value
