"""No secret, token, verifier or key is in any text, log, exception or pickle, whatever happens on
the way.
"""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cozekit import AsyncCoze, Coze, CozeError
from cozekit.auth import (
    AsyncTokenCallback,
    DeviceOAuth,
    FileStore,
    JWTOAuth,
    MemoryStore,
    PKCEOAuth,
    StaticToken,
    Token,
    TokenCallback,
    WebOAuth,
    load_oauth_app,
)
from tests.auth.conftest import CALLBACK, KEY_ID, Caller
from tests.auth.server import DROP, Answer, OAuthServer, json_answer
from tests.auth.test_auth_flows import agreed

# Names, because a traceback quotes the line that was running.
CODES = ["code-web-canary", "code-other-canary", "code-third-canary"]
REFRESH = "refresh-old-canary"
VERIFIER = "canary-verifier-0001-0123456789-0123456789-0123456789"
ROOT = Path(__file__).parents[2]


class Watch:
    """Everything that could be shown, gathered while flows run; holds it against everything that is
    secret.
    """

    def __init__(self, server: OAuthServer, pem: str) -> None:
        self.server = server
        self.shown: list[str] = []
        self.secrets = {
            VERIFIER,
            server.secret,
            *(line for line in pem.splitlines() if len(line) > 40),
        }

    def show(self, *things: object) -> None:
        self.shown += [text for thing in things for text in (repr(thing), str(thing), f"{thing}")]

    def fail(self, function: Callable[[], Any]) -> CozeError:
        """The error of a call that has to fail, shown in every way."""
        with pytest.raises(CozeError) as caught:
            function()
        error = caught.value
        self.show(error, error.args, vars(error), *pickle.loads(pickle.dumps(error)).args)
        self.shown.append(pickle.dumps(error).decode("latin-1"))
        self.shown.append("".join(traceback.format_exception(error)))
        seen: BaseException | None = error
        while seen is not None:
            self.show(seen, vars(seen))
            seen = seen.__cause__ or seen.__context__
        return error

    def check(self, logs: str) -> None:
        for asked in self.server.asked:
            credential = asked.headers.get("authorization", "").removeprefix("Bearer ")
            body = asked.body if isinstance(asked.body, dict) else {}
            self.secrets |= {
                credential,
                *(
                    str(body.get(name, ""))
                    for name in ("code", "refresh_token", "device_code", "code_verifier")
                ),
            }
        self.secrets -= {"", "None", "code_x"}
        text = "\n".join([*self.shown, logs])
        text += "\n".join(_decoded(text))
        assert len(self.secrets) > 8
        for secret in self.secrets:
            assert secret not in text
        assert "canary" not in text.replace("test_auth", "")


def _decoded(text: str) -> Iterator[str]:
    """What stands in the text as base64."""
    for word in set(text.replace("=", " ").split()):
        if len(word) > 15:
            try:
                yield base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode("latin-1")
            except ValueError:
                continue


