"""What the generated senders of events are made of."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from .models import Model

R = TypeVar("R")


class Sender(Generic[R]):
    """Sends the events of a socket, one method for each. `R` is what `send` returns: nothing on a
    socket for threads, something to await on one for coroutines.
    """

    def send(self, event: Model | Mapping[str, Any]) -> R:
        """Sends an event; the socket does it in its own way.

        Args:
            event: A model of an event, or plain JSON data for an event newer than this package.

        Returns:
            Nothing, or something to await.
        """
        raise NotImplementedError


def event_id(given: str | None) -> str:
    """The id of an event: the given one, or a new UUID."""
    return given or str(uuid.uuid4())


def base64_text(data: bytes) -> str:
    """Bytes as an event carries them."""
    return base64.b64encode(data).decode()
