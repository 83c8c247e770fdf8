"""Event streams.

| Module | Contents |
|---|---|
| `sse` | bytes to server-sent events, as the WHATWG standard says |
| `events` | base classes of events; `StreamSpec`; calling functions with events |
| `event_parser` | server-sent events to typed events; detects the end of a stream |
| `chat`, `workflow` | the result of a chat or a run, from its events |
| `event_stream` | iterates over the events of an open response, sync and async |
| `sequence` | detects missing events |
| `recovery` | asks for the outcome of a stream that broke |
| `speech` | streams of audio |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .speech import AsyncSpeechStream as AsyncSpeechStream
    from .speech import SpeechStream as SpeechStream


def __getattr__(name: str) -> object:
    """Loads the classes that annotations of generated methods name, on first use."""
    if name not in ("AsyncSpeechStream", "SpeechStream"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import speech

    value: object = getattr(speech, name)
    return value
