"""Every way to sign in: what is sent is what the pages show, and the token that comes back
works.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from coze_openapi.models.oauth import (
    JWTDeviceInfo,
    JWTSessionContext,
    OAuthScope,
    OAuthScopeBots,
    OAuthScopeConstraint,
    OAuthScopePermission,
)
from cozekit import AsyncCoze, Coze, OAuthError
from cozekit.auth import (
    Authorization,
    DeviceLogin,
    DeviceOAuth,
    JWTOAuth,
    PKCEOAuth,
    Token,
    WebOAuth,
    challenge_of,
    new_verifier,
)
from tests.auth.conftest import CALLBACK, KEY_ID, Caller
from tests.auth.server import (
    DEVICE_GRANT,
    JWT_GRANT,
    LOGID,
    PREFIX,
    OAuthServer,
    Session,
    json_answer,
)


def agreed(server: OAuthServer, started: Authorization) -> str:
    """The address to which the browser of a user who agrees comes back."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    return f"{CALLBACK}?code={server.new_code(query)}&state={query['state']}"


def test_the_web_flow_signs_a_user_in(server: OAuthServer, web: WebOAuth, call: Caller) -> None:
    started = web.begin()
    returned = agreed(server, started)
    token = call(web, "finish", started, returned)
    (asked,) = server.token_requests
    assert asked.method == "POST" and asked.path == f"{PREFIX}/token"
    code = parse_qs(urlsplit(returned).query)["code"][0]
    assert asked.body == {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": server.WEB,
    }
    assert asked.headers["authorization"] == f"Bearer {server.secret}"
    assert asked.headers["content-type"] == "application/json"
    assert token.expires_at == server.now + 900 and token.refresh_token and token.logid == LOGID
    assert call.me(web.auth(token), server.url) == "Ada"


def test_exchange_takes_the_bare_code(server: OAuthServer, web: WebOAuth, call: Caller) -> None:
    query = {"client_id": server.WEB, "redirect_uri": CALLBACK}
    assert call(web, "exchange", server.new_code(query)).access_token.startswith("czu_")


def test_the_web_flow_refreshes_with_its_secret(
    server: OAuthServer, web: WebOAuth, call: Caller
) -> None:
    old = web.exchange(server.new_code({"client_id": server.WEB, "redirect_uri": CALLBACK}))
    new = call(web, "refresh", old)
    asked = server.token_requests[-1]
    assert asked.body == {
        "grant_type": "refresh_token",
        "client_id": server.WEB,
        "refresh_token": old.refresh_token,
    }
    assert asked.headers["authorization"] == f"Bearer {server.secret}"
    assert new.access_token != old.access_token and new.refresh_token != old.refresh_token


def test_the_pkce_flow_signs_a_user_in(server: OAuthServer, pkce: PKCEOAuth, call: Caller) -> None:
    started = pkce.begin()
    query = parse_qs(urlsplit(started.url).query)
    assert started.verifier is not None
    assert query["code_challenge"] == [challenge_of(started.verifier)] and query[
        "code_challenge_method"
    ] == ["S256"]
    assert started.verifier not in started.url
    token = call(pkce, "finish", started, agreed(server, started))
    (asked,) = server.token_requests
    assert asked.body["code_verifier"] == started.verifier and "authorization" not in asked.headers
    assert set(asked.body) == {"grant_type", "code", "redirect_uri", "client_id", "code_verifier"}
    assert call.me(pkce.auth(token), server.url) == "Ada"


