"""Apps from the configuration file that the console offers (`coze_oauth_config.json`), as the
official SDKs read it.

Source: https://www.coze.cn/open/docs/developer_guides/ouath_demo
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from .clock import SYSTEM, Clock
from .device import DeviceOAuth
from .failures import OAuthSetupError
from .jwt import JWTOAuth
from .pkce import PKCEOAuth
from .web import WebOAuth

AnyApp: TypeAlias = WebOAuth | PKCEOAuth | DeviceOAuth | JWTOAuth

_NEEDED = {
    "web": ("client_id", "client_secret", "redirect_uri"),
    "pkce": ("client_id", "redirect_uri"),
    "device": ("client_id",),
    "jwt": ("client_id", "private_key", "public_key_id"),
}


def load_oauth_app(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    redirect_uri: str | None = None,
    clock: Clock = SYSTEM,
) -> AnyApp:
    """The app that a configuration describes.

    The keys: `client_type` (`web`, `pkce`, `device` or `jwt`), `client_id`, `client_secret` (web),
    `private_key` and `public_key_id` (jwt), `coze_api_base`, `coze_www_base`, `redirect_uri` (web
    and pkce; ours, as the files of the console have none). Other keys are left alone.

    Args:
        source: Path of the JSON file, or its content.
        redirect_uri: One of the addresses registered with the app; wins over the configuration.
        clock: Another clock, for tests.

    Raises:
        OAuthSetupError: There is no such file, it holds no JSON object, or values are missing or
            malformed; all missing ones are named.
    """
    settings = dict(source) if isinstance(source, Mapping) else _read(Path(source).expanduser())
    where = "the configuration" if isinstance(source, Mapping) else str(source)
    if redirect_uri is not None:
        settings["redirect_uri"] = redirect_uri
    kind = settings.get("client_type")
    if not isinstance(kind, str) or kind not in _NEEDED:
        raise OAuthSetupError(
            f"{where}: client_type is {_shown(kind)}, not one of {', '.join(_NEEDED)}",
            argument="client_type",
        )
    missing = [name for name in _NEEDED[kind] if not settings.get(name)]
    if missing:
        hint = (
            "; pass redirect_uri=…, an address registered with the app"
            if "redirect_uri" in missing
            else ""
        )
        raise OAuthSetupError(
            f"{where}: {', '.join(missing)} missing, needed by client_type {kind}{hint}",
            argument=missing[0],
        )
    names = (*_NEEDED[kind], "coze_api_base", "coze_www_base")
    wrong = [name for name in names if not isinstance(settings.get(name), str | None)]
    if wrong:
        raise OAuthSetupError(f"{where}: {', '.join(wrong)} must be text", argument=wrong[0])
    return _made(kind, settings, clock)


def _made(kind: str, settings: Mapping[str, Any], clock: Clock) -> AnyApp:
    needed = {name: settings[name] for name in _NEEDED[kind]}
    base_url, www_url = settings.get("coze_api_base"), settings.get("coze_www_base")
    if kind == "jwt":
        return JWTOAuth(**needed, base_url=base_url, clock=clock)
    if kind == "web":
        return WebOAuth(**needed, base_url=base_url, www_url=www_url, clock=clock)
    if kind == "pkce":
        return PKCEOAuth(**needed, base_url=base_url, www_url=www_url, clock=clock)
    return DeviceOAuth(**needed, base_url=base_url, www_url=www_url, clock=clock)


def _read(path: Path) -> dict[str, Any]:
    problem = "it holds no JSON object"
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except ValueError as error:
        # Without the text around the place, which may be a key.
        problem = (
            f"it is no JSON (line {error.lineno})"
            if isinstance(error, json.JSONDecodeError)
            else "it is no UTF-8 text"
        )
    else:
        if isinstance(found, dict):
            return found
    raise OAuthSetupError(f"{path}: {problem}", argument="source")


def _shown(kind: object) -> str:
    return (
        repr(kind)
        if isinstance(kind, str) and len(kind) < 40
        else "missing"
        if kind is None
        else "no such word"
    )
