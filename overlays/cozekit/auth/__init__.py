"""Where the token of a client comes from.

Every source is an `Auth`; pass it as `Coze(auth=…)`. A plain token needs none of this:
`Coze(token)`.

| Kind of app in the console | Class | Gives an `Auth` by |
|---|---|---|
| personal or service token | none | `Coze(token)`, or `TokenCallback(function)` |
| web | `WebOAuth` | `app.auth(token or store)`, the token from `begin` and `finish` |
| single page, mobile, desktop | `PKCEOAuth` | `app.auth(app.login())` |
| TV, limited input | `DeviceOAuth` | `app.auth(app.login())` |
| service (JWT) | `JWTOAuth` | being one |

`load_oauth_app` makes one from the console's configuration file. Tokens that expire are refreshed
by themselves, once for all threads and tasks; `FileStore`, `KeyringStore` or a `TokenStore` of your
own keep them for the next run and share them with other processes.

Inside: `_web`, `_device` and `_jwt` are the flows; `_app` is what apps with users share, and
`_loopback` the server that receives a browser; `_config` reads the configuration file;
`_token_response` reads what the sign-in endpoints respond; `_refresh` decides when a token is
replaced, `_concurrency` lets one refresh serve everybody, and `_stores` keeps tokens; `_values` are
tokens and sign-ins that have begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_runtime.auth import (
        AsyncTokenCallback,
        AsyncTokenClient,
        Auth,
        StaticToken,
        SyncTokenClient,
        TokenCallback,
    )

    from ._app import OAuthApp, UserAuth, new_state
    from ._config import load_oauth_app
    from ._device import DeviceOAuth
    from ._jwt import JWTOAuth, key_signer
    from ._stores import AsyncTokenStore, FileStore, KeyringStore, MemoryStore, TokenStore
    from ._token_response import OAuthSetupError
    from ._values import Authorization, Clock, DeviceLogin, Token, region_of
    from ._web import PKCEOAuth, WebOAuth, challenge_of, new_verifier

__all__ = [
    "AsyncTokenCallback",
    "AsyncTokenClient",
    "AsyncTokenStore",
    "Auth",
    "Authorization",
    "Clock",
    "DeviceLogin",
    "DeviceOAuth",
    "FileStore",
    "JWTOAuth",
    "KeyringStore",
    "MemoryStore",
    "OAuthApp",
    "OAuthSetupError",
    "PKCEOAuth",
    "StaticToken",
    "SyncTokenClient",
    "Token",
    "TokenCallback",
    "TokenStore",
    "UserAuth",
    "WebOAuth",
    "challenge_of",
    "key_signer",
    "load_oauth_app",
    "new_state",
    "new_verifier",
    "region_of",
]

# Module → names; a flow that is not used is not loaded, and a plain token loads none.
_NAMES = {
    "_app": "OAuthApp UserAuth new_state",
    "_config": "load_oauth_app",
    "_device": "DeviceOAuth",
    "_jwt": "JWTOAuth key_signer",
    "_stores": "AsyncTokenStore FileStore KeyringStore MemoryStore TokenStore",
    "_token_response": "OAuthSetupError",
    "_values": "Authorization Clock DeviceLogin Token region_of",
    "_web": "PKCEOAuth WebOAuth challenge_of new_verifier",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = f"{__name__}.{_MODULES[name]}" if name in _MODULES else "coze_runtime.auth"
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
