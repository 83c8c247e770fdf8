"""Events of chats and runs: their base classes, what the description says of a kind of stream, and
functions that are called with events. The generator writes one class for each event.

They are msgspec structs, since streams make one for every piece of an answer: that takes half the
time of an `__init__` in Python. A property that does not apply to an event reads `None`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

from .._publish import publish
from ..errors import APIError, CozeError
from ..models import Model
from ..types import Listener

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


class EventType(NamedTuple):
    """One event of a stream."""

    cls: type[Any]
    """Its class."""
    model: type[Model] | None = None
    """What its data are; None for text or JSON of any shape."""
    plain: bool = False
    """Whether text may come in place of the model."""


class StreamSpec(NamedTuple):
    """One kind of stream: its events, and the part that each plays."""

    events: Mapping[str, EventType]
    """By the name of the event."""
    failed: type[APIError]
    """The error that a failure is raised as."""
    state_model: type[Any] | None = None
    """What the states of the whole are told in, where events tell them."""
    delta: frozenset[str] = frozenset()
    """Events that bring a piece of text."""
    message: frozenset[str] = frozenset()
    """Events that bring a finished message."""
    state: frozenset[str] = frozenset()
    """Events that tell the state of the whole."""
    interrupt: frozenset[str] = frozenset()
    """Events after which the caller has to answer."""
    failure: frozenset[str] = frozenset()
    """Events that report a failure."""
    end: frozenset[str] = frozenset()
    """Events after which nothing follows."""
    heartbeat: frozenset[str] = frozenset()
    """Events that carry nothing; their names are taken in any case."""
    settled: frozenset[str] = frozenset()
    """States in which the stream may end."""
    waiting: frozenset[str] = frozenset()
    """The settled states in which the caller has to act."""
    answer: frozenset[str] = frozenset()
    """Types of the messages that make up the answer."""
    follow_up: frozenset[str] = frozenset()
    """Types of the messages that suggest what to ask next."""
    questions: frozenset[str] = frozenset()
    """Types of tool calls that ask the user; an error text would be taken for the answer."""
    tool_failed: type[CozeError] = CozeError
    """The error that a failed tool is raised as."""
    tool_calls: str = ""
    """Path of the tool calls in the state of the whole."""


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


publish(globals(), "cozekit", "UnknownEvent")
