"""Configuration files of the console, and exact addresses for each site and for any other
base URL.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from coze_openapi.api.oauth import account_token
from coze_openapi.api.users import me
from coze_openapi.errors import SERVICE
from coze_runtime.operation import CallOptions, Response
from coze_runtime.serialization.error_responses import api_error
from cozekit import ArgumentError, AsyncCoze, Coze, OAuthError
from cozekit.auth import (
    DeviceOAuth,
    JWTOAuth,
    OAuthSetupError,
    PKCEOAuth,
    StaticToken,
    WebOAuth,
    load_oauth_app,
    region_of,
)
from tests.auth.conftest import KEY_ID, Caller
from tests.auth.server import OAuthServer

WHOLE = {
    "web": {"client_id": "w.app.coze", "client_secret": "s"},
    "pkce": {"client_id": "p.app.coze"},
    "device": {"client_id": "d.app.coze"},
    "jwt": {"client_id": "1234567", "public_key_id": KEY_ID},
}
CLASSES = {"web": WebOAuth, "pkce": PKCEOAuth, "device": DeviceOAuth, "jwt": JWTOAuth}
HOSTS = {"coze_api_base": "https://api.coze.com", "coze_www_base": "https://www.coze.com"}
REDIRECT = "http://localhost:8080/callback"


def settings(kind: str, pem: str) -> dict[str, Any]:
    return {
        "client_type": kind,
        **WHOLE[kind],
        **HOSTS,
        **({"private_key": pem} if kind == "jwt" else {}),
    }


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("form", ["mapping", "text path", "path"])
def test_each_client_type_gives_its_app(tmp_path: Path, pem: str, kind: str, form: str) -> None:
    found = settings(kind, pem)
    path = tmp_path / "coze_oauth_config.json"
    path.write_text(json.dumps({**found, "a_key_of_tomorrow": [1]}), "utf-8")
    source: Any = {"mapping": found, "text path": str(path), "path": path}[form]
    app = load_oauth_app(source, redirect_uri=REDIRECT)
    assert (
        type(app) is CLASSES[kind]
        and app.client_id == found["client_id"]
        and app.base_url == "https://api.coze.com"
    )
    if isinstance(app, WebOAuth | PKCEOAuth):
        assert app.redirect_uri == REDIRECT and app.www_url == "https://www.coze.com"


def test_hosts_may_be_left_out(pem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COZE_API_BASE", raising=False)
    app = load_oauth_app({"client_type": "device", "client_id": "d"})
    assert (
        isinstance(app, DeviceOAuth)
        and app.base_url == "https://api.coze.cn"
        and app.www_url == "https://www.coze.cn"
    )


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps({"client_type": "device", "client_id": "d"}).encode()
    )
    assert isinstance(load_oauth_app(path), DeviceOAuth)


def test_a_loaded_jwt_app_signs_in(server: OAuthServer, pem: str, call: Caller) -> None:
    loaded = {
        "client_type": "jwt",
        "client_id": server.JWT,
        "private_key": pem.replace("\n", "\\n"),
        "public_key_id": KEY_ID,
    }
    app = load_oauth_app({**loaded, "coze_api_base": server.url + "/"}, clock=server.clock)
    assert isinstance(app, JWTOAuth) and app.base_url == server.url
    assert call.me(app, server.url) == "Ada"


def test_all_missing_values_are_named(pem: str) -> None:
    for kind, needed in {
        "web": "client_id, client_secret, redirect_uri missing",
        "pkce": "client_id, redirect_uri missing",
        "device": "client_id missing",
        "jwt": "client_id, private_key, public_key_id missing",
    }.items():
        with pytest.raises(OAuthSetupError, match=needed):
            load_oauth_app({"client_type": kind})


@pytest.mark.parametrize("kind", [None, "", "oauth", 5, ["web"], {"a": 1}])
def test_an_unknown_client_type_is_refused(kind: Any) -> None:
    with pytest.raises(OAuthSetupError, match="not one of web, pkce, device, jwt"):
        load_oauth_app({"client_type": kind, "client_id": "x"})


def test_values_of_the_wrong_kind_are_named() -> None:
    with pytest.raises(OAuthSetupError, match="client_id, coze_api_base must be text"):
        load_oauth_app({"client_type": "device", "client_id": 5, "coze_api_base": ["x"]})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not valid JSON"),
        (b'{"private_key": "canary', "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_configuration_is_an_error_without_its_content(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(OAuthSetupError, match=problem) as caught:
        load_oauth_app(path)
    assert "canary" not in str(caught.value) and caught.value.__context__ is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OAuthSetupError, match=r"none\.json: No such file"):
        load_oauth_app(tmp_path / "none.json")


BASES = {
    None: ("https://api.coze.cn", "https://www.coze.cn"),
    "https://api.coze.cn": ("https://api.coze.cn", "https://www.coze.cn"),
    "https://api.coze.com/": ("https://api.coze.com", "https://www.coze.com"),
    "http://127.0.0.1:8080": ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    "https://gateway.example:8443/coze/": (
        "https://gateway.example:8443/coze",
        "https://gateway.example:8443/coze",
    ),
    "https://api.example.com/v": ("https://api.example.com/v", "https://www.example.com/v"),
}
QUERY = "response_type=code&client_id=id&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%23a&state=s+1"


@pytest.mark.parametrize("base", BASES)
def test_consent_pages_have_exact_addresses(
    base: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COZE_API_BASE", raising=False)
    api, www = BASES[base]
    app = WebOAuth("id", "secret", "https://app.example/cb#a", base_url=base)
    assert (app.base_url, app.www_url) == (api, www)
    assert app.authorization_url(state="s 1") == f"{www}/api/permission/oauth2/authorize?{QUERY}"
    assert (
        app.authorization_url(state="s 1", workspace_id="7/3")
        == f"{www}/api/permission/oauth2/workspace_id/7%2F3/authorize?{QUERY}"
    )


@pytest.mark.parametrize("base", BASES)
def test_calls_and_token_requests_have_exact_addresses(
    base: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COZE_API_BASE", raising=False)
    api, _ = BASES[base]
    with Coze("pat_x", base_url=base) as coze:
        assert coze.settings.prepare(me.build(), CallOptions(), "pat_x").url == f"{api}/v1/users/me"
        sent = coze.settings.prepare(
            account_token.build(account_id="a/1", authorization="Bearer x", grant_type="x"),
            CallOptions(),
            None,
        )
        assert sent.url == f"{api}/api/permission/oauth2/account/a%2F1/token"


def test_the_host_of_the_pages_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    app = PKCEOAuth(
        "id", "https://app.example/cb", base_url="http://proxy:1/a", www_url="https://www.coze.com/"
    )
    assert app.begin().url.startswith(
        "https://www.coze.com/api/permission/oauth2/authorize?response_type=code&client_id=id&"
    )


def test_the_environment_names_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COZE_API_BASE", "https://api.coze.com")
    assert (
        DeviceOAuth("id").base_url == "https://api.coze.com"
        and DeviceOAuth("id").www_url == "https://www.coze.com"
    )


def test_requests_go_below_a_path_prefix(server: OAuthServer, pem: str, call: Caller) -> None:
    app = DeviceOAuth(server.DEVICE, base_url=f"{server.url}/a/b/", clock=server.clock)
    assert call(app, "start").user_code
    assert server.asked[0].path == "/a/b/api/permission/oauth2/device/code"


@pytest.mark.parametrize(
    ("base", "audience"),
    [
        ("https://api.coze.cn", "api.coze.cn"),
        ("https://api.coze.com", "api.coze.com"),
        ("http://127.0.0.1:9/x", "127.0.0.1:9"),
    ],
)
def test_the_audience_is_the_host_of_the_base(base: str, audience: str) -> None:
    signed: list[bytes] = []

    def sign(message: bytes) -> bytes:
        signed.append(message)
        raise RuntimeError("nothing is sent")

    auth = JWTOAuth("1", public_key_id="k", signer=sign)
    with Coze(auth=auth, base_url=base) as coze, pytest.raises(OAuthError):
        auth.token(coze)
    claims = signed[0].split(b".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + b"=="))["aud"] == audience


@pytest.mark.parametrize(
    ("site", "other"), [("coze.cn", "coze.com"), ("coze.com", "coze.cn"), ("example.com", None)]
)
def test_an_error_about_a_token_names_the_other_site(site: str, other: str | None) -> None:
    response = Response(
        status=401,
        headers={},
        content=b"",
        operation=me.OPERATION,
        base_url=f"https://api.{site}",
        service=SERVICE,
    )
    hint = str(api_error(response, code=4100, msg="authentication is invalid"))
    assert (f"base_url='https://api.{other}'" in hint) == (other is not None)


def test_regions_are_known_by_their_hosts() -> None:
    assert (
        region_of("https://api.coze.cn/x") == "coze.cn"
        and region_of("https://WWW.COZE.COM") == "coze.com"
    )
    assert (
        region_of("https://api.coze.cn.evil.example") is None
        and region_of("http://127.0.0.1") is None
    )


def test_a_sign_in_of_one_site_is_refused_for_the_other(pem: str, call: Caller) -> None:
    from cozekit.auth import Token

    device = DeviceOAuth("d", base_url="https://api.coze.com").auth(Token(access_token="czu_x"))
    for auth in (JWTOAuth("1", pem, "k", base_url="https://api.coze.com"), device):
        with pytest.raises(
            ArgumentError,
            match=r"a token of coze\.com is rejected by coze\.cn;",
        ):
            call.me(auth, "https://api.coze.cn")


def test_tokens_may_come_from_another_address_than_the_calls_go_to(
    server: OAuthServer, pem: str, call: Caller
) -> None:
    """A gateway for the calls, Coze itself for the sign-in: both were named, so it is meant."""
    auth = JWTOAuth(server.JWT, pem, KEY_ID, base_url=server.url, clock=server.clock)
    assert call.me(auth, server.url.replace("127.0.0.1", "localhost")) == "Ada"
    assert server.token_requests[0].headers["host"] == server.url.removeprefix("http://")
    assert server.api_requests[0].headers["host"].startswith("localhost:")


def test_a_static_token_knows_both_clients() -> None:
    for cls in (Coze, AsyncCoze):
        assert (
            repr(cls(auth=StaticToken("pat_x"), base_url="https://api.coze.com"))
            == f"<{cls.__name__} https://api.coze.com>"
        )
