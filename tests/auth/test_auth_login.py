"""Signing in the person in front of this machine: the browser goes out, comes back to a port, and
sees a readable page.
"""

from __future__ import annotations

import socket
import sys
import threading
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from cozekit import OAuthError
from cozekit.auth import OAuthSetupError, PKCEOAuth, WebOAuth
from cozekit.auth._loopback import show_page
from tests.auth.conftest import Caller
from tests.auth.server import OAuthServer


@pytest.fixture
def callback() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://localhost:{free.getsockname()[1]}/callback"


@pytest.fixture
def app(server: OAuthServer, callback: str) -> PKCEOAuth:
    return PKCEOAuth(server.PKCE, callback, base_url=server.url, clock=server.clock)


class Browser:
    """Follows the address in a thread of its own, as a browser would, and keeps the last page."""

    def __init__(self, change: Callable[[str], str] = lambda url: url) -> None:
        self.status, self.page = 0, ""
        self.headers: dict[str, str] = {}
        self._change = change
        self.thread: threading.Thread | None = None

    def __call__(self, url: str) -> None:
        self.thread = threading.Thread(target=self._visit, args=(self._change(url),))
        self.thread.start()

    def _visit(self, url: str) -> None:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                self._keep(answer)
        except urllib.error.HTTPError as error:
            with error:
                self._keep(error)

    def _keep(self, answer: Any) -> None:
        self.status, self.page, self.headers = (
            answer.status,
            answer.read().decode(),
            dict(answer.headers),
        )

    def join(self) -> None:
        assert self.thread is not None
        self.thread.join(30)


def test_login_signs_in_and_tells_the_user_so(
    server: OAuthServer, app: PKCEOAuth, call: Caller
) -> None:
    browser = Browser()
    token = call(app, "login", show=browser)
    browser.join()
    assert browser.status == 200 and "Signed in" in browser.page and "code_" not in browser.page
    assert (
        browser.headers["Cache-Control"] == "no-store"
        and browser.headers["Referrer-Policy"] == "no-referrer"
    )
    assert call.me(app.auth(token), server.url) == "Ada"


def test_login_works_for_a_web_app_and_one_workspace(
    server: OAuthServer, callback: str, call: Caller
) -> None:
    app = WebOAuth(server.WEB, server.secret, callback, base_url=server.url, clock=server.clock)
    browser = Browser()
    assert call(app, "login", show=browser, workspace_id=server.WORKSPACE).refresh_token
    browser.join()
    assert server.asked[0].path.endswith(f"/workspace_id/{server.WORKSPACE}/authorize")


def test_a_denied_consent_is_told_to_the_program_and_to_the_user(
    server: OAuthServer, app: PKCEOAuth, call: Caller
) -> None:
    server.consent = "deny"
    browser = Browser()
    with pytest.raises(OAuthError) as caught:
        call(app, "login", show=browser)
    browser.join()
    assert caught.value.error == "access_denied"
    assert (
        browser.status == 400
        and "The sign-in failed" in browser.page
        and "the user said no" in browser.page
    )


def test_a_wrong_state_ends_the_login(server: OAuthServer, app: PKCEOAuth, call: Caller) -> None:
    browser = Browser(lambda url: url.replace("state=", "state=other"))
    with pytest.raises(OAuthError) as caught:
        call(app, "login", show=browser)
    browser.join()
    assert caught.value.error == "invalid_state" and server.token_requests == []
    assert browser.status == 400


def test_what_the_query_says_is_not_markup_on_the_page(app: PKCEOAuth) -> None:
    browser = Browser(
        lambda url: (
            f"{app.redirect_uri}?error=<script>&error_description=<img+src=x>&state={state_of(url)}"
        )
    )
    with pytest.raises(OAuthError):
        app.login(show=browser)
    browser.join()
    assert (
        "&lt;img" in browser.page and "<img" not in browser.page and "<script" not in browser.page
    )


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


def test_nobody_in_time_is_an_error(server: OAuthServer, app: PKCEOAuth, call: Caller) -> None:
    with pytest.raises(OAuthError, match="the user did not finish") as caught:
        call(app, "login", show=lambda url: None, timeout=0.01)
    assert caught.value.error == "login_timeout" and server.asked == []


def test_other_requests_do_not_disturb_the_login(server: OAuthServer, app: PKCEOAuth) -> None:
    """A favicon, another host name that points here, and a connection on which nothing comes."""
    seen: list[int] = []
    idle = socket.socket()
    port = urlsplit(app.redirect_uri).port

    def show(url: str) -> None:
        idle.connect(("127.0.0.1", port))
        other = urllib.request.Request(
            f"{app.redirect_uri}?code=x&state={state_of(url)}", headers={"Host": "evil.example"}
        )
        for target in (f"http://127.0.0.1:{port}/favicon.ico", other):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(target, timeout=30)
            with caught.value:
                seen.append(caught.value.code)
        browser(url)

    browser = Browser()
    with idle:
        assert app.login(show=show).refresh_token
    browser.join()
    assert seen == [404, 404]


@pytest.mark.parametrize(
    "redirect",
    ["https://localhost:1/callback", "http://app.example/callback", "http://10.0.0.1:80/"],
)
def test_a_redirect_that_is_not_this_machine_is_refused(
    server: OAuthServer, redirect: str, call: Caller
) -> None:
    with pytest.raises(OAuthSetupError, match=r"a web application uses begin\(\) and finish\(\)"):
        call(PKCEOAuth(server.PKCE, redirect, base_url=server.url), "login")


def test_a_taken_port_is_named(server: OAuthServer, call: Caller) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OAuthSetupError, match=f"port {port} of redirect_uri cannot be opened"):
            call(PKCEOAuth(server.PKCE, f"http://127.0.0.1:{port}/", base_url=server.url), "login")


def test_the_port_is_free_again_afterwards(app: PKCEOAuth) -> None:
    for _ in range(2):
        browser = Browser()
        assert app.login(show=browser).refresh_token
        browser.join()


def test_the_address_is_opened_in_the_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []

    def keep(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", keep)
    show_page("https://www.coze.cn/x")
    assert opened == ["https://www.coze.cn/x"] and capsys.readouterr() == ("", "")


def test_the_address_is_printed_where_there_is_no_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(url: str) -> bool:
        raise webbrowser.Error("could not locate runnable browser")

    for found in (none, lambda url: False):
        monkeypatch.setattr(webbrowser, "open", found)
        show_page("https://www.coze.cn/x")
        assert "https://www.coze.cn/x" in capsys.readouterr().err


async def test_an_async_login_leaves_the_loop_free_and_can_be_cancelled(app: PKCEOAuth) -> None:
    shown = anyio.Event()
    turns = 0
    async with anyio.create_task_group() as group:

        async def login() -> None:
            await app.login_async(show=lambda url: anyio.from_thread.run_sync(shown.set))

        group.start_soon(login)
        await shown.wait()
        for _ in range(100):
            await anyio.sleep(0)
            turns += 1
        group.cancel_scope.cancel()
    assert turns == 100
    assert sys.exc_info() == (None, None, None)
    browser = Browser()
    assert (await app.login_async(show=browser)).refresh_token
    browser.join()
