from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cozekit import AsyncCoze, Coze
from cozekit.auth import Auth, DeviceOAuth, JWTOAuth, PKCEOAuth, WebOAuth
from tests.auth.server import MovableClock, OAuthServer

KEY_ID = "fingerprint-1"
CALLBACK = "https://app.example/callback"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def pem(key: rsa.RSAPrivateKey) -> str:
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key.private_bytes(*form).decode()


@pytest.fixture
def server(key: rsa.RSAPrivateKey) -> Iterator[OAuthServer]:
    with OAuthServer({KEY_ID: key.public_key()}) as running:
        yield running


@pytest.fixture
def clock(server: OAuthServer) -> MovableClock:
    return server.clock


@pytest.fixture
def web(server: OAuthServer) -> WebOAuth:
    return WebOAuth(server.WEB, server.secret, CALLBACK, base_url=server.url, clock=server.clock)


@pytest.fixture
def pkce(server: OAuthServer) -> PKCEOAuth:
    return PKCEOAuth(server.PKCE, CALLBACK, base_url=server.url, clock=server.clock)


@pytest.fixture
def device(server: OAuthServer) -> DeviceOAuth:
    return DeviceOAuth(server.DEVICE, base_url=server.url, clock=server.clock)


@pytest.fixture
def service(server: OAuthServer, pem: str) -> JWTOAuth:
    return JWTOAuth(server.JWT, pem, KEY_ID, clock=server.clock)


FORMS = ["sync", "asyncio", "trio"]


class Caller:
    """Calls the sync or the async form of the same thing."""

    def __init__(self, form: str) -> None:
        self.form = form

    def __call__(self, owner: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if self.form == "sync":
            return getattr(owner, method)(*args, **kwargs)
        return anyio.run(
            partial(getattr(owner, f"{method}_async"), *args, **kwargs), backend=self.form
        )

    def me(self, auth: Auth, base_url: str, calls: int = 1) -> str:
        """Calls the API so often; the name that the last call brought."""
        if self.form == "sync":
            with Coze(auth=auth, base_url=base_url) as coze:
                return [str(coze.users.me().user_name) for _ in range(calls)][-1]

        async def several() -> str:
            async with AsyncCoze(auth=auth, base_url=base_url) as coze:
                return [str((await coze.users.me()).user_name) for _ in range(calls)][-1]

        return anyio.run(several, backend=self.form)


@pytest.fixture(params=FORMS)
def call(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)
