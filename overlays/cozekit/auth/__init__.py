"""Where a client has its token from.

Every source is an `Auth`; pass it as `Coze(auth=…)`. A plain token needs none of this: `Coze(token)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Auth as Auth
    from .token import AsyncTokenCallback as AsyncTokenCallback
    from .token import StaticToken as StaticToken
    from .token import TokenCallback as TokenCallback

# Name → module that holds it; a flow that is not used is not loaded.
_MODULES = {"Auth": "base", "StaticToken": "token", "TokenCallback": "token", "AsyncTokenCallback": "token"}


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
