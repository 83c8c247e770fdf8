"""Whatever goes wrong in a sign-in is one typed error that says what to do next."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

from cozekit import APIConnectionError, APITimeoutError, ArgumentError, Coze, CozeError, OAuthError
from cozekit.auth import (
    DeviceLogin,
    DeviceOAuth,
    JWTOAuth,
    OAuthSetupError,
    PKCEOAuth,
    WebOAuth,
    challenge_of,
    new_verifier,
)
from tests.auth.conftest import CALLBACK, KEY_ID, Caller
from tests.auth.server import DROP, LOGID, Answer, OAuthServer, json_answer
from tests.auth.test_auth_flows import agreed
from tests.programs import run_python


def test_a_wrong_state_is_refused_before_anything_is_sent(
    server: OAuthServer, web: WebOAuth, call: Caller
) -> None:
    started = web.begin()
    for returned in (
        f"{CALLBACK}?code=code_x&state=other",
        f"{CALLBACK}?code=code_x",
        "code=code_x&state=",
    ):
        with pytest.raises(OAuthError, match="start the sign-in again") as caught:
            call(web, "finish", started, returned)
        assert caught.value.error == "invalid_state"
    assert server.asked == []


def test_a_user_who_refuses_is_access_denied(web: WebOAuth, call: Caller) -> None:
    started = web.begin()
    for word in ("access_denied", "access_deny"):
        with pytest.raises(OAuthError, match="ask the user again") as caught:
            call(
                web,
                "finish",
                started,
                f"{CALLBACK}?error={word}&error_description=no+thanks&state={started.state}",
            )
        assert caught.value.error == "access_denied" and caught.value.description == "no thanks"


def test_coming_back_without_a_code_is_an_error(web: WebOAuth) -> None:
    started = web.begin()
    with pytest.raises(OAuthError, match="has no code") as caught:
        web.finish(started, f"{CALLBACK}?state={started.state}")
    assert caught.value.error == "invalid_response"


@pytest.mark.parametrize("spelling", ["coze", "rfc"])
def test_a_reused_code_is_refused(
    server: OAuthServer, web: WebOAuth, call: Caller, spelling: str
) -> None:
    server.spelling = spelling
    started = web.begin()
    returned = agreed(server, started)
    web.finish(started, returned)
    with pytest.raises(OAuthError, match="start the sign-in again") as caught:
        call(web, "finish", started, returned)
    assert (
        caught.value.error == "invalid_request"
        and caught.value.http_status == 400
        and caught.value.logid == LOGID
    )


def test_an_expired_code_is_refused(server: OAuthServer, web: WebOAuth, call: Caller) -> None:
    started = web.begin()
    returned = agreed(server, started)
    server.clock.now += 301
    with pytest.raises(OAuthError, match="a code works once and expires soon"):
        call(web, "finish", started, returned)


def test_a_wrong_verifier_is_refused(server: OAuthServer, pkce: PKCEOAuth, call: Caller) -> None:
    challenge = {"code_challenge": challenge_of(new_verifier()), "code_challenge_method": "S256"}
    query = {"client_id": server.PKCE, "redirect_uri": CALLBACK, **challenge}
    with pytest.raises(OAuthError, match="code_verifier") as caught:
        call(pkce, "exchange", server.new_code(query), new_verifier())
    assert caught.value.error == "invalid_request"


def test_a_wrong_secret_is_invalid_client(server: OAuthServer, call: Caller) -> None:
    app = WebOAuth(server.WEB, "wrong-secret", CALLBACK, base_url=server.url, clock=server.clock)
    with pytest.raises(OAuthError, match="check client_id and the secret") as caught:
        call(app, "exchange", "code_x")
    assert caught.value.error == "invalid_client" and server.url in str(caught.value)


def test_a_wrong_kind_of_app_is_named(server: OAuthServer, web: WebOAuth, call: Caller) -> None:
    words = [
        ("access_deny", "invalid app type", "access_denied"),
        ("unsupported_grant_type", "not supported grant type: x", "unsupported_grant_type"),
    ]
    for word, text, kind in words:
        server.next_answers.append(
            json_answer({"error": "", "error_code": word, "error_message": text}, 400)
        )
        with pytest.raises(OAuthError, match=text) as caught:
            call(web, "exchange", "code_x")
        assert caught.value.error == kind and caught.value.description == text


BAD_ANSWERS: dict[str, tuple[Answer, str]] = {
    "html": (
        Answer(200, b"<html>welcome</html>", {"Content-Type": "text/html"}),
        "invalid_response",
    ),
    "html of a gateway": (
        Answer(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
        "server_error",
    ),
    "500 without a body": (Answer(500, b""), "server_error"),
    "500 of the service": (
        json_answer(
            {"error_code": "internal_error", "error_message": "Service internal error."}, 500
        ),
        "server_error",
    ),
    "nothing": (Answer(200, b""), "invalid_response"),
    "a list": (json_answer([]), "invalid_response"),
    "null": (json_answer(None), "invalid_response"),
    "no token": (json_answer({"expires_in": 1800000900}), "invalid_response"),
    "an empty token": (
        json_answer({"access_token": "", "expires_in": 1800000900}),
        "invalid_response",
    ),
    "a token with a line end": (
        json_answer({"access_token": "czu_a\r\nX: y", "expires_in": 1800000900}),
        "invalid_response",
    ),
    "a number for a token": (json_answer({"access_token": 5}), "invalid_response"),
    "a number for a refresh token": (
        json_answer({"access_token": "czu_a", "refresh_token": 5}),
        "invalid_response",
    ),
    "an end that is no number": (
        json_answer({"access_token": "czu_a", "expires_in": "soon"}),
        "invalid_response",
    ),
    "an envelope": (json_answer({"code": 4000, "msg": "bad"}), "4000"),
    "a redirect": (
        Answer(302, b"", {"Location": "https://elsewhere.example/"}),
        "invalid_response",
    ),
    "no UTF-8": (
        Answer(200, b"\xff\xfe{", {"Content-Type": "application/json"}),
        "invalid_response",
    ),
    "deep nesting": (
        Answer(200, b"[" * 100000, {"Content-Type": "application/json"}),
        "invalid_response",
    ),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
@pytest.mark.parametrize("flow", ["exchange", "refresh", "start", "jwt"])
def test_a_bad_answer_is_a_typed_error(
    server: OAuthServer, web: WebOAuth, device: DeviceOAuth, service: JWTOAuth, flow: str, case: str
) -> None:
    answer, kind = BAD_ANSWERS[case]
    server.next_answers.append(answer)
    with pytest.raises(OAuthError) as caught:
        if flow == "exchange":
            web.exchange("code_x")
        elif flow == "refresh":
            from cozekit.auth import Token

            web.refresh(Token(access_token="czu_old", refresh_token="old"))
        elif flow == "start":
            device.start()
        else:
            with Coze(auth=service, base_url=server.url, max_retries=0) as coze:
                coze.users.me()
    error = caught.value
    assert error.error == kind and error.http_status == answer.status and error.request is not None
    assert server.url in str(error) and "welcome" not in str(error)


@pytest.mark.parametrize("case", ["html", "500 without a body", "nothing", "no token"])
def test_a_bad_answer_is_the_same_error_in_the_async_form(
    server: OAuthServer, web: WebOAuth, call: Caller, case: str
) -> None:
    answer, kind = BAD_ANSWERS[case]
    server.next_answers.append(answer)
    with pytest.raises(OAuthError, match="try again later") as caught:
        call(web, "exchange", "code_x")
    assert caught.value.error == kind


def test_no_answer_at_all_stays_a_connection_error(
    server: OAuthServer, web: WebOAuth, call: Caller
) -> None:
    server.next_answers.append(DROP)
    with pytest.raises(APIConnectionError):
        call(web, "exchange", "code_x")
    assert len(server.token_requests) == 1, "a code that may be spent is not sent again"


def test_a_refused_connection_stays_a_connection_error(call: Caller) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        app = DeviceOAuth("x", base_url=f"http://127.0.0.1:{free.getsockname()[1]}")
        with (
            Coze("pat_x", base_url=app.base_url, max_retries=0) as coze,
            pytest.raises(APIConnectionError),
        ):
            app.start(client=coze)


def test_a_silent_server_stays_a_timeout(server: OAuthServer, web: WebOAuth) -> None:
    import threading

    server.hold = threading.Event()
    with Coze("pat_x", base_url=server.url, timeout=0.05) as coze, pytest.raises(APITimeoutError):
        web.exchange("code_x", client=coze)


BAD_KEYS = {
    "text": "nonsense",
    "nothing": "",
    "a shell": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "no ASCII": "密钥",
    "bytes of an image": b"\x89PNG\r\n",
    "a number": 5,
}


@pytest.mark.parametrize("case", BAD_KEYS)
def test_a_malformed_key_is_told_when_the_app_is_made(case: str) -> None:
    found: Any = BAD_KEYS[case]
    with pytest.raises(OAuthSetupError, match="not an RSA private key in PEM form") as caught:
        JWTOAuth("1", found, "kid")
    assert (
        caught.value.argument == "private_key"
        and isinstance(caught.value, OAuthError)
        and isinstance(caught.value, ValueError)
    )


def test_keys_of_other_kinds_are_told(key: Any) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        *form, serialization.NoEncryption()
    )
    locked = key.private_bytes(*form, serialization.BestAvailableEncryption(b"pass"))
    for found in (public, curve, locked):
        with pytest.raises(OAuthSetupError, match="not an RSA private key"):
            JWTOAuth("1", found, "kid")


def test_missing_pyjwt_is_named_with_its_extra(pem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt.algorithms", None)
    with pytest.raises(OAuthSetupError, match=r"pip install 'cozekit\[jwt\]'"):
        JWTOAuth("1", pem, "kid")


@pytest.mark.parametrize("signature", [b"", "text", None])
def test_a_signer_that_returns_no_signature_is_told_so(
    server: OAuthServer, call: Caller, signature: Any
) -> None:
    auth = JWTOAuth("1", public_key_id="k", signer=lambda message: signature, clock=server.clock)
    with pytest.raises(OAuthError, match="must return the bytes"):
        call.me(auth, server.url)


def test_a_signer_that_fails_is_a_typed_error(server: OAuthServer, call: Caller) -> None:
    def broken(message: bytes) -> bytes:
        raise ConnectionError("the device is locked")

    auth = JWTOAuth("1", public_key_id="k", signer=broken, clock=server.clock)
    with pytest.raises(OAuthError, match=r"the signer failed \(ConnectionError\)") as caught:
        call.me(auth, server.url)
    assert server.asked == [] and isinstance(caught.value, CozeError)


SETTINGS: dict[str, tuple[Any, str]] = {
    "no client id": (lambda pem: DeviceOAuth(""), "client_id"),
    "no secret": (lambda pem: WebOAuth("id", "", CALLBACK), "client_secret"),
    "None for a secret": (lambda pem: WebOAuth("id", None, CALLBACK), "client_secret"),  # type: ignore[arg-type]
    "no redirect": (lambda pem: PKCEOAuth("id", ""), "redirect_uri"),
    "a redirect that is no address": (
        lambda pem: PKCEOAuth("id", "myapp:callback"),
        "redirect_uri",
    ),
    "an unknown method": (lambda pem: PKCEOAuth("id", CALLBACK, method="S512"), "method"),
    "a short verifier": (lambda pem: challenge_of("a" * 42), "verifier"),
    "a long verifier": (lambda pem: challenge_of("a" * 129), "verifier"),
    "a verifier with a space": (lambda pem: challenge_of("a " * 30), "verifier"),
    "an empty state": (
        lambda pem: WebOAuth("id", "s", CALLBACK).authorization_url(state=""),
        "state",
    ),
    "no key and no signer": (lambda pem: JWTOAuth("1", public_key_id="k"), "private_key"),
    "a key and a signer": (
        lambda pem: JWTOAuth("1", pem, "k", signer=lambda message: b""),
        "private_key",
    ),
    "no key id": (lambda pem: JWTOAuth("1", pem), "public_key_id"),
    "an account and an enterprise": (
        lambda pem: JWTOAuth("1", pem, "k", account_id="a", enterprise_id="e"),
        "enterprise_id",
    ),
    "a scope and an account": (
        lambda pem: JWTOAuth("1", pem, "k", account_id="a", scope={}),
        "scope",
    ),
    "no duration": (lambda pem: JWTOAuth("1", pem, "k", duration_seconds=0), "duration_seconds"),
    "a day": (lambda pem: JWTOAuth("1", pem, "k", duration_seconds=86400), "duration_seconds"),
    "True for a duration": (
        lambda pem: JWTOAuth("1", pem, "k", duration_seconds=True),
        "duration_seconds",
    ),
    "an empty session name": (lambda pem: JWTOAuth("1", pem, "k").for_session(""), "session_name"),
    "an empty code": (lambda pem: WebOAuth("id", "s", CALLBACK).exchange(" "), "code"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_bad_setting_names_its_argument(pem: str, case: str) -> None:
    make, argument = SETTINGS[case]
    with pytest.raises(OAuthSetupError) as caught:
        make(pem)
    assert caught.value.argument == argument and isinstance(caught.value, ArgumentError)


def test_a_base_url_without_a_scheme_is_refused(pem: str) -> None:
    for make in (
        lambda: DeviceOAuth("x", base_url="api.coze.cn"),
        lambda: JWTOAuth("1", pem, "k", base_url="api.coze.cn"),
    ):
        with pytest.raises(ArgumentError, match="not an http or https URL"):
            make()


def test_a_device_answer_with_parts_missing_is_an_error(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    whole = {"device_code": "d", "user_code": "u", "verification_uri": "https://x.example"}
    for name in whole:
        server.next_answers.append(
            json_answer({key: value for key, value in whole.items() if key != name})
        )
        with pytest.raises(OAuthError, match=f"the response has no {name}"):
            call(device, "start")


def test_a_device_answer_without_times_has_the_documented_ones(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    answer = {
        "device_code": "d",
        "user_code": 12345678,
        "verification_uri": "https://x.example/?a=1",
        "interval": 0,
        "expires_in": None,
    }
    server.next_answers.append(json_answer(answer))
    login: DeviceLogin = call(device, "start")
    assert (login.interval, login.expires_in, login.user_code) == (5, 300, "12345678")
    assert login.verification_uri_complete == "https://x.example/?a=1&user_code=12345678"


def test_a_jwt_that_the_server_does_not_know_is_invalid_client(
    server: OAuthServer, pem: str, call: Caller
) -> None:
    with pytest.raises(OAuthError, match="secret or key of the app") as caught:
        call.me(JWTOAuth(server.JWT, pem, "other-kid", clock=server.clock), server.url)
    assert caught.value.error == "invalid_client" and caught.value.http_status == 401


@pytest.mark.parametrize("kid", [KEY_ID])
def test_a_wrong_audience_is_invalid_client(
    server: OAuthServer, pem: str, call: Caller, kid: str
) -> None:
    with pytest.raises(OAuthError) as caught:
        call.me(
            JWTOAuth(server.JWT, pem, kid, audience="api.coze.com", clock=server.clock), server.url
        )
    assert caught.value.error == "invalid_client"


def test_arguments_are_checked_without_assertions_too() -> None:
    code = """
from cozekit import ArgumentError, Coze
from cozekit.auth import JWTOAuth
for make in (lambda: JWTOAuth(None, None, None), lambda: JWTOAuth("1", None, "k"), lambda: Coze("")):
    try:
        make()
    except ArgumentError as error:
        print(error.argument)
"""  # noqa: E501
    done = run_python("-O", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["client_id", "private_key", "token"]
