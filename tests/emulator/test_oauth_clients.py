"""The sign-in flows of cozekit end to end: browser, device and key against the local Coze."""

from __future__ import annotations

import threading

import anyio
import pytest

from cozekit import AsyncCoze, Coze, OAuthError
from cozekit.auth import Clock, DeviceOAuth, JWTOAuth, PKCEOAuth, WebOAuth, load_oauth_app
from cozekit_emulator import Emulator
from cozekit_emulator.state.ids import ENTERPRISE, USER, WORKSPACE
from cozekit_emulator.state.oauth_apps import DEVICE_APP, JWT_APP, PKCE_APP, WEB_APP, WEB_SECRET

REDIRECT = "https://example.com/callback"


class LocalClock(Clock):
    """The clock of the emulator; waiting moves it."""

    def __init__(self, local: Emulator) -> None:
        self._clock = local.clock

    def time(self) -> float:
        return self._clock.time()

    def monotonic(self) -> float:
        return self._clock.time()

    def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)

    async def sleep_async(self, seconds: float) -> None:
        await anyio.to_thread.run_sync(self._clock.advance, seconds)


@pytest.fixture
def local(coze_emulator: Emulator) -> Emulator:
    return coze_emulator


def refreshes(local: Emulator) -> int:
    return sum(
        b'"refresh_token"' in seen.body
        for seen in local.requests
        if seen.operation == "oauth_token"
    )


def test_a_web_application_signs_a_user_in_and_refreshes_before_the_end(local: Emulator) -> None:
    app = WebOAuth(
        WEB_APP,
        WEB_SECRET,
        REDIRECT,
        base_url=local.base_url,
        www_url=local.base_url,
        clock=LocalClock(local),
    )
    started = app.begin()
    token = app.finish(started, local.browser.agree(started.url))
    with Coze(auth=app.auth(token), base_url=local.base_url) as coze:
        assert coze.users.me().user_id
        assert refreshes(local) == 0
        local.clock.advance(895)
        assert coze.users.me().user_id
        local.clock.advance(1800)
        assert coze.users.me().user_id
    assert refreshes(local) == 2


def test_a_user_who_refuses_is_an_error_of_the_application(local: Emulator) -> None:
    app = WebOAuth(WEB_APP, WEB_SECRET, REDIRECT, base_url=local.base_url, www_url=local.base_url)
    started = app.begin()
    with pytest.raises(OAuthError) as caught:
        app.finish(started, local.browser.refuse(started.url))
    assert caught.value.error == "access_denied"


def test_a_program_signs_its_user_in_on_a_loopback_port(local: Emulator) -> None:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    app = PKCEOAuth(
        PKCE_APP,
        f"http://127.0.0.1:{port}/callback",
        base_url=local.base_url,
        www_url=local.base_url,
    )
    token = app.login(workspace_id=WORKSPACE, show=local.browser.browse, timeout=10)
    with Coze(auth=app.auth(token), base_url=local.base_url) as coze:
        assert coze.users.me().user_id


@pytest.mark.parametrize("agree", [True, False])
def test_a_device_waits_at_the_interval_of_the_server(local: Emulator, agree: bool) -> None:
    app = DeviceOAuth(DEVICE_APP, base_url=local.base_url, clock=LocalClock(local))
    started = app.start()
    deciding = threading.Thread(
        target=local.browser.enter, args=(started.user_code,), kwargs={"agree": agree}
    )
    deciding.start()
    deciding.join()
    if agree:
        with Coze(auth=app.auth(app.wait(started)), base_url=local.base_url) as coze:
            assert coze.users.me().user_id
    else:
        with pytest.raises(OAuthError) as caught:
            app.wait(started)
        assert caught.value.error == "access_denied"


async def test_a_device_whose_user_never_decides_ends(local: Emulator) -> None:
    app = DeviceOAuth(DEVICE_APP, base_url=local.base_url, clock=LocalClock(local))
    started = await app.start_async()
    with pytest.raises(OAuthError) as caught:
        await app.wait_async(started)
    assert caught.value.error == "expired_token"
    waited = [seen for seen in local.requests if seen.operation == "oauth_token"]
    assert len(waited) >= 50, "every 5 seconds for 300"


@pytest.mark.parametrize(
    "ids",
    [{}, {"account_id": USER}, {"enterprise_id": ENTERPRISE}],
    ids=["own", "account", "enterprise"],
)
async def test_a_service_signs_itself_in_and_does_so_again(
    local: Emulator, ids: dict[str, str]
) -> None:
    key = local.app(JWT_APP)
    auth = JWTOAuth(JWT_APP, key.private_key, key.key_id, clock=LocalClock(local), **ids)
    async with AsyncCoze(auth=auth, base_url=local.base_url) as coze:
        assert (await coze.users.me()).user_id
        await anyio.to_thread.run_sync(local.clock.advance, 1000)
        assert (await coze.users.me()).user_id
    assert len(local.oauth.access_tokens) == 2


@pytest.mark.parametrize("client_id", [WEB_APP, PKCE_APP, DEVICE_APP, JWT_APP])
def test_the_configuration_of_an_app_is_loaded(local: Emulator, client_id: str) -> None:
    config = local.app(client_id).config(local.base_url)
    if client_id in (WEB_APP, PKCE_APP):
        assert load_oauth_app(config, redirect_uri=REDIRECT)
    else:
        assert load_oauth_app(config)
