"""Sign-in and tokens.

Every source of tokens is an `Auth`; pass it as `Coze(auth=…)`. A plain token needs none of this:
`Coze(token)`.

| Kind of app in the console | Class | How to get the `Auth` |
|---|---|---|
| personal or service token | none | `Coze(token)`, or `TokenCallback(function)` |
| web | `WebOAuth` | `app.auth(token_or_store)`; `begin` and `finish` return the token |
| single page, mobile, desktop | `PKCEOAuth` | `app.auth(app.login())` |
| TV, limited input | `DeviceOAuth` | `app.auth(app.login())` |
| service (JWT) | `JWTOAuth` | the `JWTOAuth` object itself |

`load_oauth_app` creates an app from the console's configuration file. Tokens are refreshed
automatically before they expire, once for all threads and tasks. `FileStore`, `KeyringStore` or
your own `TokenStore` keep them for the next run and share them with other processes.

Modules:

- `_web`, `_device`, `_jwt`: the sign-in flows.
- `_app`: code shared by apps with users; `_loopback`: the local server that the browser returns to.
- `_config`: reads the configuration file.
- `_token_response`: parses the responses of the sign-in endpoints.
- `_refresh`: decides when to replace a token; `_concurrency`: shares one refresh among all callers.
- `_stores`: stores tokens; `_values`: tokens and pending sign-ins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_runtime.auth import AsyncTokenCallback as AsyncTokenCallback
    from coze_runtime.auth import AsyncTokenClient as AsyncTokenClient
    from coze_runtime.auth import Auth as Auth
    from coze_runtime.auth import StaticToken as StaticToken
    from coze_runtime.auth import SyncTokenClient as SyncTokenClient
    from coze_runtime.auth import TokenCallback as TokenCallback

    from ._app import OAuthApp as OAuthApp
    from ._app import UserAuth as UserAuth
    from ._app import new_state as new_state
    from ._config import load_oauth_app as load_oauth_app
    from ._device import DeviceOAuth as DeviceOAuth
    from ._jwt import JWTOAuth as JWTOAuth
    from ._jwt import key_signer as key_signer
    from ._stores import AsyncTokenStore as AsyncTokenStore
    from ._stores import FileStore as FileStore
    from ._stores import KeyringStore as KeyringStore
    from ._stores import MemoryStore as MemoryStore
    from ._stores import TokenStore as TokenStore
    from ._token_response import OAuthSetupError as OAuthSetupError
    from ._values import Authorization as Authorization
    from ._values import Clock as Clock
    from ._values import DeviceLogin as DeviceLogin
    from ._values import Token as Token
    from ._values import region_of as region_of
    from ._web import PKCEOAuth as PKCEOAuth
    from ._web import WebOAuth as WebOAuth
    from ._web import challenge_of as challenge_of
    from ._web import new_verifier as new_verifier
else:
    from coze_runtime import lazy

    __getattr__, __dir__ = lazy(
        globals(),
        {
            "._app": "OAuthApp UserAuth new_state",
            "._config": "load_oauth_app",
            "._device": "DeviceOAuth",
            "._jwt": "JWTOAuth key_signer",
            "._stores": "AsyncTokenStore FileStore KeyringStore MemoryStore TokenStore",
            "._token_response": "OAuthSetupError",
            "._values": "Authorization Clock DeviceLogin Token region_of",
            "._web": "PKCEOAuth WebOAuth challenge_of new_verifier",
            "coze_runtime.auth": "AsyncTokenCallback AsyncTokenClient Auth StaticToken "
            "SyncTokenClient TokenCallback",
        },
    )
