"""What models and results are made of: the base class of every model, open enums, and results that
carry the log id of their call.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from ._publish import publish
from .serialization.convert import Convertible, from_wire, to_wire

T = TypeVar("T")


class _Blank:
    """What msgspec calls with a new model before it fills it in: sets every optional field to
    `None`, all at once.

    Without it msgspec asks a new object for each field that the JSON left out, and each of these
    questions costs an `AttributeError`: three quarters of the time for a piece of an answer. It
    looks `__attrs_pre_init__` up on the class when it meets the class for the first time, and so
    the function is written then. attrs looks too, while it makes the class, and finds nothing,
    since its own `__init__` sets every field anyway.
    """

    def __get__(self, instance: object, cls: type[Model]) -> Callable[[Model], None] | None:
        names = [
            attribute.name
            for attribute in cls.__dict__.get("__attrs_attrs__", ())
            if attribute.default is None
        ]
        if not names:
            return None
        made: dict[str, Any] = {}
        targets = " = ".join(f"self.{name}" for name in names)
        exec(f"def blank(self):\n    {targets} = None", made)  # noqa: S102  # names of fields
        blank: Callable[[Model], None] = made["blank"]
        return blank


class Model(Convertible):
    """Base of every model: an attrs class with one field for each documented property.

    An absent property and `null` both read `None`. Unknown properties are not kept; they are in the
    raw response.
    """

    __slots__ = ("_logid",)
    __attrs_pre_init__ = _Blank()
    _logid: str | None

    @property
    def logid(self) -> str | None:
        """Log id of the call that returned this object; `None` on objects inside of it and on those
        built by hand.
        """
        return getattr(self, "_logid", None)

    def set_logid(self, logid: str | None) -> None:
        """Puts the log id of a call on the object; for code that makes results of its own."""
        self._logid = logid

    def to_dict(self) -> dict[str, Any]:
        """The object as plain JSON data: set fields only, wire names, open enums as their raw
        values.
        """
        found: dict[str, Any] = to_wire(self)
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The object for plain JSON data; a value of the wrong shape is kept as it is."""
        return from_wire(cls, data)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, a.name) == getattr(other, a.name) for a in self.__attrs_attrs__)

    __hash__ = None  # type: ignore[assignment]  # fields may change, so it cannot be a key

    def __repr__(self) -> str:
        shown = ((a.name, getattr(self, a.name), a.repr) for a in self.__attrs_attrs__)
        fields = (
            f"{name}={value!r}" if plain else f"{name}=***"
            for name, value, plain in shown
            if value is not None
        )
        return f"{type(self).__name__}({', '.join(fields)})"


class Empty(Model):
    """The answer of a call that returns nothing but its success."""

    __slots__ = ()
    __attrs_attrs__ = ()


class ResultList(list[T]):
    """A list that an operation returned."""

    logid: str | None = None
    """Log id of the call."""


class ResultDict(dict[str, T]):
    """A mapping that an operation returned."""

    logid: str | None = None
    """Log id of the call."""


class ResultBytes(bytes):
    """The content of a file that an operation returned."""

    logid: str | None = None
    """Log id of the call."""


class ResultText(str):
    """A text that an operation returned."""

    logid: str | None = None
    """Log id of the call."""


class _OpenEnum(enum.EnumMeta):
    def __contains__(cls, value: object) -> bool:
        return value in cls._value2member_map_


class OpenStrEnum(enum.StrEnum, metaclass=_OpenEnum):
    """Known values of a text field. A value newer than this package is accepted, equals its text
    and keeps it.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the description lists this value."""
        return self in type(self)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}.{self._name_}: {self._value_!r}>"
            if self.is_known
            else f"<{type(self).__name__} {self._value_!r}>"
        )


class OpenIntEnum(enum.IntEnum, metaclass=_OpenEnum):
    """Known values of a number field. A value newer than this package is accepted, equals its
    number and keeps it.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        member = int.__new__(cls, value)
        member._name_ = str(value)
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the description lists this value."""
        return self in type(self)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}.{self._name_}: {self._value_}>"
            if self.is_known
            else f"<{type(self).__name__} {self._value_}>"
        )


publish(globals(), "cozekit.types")
