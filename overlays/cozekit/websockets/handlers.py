"""Functions that a program registers for events."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from coze_runtime.models import Model

from ..errors import ArgumentError
from .wire import Reconnected, Spec, UnknownEvent

H = TypeVar("H", bound=Callable[..., object])

EVERY = "*"
"""Name under which a handler gets every event."""


def matcher(wanted: object, spec: Spec) -> Callable[[Any], bool]:
    """Whether an event is the wanted one: a name, a class, or several of them.

    Raises:
        ArgumentError: The server never sends such an event on this socket.
    """
    if isinstance(wanted, tuple | list | set | frozenset):
        if not wanted:
            raise ArgumentError("no event is named", argument="event")
        found = [matcher(item, spec) for item in wanted]
        return lambda event: any(match(event) for match in found)
    if wanted == EVERY:
        return lambda event: True
    if isinstance(wanted, str):
        name = checked_name(wanted, spec)
        return lambda event: bool(event.event_type == name)
    cls = _checked_class(wanted, spec)
    return lambda event: isinstance(event, cls)


def checked_name(name: str, spec: Spec) -> str:
    """The name of an event.

    Raises:
        ArgumentError: This package does not know it; a handler for it would silently never be
            called.
    """
    name = str(name)
    if name not in spec.receive and name != "reconnected":
        near = difflib.get_close_matches(name, spec.receive, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ArgumentError(
            f"{spec.socket.path} sends no event {name!r}{hint} Events newer than this package "
            "come as UnknownEvent",
            argument="event",
        )
    return name


def _checked_class(wanted: object, spec: Spec) -> type[Any]:
    known: set[object] = {*spec.receive.values(), UnknownEvent, Reconnected, Model}
    if not isinstance(wanted, type) or wanted not in known:
        raise ArgumentError(
            f"{wanted!r} is no event that {spec.socket.path} sends", argument="event"
        )
    return wanted


class Handlers:
    """The handlers of one socket."""

    def __init__(self, spec: Spec, *, coroutines: bool) -> None:
        self._spec = spec
        self._coroutines = coroutines
        self._registered: list[tuple[Callable[[Any], bool], Callable[[Any], object]]] = []

    def add(self, wanted: object, handler: H) -> H:
        """Registers a handler; several may be there for one event.

        Raises:
            ArgumentError: No such event, no function of one argument, or a coroutine function on a
                sync socket.
        """
        if not callable(handler):
            raise ArgumentError(
                "a handler is a function of one argument, the event", argument="handler"
            )
        if not self._coroutines and inspect.iscoroutinefunction(handler):
            raise ArgumentError(
                "a coroutine function cannot be a handler of a sync socket; use AsyncCoze",
                argument="handler",
            )
        try:
            inspect.signature(handler).bind(None)
        except TypeError:
            raise ArgumentError(
                "a handler is called with one argument, the event", argument="handler"
            ) from None
        except ValueError:
            pass  # a builtin without a signature
        self._registered.append((matcher(wanted, self._spec), handler))
        return handler

    def copy(self) -> Handlers:
        """The same handlers, to be added to."""
        other = Handlers(self._spec, coroutines=self._coroutines)
        other._registered = list(self._registered)
        return other

    def __bool__(self) -> bool:
        return bool(self._registered)

    def of(self, event: Any) -> Iterator[Callable[[Any], object]]:
        """The handlers for an event, in the order of their registration."""
        return (handler for match, handler in list(self._registered) if match(event))
