"""Models and enums: what is sent and received, one class for each object of the official pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi import models as _models

if TYPE_CHECKING:
    from coze_openapi.models import *  # noqa: F403


def __getattr__(name: str) -> object:
    value = getattr(_models, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return dir(_models)
