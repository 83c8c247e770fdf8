"""Classes of the resources of a client, such as `coze.bots`, for annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi import resources as _sync
from coze_openapi import resources_async as _async

if TYPE_CHECKING:
    from coze_openapi.resources import *  # noqa: F403
    from coze_openapi.resources_async import *  # noqa: F403


def __getattr__(name: str) -> object:
    value = getattr(_async if name.startswith("Async") else _sync, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*dir(_sync), *dir(_async)})
