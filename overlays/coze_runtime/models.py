"""Base class of the models, open enums, and result types that carry the log id of their call."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from . import publish
from .serialization.convert import Convertible, from_wire, to_wire

T = TypeVar("T")
M = TypeVar("M", bound="Model")

# Secrets inside longer texts: of signed URLs, and tokens in configurations for other programs.
_SECRET = re.compile(
    r"""([?&][\w-]*(?:sign|signature|token|auth|credential|secret|key)=|\bbearer )[^&\s'"\\]+""",
    re.IGNORECASE,
)


class _PreInit:
    """Builds the function that msgspec calls on a new model before it fills in the fields: it sets
    every optional field to `None`.

    Without it, msgspec reads each field that the JSON leaves out from the new object, and each read
    costs an `AttributeError`: three quarters of the time to decode a delta. msgspec looks up
    `__attrs_pre_init__` when it first sees a class, so the function is compiled then. attrs looks
    it up too, before the class has fields, and gets None; its `__init__` sets every field anyway.
    """

    def __get__(self, instance: object, cls: type[Model]) -> Callable[[Model], None] | None:
        names = [
            attribute.alias
            for attribute in cls.__dict__.get("__attrs_attrs__", ())
            if attribute.default is None
        ]
        if not names:
            return None
        namespace: dict[str, Any] = {}
        targets = " = ".join(f"self.{name}" for name in names)
        exec(f"def pre_init(self):\n    {targets} = None", namespace)  # noqa: S102  # field names
        pre_init: Callable[[Model], None] = namespace["pre_init"]
        return pre_init


class Model(Convertible):
    """Base class of every model: an attrs class with a field for each documented property.

    Absent properties and `null` both read as `None`. Unknown properties are dropped; use
    `coze.with_raw_response` to see them.
    """

    __slots__ = ("_logid",)
    __attrs_pre_init__ = _PreInit()
    _logid: str | None

    @property
    def logid(self) -> str | None:
        """Log id of the call that returned this object; `None` on nested objects and on objects
        that you built.
        """
        return getattr(self, "_logid", None)

    def set_logid(self, logid: str | None) -> None:
        """Sets the log id.

        Args:
            logid: Log id of the call that returned this object.
        """
        self._logid = logid

    def to_dict(self) -> dict[str, Any]:
        """Returns the object as plain JSON data, without the fields that are `None`. Enums become
        their values.
        """
        data: dict[str, Any] = to_wire(self)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Builds the object from plain JSON data. Never fails: a value of an undocumented type is
        kept as it is.

        Args:
            data: JSON data, as `to_dict` returns it.
        """
        return from_wire(cls, data)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, a.alias) == getattr(other, a.alias) for a in self.__attrs_attrs__)

    __hash__ = None  # type: ignore[assignment]  # fields may change, so it cannot be a key

    def __repr__(self) -> str:
        attributes = ((a.alias, getattr(self, a.alias), a.repr) for a in self.__attrs_attrs__)
        fields = (
            f"{name}={value!r}" if is_shown else f"{name}=***"
            for name, value, is_shown in attributes
            if value is not None
        )
        return _SECRET.sub(r"\1***", f"{type(self).__name__}({', '.join(fields)})")


def renamed(names: Mapping[str, str]) -> Callable[[type[M]], type[M]]:
    """Gives fields their wire names where Python needs other ones, such as `from_` for `from`.

    attrs and msgspec go by `Attribute.name`, which becomes the wire name; programs go by the Python
    name, which stays as `Attribute.alias`.

    Args:
        names: Python name → wire name.
    """

    def rename(cls: type[M]) -> type[M]:
        for python, wire in names.items():
            slot = cls.__dict__[python]
            cls.__annotations__[wire] = cls.__annotations__[python]
            own = next((base.__dict__[wire] for base in cls.__mro__ if wire in base.__dict__), None)
            setattr(cls, wire, slot if own is None else _Written(slot, own))
        fields = cls.__attrs_attrs__
        cls.__attrs_attrs__ = type(fields)(
            f.evolve(name=names.get(f.name, f.name), alias=f.alias) for f in fields
        )
        return cls

    return rename


class _Written:
    """A name of `Model` that is a wire name too: it reads as always, and writes to the field."""

    def __init__(self, slot: Any, own: Any) -> None:
        self.own = own
        self.slot = slot

    def __get__(self, instance: Any, cls: type[Any]) -> Any:
        return self.own.__get__(instance, cls)

    def __set__(self, instance: Any, value: Any) -> None:
        self.slot.__set__(instance, value)


class Empty(Model):
    """The result of a call that returns no data; it has a `logid`."""

    __slots__ = ()
    __attrs_attrs__ = ()


class ResultList(list[T]):
    """A list with the log id of the call that returned it."""

    logid: str | None = None
    """Log id of the call."""


class ResultDict(dict[str, T]):
    """A dict with the log id of the call that returned it."""

    logid: str | None = None
    """Log id of the call."""


class ResultBytes(bytes):
    """Bytes with the log id of the call that returned them."""

    logid: str | None = None
    """Log id of the call."""


class ResultText(str):
    """A string with the log id of the call that returned it."""

    logid: str | None = None
    """Log id of the call."""


class _OpenEnum(enum.EnumMeta):
    __other_values__: Mapping[str, str] = {}

    def __contains__(cls, value: object) -> bool:
        return value in cls._value2member_map_


class OpenStrEnum(enum.StrEnum, metaclass=_OpenEnum):
    """Base class of enums of strings. Unknown values are accepted: the member equals its string,
    and `is_known` is False.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        if value in cls.__other_values__:
            return cls(cls.__other_values__[value])
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this value is documented."""
        return self in type(self)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}.{self._name_}: {self._value_!r}>"
            if self.is_known
            else f"<{type(self).__name__} {self._value_!r}>"
        )


class OpenIntEnum(enum.IntEnum, metaclass=_OpenEnum):
    """Base class of enums of integers. Unknown values are accepted: the member equals its number,
    and `is_known` is False.
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
        """Whether this value is documented."""
        return self in type(self)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}.{self._name_}: {self._value_}>"
            if self.is_known
            else f"<{type(self).__name__} {self._value_}>"
        )


publish(globals(), "cozekit.types")
