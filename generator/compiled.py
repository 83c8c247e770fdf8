"""What the templates read, as plain data."""

from __future__ import annotations

from attrs import define

from .bundle import Bundle
from .operations import Operation
from .schemas import Enum, Model


@define
class Tag:
    """One resource class."""

    name: str
    module: str
    cls: str
    attribute: str
    description: str
    parent: str | None
    source: str


@define
class Compiled:
    """Everything that the templates read."""

    bundle: Bundle
    models: list[Model]
    enums: list[Enum]
    operations: list[Operation]
    tags: list[Tag]
