"""A validated request as the handlers of operations get it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from ..callbacks import Dispatcher
from ..openapi.description import Operation
from ..openapi.validation import Inputs
from ..state.store import Collection, Record, State


@dataclass(slots=True)
class ApiRequest:
    """A validated request, and the state on which it works."""

    operation: Operation
    inputs: Inputs
    state: State
    logid: str
    base_url: str
    dispatcher: Dispatcher
    """Delivers callbacks."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""

    @property
    def arguments(self) -> Record:
        """Body fields, query and path parameters in one; the path wins."""
        return {**self.inputs.body, **self.inputs.arguments}

    def arg(self, name: str, default: Any = None) -> Any:
        """One argument, from wherever the operation takes it.

        Args:
            name: Its name.
            default: Value if it is absent or null.
        """
        value = self.arguments.get(name)
        return default if value is None else value

    def collection(self, type_name: str) -> Collection:
        """The collection of a resource type.

        Args:
            type_name: Name of the type.
        """
        return self.state.collection(type_name)

    def find(self, type_name: str, argument: str | None = None) -> Record:
        """The resource that the arguments name.

        Args:
            type_name: Name of its type.
            argument: The argument that holds its id, if it has another name than usual.

        Raises:
            ApiError: It does not exist.
        """
        collection = self.collection(type_name)
        arguments = self.arguments
        if argument is not None:
            arguments[collection.type.id_field] = arguments.get(argument)
        return collection.find(arguments)


Handler = Callable[[ApiRequest], Response | Record | Awaitable[Record]]
"""Carries out an operation. It returns the top-level fields of the envelope beside `code`, `msg`
and `detail`, or a whole response.
"""
