"""What the emulator remembers of callbacks: each event for each application, and each attempt to
deliver it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a callback address."""

    at: float
    """Time by the clock of the emulator, Unix seconds."""
    status: int = 0
    """HTTP status of the answer; 0 when none came in time."""
    body: bytes = b""
    """The answer."""
    error: str = ""
    """Why no answer came."""


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
    answer: Any = None
    """JSON of the answer with status 200; None when it is none."""

    @property
    def delivered(self) -> bool:
        """Whether it was answered with 200."""
        return bool(self.attempts) and self.attempts[-1].status == 200

    @property
    def audit_status(self) -> int:
        """Result of the review in the answer: 1 in review, 2 passed, 3 refused; 0 when it holds
        none.
        """
        audit = self.answer.get("audit") if isinstance(self.answer, dict) else None
        status = audit.get("audit_status") if isinstance(audit, dict) else None
        return status if status in (1, 2, 3) and not isinstance(status, bool) else 0


@dataclass(slots=True)
class CallbackState:
    """Deliveries, and the rules that no source states and a test may change."""

    deliveries: list[Delivery] = field(default_factory=list)
    retry_after: tuple[float, ...] = (5.0, 30.0, 120.0)
    """Seconds from an unanswered attempt to the next one; after the last there is none. Together
    they stay within the age that receivers let pass.
    """
    patience: dict[str, float] = field(default_factory=lambda: {"bot.published": 10.0})
    """Event type → seconds in which it must be answered; 3 for the others. Real time, as it is
    spent on the network.
    """
