"""Events of chats and runs: their base classes, the `StreamSpec` of a kind of stream, and calling
functions with events. The generator writes a class for each event.

Events are msgspec structs, because streams create one for every delta: that takes half the time of
an `__init__` in Python. Properties that do not apply to an event are `None`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

from .. import publish
from ..errors import APIError, ArgumentError, CozeError
from ..models import Model
from ..types import Listener

D = TypeVar("D")


class UnknownEvent(Struct, eq=False):
    """An event that is not documented, such as one that is newer than this package."""

    event: str
    """Name of the event."""
    data: Any
    """Its data as plain JSON, or as text if it is not JSON."""
    logid: str | None = None
    """Log id of the stream."""
    id: int | None = None
    """Number of the event in its stream; None if the stream has no numbers."""

    @property
    def message(self) -> None:
        """Always None."""

    @property
    def chat(self) -> None:
        """Always None."""

    @property
    def interrupt(self) -> None:
        """Always None."""

    @property
    def debug_url(self) -> None:
        """Always None."""


class _ChatEvent(Struct, Generic[D], eq=False):
    data: D
    """The data of the event."""
    logid: str | None
    """Log id of the stream."""

    @property
    def debug_url(self) -> str | None:
        """URL where a chatflow can be inspected; only on the last event."""
        url = getattr(self.data, "debug_url", None)
        return url if isinstance(url, str) else None


class PlainChatEvent(_ChatEvent[D], eq=False):
    """An event of a chat without a message or the state of the chat."""

    @property
    def message(self) -> None:
        """Always None."""

    @property
    def chat(self) -> None:
        """Always None."""


class ChatMessageEvent(_ChatEvent[D], eq=False):
    """An event with a message of a chat, or a delta of one."""

    @property
    def message(self) -> D:
        """The message, or the delta."""
        return self.data

    @property
    def chat(self) -> None:
        """Always None."""


class ChatStateEvent(_ChatEvent[D], eq=False):
    """An event with the state of a chat."""

    @property
    def message(self) -> None:
        """Always None."""

    @property
    def chat(self) -> D:
        """The chat in its current state."""
        return self.data


class _WorkflowEvent(Struct, Generic[D], eq=False):
    data: D
    """The data of the event."""
    id: int | None
    """Number of the event in its stream, from 0 without gaps; None if the stream has no numbers."""
    logid: str | None
    """Log id of the stream."""

    @property
    def debug_url(self) -> str | None:
        """URL where the run can be inspected for 7 days; only on the last event."""
        url = getattr(self.data, "debug_url", None)
        return url if isinstance(url, str) else None


class PlainWorkflowEvent(_WorkflowEvent[D], eq=False):
    """An event of a run without output or an interruption."""

    @property
    def message(self) -> None:
        """Always None."""

    @property
    def interrupt(self) -> None:
        """Always None."""


class WorkflowMessageEvent(_WorkflowEvent[D], eq=False):
    """An event with a piece of the output of a node."""

    @property
    def message(self) -> D:
        """The piece of output."""
        return self.data

    @property
    def interrupt(self) -> None:
        """Always None."""


I = TypeVar("I")  # noqa: E741


class WorkflowInterruptEvent(_WorkflowEvent[D], Generic[D, I], eq=False):
    """An event that interrupts the run, which then waits for you to resume it."""

    @property
    def message(self) -> None:
        """Always None."""

    @property
    def interrupt(self) -> I | None:
        """Why the run waits. To resume, pass its `event_id` and `type` to
        `coze.workflows.runs.stream_resume`.
        """
        interrupt: I | None = getattr(self.data, "interrupt_data", None)
        return interrupt


class EventType(NamedTuple):
    """A documented event of a stream."""

    cls: type[Any]
    """Class of the event."""
    model: type[Model] | None = None
    """Model of its data; None for text or JSON of any shape."""
    plain: bool = False
    """Whether the data may be text instead of the model."""


class StreamSpec(NamedTuple):
    """A kind of stream: its events and their roles. The sets have names of events, or values of
    fields where the comment says so.
    """

    events: Mapping[str, EventType]
    """Event by name."""
    failed: type[APIError]
    """Error class of a failed chat or run."""
    state_model: type[Any] | None = None
    """Model of the chat, if events have its state."""
    delta: frozenset[str] = frozenset()
    """Events with a piece of text."""
    message: frozenset[str] = frozenset()
    """Events with a complete message."""
    state: frozenset[str] = frozenset()
    """Events with the state of the chat."""
    interrupt: frozenset[str] = frozenset()
    """Events that interrupt the run."""
    failure: frozenset[str] = frozenset()
    """Events that report a failure."""
    end: frozenset[str] = frozenset()
    """Events that end the stream."""
    heartbeat: frozenset[str] = frozenset()
    """Events without data; their names may be in any case."""
    numbered: bool = False
    """Whether the events have numbers that show when some are missing."""
    settled: frozenset[str] = frozenset()
    """States of the chat in which the stream may end."""
    running: frozenset[str] = frozenset()
    """The other known states of the chat, in which it goes on."""
    waiting: frozenset[str] = frozenset()
    """Settled states in which the caller has to act."""
    pauses: frozenset[str] = frozenset()
    """Values of `msg_type` in JSON messages that say that the chat waits for the user."""
    answer: frozenset[str] = frozenset()
    """Types of the messages that are the answer of the bot."""
    follow_up: frozenset[str] = frozenset()
    """Types of the messages that suggest questions."""
    questions: frozenset[str] = frozenset()
    """Types of tool calls that are questions to the user."""
    tool_failed: type[CozeError] = CozeError
    """Error class of a failed tool."""
    tool_calls: str = ""
    """Path of the tool calls in the chat."""


def is_one_of(value: object, names: frozenset[str]) -> bool:
    """Whether the value of a field is one of these; a value of an undocumented type is not."""
    return isinstance(value, str) and value in names


def check_listener(listener: object) -> None:
    """Called before anything is sent.

    Raises:
        ArgumentError: It is neither a function nor a mapping of event names to functions.
    """
    functions = listener.values() if isinstance(listener, Mapping) else [listener]
    if listener is not None and not all(map(callable, functions)):
        raise ArgumentError(
            "on_event must be a function, or a mapping of event names to functions, not "
            f"{listener!r}",
            argument="on_event",
        )


def notify(listener: Listener[Any] | None, event: Any) -> object:
    """Calls the function for an event, if there is one, and returns its result."""
    if listener is None:
        return None
    if isinstance(listener, Mapping):
        function = listener.get(event.event)
        return function(event) if function is not None else None
    return listener(event)


async def notify_async(listener: Listener[Any] | None, event: Any) -> None:
    """The async form of `notify`; awaits the result of an async function."""
    result = notify(listener, event)
    if inspect.isawaitable(result):
        await result


publish(globals(), "cozekit", "UnknownEvent")
