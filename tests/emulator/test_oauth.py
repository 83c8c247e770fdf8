"""The local Coze as authorization server: every flow by hand, every documented refusal."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from coze_openapi import Client
from coze_runtime.errors import APIError, TokenExpiredError
from cozekit_emulator import Emulator, bots, oauth_apps
from cozekit_emulator.state.ids import ENTERPRISE, USER, WORKSPACE
from cozekit_emulator.state.oauth_apps import CHANNEL_APP, DEVICE_APP, JWT_APP, PKCE_APP, WEB_APP
from tests.emulator.arguments import question
from tests.emulator.sign_in import (
    DEVICE_GRANT,
    JWT_GRANT,
    REDIRECT,
    SECRET,
    authorize_url,
    challenge,
    claims,
    code_of,
    exchange,
    query_of,
    signed,
)

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""RFC 7636, appendix B, with its challenge."""
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ACCOUNT_PATH = f"/api/permission/oauth2/account/{USER}/token"
ENTERPRISE_PATH = f"/api/permission/oauth2/enterprise_id/{ENTERPRISE}/token"
DEVICE_PATH = "/api/permission/oauth2/device/code"


@pytest.fixture
def local(coze_emulator: Emulator) -> Emulator:
    return coze_emulator


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, word and text of a refusal in the form that all flows share."""
    body = answer.json()
    assert body.keys() == {"error", "error_code", "error_message"}
    assert body["error"] == ""
    assert answer.headers["x-tt-logid"]
    return answer.status_code, body["error_code"], body["error_message"]


def invalid(parameter: str) -> tuple[int, str, str]:
    return 400, "invalid_request", f"invalid request: {parameter}"


def web_body(local: Emulator, **changes: Any) -> dict[str, Any]:
    """A good exchange of a fresh code."""
    code = code_of(local.browser.agree(authorize_url(local.base_url, WEB_APP)))
    return {
        "grant_type": "authorization_code",
        "client_id": WEB_APP,
        "code": code,
        "redirect_uri": REDIRECT,
        **changes,
    }


def web_tokens(local: Emulator) -> dict[str, Any]:
    return exchange(local.base_url, web_body(local), SECRET).json()


def refresh_body(token: str, client_id: str = WEB_APP) -> dict[str, Any]:
    return {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token}


def works(local: Emulator, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return (
        httpx.get(f"{local.base_url}/v1/users/me", headers=headers, trust_env=False).status_code
        == 200
    )


def device(local: Emulator) -> dict[str, Any]:
    return exchange(local.base_url, {"client_id": DEVICE_APP}, path=DEVICE_PATH).json()


def poll(local: Emulator, codes: dict[str, Any]) -> httpx.Response:
    return exchange(
        local.base_url,
        {"grant_type": DEVICE_GRANT, "client_id": DEVICE_APP, "device_code": codes["device_code"]},
    )


# Web flow and pages


def test_the_authorize_address_leads_to_a_page_that_names_app_and_address(local: Emulator) -> None:
    sent = httpx.get(authorize_url(local.base_url, WEB_APP), trust_env=False)
    page = httpx.get(sent.headers["location"], trust_env=False)
    assert sent.status_code == 302
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert oauth_apps.samples("", "")[WEB_APP].name in page.text
    assert REDIRECT in page.text
    assert "all your workspaces" in page.text


def test_agreeing_brings_a_code_and_the_state_unchanged(local: Emulator) -> None:
    back = local.browser.agree(authorize_url(local.base_url, WEB_APP))
    assert back.startswith(f"{REDIRECT}?code=code_")
    assert query_of(back)["state"] == "s t&="


def test_refusing_brings_an_error_and_the_state(local: Emulator) -> None:
    found = query_of(local.browser.refuse(authorize_url(local.base_url, WEB_APP)))
    assert (found["error"], found["state"], "code" in found) == ("access_denied", "s t&=", False)


def test_a_query_of_the_redirect_address_stays(local: Emulator) -> None:
    local.register_app("web", client_id="mine", redirect_uris=["https://example.com/back?tenant=1"])
    url = authorize_url(local.base_url, "mine", redirect_uri="https://example.com/back?tenant=1")
    assert query_of(local.browser.agree(url))["tenant"] == "1"


def test_a_decision_is_made_once(local: Emulator) -> None:
    consent = httpx.get(authorize_url(local.base_url, WEB_APP), trust_env=False).headers["location"]
    form = {"authorize_key": query_of(consent)["authorize_key"], "decision": "agree"}
    found = [
        httpx.post(f"{local.base_url}/oauth/consent", data=form, trust_env=False).status_code
        for _ in range(2)
    ]
    assert found == [302, 403]


def test_a_consent_page_ends(local: Emulator) -> None:
    consent = httpx.get(authorize_url(local.base_url, WEB_APP), trust_env=False).headers["location"]
    local.clock.advance(601)
    page = httpx.get(consent, trust_env=False)
    assert (page.status_code, "login session invalid" in page.text) == (403, True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_id": "unknown"}, (401, "invalid_client", "invalid client")),
        ({"client_id": DEVICE_APP}, (403, "access_deny", "invalid app type")),
        ({"redirect_uri": "https://elsewhere.example.com/callback"}, invalid("redirect_uri")),
        ({"redirect_uri": f"{REDIRECT}/further"}, invalid("redirect_uri")),
        ({"redirect_uri": "https://example.com:444/callback"}, invalid("redirect_uri")),
        ({"response_type": "token"}, invalid("response_type")),
        ({"state": ""}, invalid("state")),
        ({"client_id": PKCE_APP}, invalid("code_challenge")),
        (
            {"client_id": PKCE_APP, "code_challenge": "c", "code_challenge_method": "S1"},
            invalid("code_challenge_method"),
        ),
    ],
    ids=lambda value: "-".join(map(str, value.items())) if isinstance(value, dict) else "",
)
def test_a_wrong_authorize_address_sends_the_browser_nowhere(
    local: Emulator, changes: dict[str, str], expected: tuple[int, str, str]
) -> None:
    url = authorize_url(local.base_url, **{"client_id": WEB_APP, **changes})
    assert refusal(httpx.get(url, trust_env=False)) == expected
    with pytest.raises(PermissionError, match=expected[2]):
        local.browser.agree(url)


def test_the_page_of_a_refusal_escapes_what_it_shows(local: Emulator) -> None:
    local.register_app("web", client_id="mine", name="<script>alert(1)</script>", enabled=False)
    page = httpx.get(
        authorize_url(local.base_url, "mine"), headers={"Accept": "text/html"}, trust_env=False
    )
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text


def test_a_loopback_address_is_allowed_with_any_port(local: Emulator) -> None:
    back = local.browser.agree(
        authorize_url(local.base_url, WEB_APP, redirect_uri="http://127.0.0.1:54321/callback")
    )
    assert back.startswith("http://127.0.0.1:54321/callback?code=")


# Codes


def test_a_code_is_exchanged_for_a_token_whose_end_is_a_moment(local: Emulator) -> None:
    before = int(time.time())
    found = web_tokens(local)
    assert found.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert found["access_token"].startswith("czu_")
    assert found["token_type"] == "Bearer"
    assert before + 900 <= found["expires_in"] <= time.time() + 900
    assert works(local, found["access_token"])


def test_the_secret_travels_as_bearer_and_nowhere_else(local: Emulator) -> None:
    body = web_body(local, client_secret=oauth_apps.WEB_SECRET)
    expected = (401, "invalid_client", "invalid client")
    assert refusal(exchange(local.base_url, body)) == expected
    assert refusal(exchange(local.base_url, body, {"Authorization": "Bearer wrong"})) == expected
    assert (
        refusal(exchange(local.base_url, body, {"Authorization": f"Basic {oauth_apps.WEB_SECRET}"}))
        == expected
    )
    assert exchange(local.base_url, body, SECRET).status_code == 200


def test_a_form_body_is_refused(local: Emulator) -> None:
    answer = httpx.post(
        f"{local.base_url}/api/permission/oauth2/token",
        data=web_body(local),
        headers=SECRET,
        trust_env=False,
    )
    assert refusal(answer) == invalid("body")


@pytest.mark.parametrize("name", ["client_id", "code", "redirect_uri"])
def test_a_missing_field_of_the_exchange_is_named(local: Emulator, name: str) -> None:
    body = web_body(local)
    del body[name]
    assert refusal(exchange(local.base_url, body, SECRET)) == invalid(name)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_id": "unknown"}, (401, "invalid_client", "invalid client")),
        ({"code": "code_unknown"}, invalid("code")),
        ({"redirect_uri": "http://localhost/callback"}, invalid("redirect_uri")),
        (
            {"grant_type": "password"},
            (400, "unsupported_grant_type", "not supported grant type: password"),
        ),
        (
            {"client_id": DEVICE_APP},
            (400, "unsupported_grant_type", "not supported grant type: authorization_code"),
        ),
    ],
    ids=["client", "code", "address", "grant", "kind"],
)
def test_a_wrong_exchange_is_refused(
    local: Emulator, changes: dict[str, str], expected: tuple[int, str, str]
) -> None:
    assert refusal(exchange(local.base_url, web_body(local, **changes), SECRET)) == expected


def test_a_code_of_another_app_is_refused(local: Emulator) -> None:
    other = local.register_app("web")
    headers = {"Authorization": f"Bearer {other.client_secret}"}
    assert refusal(
        exchange(local.base_url, web_body(local, client_id=other.client_id), headers)
    ) == invalid("code")


def test_a_code_ends_after_ten_minutes(local: Emulator) -> None:
    body = web_body(local)
    local.clock.advance(601)
    assert refusal(exchange(local.base_url, body, SECRET)) == invalid("code")


def test_a_code_that_comes_twice_takes_its_tokens_along(local: Emulator) -> None:
    body = web_body(local)
    token = exchange(local.base_url, body, SECRET).json()["access_token"]
    assert works(local, token)
    assert refusal(exchange(local.base_url, body, SECRET)) == invalid("code")
    assert not works(local, token)


# PKCE


def pkce_body(local: Emulator, verifier: str, **query: str) -> dict[str, Any]:
    code = code_of(local.browser.agree(authorize_url(local.base_url, PKCE_APP, **query)))
    return {
        "grant_type": "authorization_code",
        "client_id": PKCE_APP,
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": verifier,
    }


def test_the_challenge_of_the_rfc_is_that_of_its_verifier() -> None:
    assert challenge(VERIFIER) == CHALLENGE


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S256"}, {}),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, {}),
        ({"code_challenge": VERIFIER}, {"Authorization": "Bearer"}),
    ],
    ids=["S256", "plain", "default"],
)
def test_the_right_verifier_opens_a_session_without_a_secret(
    local: Emulator, query: dict[str, str], headers: dict[str, str]
) -> None:
    found = exchange(local.base_url, pkce_body(local, VERIFIER, **query), headers).json()
    again = exchange(local.base_url, refresh_body(found["refresh_token"], PKCE_APP), headers).json()
    assert works(local, again["access_token"])


def test_a_wrong_verifier_is_refused_and_the_code_survives(local: Emulator) -> None:
    body = pkce_body(local, "wrong", code_challenge=CHALLENGE, code_challenge_method="S256")
    assert refusal(exchange(local.base_url, body)) == invalid("code_verifier")
    assert refusal(exchange(local.base_url, {**body, "code_verifier": CHALLENGE})) == invalid(
        "code_verifier"
    )
    assert exchange(local.base_url, {**body, "code_verifier": VERIFIER}).status_code == 200


def test_a_missing_verifier_is_refused(local: Emulator) -> None:
    body = pkce_body(local, "", code_challenge=CHALLENGE, code_challenge_method="S256")
    assert refusal(exchange(local.base_url, body)) == invalid("code_verifier")


# Refresh and expiry


def test_a_refresh_brings_a_new_pair_and_spends_the_old_one(local: Emulator) -> None:
    first = web_tokens(local)
    second = exchange(local.base_url, refresh_body(first["refresh_token"]), SECRET).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert works(local, second["access_token"])
    assert works(local, first["access_token"])


def test_a_refresh_token_that_comes_twice_ends_the_whole_session(local: Emulator) -> None:
    first = web_tokens(local)
    second = exchange(local.base_url, refresh_body(first["refresh_token"]), SECRET).json()
    assert refusal(
        exchange(local.base_url, refresh_body(first["refresh_token"]), SECRET)
    ) == invalid("refresh_token")
    assert refusal(
        exchange(local.base_url, refresh_body(second["refresh_token"]), SECRET)
    ) == invalid("refresh_token")
    assert not works(local, second["access_token"])


def test_a_refresh_needs_the_secret_of_a_web_app(local: Emulator) -> None:
    body = refresh_body(web_tokens(local)["refresh_token"])
    assert refusal(exchange(local.base_url, body))[1] == "invalid_client"


def test_a_refresh_token_belongs_to_its_app(local: Emulator) -> None:
    other = local.register_app("web", client_secret="s")
    body = refresh_body(web_tokens(local)["refresh_token"], other.client_id)
    assert refusal(exchange(local.base_url, body, {"Authorization": "Bearer s"})) == invalid(
        "refresh_token"
    )


def test_a_refresh_token_ends_after_thirty_days(local: Emulator) -> None:
    token = web_tokens(local)["refresh_token"]
    local.clock.advance(30 * 86400 + 1)
    assert refusal(exchange(local.base_url, refresh_body(token), SECRET)) == invalid(
        "refresh_token"
    )


def test_an_access_token_ends_at_its_moment(local: Emulator) -> None:
    token = web_tokens(local)["access_token"]
    with Client(token, base_url=local.base_url, max_retries=0) as client:
        local.clock.advance(890)
        assert client.users.me().user_id
        local.clock.advance(11)
        with pytest.raises(TokenExpiredError) as reading:
            client.users.me()
        with pytest.raises(TokenExpiredError) as writing:
            client.chat.create(
                bot_id=bots.ANSWERING, user_id="u", additional_messages=[question("hi")]
            )
    assert [(error.value.http_status, error.value.code) for error in (reading, writing)] == [
        (401, 700012006),
        (401, 4100),
    ]


def test_the_date_of_answers_goes_by_the_clock(local: Emulator, http: httpx.Client) -> None:
    local.clock.advance(3600)
    told = (
        time.mktime(
            time.strptime(http.get("/v1/users/me").headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
        )
        - time.timezone
    )
    assert abs(told - time.time() - 3600) < 5


def test_the_clock_does_not_go_back(local: Emulator) -> None:
    with pytest.raises(ValueError, match="forward"):
        local.clock.advance(-1)


def test_a_reset_forgets_tokens_apps_and_the_time(local: Emulator) -> None:
    token = web_tokens(local)["access_token"]
    app = local.register_app("web")
    local.clock.advance(100)
    local.reset()
    assert not works(local, token)
    assert app.client_id not in local.oauth.apps
    assert abs(local.clock.time() - time.time()) < 5


# Apps


def test_a_disabled_app_is_refused_everywhere_and_its_tokens_stop(local: Emulator) -> None:
    app = local.register_app("web", name="shop", client_secret="s")
    headers = {"Authorization": "Bearer s"}
    code = code_of(local.browser.agree(authorize_url(local.base_url, app.client_id)))
    body = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "code": code,
        "redirect_uri": REDIRECT,
    }
    tokens = exchange(local.base_url, body, headers).json()
    app.enabled = False
    expected = (403, "access_deny", "app shop is currently deactivated by the owner")
    assert (
        refusal(
            exchange(local.base_url, refresh_body(tokens["refresh_token"], app.client_id), headers)
        )
        == expected
    )
    assert (
        refusal(httpx.get(authorize_url(local.base_url, app.client_id), trust_env=False))
        == expected
    )
    assert not works(local, tokens["access_token"])


def test_an_unknown_kind_of_app_is_an_error(local: Emulator) -> None:
    with pytest.raises(ValueError, match="web, pkce, device, jwt"):
        local.register_app("mobile")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("client_id", "keys"),
    [
        (WEB_APP, {"client_secret"}),
        (PKCE_APP, set()),
        (DEVICE_APP, set()),
        (JWT_APP, {"private_key", "public_key_id"}),
    ],
)
def test_the_configuration_of_an_app_has_the_fields_of_its_flow(
    local: Emulator, client_id: str, keys: set[str]
) -> None:
    found = local.app(client_id).config(local.base_url)
    assert found.keys() == {"client_type", "client_id", "coze_www_base", "coze_api_base"} | keys
    assert all(found.values())


def test_no_secret_of_an_app_is_in_its_text(local: Emulator) -> None:
    text = repr(local.app(JWT_APP)) + repr(local.app(WEB_APP)) + repr(local.oauth)
    assert "PRIVATE" not in text
    assert oauth_apps.WEB_SECRET not in text


# Workspaces


def test_a_token_of_one_workspace_has_no_permissions_of_the_account(local: Emulator) -> None:
    consent = httpx.get(authorize_url(local.base_url, WEB_APP, WORKSPACE), trust_env=False).headers[
        "location"
    ]
    assert WORKSPACE in httpx.get(consent, trust_env=False).text
    code = code_of(local.browser.agree(authorize_url(local.base_url, WEB_APP, WORKSPACE)))
    first = exchange(local.base_url, web_body(local, code=code), SECRET).json()
    second = exchange(local.base_url, refresh_body(first["refresh_token"]), SECRET).json()
    for token in (first["access_token"], second["access_token"]):
        with Client(token, base_url=local.base_url, max_retries=0) as client:
            assert client.users.me().user_id
            with pytest.raises(APIError, match="4101"):
                client.conversations.create()


# Devices


def test_a_device_gets_codes_whose_life_is_a_duration(local: Emulator) -> None:
    found = device(local)
    assert found.keys() == {
        "device_code",
        "user_code",
        "verification_uri",
        "expires_in",
        "interval",
    }
    assert (found["expires_in"], found["interval"]) == (300, 5)
    assert found["verification_uri"] == f"{local.base_url}/device"


def test_the_page_for_devices_takes_the_code_from_the_address(local: Emulator) -> None:
    codes = device(local)
    page = httpx.get(
        codes["verification_uri"], params={"user_code": codes["user_code"]}, trust_env=False
    )
    assert f'value="{codes["user_code"]}"' in page.text


def test_a_device_waits_until_its_user_agrees(local: Emulator) -> None:
    codes = device(local)
    waiting = poll(local, codes)
    local.browser.enter(codes["user_code"].lower().replace("-", " "))
    local.clock.advance(5)
    found = poll(local, codes)
    assert (waiting.status_code, waiting.json()["error"]) == (400, "authorization_pending")
    assert found.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert works(local, found.json()["access_token"])
    assert (
        exchange(
            local.base_url, refresh_body(found.json()["refresh_token"], DEVICE_APP)
        ).status_code
        == 200
    )


def test_a_device_code_brings_one_token(local: Emulator) -> None:
    codes = device(local)
    local.browser.enter(codes["user_code"])
    assert poll(local, codes).status_code == 200
    assert refusal(poll(local, codes)) == invalid("device_code")


def test_each_question_that_comes_too_early_lengthens_the_interval(local: Emulator) -> None:
    codes = device(local)
    words = [poll(local, codes).json()["error"]]
    # The interval is 5 s, then 10 s, then 15 s; it counts from the last question.
    for seconds in (0, 5, 15):
        local.clock.advance(seconds)
        words.append(poll(local, codes).json()["error"])
    assert words == ["authorization_pending", "slow_down", "slow_down", "authorization_pending"]


def test_a_refused_device_is_told_so(local: Emulator) -> None:
    codes = device(local)
    local.browser.enter(codes["user_code"], agree=False)
    assert poll(local, codes).json() == {
        "error": "access_denied",
        "error_description": "the user refused",
    }


def test_a_device_code_ends_and_its_user_code_too(local: Emulator) -> None:
    codes = device(local)
    local.clock.advance(301)
    assert poll(local, codes).json()["error"] == "expired_token"
    with pytest.raises(PermissionError, match="unknown or has expired"):
        local.browser.enter(codes["user_code"])


def test_the_words_also_come_in_the_other_spelling_and_status(local: Emulator) -> None:
    local.oauth.error_field, local.oauth.polling_status = "error_code", 200
    answer = poll(local, device(local))
    assert (answer.status_code, answer.json()["error_code"], answer.json()["error"]) == (
        200,
        "authorization_pending",
        "",
    )


def test_a_device_of_a_workspace_gets_a_token_of_that_workspace(local: Emulator) -> None:
    path = f"/api/permission/oauth2/workspace_id/{WORKSPACE}/device/code"
    codes = exchange(local.base_url, {"client_id": DEVICE_APP}, path=path).json()
    local.browser.enter(codes["user_code"])
    token = poll(local, codes).json()["access_token"]
    with (
        Client(token, base_url=local.base_url, max_retries=0) as client,
        pytest.raises(APIError, match="4101"),
    ):
        client.conversations.create()


def test_only_device_apps_get_device_codes(local: Emulator) -> None:
    assert refusal(exchange(local.base_url, {"client_id": WEB_APP}, path=DEVICE_PATH)) == (
        403,
        "access_deny",
        "invalid app type",
    )
    assert (
        refusal(exchange(local.base_url, {"client_id": "x"}, path=DEVICE_PATH))[1]
        == "invalid_client"
    )


def test_an_unknown_device_code_is_refused(local: Emulator) -> None:
    assert refusal(poll(local, {"device_code": "unknown"})) == invalid("device_code")


def test_a_device_page_without_a_decision_is_refused(local: Emulator) -> None:
    form = {"user_code": device(local)["user_code"]}
    assert httpx.post(f"{local.base_url}/device", data=form, trust_env=False).status_code == 400


# JWT


def jwt_exchange(
    local: Emulator, token: str, path: str = "/api/permission/oauth2/token", **body: Any
) -> httpx.Response:
    return exchange(
        local.base_url,
        {"grant_type": JWT_GRANT, **body},
        {"Authorization": f"Bearer {token}".strip()},
        path,
    )


@pytest.mark.parametrize("path", ["/api/permission/oauth2/token", ACCOUNT_PATH, ENTERPRISE_PATH])
def test_a_jwt_is_exchanged_for_a_token_without_a_refresh_token(local: Emulator, path: str) -> None:
    found = jwt_exchange(local, signed(local.base_url, session_name="user_1"), path).json()
    assert found.keys() == {"access_token", "token_type", "expires_in"}
    assert abs(found["expires_in"] - time.time() - 900) < 5
    assert works(local, found["access_token"])


def test_a_jwt_token_lives_as_long_as_asked(local: Emulator) -> None:
    found = jwt_exchange(local, signed(local.base_url), duration_seconds=86399).json()
    assert abs(found["expires_in"] - time.time() - 86399) < 5
    assert refusal(jwt_exchange(local, signed(local.base_url), duration_seconds=86400)) == invalid(
        "duration_seconds"
    )
    assert refusal(jwt_exchange(local, signed(local.base_url), duration_seconds=0)) == invalid(
        "duration_seconds"
    )


def test_a_jwt_is_exchanged_once(local: Emulator) -> None:
    token = signed(local.base_url)
    assert jwt_exchange(local, token).status_code == 200
    assert refusal(jwt_exchange(local, token)) == invalid("jti")


@pytest.mark.parametrize("audience", ["api.coze.cn", "api.coze.com", "127.0.0.1"])
def test_the_audience_is_coze_or_this_server(local: Emulator, audience: str) -> None:
    assert jwt_exchange(local, signed(local.base_url, aud=audience)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"aud": "https://api.coze.cn"}, "aud"),
        ({"aud": None}, "aud"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"iat": None}, "iat"),
        ({"session_name": 7}, "session_name"),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, dict) else value,
)
def test_a_claim_that_is_missing_or_wrong_is_named(
    local: Emulator, changes: dict[str, Any], name: str
) -> None:
    assert refusal(jwt_exchange(local, signed(local.base_url, **changes))) == invalid(name)


@pytest.mark.parametrize(
    ("iat", "exp", "name"), [(-900, -300, "exp"), (500, 400, "exp"), (300, 900, "iat")]
)
def test_a_claim_of_the_wrong_time_is_named(local: Emulator, iat: int, exp: int, name: str) -> None:
    # Counted from the moment of signing: the collection of the tests may be minutes ago.
    now = int(time.time())
    token = signed(local.base_url, iat=now + iat, exp=now + exp)
    assert refusal(jwt_exchange(local, token)) == invalid(name)


@pytest.mark.parametrize("skew", [-50, 50])
def test_clocks_may_differ_a_little(local: Emulator, skew: int) -> None:
    now = int(time.time()) + skew
    assert jwt_exchange(local, signed(local.base_url, iat=now, exp=now + 60)).status_code == 200


def test_the_allowed_difference_of_clocks_can_be_set(local: Emulator) -> None:
    local.oauth.leeway = 300.0
    now = int(time.time()) + 290
    assert jwt_exchange(local, signed(local.base_url, iat=now, exp=now + 60)).status_code == 200


def _another_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


FORGED: dict[str, Callable[[str], str]] = {
    "another key": lambda base: signed(base, key=_another_key()),
    "unknown key id": lambda base: signed(base, kid="unknown"),
    "unknown app": lambda base: signed(base, "unknown"),
    "app of another kind": lambda base: signed(base, WEB_APP),
    "no issuer": lambda base: signed(base, iss=None),
    "symmetric": lambda base: jwt.encode(
        claims(base), "s" * 32, "HS256", {"kid": oauth_apps.KEY_ID}
    ),
    "unsigned": lambda base: jwt.encode(claims(base), None, "none", {"kid": oauth_apps.KEY_ID}),
    "no JWT": lambda base: "abc",
    "changed": lambda base: signed(base)[:-8] + "AAAAAAAA",
    "nothing": lambda base: "",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_jwt_that_no_registered_key_signed_is_refused(local: Emulator, name: str) -> None:
    status, word, _ = refusal(jwt_exchange(local, FORGED[name](local.base_url)))
    assert (status, word) == (
        (403, "access_deny") if name == "app of another kind" else (401, "invalid_client")
    )


def test_an_app_signs_with_a_key_of_its_own(local: Emulator) -> None:
    key = _another_key()
    app = local.register_app("jwt", public_keys={"mine": oauth_apps.public_key_of(key)})
    assert (
        jwt_exchange(local, signed(local.base_url, app.client_id, key=key, kid="mine")).status_code
        == 200
    )


@pytest.mark.parametrize(
    "path",
    ["/api/permission/oauth2/account/42/token", "/api/permission/oauth2/enterprise_id/42/token"],
    ids=["account", "enterprise"],
)
def test_an_account_that_granted_nothing_is_out_of_reach(local: Emulator, path: str) -> None:
    status, word, text = refusal(jwt_exchange(local, signed(local.base_url), path))
    assert (status, word, "42 has not granted" in text) == (403, "access_deny", True)


def test_only_privileged_apps_manage_an_enterprise(local: Emulator) -> None:
    answer = jwt_exchange(local, signed(local.base_url, CHANNEL_APP), ENTERPRISE_PATH)
    assert refusal(answer) == (403, "access_deny", "invalid app type")


@pytest.mark.parametrize("path", [ACCOUNT_PATH, ENTERPRISE_PATH])
def test_the_paths_of_accounts_take_no_other_grant(local: Emulator, path: str) -> None:
    answer = exchange(
        local.base_url, {"grant_type": "authorization_code"}, {"Authorization": "Bearer x"}, path
    )
    assert refusal(answer)[1] == "unsupported_grant_type"


SCOPE = {
    "account_permission": {"permission_list": ["Connector.botChat"]},
    "attribute_constraint": {"connector_bot_chat_attribute": {"bot_id_list": [bots.ANSWERING]}},
}


def test_a_scope_narrows_the_token_of_a_channel_to_its_bots(local: Emulator) -> None:
    token = jwt_exchange(local, signed(local.base_url, CHANNEL_APP), scope=SCOPE).json()[
        "access_token"
    ]
    with Client(token, base_url=local.base_url, max_retries=0) as client:
        assert client.chat.create(
            bot_id=bots.ANSWERING, user_id="u", additional_messages=[question("hi")]
        ).id
        with pytest.raises(APIError, match="4101"):
            client.chat.create(
                bot_id=bots.REASONING, user_id="u", additional_messages=[question("hi")]
            )


def test_a_scope_needs_an_app_of_a_channel(local: Emulator) -> None:
    answer = jwt_exchange(local, signed(local.base_url), scope=SCOPE)
    assert refusal(answer) == (400, "invalid_request", "connector app should bind connector id")


# Failures on demand


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("status=500", (500, "internal_error", "Service internal error.")),
        (
            "oauth=invalid_client;status=401",
            (401, "invalid_client", "emulated failure 'oauth=invalid_client;status=401'"),
        ),
        ("oauth=slow_down", (400, "slow_down", "emulated failure 'oauth=slow_down'")),
        ("status=403", (403, "access_deny", "emulated failure 'status=403'")),
    ],
)
def test_an_emulated_failure_of_sign_in_has_the_form_of_sign_in(
    local: Emulator, rule: str, expected: tuple[int, str, str]
) -> None:
    local.emulate(rule, "oauth_token")
    assert refusal(exchange(local.base_url, {"grant_type": "x"})) == expected


def test_sign_in_can_answer_with_the_page_of_a_gateway(local: Emulator) -> None:
    local.emulate("html;status=503", "oauth_token")
    answer = exchange(local.base_url, {"grant_type": "x"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
