"""Callbacks for events: one function for all, or a function for each name of event."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..types import Listener


def notify(listener: Listener[Any] | None, event: Any) -> object:
    """Hands an event to who asked for it; returns what the function returns, None when nobody
    asked.
    """
    if listener is None:
        return None
    if isinstance(listener, Mapping):
        function = listener.get(event.event)
        return function(event) if function is not None else None
    return listener(event)


async def notify_async(listener: Listener[Any] | None, event: Any) -> None:
    """As `notify`; what an async function returns is awaited."""
    result = notify(listener, event)
    if inspect.isawaitable(result):
        await result
