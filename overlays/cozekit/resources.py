"""Classes of client resources such as `coze.bots`, for annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_openapi.resources import *  # noqa: F403
    from coze_openapi.resources_async import *  # noqa: F403
else:
    from coze_runtime import lazy

    __getattr__, __dir__ = lazy(
        globals(),
        {
            "coze_openapi.resources": "*",
            "coze_openapi.resources_async": "*",
        },
    )
