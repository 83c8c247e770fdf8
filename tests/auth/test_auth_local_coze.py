"""Every documented way to sign in, by the client against the local Coze: sync, in asyncio and in
trio; and the examples, as they are.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
import yaml

from coze_runtime.errors import AuthenticationError, PermissionDeniedError, TokenExpiredError
from cozekit import AsyncCoze, Coze, OAuthError
from cozekit.auth import (
    Auth,
    Clock,
    DeviceOAuth,
    FileStore,
    JWTOAuth,
    PKCEOAuth,
    StaticToken,
    Token,
    WebOAuth,
    challenge_of,
    load_oauth_app,
)
from cozekit_emulator import Emulator
from cozekit_emulator.pytest_plugin import coze_emulator, coze_emulator_server
from cozekit_emulator.state.ids import ENTERPRISE, USER, WORKSPACE
from cozekit_emulator.state.oauth import (
    ACCESS_SECONDS,
    CODE_SECONDS,
    DEVICE_SECONDS,
    REFRESH_SECONDS,
)
from cozekit_emulator.state.oauth_apps import (
    CHANNEL_APP,
    DEVICE_APP,
    JWT_APP,
    KEY_ID,
    PKCE_APP,
    WEB_APP,
    WEB_SECRET,
)
from tests.auth.conftest import Caller

__all__ = ["coze_emulator", "coze_emulator_server"]

ROOT = Path(__file__).parents[2]
REDIRECT = "https://example.com/callback"
NAME = "zhangsan"
BOTS = ("7400000000000000101", "7400000000000000102")
OAUTH = "/api/permission/oauth2"
SHARED = f"{OAUTH}/workspace_id/{WORKSPACE}"


class LocalClock(Clock):
    """The clock of the local Coze, by `ahead` seconds before it; a wait moves it."""

    def __init__(self, local: Emulator, ahead: float = 0.0) -> None:
        self._clock, self._ahead = local.clock, ahead

    def time(self) -> float:
        return self._clock.time() + self._ahead

    def monotonic(self) -> float:
        return self._clock.time()

    def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)

    async def sleep_async(self, seconds: float) -> None:
        await anyio.to_thread.run_sync(self._clock.advance, seconds)


@pytest.fixture
def local(coze_emulator: Emulator) -> Iterator[Emulator]:
    yield coze_emulator
    coze_emulator.reset()  # the clock goes back too


def app_of(local: Emulator, client_id: str, clock: Clock | None = None) -> Any:
    """The app that the configuration file of the console gives."""
    config = local.app(client_id).config(local.base_url)
    redirect = REDIRECT if client_id in (WEB_APP, PKCE_APP) else None
    return load_oauth_app(config, redirect_uri=redirect, clock=clock or LocalClock(local))


def service_of(
    local: Emulator, client_id: str = JWT_APP, clock: Clock | None = None, **more: Any
) -> JWTOAuth:
    return JWTOAuth(
        client_id,
        local.app(client_id).private_key,
        KEY_ID,
        clock=clock or LocalClock(local),
        **more,
    )


def with_browser(
    local: Emulator, call: Caller, app: WebOAuth | PKCEOAuth, workspace_id: str | None = None
) -> Token:
    started = app.begin(workspace_id=workspace_id)
    token: Token = call(app, "finish", started, local.browser.agree(started.url))
    return token


def with_device(
    local: Emulator, call: Caller, app: DeviceOAuth, workspace_id: str | None = None
) -> Token:
    token: Token = call(
        app,
        "login",
        workspace_id=workspace_id,
        show=lambda login: local.browser.enter(login.user_code),
    )
    return token


def asked(local: Emulator, operation: str) -> list[dict[str, Any]]:
    """Bodies of the requests to an operation."""
    return [json.loads(seen.body) for seen in local.requests if seen.operation == operation]


def grants(local: Emulator) -> list[str]:
    return [body["grant_type"].rpartition(":")[2] for body in asked(local, "oauth_token")]


def operations(local: Emulator) -> list[str]:
    return [seen.operation for seen in local.requests]


def refused(call: Caller, owner: Any, method: str, *args: Any, **kwargs: Any) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        call(owner, method, *args, **kwargs)
    assert caught.value.logid
    return caught.value


def with_coze(call: Caller, auth: Auth, base_url: str, use: Callable[[Any], Any]) -> Any:
    """A call with a client of the form under test."""
    if call.form == "sync":
        with Coze(auth=auth, base_url=base_url) as coze:
            return use(coze)

    async def run() -> Any:
        async with AsyncCoze(auth=auth, base_url=base_url) as coze:
            return await use(coze)

    return anyio.run(run, backend=call.form)


# Each entry of the catalogue: how the client signs in, and where it has to ask for that.


def _redirect(
    client_id: str, workspace_id: str | None, *, refresh: bool, local: Emulator, call: Caller
) -> Auth:
    app = app_of(local, client_id)
    token = with_browser(local, call, app, workspace_id)
    if refresh:
        token = call(app, "refresh", token)
    found: Auth = app.auth(token)
    return found


def _device(workspace_id: str | None, *, refresh: bool, local: Emulator, call: Caller) -> Auth:
    app = app_of(local, DEVICE_APP)
    token = with_device(local, call, app, workspace_id)
    if refresh:
        token = call(app, "refresh", token)
    found: Auth = app.auth(token)
    return found


def _service(client_id: str, *, local: Emulator, call: Caller, **more: Any) -> Auth:
    return service_of(local, client_id, **more)


def _scope(*bots: str) -> dict[str, Any]:
    constraint = {"connector_bot_chat_attribute": {"bot_id_list": list(bots)}}
    return {
        "account_permission": {"permission_list": ["Connector.botChat"]},
        "attribute_constraint": constraint,
    }


ENTRIES: dict[str, tuple[Callable[..., Auth], str, str, str]] = {
    "oauth_code#authorize": (
        partial(_redirect, WEB_APP, None, refresh=False),
        "oauth_authorize",
        f"{OAUTH}/authorize",
        "",
    ),
    "oauth_code#authorize_workspace": (
        partial(_redirect, WEB_APP, WORKSPACE, refresh=False),
        "oauth_authorize_workspace",
        f"{SHARED}/authorize",
        "",
    ),
    "oauth_code#token": (
        partial(_redirect, WEB_APP, None, refresh=False),
        "oauth_token",
        f"{OAUTH}/token",
        "authorization_code",
    ),
    "oauth_code#refresh": (
        partial(_redirect, WEB_APP, None, refresh=True),
        "oauth_token",
        f"{OAUTH}/token",
        "refresh_token",
    ),
    "oauth_pkce#authorize": (
        partial(_redirect, PKCE_APP, None, refresh=False),
        "oauth_authorize",
        f"{OAUTH}/authorize",
        "",
    ),
    "oauth_pkce#authorize_workspace": (
        partial(_redirect, PKCE_APP, WORKSPACE, refresh=False),
        "oauth_authorize_workspace",
        f"{SHARED}/authorize",
        "",
    ),
    "oauth_pkce#token": (
        partial(_redirect, PKCE_APP, None, refresh=False),
        "oauth_token",
        f"{OAUTH}/token",
        "authorization_code",
    ),
    "oauth_pkce#refresh": (
        partial(_redirect, PKCE_APP, None, refresh=True),
        "oauth_token",
        f"{OAUTH}/token",
        "refresh_token",
    ),
    "oauth_device_code#device_code": (
        partial(_device, None, refresh=False),
        "oauth_device_code",
        f"{OAUTH}/device/code",
        "",
    ),
    "oauth_device_code#device_code_workspace": (
        partial(_device, WORKSPACE, refresh=False),
        "oauth_device_code_workspace",
        f"{SHARED}/device/code",
        "",
    ),
    "oauth_device_code#token": (
        partial(_device, None, refresh=False),
        "oauth_token",
        f"{OAUTH}/token",
        "device_code",
    ),
    # On no page; the official clients do it.
    "oauth_device_refresh": (
        partial(_device, None, refresh=True),
        "oauth_token",
        f"{OAUTH}/token",
        "refresh_token",
    ),
    "oauth_jwt#token": (partial(_service, JWT_APP), "oauth_token", f"{OAUTH}/token", "jwt-bearer"),
    "oauth_jwt#account_token": (
        partial(_service, JWT_APP, account_id=USER),
        "oauth_account_token",
        f"{OAUTH}/account/{USER}/token",
        "jwt-bearer",
    ),
    "oauth_jwt_channel#token": (
        partial(_service, CHANNEL_APP, scope=_scope(BOTS[0])),
        "oauth_token",
        f"{OAUTH}/token",
        "jwt-bearer",
    ),
    "oauth_jwt_collaborate#token": (
        partial(_service, JWT_APP, account_id=USER, session_name="user-1"),
        "oauth_account_token",
        f"{OAUTH}/account/{USER}/token",
        "jwt-bearer",
    ),
    "oauth_jwt_privilege#token": (
        partial(_service, JWT_APP, enterprise_id=ENTERPRISE),
        "oauth_enterprise_token",
        f"{OAUTH}/enterprise_id/{ENTERPRISE}/token",
        "jwt-bearer",
    ),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_documented_sign_in_brings_a_token_that_works(
    local: Emulator, call: Caller, entry: str
) -> None:
    sign_in, operation, path, grant = ENTRIES[entry]
    auth = sign_in(local=local, call=call)
    assert call.me(auth, local.base_url) == NAME
    found = [
        seen
        for seen in local.requests
        if seen.operation == operation and urlsplit(seen.path).path == path
    ]
    assert len(found) == (2 if grant == "refresh_token" else 1)
    if grant:
        assert json.loads(found[-1].body)["grant_type"].endswith(grant)
    bearer = [
        seen.headers["authorization"] for seen in local.requests if seen.operation == "users_me"
    ]
    assert bearer == [f"Bearer {list(local.oauth.access_tokens)[-1]}"], (
        "the call carries the token that came last"
    )


def test_no_documented_sign_in_is_left_out() -> None:
    ledger = yaml.safe_load((ROOT / "spec/coverage.yaml").read_text("utf-8"))
    pages = {
        name: page["operations"]
        for name, page in ledger["pages"].items()
        if "oauth" in name and page.get("operations")
    }
    listed = {(name, operation) for name, found in pages.items() for operation in found}
    assert listed == {
        (entry.partition("#")[0], row[1]) for entry, row in ENTRIES.items() if "#" in entry
    }


# What a token reaches.


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP])
def test_login_receives_the_browser_on_a_port_of_this_machine(
    local: Emulator, call: Caller, client_id: str
) -> None:
    config = local.app(client_id).config(local.base_url)
    app: Any = load_oauth_app(
        config, redirect_uri=f"http://127.0.0.1:{free_port()}/callback", clock=LocalClock(local)
    )
    token = call(app, "login", show=local.browser.browse, timeout=10)
    assert call.me(app.auth(token), local.base_url) == NAME


def test_a_plain_challenge_is_the_verifier_itself(local: Emulator, call: Caller) -> None:
    app = PKCEOAuth(
        PKCE_APP, REDIRECT, method="plain", base_url=local.base_url, clock=LocalClock(local)
    )
    assert call.me(app.auth(with_browser(local, call, app)), local.base_url) == NAME
    (body,) = asked(local, "oauth_token")
    assert f"code_challenge={body['code_verifier']}&" in local.requests[0].path


def test_the_challenge_on_the_page_is_made_of_the_verifier_in_the_exchange(
    local: Emulator, call: Caller
) -> None:
    with_browser(local, call, app_of(local, PKCE_APP))
    (body,) = asked(local, "oauth_token")
    query = parse_qs(urlsplit(local.requests[0].path).query)
    assert query["code_challenge"] == [challenge_of(body["code_verifier"])]
    assert query["code_challenge_method"] == ["S256"]


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP, DEVICE_APP])
def test_a_token_of_one_workspace_has_no_permissions_of_the_account(
    local: Emulator, call: Caller, client_id: str
) -> None:
    app = app_of(local, client_id)
    sign_in = with_device if client_id == DEVICE_APP else with_browser
    auths = [
        app.auth(sign_in(local, call, app, workspace_id)) for workspace_id in (None, WORKSPACE)
    ]
    assert with_coze(call, auths[0], local.base_url, lambda coze: coze.conversations.create()).id
    with pytest.raises(PermissionDeniedError) as caught:
        with_coze(call, auths[1], local.base_url, lambda coze: coze.conversations.create())
    assert caught.value.code == 4101


def test_a_token_of_one_workspace_stays_one_after_a_refresh(local: Emulator, call: Caller) -> None:
    app = app_of(local, WEB_APP)
    token = call(app, "refresh", with_browser(local, call, app, WORKSPACE))
    assert local.oauth.access_tokens[token.access_token].workspace_id == WORKSPACE


def test_the_scope_of_a_channel_names_its_bots(local: Emulator, call: Caller) -> None:
    auth = service_of(local, CHANNEL_APP, scope=_scope(BOTS[0]))
    assert (
        with_coze(call, auth, local.base_url, lambda coze: coze.bots.retrieve(BOTS[0])).bot_id
        == BOTS[0]
    )
    with pytest.raises(PermissionDeniedError):
        with_coze(call, auth, local.base_url, lambda coze: coze.bots.retrieve(BOTS[1]))


def test_a_scope_is_for_channels_only(local: Emulator, call: Caller) -> None:
    with pytest.raises(OAuthError) as caught:
        call.me(service_of(local, JWT_APP, scope=_scope(BOTS[0])), local.base_url)
    assert (caught.value.error, caught.value.http_status) == ("invalid_request", 400)


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        ({"account_id": USER}, {"account_id": USER}),
        ({"enterprise_id": ENTERPRISE}, {"enterprise_id": ENTERPRISE}),
        ({"session_name": "user-1"}, {"session_name": "user-1"}),
        (
            {"account_id": USER, "session_name": "user-1"},
            {"account_id": USER, "session_name": "user-1"},
        ),
    ],
)
def test_the_token_of_a_service_is_for_whom_it_was_asked(
    local: Emulator, call: Caller, ids: dict[str, str], kept: dict[str, str]
) -> None:
    call.me(service_of(local, duration_seconds=120, **ids), local.base_url)
    (access,) = local.oauth.access_tokens.values()
    assert {
        name: getattr(access, name)
        for name in ("account_id", "enterprise_id", "session_name")
        if getattr(access, name)
    } == kept
    assert 100 < access.expires_at - local.clock.time() <= 120


def test_the_sessions_of_a_service_have_tokens_of_their_own(local: Emulator, call: Caller) -> None:
    service = service_of(local)
    for name in ("user-1", "user-2"):
        assert call.me(service.for_session(name), local.base_url, 2) == NAME
    assert [access.session_name for access in local.oauth.access_tokens.values()] == [
        "user-1",
        "user-2",
    ]


@pytest.mark.parametrize(
    ("kind", "value"), [("account_id", "7400000009999"), ("enterprise_id", "volcano_9999999999")]
)
def test_whoever_did_not_let_the_app_in_is_not_reached(
    local: Emulator, call: Caller, kind: str, value: str
) -> None:
    with pytest.raises(OAuthError) as caught:
        call.me(service_of(local, **{kind: value}), local.base_url)
    assert (caught.value.error, caught.value.http_status) == ("access_denied", 403)
    assert not local.oauth.access_tokens


@pytest.mark.parametrize("ahead", [-300, 300])
def test_a_service_whose_clock_is_five_minutes_off_signs_in(
    local: Emulator, call: Caller, ahead: float
) -> None:
    assert call.me(service_of(local, clock=LocalClock(local, ahead)), local.base_url) == NAME


def test_a_service_with_the_key_of_another_app_is_refused(local: Emulator, call: Caller) -> None:
    own = local.register_app("jwt", public_keys={"other": local.app(JWT_APP).public_keys[KEY_ID]})
    with pytest.raises(OAuthError) as caught:
        call.me(JWTOAuth(own.client_id, local.app(JWT_APP).private_key, KEY_ID), local.base_url)
    assert (caught.value.error, caught.value.http_status) == ("invalid_client", 401)


# The end of a token, on the clock of the server.


def user_auth(local: Emulator, call: Caller, client_id: str, clock: Clock | None = None) -> Auth:
    app = app_of(local, client_id, clock)
    started = app.start() if client_id == DEVICE_APP else None
    if started is None:
        token = with_browser(local, call, app)
    else:
        local.browser.enter(started.user_code)
        token = call(app, "poll", started)
    found: Auth = app.auth(token)
    return found


class Stopped(Clock):
    """A clock that does not see how the time of the server goes on."""

    def __init__(self, local: Emulator) -> None:
        self.now = local.clock.time()

    def time(self) -> float:
        return self.now


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP, DEVICE_APP])
def test_a_token_is_refreshed_before_it_ends(local: Emulator, call: Caller, client_id: str) -> None:
    auth = user_auth(local, call, client_id)
    for seconds in (ACCESS_SECONDS - 70, 15, ACCESS_SECONDS - 70, 15):
        local.clock.advance(seconds)
        assert call.me(auth, local.base_url) == NAME
    assert grants(local)[1:] == ["refresh_token"] * 2
    assert operations(local)[-6:] == ["users_me", "oauth_token", "users_me"] * 2, (
        "no call was refused"
    )


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP, DEVICE_APP])
def test_a_token_that_ended_unseen_is_refreshed_and_the_call_repeated_once(
    local: Emulator, call: Caller, client_id: str
) -> None:
    auth = user_auth(local, call, client_id, Stopped(local))
    local.clock.advance(ACCESS_SECONDS + 1)
    before = len(local.requests)
    assert call.me(auth, local.base_url, 2) == NAME
    assert operations(local)[before:] == ["users_me", "oauth_token", "users_me", "users_me"]
    assert grants(local)[-1] == "refresh_token"


def test_a_service_token_that_ended_unseen_is_replaced_by_a_new_signature(
    local: Emulator, call: Caller
) -> None:
    auth = service_of(local, clock=Stopped(local), duration_seconds=60)
    assert call.me(auth, local.base_url) == NAME
    local.clock.advance(61)
    assert call.me(auth, local.base_url) == NAME
    assert operations(local) == ["oauth_token", "users_me", "users_me", "oauth_token", "users_me"]
    assert len(local.oauth.used_jtis) == 2


def test_a_call_that_writes_is_repeated_once_too(local: Emulator, call: Caller) -> None:
    auth = user_auth(local, call, WEB_APP, Stopped(local))
    local.clock.advance(ACCESS_SECONDS + 1)
    before = len(local.requests)
    assert with_coze(call, auth, local.base_url, lambda coze: coze.conversations.create()).id
    assert operations(local)[before:] == [
        "conversations_create",
        "oauth_token",
        "conversations_create",
    ]


def test_a_call_that_is_refused_with_the_new_token_too_is_not_repeated_again(
    local: Emulator, call: Caller
) -> None:
    auth = user_auth(local, call, WEB_APP, Stopped(local))
    local.emulate("status=401;code=4100;times=2", "users_me")
    before = len(local.requests)
    with pytest.raises(AuthenticationError):
        call.me(auth, local.base_url)
    assert operations(local)[before:] == ["users_me", "oauth_token", "users_me"]


def test_a_plain_token_that_ended_is_an_error_and_nothing_is_repeated(
    local: Emulator, call: Caller
) -> None:
    token = with_browser(local, call, app_of(local, WEB_APP))
    local.clock.advance(ACCESS_SECONDS + 1)
    before = len(local.requests)
    with pytest.raises(TokenExpiredError) as caught:
        call.me(StaticToken(token.access_token), local.base_url)
    assert caught.value.logid
    assert operations(local)[before:] == ["users_me"]


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP, DEVICE_APP])
def test_a_session_ends_with_its_refresh_token(
    local: Emulator, call: Caller, client_id: str
) -> None:
    auth = user_auth(local, call, client_id)
    local.clock.advance(REFRESH_SECONDS + 1)
    before = len(local.requests)
    for _ in range(2):
        with pytest.raises(OAuthError) as caught:
            call.me(auth, local.base_url)
        assert caught.value.error == "invalid_request" and "sign in again" in str(caught.value)
    assert operations(local)[before:] == ["oauth_token"], (
        "a refresh token that was refused is not tried again"
    )


def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(
    local: Emulator, call: Caller
) -> None:
    app = app_of(local, WEB_APP)
    first = with_browser(local, call, app)
    second = call(app, "refresh", first)
    assert refused(call, app, "refresh", first).http_status == 400
    refused(call, app, "refresh", second)
    with pytest.raises(OAuthError):
        call.me(app.auth(second), local.base_url)


def test_the_refreshed_token_is_in_the_file_for_the_next_process(
    local: Emulator, call: Caller, tmp_path: Path
) -> None:
    app = app_of(local, WEB_APP)
    store = FileStore(tmp_path / "token.json")
    store.save(with_browser(local, call, app))
    local.clock.advance(ACCESS_SECONDS)
    assert call.me(app.auth(store), local.base_url) == NAME
    assert call.me(app.auth(FileStore(tmp_path / "token.json")), local.base_url) == NAME
    assert grants(local) == ["authorization_code", "refresh_token"]


def test_a_clock_that_is_wrong_by_a_day_does_not_matter(local: Emulator, call: Caller) -> None:
    app = app_of(local, WEB_APP, LocalClock(local, 86_400))
    auth = app.auth(with_browser(local, call, app))
    assert call.me(auth, local.base_url) == NAME
    local.clock.advance(ACCESS_SECONDS - 5)
    assert call.me(auth, local.base_url) == NAME
    assert operations(local)[-3:] == ["users_me", "oauth_token", "users_me"]


# Refusals.


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP])
@pytest.mark.parametrize("workspace_id", [None, WORKSPACE])
def test_refused_consent_is_told_without_a_question_to_the_server(
    local: Emulator, call: Caller, client_id: str, workspace_id: str | None
) -> None:
    app = app_of(local, client_id)
    started = app.begin(workspace_id=workspace_id)
    returned = local.browser.refuse(started.url)
    with pytest.raises(OAuthError) as caught:
        call(app, "finish", started, returned)
    assert caught.value.error == "access_denied"
    assert grants(local) == []


def test_the_answer_to_another_sign_in_is_refused(local: Emulator, call: Caller) -> None:
    app = app_of(local, PKCE_APP)
    returned = local.browser.agree(app.begin().url)
    with pytest.raises(OAuthError) as caught:
        call(app, "finish", app.begin(), returned)
    assert caught.value.error == "invalid_state"
    assert grants(local) == []


def test_a_wrong_verifier_is_refused_and_shown_nowhere(local: Emulator, call: Caller) -> None:
    app = app_of(local, PKCE_APP)
    started = app.begin()
    code = app.code_from(local.browser.agree(started.url), started.state)
    wrong = "w" * 43
    error = refused(call, app, "exchange", code, wrong)
    assert (error.error, error.http_status) == ("invalid_request", 400)
    assert "code_verifier" in str(error) and wrong not in repr(error) + str(error)


def test_a_wrong_secret_is_refused_and_shown_nowhere(local: Emulator, call: Caller) -> None:
    app = WebOAuth(WEB_APP, "wrong-secret-1", REDIRECT, base_url=local.base_url)
    started = app.begin()
    error = refused(call, app, "finish", started, local.browser.agree(started.url))
    assert (error.error, error.http_status) == ("invalid_client", 401)
    assert "wrong-secret-1" not in repr(error) + str(error)


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP])
def test_a_code_works_once_and_its_second_use_ends_the_session(
    local: Emulator, call: Caller, client_id: str
) -> None:
    app = app_of(local, client_id)
    started = app.begin()
    returned = local.browser.agree(started.url)
    token = call(app, "finish", started, returned)
    error = refused(call, app, "finish", started, returned)
    assert (error.error, error.http_status) == ("invalid_request", 400)
    refused(call, app, "refresh", token)


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP])
def test_a_code_that_has_ended_is_refused(local: Emulator, call: Caller, client_id: str) -> None:
    app = app_of(local, client_id)
    started = app.begin()
    returned = local.browser.agree(started.url)
    local.clock.advance(CODE_SECONDS + 1)
    assert refused(call, app, "finish", started, returned).error == "invalid_request"


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP])
def test_an_address_that_is_not_registered_gets_no_consent_page(
    local: Emulator, client_id: str
) -> None:
    config = local.app(client_id).config(local.base_url)
    app: Any = load_oauth_app(config, redirect_uri="https://elsewhere.example/callback")
    with pytest.raises(PermissionError, match="redirect_uri"):
        local.browser.agree(app.begin().url)


Spelling = Literal["error", "error_code"]
SPELLINGS: tuple[Spelling, ...] = ("error", "error_code")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", [200, 400])
def test_a_device_asks_until_its_user_has_agreed(
    local: Emulator, call: Caller, spelling: Spelling, status: int
) -> None:
    local.oauth.error_field, local.oauth.polling_status = spelling, status
    app = app_of(local, DEVICE_APP)
    started = call(app, "start")
    assert refused(call, app, "poll", started).error == "authorization_pending"
    assert refused(call, app, "poll", started).error == "slow_down"
    local.browser.enter(started.user_code)
    local.clock.advance(60)
    assert call.me(app.auth(call(app, "poll", started)), local.base_url) == NAME
    assert refused(call, app, "poll", started).error == "invalid_request", (
        "a device code works once"
    )


class Hasty(LocalClock):
    """A device whose clock runs away during the second wait; the person decides during the
    third.
    """

    def __init__(self, local: Emulator) -> None:
        super().__init__(local)
        self._local, self._waited, self.waits = local, 0.0, list[float]()

    def monotonic(self) -> float:
        return self._waited

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._waited += seconds
        self._clock.advance(1 if len(self.waits) == 2 else seconds)
        if len(self.waits) == 3:
            (device,) = self._local.oauth.devices.values()
            self._local.browser.enter(device.user_code)

    async def sleep_async(self, seconds: float) -> None:
        await anyio.to_thread.run_sync(self.sleep, seconds)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", [200, 400])
def test_a_device_that_asks_too_fast_waits_longer_from_then_on(
    local: Emulator, call: Caller, spelling: Spelling, status: int
) -> None:
    local.oauth.error_field, local.oauth.polling_status = spelling, status
    clock = Hasty(local)
    app = app_of(local, DEVICE_APP, clock)
    assert call.me(app.auth(call(app, "login", show=lambda login: None)), local.base_url) == NAME
    assert clock.waits == [5, 5, 10]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("workspace_id", [None, WORKSPACE])
def test_a_device_whose_user_refuses_ends_at_once(
    local: Emulator, call: Caller, spelling: Spelling, workspace_id: str | None
) -> None:
    local.oauth.error_field = spelling
    app = app_of(local, DEVICE_APP)
    error = refused(
        call,
        app,
        "login",
        workspace_id=workspace_id,
        show=lambda login: local.browser.enter(login.user_code, agree=False),
    )
    assert error.error == "access_denied"
    assert grants(local) == ["device_code"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_expired_device_code_is_refused(
    local: Emulator, call: Caller, spelling: Spelling
) -> None:
    local.oauth.error_field = spelling
    app = app_of(local, DEVICE_APP)
    started = call(app, "start")
    local.clock.advance(DEVICE_SECONDS + 1)
    assert refused(call, app, "poll", started).error == "expired_token"
    with pytest.raises(PermissionError):
        local.browser.enter(started.user_code)


def test_a_device_stops_asking_when_its_code_has_ended(local: Emulator, call: Caller) -> None:
    app = app_of(local, DEVICE_APP)
    with pytest.raises(OAuthError) as caught:
        call(app, "login", show=lambda login: None)
    assert caught.value.error == "expired_token"
    assert 50 <= len(grants(local)) <= 60, "every 5 seconds of 300"


def test_an_app_of_another_kind_and_an_unknown_one_are_told_apart(
    local: Emulator, call: Caller
) -> None:
    assert (
        refused(call, DeviceOAuth(WEB_APP, base_url=local.base_url), "start").error
        == "access_denied"
    )
    assert (
        refused(call, DeviceOAuth("7400000000999.app.coze", base_url=local.base_url), "start").error
        == "invalid_client"
    )


def test_the_tokens_of_an_app_that_is_switched_off_end(local: Emulator, call: Caller) -> None:
    own = local.register_app("web", redirect_uris=[REDIRECT])
    app = app_of_registered(local, own.config(local.base_url))
    auth = app.auth(with_browser(local, call, app))
    assert call.me(auth, local.base_url) == NAME
    own.enabled = False
    with pytest.raises(OAuthError) as caught:
        call.me(auth, local.base_url)
    assert (caught.value.error, caught.value.http_status) == ("access_denied", 403)


def app_of_registered(local: Emulator, config: dict[str, str]) -> WebOAuth:
    app = load_oauth_app(config, redirect_uri=REDIRECT, clock=LocalClock(local))
    assert isinstance(app, WebOAuth)
    return app


@pytest.mark.parametrize("rule", ["html", "status=500", "cut=5"])
def test_a_token_that_still_works_survives_a_token_endpoint_that_does_not(
    local: Emulator, call: Caller, rule: str
) -> None:
    auth = user_auth(local, call, WEB_APP)
    local.clock.advance(ACCESS_SECONDS - 30)
    local.emulate(f"{rule};times=1", "oauth_token")
    assert call.me(auth, local.base_url) == NAME


# The examples, in processes of their own.


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def environment(local: Emulator, tmp_path: Path) -> dict[str, str]:
    local.oauth.interval = 1  # the examples have the clock of the machine
    browser = tmp_path / "browser.py"
    browser.write_text(
        "import sys\nfrom cozekit_emulator.oauth.browser import "
        f"Browser\nBrowser({local.base_url!r}).browse(sys.argv[1])\n",
        "utf-8",
    )
    redirect = f"http://localhost:{free_port()}/callback"
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "generated"), str(ROOT / "overlays")]),
        "PYTHONWARNINGS": "error",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "BROWSER": f"{sys.executable} {browser} %s &",
        "COZE_API_BASE": local.base_url,
        "COZE_WEB_OAUTH_CLIENT_ID": WEB_APP,
        "COZE_WEB_OAUTH_CLIENT_SECRET": WEB_SECRET,
        "COZE_WEB_OAUTH_REDIRECT_URI": redirect,
        "COZE_PKCE_OAUTH_CLIENT_ID": PKCE_APP,
        "COZE_PKCE_OAUTH_REDIRECT_URI": redirect,
        "COZE_DEVICE_OAUTH_CLIENT_ID": DEVICE_APP,
        "COZE_JWT_OAUTH_CLIENT_ID": JWT_APP,
        "COZE_JWT_OAUTH_PRIVATE_KEY": local.app(JWT_APP).private_key,
        "COZE_JWT_OAUTH_PUBLIC_KEY_ID": KEY_ID,
        "COZE_BOT_ID": BOTS[0],
        "COZE_ACCOUNT_ID": USER,
        "COZE_ENTERPRISE_ID": ENTERPRISE,
        "COZE_TOKEN_FILE": str(tmp_path / "token.json"),
    }


def run(
    local: Emulator,
    name: str,
    environment: dict[str, str],
    *arguments: str,
    agree: bool = True,
    status: int = 0,
) -> str:
    """Output and errors of an example; the code of a device is entered as soon as it is shown."""
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    lines = []
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                for device in list(local.oauth.devices.values()):
                    if device.user_code in line and not device.decision:
                        local.browser.enter(device.user_code, agree=agree)
            code = process.wait(30)
        finally:
            process.kill()
    shown = "".join(lines)
    assert code == status, shown
    secret = [
        WEB_SECRET,
        "BEGIN PRIVATE",
        *local.oauth.access_tokens,
        *local.oauth.refresh_tokens,
        *local.oauth.codes,
        *local.oauth.devices,
    ]
    assert not [word for word in secret if word in shown]
    return shown


def test_auth_pat(local: Emulator, environment: dict[str, str]) -> None:
    out = run(local, "auth_pat.py", {**environment, "COZE_API_TOKEN": local.token})
    assert out == f"sync:  {NAME} at {local.base_url}\nasync: {NAME}\n"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [((), f"{OAUTH}/authorize"), (("--workspace", WORKSPACE), f"{SHARED}/authorize")],
)
def test_auth_oauth_web(
    local: Emulator, environment: dict[str, str], arguments: tuple[str, ...], path: str
) -> None:
    out = run(local, "auth_oauth_web.py", environment, *arguments)
    assert out.count("refreshable") == 2 and out.endswith(f"user:      {NAME}\n")
    assert urlsplit(local.requests[0].path).path == path
    assert grants(local) == ["authorization_code", "refresh_token"]


def test_auth_oauth_pkce(local: Emulator, environment: dict[str, str]) -> None:
    assert run(local, "auth_oauth_pkce.py", environment).endswith(f"user:      {NAME}\n")


@pytest.mark.parametrize("arguments", [(), ("--workspace", WORKSPACE)])
def test_auth_oauth_device(
    local: Emulator, environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    assert run(local, "auth_oauth_device.py", environment, *arguments).endswith(
        f"signed in as {NAME}\n"
    )


def test_auth_oauth_device_whose_user_refuses(local: Emulator, environment: dict[str, str]) -> None:
    out = run(local, "auth_oauth_device.py", environment, agree=False, status=1)
    assert "not signed in: coze.oauth.token: access_denied" in out


@pytest.mark.parametrize(
    "scenario", ["developer", "session", "channel", "account", "enterprise", "signer"]
)
def test_auth_oauth_jwt(local: Emulator, environment: dict[str, str], scenario: str) -> None:
    if scenario == "channel":
        environment["COZE_JWT_OAUTH_CLIENT_ID"] = CHANNEL_APP
    assert run(local, "auth_oauth_jwt.py", environment, scenario) == f"{scenario}: {NAME}\n" * 2
    (access,) = local.oauth.access_tokens.values()
    found = (access.session_name, access.bot_ids, access.account_id, access.enterprise_id)
    assert found == {
        "session": ("user-4711", None, "", ""),
        "channel": ("", BOTS[:1], "", ""),
        "account": ("", None, USER, ""),
        "enterprise": ("", None, "", ENTERPRISE),
    }.get(scenario, ("", None, "", ""))


def test_auth_token_store(local: Emulator, environment: dict[str, str]) -> None:
    assert run(local, "auth_token_store.py", environment).endswith(f"signed in\nhello {NAME}\n")
    assert run(local, "auth_token_store.py", environment) == f"hello {NAME}\n"
    local.clock.advance(ACCESS_SECONDS + 1)
    assert run(local, "auth_token_store.py", environment) == f"hello {NAME}\n"
    assert grants(local)[-1] == "refresh_token"
    local.clock.advance(REFRESH_SECONDS + 1)
    out = run(local, "auth_token_store.py", environment)
    assert out.startswith(
        "the session has ended (invalid_request); signing in again\n"
    ) and out.endswith(f"hello {NAME}\n")
    assert run(local, "auth_token_store.py", environment, "--sign-out") == "signed out\n"
    assert not Path(environment["COZE_TOKEN_FILE"]).exists()


def test_auth_exception(local: Emulator, environment: dict[str, str]) -> None:
    lines = run(local, "auth_exception.py", environment).splitlines()
    logids = [seen.logid for seen in local.requests]
    assert lines == [
        "1. rejected locally, nothing was sent: invalid_state",
        f"2. rejected by Coze: invalid_request, HTTP 400, log id {logids[0]}",
        "3. invalid setting: private_key",
        f"4. the token was rejected: HTTP 401, code 700012006, log id {logids[1]}",
    ]


class _Stay(urllib.request.HTTPRedirectHandler):
    """Shows redirects instead of following them."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class Visitor:
    """A browser of the web application: keeps cookies, and the person in front of it decides."""

    def __init__(self) -> None:
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), _Stay
        )

    def open(self, address: str) -> tuple[int, str, str]:
        """Status, text and where it sends the browser."""
        try:
            answer: Any = self._browser.open(address, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read().decode(), answer.headers.get("Location", "")


@contextmanager
def web_app(environment: dict[str, str]) -> Iterator[str]:
    command = [sys.executable, str(ROOT / "examples" / "auth_web_app.py")]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("open ").strip()
        finally:
            process.terminate()


def test_auth_web_app(local: Emulator, environment: dict[str, str]) -> None:
    with web_app(environment) as home:
        visitor = Visitor()
        assert "Sign in with Coze" in visitor.open(home)[1]
        returned = local.browser.agree(visitor.open(f"{home}login")[2])
        assert visitor.open(returned)[0] == 303
        assert f"Hello {NAME}" in visitor.open(home)[1]
        local.clock.advance(ACCESS_SECONDS + 1)
        assert f"Hello {NAME}" in visitor.open(home)[1], "refreshed by itself"
        assert grants(local) == ["authorization_code", "refresh_token"]
        visitor.open(local.browser.agree(visitor.open(f"{home}login")[2]))
        local.clock.advance(REFRESH_SECONDS + 1)
        assert visitor.open(home)[2] == "/login", "the session at Coze has ended"
        assert "Sign in with Coze" in Visitor().open(home)[1], "another browser is not signed in"


def test_auth_web_app_tells_a_user_who_refused(
    local: Emulator, environment: dict[str, str]
) -> None:
    with web_app(environment) as home:
        visitor = Visitor()
        status, text, _ = visitor.open(local.browser.refuse(visitor.open(f"{home}login")[2]))
        assert status == 400 and "access_denied" in text
    assert grants(local) == []


def test_every_example_about_signing_in_is_run_against_the_local_coze() -> None:
    text = Path(__file__).read_text("utf-8")
    for path in (ROOT / "examples").glob("auth_*.py"):
        assert f'"{path.name}"' in text
