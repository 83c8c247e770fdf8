"""Classes of client resources such as `coze.bots`, for annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_openapi.resources import *  # noqa: F403
    from coze_openapi.resources_async import *  # noqa: F403
else:
    from coze_openapi import resources, resources_async

    from ._lazy import lazy

    __getattr__, __dir__, __all__ = lazy(
        globals(),
        {
            "coze_openapi.resources": resources.__all__,
            "coze_openapi.resources_async": resources_async.__all__,
        },
    )
