"""What a decoded answer says otherwise than the documented one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def differences(documented: Any, decoded: Any, path: str = "$") -> Iterator[str]:
    """One line for each place. `null` and absence are the same; everything else counts, the type of
    a value as well.
    """
    if isinstance(documented, dict) and isinstance(decoded, dict):
        for key in {**documented, **decoded}:
            yield from differences(documented.get(key), decoded.get(key), f"{path}.{key}")
    elif (
        isinstance(documented, list)
        and isinstance(decoded, list)
        and len(documented) == len(decoded)
    ):
        for item, other in zip(documented, decoded, strict=True):
            yield from differences(item, other, f"{path}[]")
    elif comparable(documented) is not comparable(decoded) or documented != decoded:
        yield f"{path}: {kind(documented)} became {kind(decoded)}"


def comparable(value: Any) -> type:
    """A whole number in a field for any number reads as a float, with nothing lost."""
    return float if type(value) is int else type(value)


def kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return (
        f"{type(value).__name__} {value!r}"
        if isinstance(value, str | int | float)
        else type(value).__name__
    )
