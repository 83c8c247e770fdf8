"""Callbacks that were delivered or are due: each event for each application, with every attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a callback address."""

    time: float
    """Unix seconds by the clock of the emulator."""
    status: int = 0
    """HTTP status of the response; 0 when none came in time."""
    body: bytes = b""
    """The response."""
    error: str = ""
    """Why there is no response."""


@dataclass(slots=True)
class Delivery:
    """One event on its way to one callback application."""

    event_type: str
    event_id: str
    api_app_id: str
    url: str
    body: bytes = field(repr=False)
    """What is posted; the same in every attempt."""
    token: str = field(repr=False)
    """Verify token of the application."""
    attempts: list[Attempt] = field(default_factory=list)
    due: float | None = None
    """When it is sent again, by the clock of the emulator; None when it is not."""
    response: Any = None
    """JSON of the response with status 200; None when it is not JSON."""

    @property
    def delivered(self) -> bool:
        """Whether the last response has status 200."""
        return bool(self.attempts) and self.attempts[-1].status == 200

    @property
    def audit_status(self) -> int:
        """Result of the review in the response: 1 in review, 2 passed, 3 rejected; 0 without
        one.
        """
        audit = self.response.get("audit") if isinstance(self.response, dict) else None
        status = audit.get("audit_status") if isinstance(audit, dict) else None
        return status if status in (1, 2, 3) and not isinstance(status, bool) else 0


@dataclass(slots=True)
class CallbackState:
    """The deliveries, and settings for what is not documented, which a test may change."""

    deliveries: list[Delivery] = field(default_factory=list)
    retry_after: tuple[float, ...] = (5.0, 30.0, 120.0)
    """Seconds from a failed attempt to the next one; after the last there is none. Together they
    stay within the age that receivers accept.
    """
    timeouts: dict[str, float] = field(default_factory=lambda: {"bot.published": 10.0})
    """Event type → seconds in which the application must respond; 3 for the others. Real time, as
    it is spent on the network.
    """
