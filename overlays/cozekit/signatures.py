"""Gives a method that passes its arguments on the signature of the one that takes them, for `help` and `inspect`.

Type checkers know it by `Unpack[Arguments]`; this is for people and tools that look at run time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def takes(target: Callable[..., Any]) -> Callable[[F], F]:
    """Decorator: `**arguments` of the method stands for the keyword arguments of `target`."""

    def decorate(method: F) -> F:
        own = inspect.signature(method)
        keep = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        taken = [p for name, p in inspect.signature(target).parameters.items() if name not in own.parameters]
        merged = sorted([*keep, *taken], key=lambda p: (p.kind, p.default is not p.empty))
        method.__signature__ = own.replace(parameters=merged)  # type: ignore[attr-defined]  # functions take any attribute
        return method

    return decorate
