"""What the description says of a kind of stream, as data; written by the generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import APIError, CozeError
from ..models import Model


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
