"""One call on its way through the emulator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from .description import Operation
from .store import Collection, Record, World
from .validation import Inputs

if TYPE_CHECKING:
    from .callbacks import Dispatcher


@dataclass(slots=True)
class Call:
    """A validated request, and the world in which it happens."""

    operation: Operation
    inputs: Inputs
    world: World
    logid: str
    base_url: str
    dispatcher: Dispatcher
    """Delivers callbacks."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the request; names in lower case."""

    @property
    def arguments(self) -> Record:
        """Body fields, query and path parameters in one; the path wins."""
        return {**self.inputs.body, **self.inputs.arguments}

    def arg(self, name: str, default: Any = None) -> Any:
        """One argument, from wherever the operation takes it; an explicit null counts as absent."""
        value = self.arguments.get(name)
        return default if value is None else value

    def collection(self, kind: str) -> Collection:
        """The collection of a kind."""
        return self.world.collection(kind)

    def find(self, kind: str, argument: str | None = None) -> Record:
        """The thing of a kind that the arguments name.

        Raises:
            Refusal: It is unknown.
        """
        collection = self.collection(kind)
        arguments = self.arguments
        if argument is not None:
            arguments[collection.kind.ids[0]] = arguments.get(argument)
        return collection.find(arguments)


Handler = Callable[[Call], Response | Record | Awaitable[Record]]
"""Answers a call: with the top-level fields of the envelope beside `code`, `msg` and `detail`, or
with a whole response.
"""
