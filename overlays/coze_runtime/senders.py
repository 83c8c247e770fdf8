"""Base class and helpers of the generated event senders."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from .models import Model

R = TypeVar("R")


class Sender(Generic[R]):
    """Base class of event senders: the generated subclasses have a method for each event. `R` is
    None on a sync socket and an awaitable on an async one.
    """

    def send(self, event: Model | Mapping[str, Any]) -> R:
        """Sends an event.

        Args:
            event: A model of an event, or plain JSON data for an event without a model.

        Returns:
            None, or an awaitable on an async socket.
        """
        raise NotImplementedError


def event_id(value: str | None) -> str:
    """The id of an event: the value, or a new UUID."""
    return value or str(uuid.uuid4())


def base64_text(data: bytes) -> str:
    """Encodes bytes for an event."""
    return base64.b64encode(data).decode()
