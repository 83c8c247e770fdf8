"""Where a client has its token from.

Every source is an `Auth`; pass it as `Coze(auth=…)`. A plain token needs none of this:
`Coze(token)`.

| Kind of app in the console | Class | Gives an `Auth` by |
|---|---|---|
| personal or service token | none | `Coze(token)`, or `TokenCallback(function)` |
| web | `WebOAuth` | `app.auth(token or store)`, the token from `begin` and `finish` |
| single page, mobile, desktop | `PKCEOAuth` | `app.auth(app.login())` |
| TV, limited input | `DeviceOAuth` | `app.auth(app.login())` |
| service (JWT) | `JWTOAuth` | being one |

`load_oauth_app` makes one from the console's configuration file. Tokens that end are renewed by
themselves, once for all threads and tasks; `FileStore`, `KeyringStore` or a `TokenStore` of your
own keep them for the next run and share them with other processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_runtime.auth import AsyncTokenClient as AsyncTokenClient
    from coze_runtime.auth import Auth as Auth
    from coze_runtime.auth import StaticToken as StaticToken
    from coze_runtime.auth import SyncTokenClient as SyncTokenClient

    from .app import OAuthApp as OAuthApp
    from .app import UserAuth as UserAuth
    from .clock import Clock as Clock
    from .config import load_oauth_app as load_oauth_app
    from .device import DeviceOAuth as DeviceOAuth
    from .failures import OAuthSetupError as OAuthSetupError
    from .jwt import JWTOAuth as JWTOAuth
    from .jwt import key_signer as key_signer
    from .model import Authorization as Authorization
    from .model import DeviceLogin as DeviceLogin
    from .model import Token as Token
    from .pkce import PKCEOAuth as PKCEOAuth
    from .pkce import challenge_of as challenge_of
    from .pkce import new_verifier as new_verifier
    from .redirect import new_state as new_state
    from .regions import region_hint as region_hint
    from .regions import region_of as region_of
    from .stores import AsyncTokenStore as AsyncTokenStore
    from .stores import FileStore as FileStore
    from .stores import KeyringStore as KeyringStore
    from .stores import MemoryStore as MemoryStore
    from .stores import TokenStore as TokenStore
    from .token import AsyncTokenCallback as AsyncTokenCallback
    from .token import TokenCallback as TokenCallback
    from .web import WebOAuth as WebOAuth

# Module → names; a flow that is not used is not loaded, and a plain token loads none.
_NAMES = {
    "app": "OAuthApp UserAuth",
    "clock": "Clock",
    "config": "load_oauth_app",
    "device": "DeviceOAuth",
    "failures": "OAuthSetupError",
    "jwt": "JWTOAuth key_signer",
    "model": "Authorization DeviceLogin Token",
    "pkce": "PKCEOAuth challenge_of new_verifier",
    "redirect": "new_state",
    "regions": "region_hint region_of",
    "stores": "AsyncTokenStore FileStore KeyringStore MemoryStore TokenStore",
    "token": "AsyncTokenCallback TokenCallback",
    "web": "WebOAuth",
}
_RUNTIME = ("AsyncTokenClient", "Auth", "StaticToken", "SyncTokenClient")
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
if not TYPE_CHECKING:  # type checkers read the imports above
    __all__ = sorted({*_MODULES, *_RUNTIME})  # noqa: PLE0605


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _MODULES and name not in _RUNTIME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = f"{__name__}.{_MODULES[name]}" if name in _MODULES else "coze_runtime.auth"
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_RUNTIME})
