"""Models and enums of requests and responses: one class per object of the official pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_openapi.models import *  # noqa: F403
else:
    from coze_runtime import lazy

    __getattr__, __dir__ = lazy(globals(), {"coze_openapi.models": "*"})
