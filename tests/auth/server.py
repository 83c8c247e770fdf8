"""An authorization server on loopback that keeps the documented rules, with a clock that tests
move.

    with OAuthServer() as server:
        app = WebOAuth(server.WEB, server.secret, "http://localhost:1/callback",
        base_url=server.url, clock=server.clock)

Codes and refresh tokens work once; a refresh token that is used a second time withdraws the whole
session. JWTs are verified with the registered public key, and each works once. `GET /v1/users/me`
is the API: it answers 401 to a token that has ended.

`hold` keeps token answers back until it is set, `next_answers` replaces the next answers of the
sign-in endpoints, `spelling` chooses between the two documented forms of a failure, `grace` lets
the last refresh token work until its successor is used.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt

from cozekit.auth import Clock

LOGID = "20260101000000AUTHLOGID"
START = 1_800_000_000.0
PATIENCE = 30.0
PREFIX = "/api/permission/oauth2"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class MovableClock(Clock):
    """Stands still until it is moved; a wait moves it."""

    def __init__(self, now: float = START) -> None:
        self.now = now
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now - START

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        import anyio

        self.sleep(seconds)
        await anyio.sleep(0)


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Session:
    """What a user agreed to, and its tokens."""

    client_id: str
    access: set[str] = field(default_factory=set)
    refresh: str = ""
    previous: str = ""
    withdrawn: bool = False


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    def __init__(self, word: str, text: str = "", status: int = 400) -> None:
        self.word, self.text, self.status = word, text or f"{word} happened", status


def json_answer(data: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(
        status, json.dumps(data).encode(), {"Content-Type": "application/json", **headers}
    )


DROP = Answer(0, b"")
"""Closes the connection without an answer."""


class OAuthServer:
    WEB, PKCE, DEVICE, JWT = "web.app.coze", "pkce.app.coze", "device.app.coze", "1234567"
    WORKSPACE = "7370000000000000001"

    def __init__(
        self, public_keys: dict[str, Any] | None = None, secret: str = "web-secret-canary-0001"
    ) -> None:
        self.clock = MovableClock()
        self.skew = 0.0
        """Seconds by which the server's clock is ahead of `clock`."""
        self.secret = secret
        self.public_keys = public_keys or {}
        self.asked: list[Asked] = []
        self.hold: threading.Event | None = None
        self.next_answers: deque[Answer] = deque()
        self.spelling = "coze"
        self.consent = "allow"
        self.grace = False
        self.token_ttl = 900
        self.code_ttl = 300
        self.interval: float = 5
        self.device_status = 400
        self.device_life = 300.0
        """Seconds for which a device code works; the answer always says 300."""
        self.device_polls: deque[str] = deque()
        self.claims: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._codes: dict[str, dict[str, Any]] = {}
        self._devices: dict[str, dict[str, Any]] = {}
        self._ends: dict[str, float] = {}
        self._sessions: list[Session] = []
        self._used_ids: set[str] = set()
        self._lock = threading.RLock()
        self._came = threading.Condition()
        self._http = _Http(self)

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.hold:
            self.hold.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def now(self) -> float:
        return self.clock.now + self.skew

    @property
    def token_requests(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.endswith("/token")]

    def wait_for_token_request(self) -> None:
        """Returns when one has come."""
        with self._came:
            assert self._came.wait_for(lambda: self.token_requests, PATIENCE)

    @property
    def api_requests(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.startswith("/v1/")]

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            with self._came:
                self._came.notify_all()
            forced = (
                self.next_answers.popleft()
                if self.next_answers and asked.path.startswith(PREFIX)
                else None
            )
        if self.hold is not None and asked.path.endswith("/token"):
            self.hold.wait(PATIENCE)
        if forced is not None:
            return forced
        try:
            with self._lock:
                return self._route(asked)
        except Refused as refused:
            return self._refusal(refused)

    def _refusal(self, refused: Refused) -> Answer:
        if self.spelling == "rfc":
            return json_answer(
                {"error": refused.word, "error_description": refused.text}, refused.status
            )
        return json_answer(
            {"error": "", "error_code": refused.word, "error_message": refused.text}, refused.status
        )

    def _route(self, asked: Asked) -> Answer:
        path = asked.path
        if path == "/v1/users/me":
            return self._me(asked)
        if path.endswith("/authorize"):
            return self._authorize(asked)
        if path.endswith("/device/code"):
            return self._device_code(asked)
        if path.startswith(PREFIX) and path.endswith("/token"):
            return self._token(asked)
        if path == "/done":
            return Answer(200, b"<p>done</p>", {"Content-Type": "text/html"})
        return json_answer({"code": 4200, "msg": "no such path"}, 404)

    def _me(self, asked: Asked) -> Answer:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self._ends.get(token, 0) <= self.now:
            return json_answer(
                {"code": 4100, "msg": "authentication is invalid", "detail": {"logid": LOGID}}, 401
            )
        return json_answer(
            {
                "code": 0,
                "msg": "",
                "data": {
                    "user_id": "user-1",
                    "user_name": "Ada",
                    "nick_name": "ada",
                    "avatar_url": "",
                },
            }
        )

    def withdraw(self, token: str) -> None:
        """The access token ends now, whatever its time."""
        self._ends[token] = 0

    # Consent in the browser.

    def _authorize(self, asked: Asked) -> Answer:
        query = asked.query
        if (
            query.get("client_id") not in (self.WEB, self.PKCE)
            or query.get("response_type") != "code"
            or not query.get("state")
        ):
            raise Refused("invalid_request", "invalid request: client_id")
        target = query["redirect_uri"]
        if self.consent == "deny":
            back = {
                "error": "access_denied",
                "error_description": "the user said no",
                "state": query["state"],
            }
        else:
            back = {"code": self.new_code(query), "state": query["state"]}
        return Answer(
            302, b"", {"Location": f"{target}{'&' if '?' in target else '?'}{urlencode(back)}"}
        )

    def new_code(self, query: dict[str, str]) -> str:
        code = f"code_{next(self._numbers):04d}canary"
        self._codes[code] = {**query, "ends": self.now + self.code_ttl}
        return code

    # Tokens.

    def _token(self, asked: Asked) -> Answer:
        body = asked.body if isinstance(asked.body, dict) else {}
        grant = body.get("grant_type")
        if grant == JWT_GRANT:
            return self._by_jwt(asked, body)
        if asked.path != f"{PREFIX}/token":
            raise Refused("unsupported_grant_type", f"not supported grant type: {grant}")
        if grant == "authorization_code":
            return self._by_code(asked, body)
        if grant == "refresh_token":
            return self._by_refresh_token(asked, body)
        if grant == DEVICE_GRANT:
            return self._by_device(body)
        raise Refused("unsupported_grant_type", f"not supported grant type: {grant}")

    def _check_secret(self, asked: Asked, client_id: Any) -> None:
        sent = asked.headers.get("authorization")
        if client_id == self.WEB and sent != f"Bearer {self.secret}":
            raise Refused("invalid_client", "invalid client", 401)
        if client_id in (self.PKCE, self.DEVICE) and sent is not None:
            raise Refused("invalid_request", "invalid request: authorization")
        if client_id not in (self.WEB, self.PKCE, self.DEVICE):
            raise Refused("invalid_request", "invalid request: client_id")

    def _by_code(self, asked: Asked, body: dict[str, Any]) -> Answer:
        self._check_secret(asked, body.get("client_id"))
        known = self._codes.pop(str(body.get("code")), None)
        if known is None or known["ends"] <= self.now or known["client_id"] != body["client_id"]:
            raise Refused("invalid_request", f"invalid request: code {body.get('code')}")
        if known["redirect_uri"] != body.get("redirect_uri"):
            raise Refused("invalid_request", "invalid request: redirect_uri")
        if body["client_id"] == self.PKCE:
            verifier = str(body.get("code_verifier", ""))
            digest = (
                base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
                .rstrip(b"=")
                .decode()
            )
            made = digest if known.get("code_challenge_method", "plain") == "S256" else verifier
            if made != known.get("code_challenge"):
                raise Refused("invalid_request", f"invalid request: code_verifier {verifier}")
        return self.issue(Session(body["client_id"]))

    def issue(self, session: Session) -> Answer:
        return json_answer(self.new_pair(session))

    def new_pair(self, session: Session) -> dict[str, Any]:
        number = next(self._numbers)
        access = f"czu_access{number:04d}canary"
        session.previous, session.refresh = session.refresh, f"refresh{number:04d}canary"
        session.access.add(access)
        self._ends[access] = self.now + self.token_ttl
        if session not in self._sessions:
            self._sessions.append(session)
        return {
            "access_token": access,
            "expires_in": int(self._ends[access]),
            "refresh_token": session.refresh,
        }

    def _by_refresh_token(self, asked: Asked, body: dict[str, Any]) -> Answer:
        self._check_secret(asked, body.get("client_id"))
        sent = body.get("refresh_token")
        for session in self._sessions:
            if session.client_id != body["client_id"] or session.withdrawn:
                continue
            if sent == session.refresh:
                return self.issue(session)
            if self.grace and sent == session.previous:
                session.refresh = session.previous
                return self.issue(session)
            if isinstance(sent, str) and sent in {
                f"refresh{token[10:14]}canary" for token in session.access
            }:
                session.withdrawn = True
                for token in session.access:
                    self._ends[token] = 0
        raise Refused(
            "invalid_grant" if self.spelling == "rfc" else "invalid_request",
            f"invalid request: refresh_token {sent}",
        )

    def _device_code(self, asked: Asked) -> Answer:
        if not isinstance(asked.body, dict) or asked.body.get("client_id") != self.DEVICE:
            raise Refused("invalid_request", "invalid request: client_id")
        number = next(self._numbers)
        code = f"device{number:04d}canary"
        self._devices[code] = {
            "ends": self.now + self.device_life,
            "asked": self.now - self.interval,
        }
        return json_answer(
            {
                "device_code": code,
                "user_code": "WDJB-MJHT",
                "verification_uri": f"{self.url}/device",
                "expires_in": 300,
                "interval": self.interval,
            }
        )

    def _by_device(self, body: dict[str, Any]) -> Answer:
        """Answers with the words of `device_polls`, then with the token."""
        device = self._devices.get(str(body.get("device_code")))
        if device is None or body.get("client_id") != self.DEVICE:
            raise Refused("invalid_request", "invalid request: device_code")
        if self.now >= device["ends"]:
            raise Refused("expired_token", "the device code has ended", self.device_status)
        word = self.device_polls.popleft() if self.device_polls else ""
        if word:
            raise Refused(word, f"{word} for {body['device_code']}", self.device_status)
        del self._devices[str(body["device_code"])]
        return self.issue(Session(self.DEVICE))

    def _by_jwt(self, asked: Asked, body: dict[str, Any]) -> Answer:
        text = asked.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            head = jwt.get_unverified_header(text)
            claims = jwt.decode(
                text,
                self.public_keys[head["kid"]],
                algorithms=["RS256"],
                audience=urlsplit(self.url).netloc,
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "require": ["iss", "aud", "iat", "exp", "jti"],
                },
            )
        except (jwt.PyJWTError, KeyError) as error:
            raise Refused("invalid_client", f"invalid JWT: {type(error).__name__}", 401) from error
        if claims["iat"] > self.now or claims["exp"] <= self.now or claims["iss"] != self.JWT:
            raise Refused("invalid_client", "the JWT is not valid now", 401)
        if claims["jti"] in self._used_ids:
            raise Refused("invalid_client", "the JWT was used before", 401)
        self._used_ids.add(claims["jti"])
        self.claims.append({**claims, "head": head})
        access = f"czs_access{next(self._numbers):04d}canary"
        self._ends[access] = self.now + body.get("duration_seconds", 900)
        return json_answer({"access_token": access, "expires_in": int(self._ends[access])})


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, owner: OAuthServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        owner = self.server.owner
        body = json.loads(raw) if raw else None
        asked = Asked(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query)),
            {k.lower(): v for k, v in self.headers.items()},
            body,
        )
        found = owner.answer(asked)
        if found is DROP:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(found.status)
        head = {
            "X-Tt-Logid": LOGID,
            "Date": formatdate(owner.now, usegmt=True),
            **found.headers,
            "Content-Length": str(len(found.body)),
        }
        for name, value in head.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(found.body)

    do_GET = do_POST = _serve

    def log_message(self, format: str, *args: Any) -> None:
        pass
