"""Events of chats and workflow runs: one class per event, for `match` and `isinstance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_openapi.events import *  # noqa: F403
    from coze_runtime.streams.events import UnknownEvent as UnknownEvent
else:
    from coze_runtime import lazy

    __getattr__, __dir__ = lazy(
        globals(),
        {
            "coze_openapi.events": "*",
            "coze_runtime.streams.events": "UnknownEvent",
        },
    )
