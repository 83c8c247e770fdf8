"""The flows against the exchanges of the official pages, and the two forms of every method against
each other.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import pytest
import yaml

from cozekit import AsyncCoze, Coze
from cozekit.auth import (
    Authorization,
    DeviceOAuth,
    JWTOAuth,
    MemoryStore,
    PKCEOAuth,
    Token,
    WebOAuth,
    challenge_of,
)
from tests.auth.conftest import Caller
from tests.auth.server import MovableClock
from tests.contract.matching import recorder

CASSETTES = Path(__file__).parents[1] / "cassettes" / "documented"
CN = "https://api.coze.cn"
HIDDEN = "REDACTED"
"""What stands in the cassettes in place of every credential."""
CLOCK = MovableClock(1720097500.0)
OLD = Token(access_token=HIDDEN, refresh_token=HIDDEN)


def service(pem: str, **arguments: Any) -> JWTOAuth:
    return JWTOAuth("1", pem, "kid", duration_seconds=86399, base_url=CN, clock=CLOCK, **arguments)


def jwt_token(call: Caller, pem: str, **arguments: Any) -> Token:
    """What the exchange of a JWT brings."""
    store = MemoryStore()
    auth = service(pem, store=store, **arguments)
    if call.form == "sync":
        with Coze(auth=auth, base_url=CN) as coze:
            auth.token(coze)
    else:

        async def ask() -> None:
            async with AsyncCoze(auth=auth, base_url=CN) as coze:
                await auth.token_async(coze)

        anyio.run(ask, backend=call.form)
    token = store.load()
    assert token is not None
    return token


def web(call: Caller, pem: str) -> list[Token]:
    app = WebOAuth(HIDDEN, "secret", "https://coze.com/", base_url=CN, clock=CLOCK)
    return [call(app, "exchange", HIDDEN), call(app, "refresh", OLD)]


def pkce(call: Caller, pem: str) -> list[Token]:
    app = PKCEOAuth(HIDDEN, "https://coze.com/", base_url=CN, clock=CLOCK)
    return [call(app, "exchange", HIDDEN, HIDDEN), call(app, "refresh", OLD)]


def jwt_developer(call: Caller, pem: str) -> list[Token]:
    return [jwt_token(call, pem)]


def jwt_account(call: Caller, pem: str) -> list[Token]:
    return [jwt_token(call, pem, account_id="7490888144456****")]


def jwt_enterprise(call: Caller, pem: str) -> list[Token]:
    return [jwt_token(call, pem, enterprise_id="volcano_210195***")]


EXCHANGES: dict[str, tuple[str, Callable[[Caller, str], list[Token]], list[int]]] = {
    "web": ("oauth_token", web, [1720098388, 1720853011]),
    "pkce": ("oauth_token", pkce, [1720098388, 1720853011]),
    "jwt": ("oauth_token", jwt_developer, [1721135859]),
    "jwt of an account": ("oauth_account_token", jwt_account, [1721135859]),
    "jwt of an enterprise": ("oauth_enterprise_token", jwt_enterprise, [1721135859]),
}


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_flow_makes_the_documented_exchanges(pem: str, call: Caller, name: str) -> None:
    cassette, flow, ends = EXCHANGES[name]
    with recorder().use_cassette(str(CASSETTES / f"{cassette}.yaml")) as tape:
        found = flow(call, pem)
    assert [token.expires_at for token in found] == ends, (
        "moments, although the field is called expires_in"
    )
    assert tape.play_count == len(ends)


def test_the_device_flow_begins_as_documented(call: Caller) -> None:
    with recorder().use_cassette(str(CASSETTES / "oauth_device_code.yaml")):
        login = call(DeviceOAuth(HIDDEN, base_url=CN, clock=CLOCK), "start")
    assert (login.user_code, login.expires_in, login.interval) == ("WDJB-MJHT", 1800, 5)


def test_the_consent_page_is_the_documented_one() -> None:
    uri, challenged = (
        found["request"]["uri"]
        for found in yaml.safe_load((CASSETTES / "oauth_authorize.yaml").read_text())[
            "interactions"
        ]
    )
    redirect = "https://www.coze.cn/open/oauth/apps"
    url = WebOAuth(HIDDEN, "secret", redirect, base_url=CN).authorization_url(state="1294848")
    assert unquote(url) == uri
    verifier = "v" * 43
    url = PKCEOAuth(HIDDEN, redirect, base_url=CN).authorization_url(
        state="1294848", verifier=verifier
    )
    assert unquote(url).replace(challenge_of(verifier), HIDDEN) == challenged


@pytest.mark.parametrize("cls", [WebOAuth, PKCEOAuth, DeviceOAuth, JWTOAuth])
def test_both_forms_of_a_method_take_the_same_arguments(cls: type) -> None:
    names = {name for name in dir(cls) if not name.startswith("_")}
    pairs = sorted(name for name in names if f"{name}_async" in names)
    assert pairs
    for name in pairs:
        sync, other = (inspect.signature(getattr(cls, form)) for form in (name, f"{name}_async"))
        assert list(sync.parameters) == list(other.parameters) and [
            p.kind for p in sync.parameters.values()
        ] == [p.kind for p in other.parameters.values()]
    assert {name for name in names if name.endswith("_async")} == {
        f"{name}_async" for name in pairs
    }


def test_an_authorization_can_be_put_together_from_a_session() -> None:
    """What a web application keeps between two requests is three texts."""
    started = PKCEOAuth("id", "https://app.example/cb", base_url=CN).begin()
    kept = {
        "url": started.url,
        "state": started.state,
        "redirect_uri": started.redirect_uri,
        "verifier": started.verifier,
    }
    assert Authorization(**kept) == started  # type: ignore[arg-type]
