"""Base classes of the events of chats and runs. The generator writes one class for each event.

They are msgspec structs, since streams make one for every piece of an answer: that takes half the
time of an `__init__` in Python. A property that does not apply to an event reads `None`.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct

from .._public import publish

D = TypeVar("D")


class UnknownEvent(Struct, eq=False):
    """An event that is newer than this package."""

    event: str
    """Its name."""
    data: Any
    """What it carries, as plain JSON; text where it is not JSON."""
    logid: str | None = None
    """Log id of the stream."""
    id: int | None = None
    """Number of the event in its stream; None when the stream gives none."""

    @property
    def message(self) -> None:
        """None: nothing is known of its data."""

    @property
    def chat(self) -> None:
        """None: nothing is known of its data."""

    @property
    def interrupt(self) -> None:
        """None: nothing is known of its data."""

    @property
    def debug_url(self) -> None:
        """None: nothing is known of its data."""


class _ChatEvent(Struct, Generic[D], eq=False):
    data: D
    """What it carries."""
    logid: str | None
    """Log id of the stream."""

    @property
    def debug_url(self) -> str | None:
        """Where a chatflow can be inspected; on its last event."""
        found = getattr(self.data, "debug_url", None)
        return found if isinstance(found, str) else None


class PlainChatEvent(_ChatEvent[D], eq=False):
    """An event of a chat that is neither a message nor a state."""

    @property
    def message(self) -> None:
        """None: it carries no message."""

    @property
    def chat(self) -> None:
        """None: it carries no chat."""


class ChatMessageEvent(_ChatEvent[D], eq=False):
    """A message of a chat, or a piece of one."""

    @property
    def message(self) -> D:
        """The message, or the piece of one."""
        return self.data

    @property
    def chat(self) -> None:
        """None: it carries no chat."""


class ChatStateEvent(_ChatEvent[D], eq=False):
    """The state of a chat."""

    @property
    def message(self) -> None:
        """None: it carries no message."""

    @property
    def chat(self) -> D:
        """The chat in its present state."""
        return self.data


class _WorkflowEvent(Struct, Generic[D], eq=False):
    data: D
    """What it carries."""
    id: int | None
    """Number of the event in its stream, from 0 without holes; None when the stream gives none."""
    logid: str | None
    """Log id of the stream."""

    @property
    def debug_url(self) -> str | None:
        """Where the run can be inspected for 7 days; on the last event."""
        found = getattr(self.data, "debug_url", None)
        return found if isinstance(found, str) else None


class PlainWorkflowEvent(_WorkflowEvent[D], eq=False):
    """An event of a run that is neither output nor an interruption."""

    @property
    def message(self) -> None:
        """None: it carries no output."""

    @property
    def interrupt(self) -> None:
        """None: it carries no interruption."""


class WorkflowMessageEvent(_WorkflowEvent[D], eq=False):
    """A piece of the output of a node."""

    @property
    def message(self) -> D:
        """The piece of output."""
        return self.data

    @property
    def interrupt(self) -> None:
        """None: it carries no interruption."""


I = TypeVar("I")  # noqa: E741


class WorkflowInterruptEvent(_WorkflowEvent[D], Generic[D, I], eq=False):
    """The run waits for its caller."""

    @property
    def message(self) -> None:
        """None: it carries no output."""

    @property
    def interrupt(self) -> I | None:
        """Why the run waits; hand its `event_id` and `type` to `stream_resume`."""
        found: I | None = getattr(self.data, "interrupt_data", None)
        return found


publish(globals(), "cozekit", "UnknownEvent")
