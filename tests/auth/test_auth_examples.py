"""The examples about signing in run as they are, in processes of their own, against the server of
these tests.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.auth.conftest import KEY_ID
from tests.auth.server import LOGID, OAuthServer, Session

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(server: OAuthServer, pem: str, tmp_path: Path) -> dict[str, str]:
    server.clock.now = time.time()  # the examples have the clock of the machine
    server.interval = 0.01
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        redirect = f"http://localhost:{free.getsockname()[1]}/callback"
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "generated"), str(ROOT / "overlays")]),
        "PYTHONWARNINGS": "error",
        "BROWSER": f"{sys.executable} {Path(__file__).with_name('browser.py')} %s &",
        "COZE_API_BASE": server.url,
        "COZE_WEB_OAUTH_CLIENT_ID": server.WEB,
        "COZE_WEB_OAUTH_CLIENT_SECRET": server.secret,
        "COZE_WEB_OAUTH_REDIRECT_URI": redirect,
        "COZE_PKCE_OAUTH_CLIENT_ID": server.PKCE,
        "COZE_PKCE_OAUTH_REDIRECT_URI": redirect,
        "COZE_DEVICE_OAUTH_CLIENT_ID": server.DEVICE,
        "COZE_JWT_OAUTH_CLIENT_ID": server.JWT,
        "COZE_JWT_OAUTH_PRIVATE_KEY": pem,
        "COZE_JWT_OAUTH_PUBLIC_KEY_ID": KEY_ID,
        "COZE_TOKEN_FILE": str(tmp_path / "token.json"),
    }


def run(name: str, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "canary" not in done.stdout + done.stderr
    return done.stdout


def test_auth_pat(server: OAuthServer, environment: dict[str, str]) -> None:
    token = server.new_pair(Session(server.DEVICE))["access_token"]
    assert (
        run("auth_pat.py", {**environment, "COZE_API_TOKEN": token})
        == f"sync:  Ada at {server.url}\nasync: Ada\n"
    )


def test_auth_oauth_web(server: OAuthServer, environment: dict[str, str]) -> None:
    out = run("auth_oauth_web.py", environment)
    assert out.count("refreshable") == 2 and out.endswith("user:      Ada\n")


def test_auth_oauth_web_for_one_workspace(server: OAuthServer, environment: dict[str, str]) -> None:
    assert "Ada" in run("auth_oauth_web.py", environment, "--workspace", server.WORKSPACE)
    assert server.asked[0].path.endswith(f"/workspace_id/{server.WORKSPACE}/authorize")


def test_auth_oauth_pkce(server: OAuthServer, environment: dict[str, str]) -> None:
    assert run("auth_oauth_pkce.py", environment).endswith("user:      Ada\n")


def test_auth_oauth_device(server: OAuthServer, environment: dict[str, str]) -> None:
    server.device_polls.append("authorization_pending")
    out = run("auth_oauth_device.py", environment)
    assert "enter WDJB-MJHT" in out and out.endswith("signed in as Ada\n")


@pytest.mark.parametrize(
    ("scenario", "path"),
    [
        ("developer", "oauth2/token"),
        ("session", "oauth2/token"),
        ("channel", "oauth2/token"),
        ("account", "account/7490888144456000001/token"),
        ("enterprise", "enterprise_id/volcano_210195001/token"),
        ("signer", "oauth2/token"),
    ],
)
def test_auth_oauth_jwt(
    server: OAuthServer, environment: dict[str, str], scenario: str, path: str
) -> None:
    assert run("auth_oauth_jwt.py", environment, scenario) == f"{scenario}: Ada\n" * 2
    (asked,) = server.token_requests
    assert asked.path.endswith(path)


def test_auth_token_store(server: OAuthServer, environment: dict[str, str]) -> None:
    assert run("auth_token_store.py", environment).endswith("signed in\nhello Ada\n")
    assert run("auth_token_store.py", environment) == "hello Ada\n"
    assert run("auth_token_store.py", environment, "--sign-out") == "signed out\n"
    assert not Path(environment["COZE_TOKEN_FILE"]).exists()


def test_auth_token_store_signs_in_again_when_the_session_has_ended(
    server: OAuthServer, environment: dict[str, str]
) -> None:
    run("auth_token_store.py", environment)
    for session in server._sessions:
        session.withdrawn = True
        for token in session.access:
            server.withdraw(token)
    assert run("auth_token_store.py", environment).endswith("hello Ada\n")


def test_auth_exception(server: OAuthServer, environment: dict[str, str]) -> None:
    lines = run("auth_exception.py", environment).splitlines()
    assert lines == [
        "1. rejected locally, nothing was sent: invalid_state",
        f"2. rejected by Coze: invalid_request, HTTP 400, log id {LOGID}",
        "3. invalid setting: private_key",
        f"4. the token was rejected: HTTP 401, code 4100, log id {LOGID}",
    ]


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


def test_auth_web_app(server: OAuthServer, environment: dict[str, str]) -> None:
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def page(address: str) -> str:
        with browser.open(address, timeout=30) as answer:
            return str(answer.read().decode())

    with web_app(environment) as home:
        assert "Sign in with Coze" in page(home)
        assert "Hello Ada" in page(f"{home}login") and "Hello Ada" in page(home)
        assert "Sign in with Coze" in page(f"{home}logout")
        assert [cookie.has_nonstandard_attr("HttpOnly") for cookie in jar] == [True]
        assert "Sign in with Coze" in page(f"{home}callback?code=code_1&state=x"), (
            "an answer that nobody asked for is refused"
        )
    assert len(server.token_requests) == 1


def test_auth_web_app_tells_a_user_who_refused(
    server: OAuthServer, environment: dict[str, str]
) -> None:
    server.consent = "deny"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with web_app(environment) as home:
        with pytest.raises(urllib.error.HTTPError) as caught:
            browser.open(f"{home}login", timeout=30)
        with caught.value:
            assert caught.value.code == 400 and "the user said no" in caught.value.read().decode()


def test_every_example_about_signing_in_is_run() -> None:
    text = Path(__file__).read_text("utf-8")
    for path in (ROOT / "examples").glob("auth_*.py"):
        assert f'"{path.name}"' in text
