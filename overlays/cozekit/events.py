"""Events of chats and workflow runs: one class for each, for `match` and `isinstance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi import events as _events
from coze_runtime.streams.events import UnknownEvent as UnknownEvent

if TYPE_CHECKING:
    from coze_openapi.events import *  # noqa: F403


def __getattr__(name: str) -> object:
    value = getattr(_events, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*dir(_events), "UnknownEvent"})
