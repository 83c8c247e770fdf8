"""Creates apps from the configuration file that the console offers (`coze_oauth_config.json`), as
the official SDKs do.

Source: https://www.coze.cn/open/docs/developer_guides/ouath_demo
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ._device import DeviceOAuth
from ._jwt import JWTOAuth
from ._token_response import OAuthSetupError
from ._values import SYSTEM, Clock
from ._web import PKCEOAuth, WebOAuth

AnyApp: TypeAlias = WebOAuth | PKCEOAuth | DeviceOAuth | JWTOAuth

_APPS: dict[str, tuple[Callable[..., AnyApp], tuple[str, ...]]] = {
    "web": (WebOAuth, ("client_id", "client_secret", "redirect_uri")),
    "pkce": (PKCEOAuth, ("client_id", "redirect_uri")),
    "device": (DeviceOAuth, ("client_id",)),
    "jwt": (JWTOAuth, ("client_id", "private_key", "public_key_id")),
}
"""Client type → class and required settings."""
_URLS = {"base_url": "coze_api_base", "www_url": "coze_www_base"}


def load_oauth_app(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    redirect_uri: str | None = None,
    clock: Clock = SYSTEM,
) -> AnyApp:
    """Creates the app that a configuration describes.

    Keys: `client_type` (`web`, `pkce`, `device` or `jwt`), `client_id`, `client_secret` (web),
    `private_key` and `public_key_id` (jwt), `coze_api_base`, `coze_www_base`, `redirect_uri` (web
    and pkce; an addition of this package, missing in files from the console). Other keys are
    ignored.

    Args:
        source: Path of the JSON file, or its content.
        redirect_uri: One of the addresses registered with the app; overrides the configuration.
        clock: Source of the time; replace it in tests only.

    Raises:
        OAuthSetupError: The file does not exist or is not a JSON object, or settings are missing or
            malformed; the message lists all that are missing.
    """
    settings = dict(source) if isinstance(source, Mapping) else _read(Path(source).expanduser())
    where = "the configuration" if isinstance(source, Mapping) else str(source)
    if redirect_uri is not None:
        settings["redirect_uri"] = redirect_uri
    client_type = settings.get("client_type")
    if not isinstance(client_type, str) or client_type not in _APPS:
        raise OAuthSetupError(
            f"{where}: client_type is {_describe(client_type)}, not one of {', '.join(_APPS)}",
            argument="client_type",
        )
    app_class, names = _APPS[client_type]
    _check(settings, names, where)
    urls = {argument: settings.get(name) for argument, name in _URLS.items()}
    if client_type == "jwt":
        del urls["www_url"]  # the JWT flow has no sign-in page
    return app_class(**{name: settings[name] for name in names}, **urls, clock=clock)


def _check(settings: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    missing = [name for name in names if not settings.get(name)]
    if missing:
        problem = f"{', '.join(missing)} missing, needed by client_type {settings['client_type']}"
        if "redirect_uri" in missing:
            problem += "; pass redirect_uri=…, an address registered with the app"
        raise OAuthSetupError(f"{where}: {problem}", argument=missing[0])
    not_text = [
        name for name in (*names, *_URLS.values()) if not isinstance(settings.get(name), str | None)
    ]
    if not_text:
        raise OAuthSetupError(f"{where}: {', '.join(not_text)} must be text", argument=not_text[0])


def _read(path: Path) -> dict[str, Any]:
    problem = "it is not a JSON object"
    try:
        settings = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except json.JSONDecodeError as error:
        # Do not quote the file: it may contain a private key.
        problem = f"it is not valid JSON (line {error.lineno})"
    except ValueError:
        problem = "it is not UTF-8 text"
    else:
        if isinstance(settings, dict):
            return settings
    raise OAuthSetupError(f"{path}: {problem}", argument="source")


def _describe(client_type: object) -> str:
    if isinstance(client_type, str) and len(client_type) < 40:
        return repr(client_type)
    return "missing" if client_type is None else "not a client type"