def test_pkce_exchange_takes_a_code_and_a_verifier(
    server: OAuthServer, pkce: PKCEOAuth, call: Caller
) -> None:
    verifier = new_verifier()
    query = {
        "client_id": server.PKCE,
        "redirect_uri": CALLBACK,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    assert call(pkce, "exchange", server.new_code(query), verifier).access_token.startswith("czu_")


def test_the_pkce_flow_refreshes_without_a_header(
    server: OAuthServer, pkce: PKCEOAuth, call: Caller
) -> None:
    started = pkce.begin()
    old = pkce.finish(started, agreed(server, started))
    new = call(pkce, "refresh", old)
    asked = server.token_requests[-1]
    assert asked.body == {
        "grant_type": "refresh_token",
        "client_id": server.PKCE,
        "refresh_token": old.refresh_token,
    }
    assert "authorization" not in asked.headers and new.refresh_token != old.refresh_token


def test_the_plain_method_works_when_it_is_asked_for(server: OAuthServer) -> None:
    app = PKCEOAuth(server.PKCE, CALLBACK, method="plain", base_url=server.url, clock=server.clock)
    started = app.begin()
    assert parse_qs(urlsplit(started.url).query)["code_challenge"] == [started.verifier]
    assert app.finish(started, agreed(server, started)).refresh_token


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_new_verifiers_are_as_the_rfc_wants_them() -> None:
    made = {new_verifier() for _ in range(50)}
    assert len(made) == 50 and {len(verifier) for verifier in made} == {64}
    assert all(challenge_of(verifier) for verifier in made)


def test_the_device_flow_waits_for_its_user(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    server.device_polls.extend(["authorization_pending", "slow_down", "authorization_pending"])
    shown: list[DeviceLogin] = []
    token = call(device, "login", show=shown.append)
    assert [login.user_code for login in shown] == ["WDJB-MJHT"] and shown[
        0
    ].verification_uri == f"{server.url}/device"
    assert shown[0].verification_uri_complete == f"{server.url}/device?user_code=WDJB-MJHT"
    assert server.asked[0].path == f"{PREFIX}/device/code" and server.asked[0].body == {
        "client_id": server.DEVICE
    }
    assert server.token_requests[0].body == {
        "grant_type": DEVICE_GRANT,
        "client_id": server.DEVICE,
        "device_code": shown[0].device_code,
    }
    assert all("authorization" not in asked.headers for asked in server.asked)
    assert server.clock.waits == [5, 5, 10, 10], (
        "the server's interval, five seconds longer after slow_down"
    )
    assert call.me(device.auth(token), server.url) == "Ada"


def test_the_device_flow_keeps_the_interval_of_the_server(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    server.interval = 17
    server.device_polls.append("authorization_pending")
    call(device, "login", show=lambda login: None)
    assert server.clock.waits == [17, 17]


@pytest.mark.parametrize(
    ("spelling", "status"), [("coze", 400), ("rfc", 400), ("coze", 200), ("rfc", 200)]
)
@pytest.mark.parametrize(
    "word", ["authorization_pending", "slow_down", "access_denied", "expired_token"]
)
def test_one_question_tells_the_word_in_both_spellings(
    server: OAuthServer, device: DeviceOAuth, call: Caller, word: str, spelling: str, status: int
) -> None:
    server.spelling, server.device_status = spelling, status
    login = device.start()
    server.device_polls.append(word)
    with pytest.raises(OAuthError) as caught:
        call(device, "poll", login)
    assert (
        caught.value.error == word
        and caught.value.http_status == status
        and caught.value.logid == LOGID
    )


def test_a_refusal_ends_the_wait(server: OAuthServer, device: DeviceOAuth, call: Caller) -> None:
    server.device_polls.extend(["authorization_pending", "access_denied"])
    with pytest.raises(OAuthError, match="ask the user again") as caught:
        call(device, "login", show=lambda login: None)
    assert caught.value.error == "access_denied" and len(server.token_requests) == 2


@pytest.mark.parametrize(
    "life", [300, 200, 1e6], ids=["as the server said", "before", "never, as the server sees it"]
)
def test_waiting_ends_when_the_code_ends(
    server: OAuthServer, device: DeviceOAuth, call: Caller, life: float
) -> None:
    server.device_life = life
    server.device_polls.extend(["authorization_pending"] * 1000)
    with pytest.raises(OAuthError, match="start the sign-in again") as caught:
        call(device, "login", show=lambda login: None)
    assert caught.value.error == "expired_token"
    assert (
        sum(server.clock.waits) == min(life, 300)
        and len(server.token_requests) == min(life, 300) / 5
    )


def test_waiting_bears_a_server_that_fails_in_passing(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    login = device.start()
    server.next_answers.extend(
        [json_answer({}, 502), json_answer({"error_code": "internal_error"}, 500)]
    )
    assert call(device, "wait", login).refresh_token
    assert server.clock.waits == [5, 10, 20]


def test_waiting_gives_up_on_a_server_that_keeps_failing(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    login = device.start()
    server.next_answers.extend([json_answer({}, 502)] * 9)
    with pytest.raises(OAuthError) as caught:
        call(device, "wait", login)
    assert caught.value.error == "server_error" and len(server.token_requests) == 4


def test_workspace_forms_go_to_their_own_paths(
    server: OAuthServer, web: WebOAuth, pkce: PKCEOAuth, device: DeviceOAuth, call: Caller
) -> None:
    for started in (
        web.begin(workspace_id=server.WORKSPACE),
        pkce.begin(workspace_id=server.WORKSPACE),
    ):
        assert urlsplit(started.url).path == f"{PREFIX}/workspace_id/{server.WORKSPACE}/authorize"
    login = call(device, "start", workspace_id=server.WORKSPACE)
    assert server.asked[0].path == f"{PREFIX}/workspace_id/{server.WORKSPACE}/device/code"
    assert call(device, "wait", login).refresh_token


def test_a_device_code_refreshes_without_a_header(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    old = device.login(show=lambda login: None)
    new = call(device, "refresh", old)
    assert (
        "authorization" not in server.token_requests[-1].headers
        and new.refresh_token != old.refresh_token
    )


def test_the_jwt_flow_signs_an_app_in(server: OAuthServer, service: JWTOAuth, call: Caller) -> None:
    assert call.me(service, server.url, calls=3) == "Ada"
    (asked,) = server.token_requests
    assert asked.path == f"{PREFIX}/token" and asked.body == {
        "grant_type": JWT_GRANT,
        "duration_seconds": 900,
    }
    (claims,) = server.claims
    assert claims["head"] == {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
    assert claims["iss"] == server.JWT and claims["aud"] == urlsplit(server.url).netloc
    assert claims["iat"] <= server.now < claims["exp"] and len(claims["jti"]) > 32
    assert set(claims) == {"iss", "aud", "iat", "exp", "jti", "head"}


SCENARIOS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "cross-account": ({"account_id": "7490888144456"}, "/account/7490888144456/token", {}),
    "enterprise": ({"enterprise_id": "volcano_210195"}, "/enterprise_id/volcano_210195/token", {}),
    "channel": (
        {
            "scope": OAuthScope(
                account_permission=OAuthScopePermission(permission_list=["Connector.botChat"]),
                attribute_constraint=OAuthScopeConstraint(
                    connector_bot_chat_attribute=OAuthScopeBots(bot_id_list=["738401200"])
                ),
            )
        },
        "/token",
        {
            "scope": {
                "account_permission": {"permission_list": ["Connector.botChat"]},
                "attribute_constraint": {
                    "connector_bot_chat_attribute": {"bot_id_list": ["738401200"]}
                },
            }
        },
    ),
    "channel from plain data": (
        {"scope": {"account_permission": {"permission_list": ["Connector.botChat"]}}},
        "/token",
        {"scope": {"account_permission": {"permission_list": ["Connector.botChat"]}}},
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_jwt_scenario_asks_in_its_own_way(
    server: OAuthServer, pem: str, call: Caller, scenario: str
) -> None:
    arguments, path, body = SCENARIOS[scenario]
    auth = JWTOAuth(
        server.JWT, pem, KEY_ID, duration_seconds=86399, clock=server.clock, **arguments
    )
    assert call.me(auth, server.url) == "Ada"
    (asked,) = server.token_requests
    assert asked.path == PREFIX + path
    assert asked.body == {"grant_type": JWT_GRANT, "duration_seconds": 86399, **body}


def test_session_name_and_context_are_claims(
    server: OAuthServer, service: JWTOAuth, call: Caller
) -> None:
    context = JWTSessionContext(
        device_info=JWTDeviceInfo(device_id="device-1", custom_consumer="team-a")
    )
    first, second = (
        service.for_session("user-a", session_context=context),
        service.for_session("user-b"),
    )
    for auth in (first, second, first):
        call.me(auth, server.url)
    assert [claims["session_name"] for claims in server.claims] == ["user-a", "user-b"]
    assert server.claims[0]["session_context"] == {
        "device_info": {"device_id": "device-1", "custom_consumer": "team-a"}
    }
    assert "session_context" not in server.claims[1]


def test_every_jwt_has_an_id_of_its_own(
    server: OAuthServer, service: JWTOAuth, call: Caller
) -> None:
    import random

    for _ in range(5):
        random.seed(7)
        call.me(service, server.url)
        server.clock.now += 900
    assert len({claims["jti"] for claims in server.claims}) == 5


def test_a_signer_stands_in_for_the_key(server: OAuthServer, key: Any, call: Caller) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed: list[bytes] = []

    def sign(message: bytes) -> bytes:
        signed.append(message)
        return bytes(key.sign(message, padding.PKCS1v15(), hashes.SHA256()))

    assert (
        call.me(
            JWTOAuth(server.JWT, public_key_id=KEY_ID, signer=sign, clock=server.clock), server.url
        )
        == "Ada"
    )
    assert len(signed) == 1


def test_the_key_may_be_pkcs1_bytes_or_have_written_line_ends(
    server: OAuthServer, key: Any, pem: str
) -> None:
    from cryptography.hazmat.primitives import serialization

    pkcs1 = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    for form in (
        pkcs1,
        pem.encode(),
        pem.replace("\n", "\\n"),
        pem.replace("\n", "\r\n"),
        f"\n  {pem}\n",
    ):
        with Coze(
            auth=JWTOAuth(server.JWT, form, KEY_ID, clock=server.clock), base_url=server.url
        ) as coze:
            assert coze.users.me().user_name == "Ada"


async def test_one_object_serves_both_clients(server: OAuthServer, service: JWTOAuth) -> None:
    with Coze(auth=service, base_url=server.url) as coze:
        coze.users.me()
    async with AsyncCoze(auth=service, base_url=server.url) as coze_async:
        await coze_async.users.me()
    assert len(server.token_requests) == 1


def test_a_given_client_is_used_for_token_requests(
    server: OAuthServer, device: DeviceOAuth
) -> None:
    with Coze("pat_of_somebody", base_url=server.url, default_headers={"X-Mine": "1"}) as coze:
        device.login(show=lambda login: None, client=coze)
    assert [asked.headers.get("x-mine") for asked in server.asked] == ["1", "1"]
    assert all("authorization" not in asked.headers for asked in server.asked)


@pytest.mark.parametrize(
    "answer", [{"expires_in": 900}, {"expires_in": "1800000900"}, {"expires_in": 1800000900.0}]
)
def test_the_end_is_read_as_moment_and_tolerated_as_duration(
    server: OAuthServer, device: DeviceOAuth, answer: dict[str, Any]
) -> None:
    login = device.start()
    server.next_answers.append(json_answer({"access_token": "czu_x", **answer}))
    token = device.poll(login)
    assert token.expires_at == server.now + 900 and isinstance(token, Token)


def test_a_token_without_an_end_is_used_until_it_is_refused(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    pair = server.new_pair(Session(server.DEVICE))
    login = device.start()
    del pair["expires_in"]
    server.next_answers.append(json_answer(pair))
    token = device.poll(login)
    auth = device.auth(token)
    server.asked.clear()
    assert (
        token.expires_at is None
        and call.me(auth, server.url) == "Ada"
        and server.token_requests == []
    )
    server.clock.now += 900
    assert call.me(auth, server.url) == "Ada" and len(server.token_requests) == 1