def test_no_flow_shows_a_secret(
    server: OAuthServer,
    web: WebOAuth,
    pkce: PKCEOAuth,
    device: DeviceOAuth,
    service: JWTOAuth,
    pem: str,
    tmp_path: Path,
    call: Caller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    watch = Watch(server, pem)
    started, challenged = web.begin(), pkce.begin(verifier=VERIFIER)
    token = call(web, "finish", started, agreed(server, started))
    other = call(pkce, "finish", challenged, agreed(server, challenged))
    login = device.start()
    third = call(device, "wait", login)
    store = FileStore(tmp_path / "token.json")
    store.save(third)
    auths = [
        web.auth(token),
        pkce.auth(other),
        device.auth(store),
        service,
        service.for_session("ada"),
    ]
    for auth in auths:
        call.me(auth, server.url)
        server.clock.now += 890
        call.me(auth, server.url)
    watch.secrets |= {found.access_token for found in (token, other, third)} | {
        str(found.refresh_token) for found in (token, other, third)
    }
    config = {
        "client_type": "web",
        "client_id": "w",
        "client_secret": server.secret,
        "redirect_uri": CALLBACK,
    }
    watch.show(
        web,
        pkce,
        device,
        service,
        started,
        challenged,
        token,
        other,
        third,
        login,
        store,
        MemoryStore(third),
        *auths,
    )
    watch.show(
        StaticToken(token.access_token),
        TokenCallback(lambda: token.access_token),
        load_oauth_app(config),
    )
    with Coze(auth=service, base_url=server.url) as coze:
        watch.show(coze, AsyncCoze(auth=service, base_url=server.url), [token], {"token": token})
    watch.check(caplog.text)


ECHOES: dict[str, Callable[[str], Answer]] = {
    "coze": lambda secret: json_answer(
        {"error": "", "error_code": "invalid_request", "error_message": f"bad value {secret}"}, 400
    ),
    "rfc": lambda secret: json_answer(
        {"error": "invalid_grant", "error_description": f"bad value {secret}"}, 400
    ),
    "as the word": lambda secret: json_answer({"error_code": secret, "error_message": secret}, 400),
    "html": lambda secret: Answer(
        200, f"<html>{secret}</html>".encode(), {"Content-Type": "text/html"}
    ),
    "500": lambda secret: Answer(500, secret.encode()),
    "a broken success": lambda secret: json_answer(
        {"access_token": f"{secret}\n", "expires_in": "canary"}
    ),
    "an envelope": lambda secret: json_answer({"code": 4000, "msg": secret}),
    "no answer": lambda secret: DROP,
}


@pytest.mark.parametrize("echo", ECHOES)
def test_no_failure_shows_a_secret_that_the_server_echoes(
    server: OAuthServer,
    web: WebOAuth,
    pkce: PKCEOAuth,
    device: DeviceOAuth,
    pem: str,
    echo: str,
    call: Caller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    watch = Watch(server, pem)
    login = device.start()
    old = Token(
        access_token="czu_old1canary",
        refresh_token=REFRESH,
        expires_at=server.now,
        issued_at=server.now - 900,
    )
    steps: list[tuple[str, Callable[[], Any]]] = [
        (CODES[0], lambda: call(web, "exchange", CODES[0])),
        (server.secret, lambda: call(web, "exchange", CODES[1])),
        (VERIFIER, lambda: call(pkce, "exchange", CODES[2], VERIFIER)),
        (REFRESH, lambda: call(web, "refresh", old)),
        (REFRESH, lambda: call.me(web.auth(old), server.url)),
        (login.device_code, lambda: call(device, "poll", login)),
    ]
    for secret, step in steps:
        server.next_answers.append(ECHOES[echo](secret))
        watch.fail(step)

    def forget(asked: Any) -> Answer:
        sent = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return ECHOES[echo](sent)

    server._by_jwt = lambda asked, body: forget(asked)  # type: ignore[method-assign]
    watch.fail(lambda: call.me(JWTOAuth(server.JWT, pem, KEY_ID, clock=server.clock), server.url))
    watch.fail(lambda: JWTOAuth("1", pem.replace("A", "!"), KEY_ID))
    watch.fail(lambda: load_oauth_app({"client_type": "jwt", "client_id": "1", "private_key": pem}))
    watch.check(caplog.text)


def test_nothing_that_holds_a_secret_is_pickled(
    web: WebOAuth, pkce: PKCEOAuth, device: DeviceOAuth, service: JWTOAuth, server: OAuthServer
) -> None:
    token = Token(access_token="a")
    things: list[Any] = [
        web,
        pkce,
        device,
        service,
        web.begin(),
        pkce.begin(),
        device.start(),
        token,
        MemoryStore(token),
        web.auth(token),
        StaticToken("pat_x"),
        TokenCallback(lambda: "pat_x"),
        AsyncTokenCallback(lambda: None),  # type: ignore[arg-type, return-value]
    ]
    for thing in things:
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(thing)
    assert copy.copy(token) is token and copy.deepcopy([token])[0] is token


CRYPTO = {"jwt", "cryptography", "keyring", "filelock"}
"""Libraries that are loaded when something needs them."""
CHILD = """
import sys
sys.path[:0] = {paths!r}
import cozekit
from cozekit import Coze
from cozekit.auth import StaticToken
{code}
print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("cozekit", "coze_runtime", "jwt", "cryptography", "keyring", "filelock")))
"""  # noqa: E501


def loaded(code: str) -> set[str]:
    paths = [str(ROOT / "generated"), str(ROOT / "overlays")]
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(paths=paths, code=code)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_a_plain_token_loads_no_flow_and_no_crypto(server: OAuthServer, service: JWTOAuth) -> None:
    with Coze(auth=service, base_url=server.url) as coze:
        token = service.token(coze)
    found = loaded(f"with Coze({token!r}, base_url={server.url!r}) as coze: coze.users.me()")
    assert "coze_runtime.auth" in found, "all that a plain token needs"
    assert not {name for name in found if name.startswith("cozekit.auth.")}
    assert not {name.partition(".")[0] for name in found} & CRYPTO


@pytest.mark.parametrize(
    ("code", "foreign"),
    [
        (
            "cozekit.auth.WebOAuth('i', 's', 'http://localhost/')",
            {"_device", "_jwt", "_loopback", "_config"},
        ),
        (
            "cozekit.auth.PKCEOAuth('i', 'http://localhost/')",
            {"_device", "_jwt", "_loopback", "_config"},
        ),
        ("cozekit.auth.DeviceOAuth('i')", {"_web", "_jwt", "_loopback", "_config"}),
        (
            "cozekit.auth.JWTOAuth('1', None, 'k', signer=bytes)",
            {"_web", "_device", "_app", "_loopback", "_config"},
        ),
        ("cozekit.auth.FileStore('token.json')", {"_web", "_device", "_jwt", "_app", "_config"}),
    ],
)
def test_each_flow_loads_no_other_and_only_keys_load_crypto(code: str, foreign: set[str]) -> None:
    found = loaded(code)
    assert not found & {f"cozekit.auth.{name}" for name in foreign}
    assert not {name.partition(".")[0] for name in found} & CRYPTO


def test_every_public_name_is_there() -> None:
    from cozekit import auth

    for name in auth.__all__:
        assert getattr(auth, name).__name__ == name and name in dir(auth)
    with pytest.raises(AttributeError, match="OAuth3"):
        _ = auth.OAuth3  # type: ignore[attr-defined]
