"""The JWT flow: an app authenticates with a signed JWT and acts for itself or for users that it
separates by session name.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_jwt, …/oauth_jwt_channel,
…/oauth_jwt_collaborate, …/oauth_jwt_privilege, …/session_isolation
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from coze_openapi import models
from coze_runtime import publish
from coze_runtime.calls.settings import checked_url
from coze_runtime.limits import check
from coze_runtime.operation import Request

from ..errors import ArgumentError
from ._refresh import RefreshingAuth
from ._stores import AnyStore
from ._token_response import OAuthSetupError, required
from ._values import SYSTEM, Clock, Token

Signer = Callable[[bytes], bytes]
"""Signs with RS256 (RSASSA-PKCS1-v1_5, SHA-256): takes the bytes to sign, returns the signature."""

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

# Seconds before and after now for which a JWT is valid. It is exchanged at once; the rest tolerates
# a clock that differs from the server's.
_VALID_BEFORE = 300
_VALID_AFTER = 900


class JWTOAuth(RefreshingAuth):
    """An app of the type "service": exchanges a signed JWT for a token, and repeats this before the
    token expires.

    ```python
    coze = Coze(auth=JWTOAuth(client_id, private_key, public_key_id))
    ```

    One object works with `Coze` and `AsyncCoze`, from any thread and event loop. Each JWT is used
    once.
    """

    def __init__(
        self,
        client_id: str,
        private_key: str | bytes | None = None,
        public_key_id: str = "",
        *,
        signer: Signer | None = None,
        account_id: str | None = None,
        enterprise_id: str | None = None,
        scope: models.OAuthScope | Mapping[str, Any] | None = None,
        session_name: str | None = None,
        session_context: models.JWTSessionContext | Mapping[str, Any] | None = None,
        duration_seconds: int = 900,
        audience: str | None = None,
        base_url: str | None = None,
        store: AnyStore | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Stores the settings; nothing is signed or sent before the first call.

        Args:
            client_id: Id of the app, from the console.
            private_key: The RSA key from the console, as PEM text or bytes (PKCS#8 or PKCS#1).
                Escaped line breaks (backslash, n) are accepted. Needs the extra `cozekit[jwt]`.
                Pass either this or `signer`.
            public_key_id: Fingerprint of the public key in the console.
            signer: Function that signs instead of `private_key`, for keys that never leave a device
                or service; may block.
            account_id: Requests a token of this account or organization (cross-account and
                multi-organization scenarios). None requests one of the app's own account.
            enterprise_id: Requests a token that manages this enterprise (enterprise privileged
                apps); not together with `account_id`.
            scope: Limits what the token may do; for apps of a channel only. None requests all
                permissions of the app.
            session_name: Your id of the user for whom the token acts; keeps the conversations and
                variables of users apart. None does not keep them apart.
            session_context: Device or consumer that usage is attributed to (enterprise plans).
            duration_seconds: Lifetime of the tokens in seconds, less than a day.
            audience: The `aud` claim, if the API is reached through a host other than Coze's. None
                uses the host of the base URL.
            base_url: Base URL for token requests; None uses that of the client that needs the
                token.
            store: Shares tokens with other processes; None keeps them in this object.
            clock: Source of the time; replace it in tests only.

        Raises:
            OAuthSetupError: An argument is missing or malformed, or PyJWT is not installed.
        """
        base_url = checked_url(base_url) if base_url else None
        super().__init__(base_url=base_url, store=store, clock=clock)
        self.client_id = required("client_id", client_id)
        self._key_id = required("public_key_id", public_key_id)
        acts_for_others = account_id is not None or enterprise_id is not None
        if (signer is None) == (private_key is None):
            raise OAuthSetupError("pass either private_key or signer", argument="private_key")
        if account_id is not None and enterprise_id is not None:
            problem = "pass either account_id or enterprise_id"
            raise OAuthSetupError(problem, argument="enterprise_id")
        if scope is not None and acts_for_others:
            problem = "scope is for apps of a channel, without account_id and enterprise_id"
            raise OAuthSetupError(problem, argument="scope")
        _check_duration(duration_seconds)
        self._account_id, self._enterprise_id, self._scope = account_id, enterprise_id, scope
        self._session_name, self._session_context = session_name, session_context
        self._duration, self._audience = duration_seconds, audience
        self._sign: Signer = signer if signer is not None else key_signer(private_key or "")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.client_id}>"

    def for_session(
        self,
        session_name: str,
        *,
        session_context: models.JWTSessionContext | Mapping[str, Any] | None = None,
        store: AnyStore | None = None,
    ) -> JWTOAuth:
        """Returns the same app for one of its users: same key, separate tokens.

        Args:
            session_name: Your id of the user.
            session_context: Device or consumer that usage is attributed to; None uses that of this
                object.
            store: Shares the user's tokens with other processes; None keeps them in the new object.

        Raises:
            OAuthSetupError: `session_name` is empty.
        """
        return JWTOAuth(
            self.client_id,
            public_key_id=self._key_id,
            signer=self._sign,
            account_id=self._account_id,
            enterprise_id=self._enterprise_id,
            scope=self._scope,
            session_name=required("session_name", session_name),
            session_context=self._session_context if session_context is None else session_context,
            duration_seconds=self._duration,
            audience=self._audience,
            base_url=self._base_url,
            store=store,
            clock=self._clock,
        )

    def _request(self, stored: Token | None, base_url: str) -> Request:
        from coze_openapi.api.oauth import account_token, enterprise_token
        from coze_openapi.api.oauth import token as own_token

        build: Callable[..., Request] = own_token.build
        if self._account_id is not None:
            build = partial(account_token.build, account_id=self._account_id)
        elif self._enterprise_id is not None:
            build = partial(enterprise_token.build, enterprise_id=self._enterprise_id)
        elif self._scope is not None:
            build = partial(build, scope=self._scope)
        return build(
            authorization=f"Bearer {self._signed(base_url)}",
            grant_type=GRANT,
            duration_seconds=self._duration,
        )

    def _signed(self, base_url: str) -> str:
        """A new JWT."""
        header = {"alg": "RS256", "typ": "JWT", "kid": self._key_id}
        text = f"{_encode_part(header)}.{_encode_part(self._claims(base_url))}"
        try:
            signature = self._sign(text.encode())
        except OAuthSetupError:
            raise
        except Exception as error:
            raise OAuthSetupError(
                f"the signer failed ({type(error).__name__}); no JWT was sent", argument="signer"
            ) from error
        if not isinstance(signature, bytes) or not signature:
            raise OAuthSetupError(
                "the signer must return the bytes of the signature", argument="signer"
            )
        return f"{text}.{_base64(signature)}"

    def _claims(self, base_url: str) -> dict[str, Any]:
        from coze_runtime.serialization.convert import to_wire

        now = int(self._clock.time())
        claims = {
            "iss": self.client_id,
            "aud": self._audience or urlsplit(base_url).netloc.rpartition("@")[2],
            "iat": now - _VALID_BEFORE,
            "exp": now + _VALID_AFTER,
            # Not from `random`: a program that fixes its seed would reuse an id, and the server
            # rejects ids it has seen.
            "jti": secrets.token_urlsafe(36),
            "session_name": self._session_name,
            "session_context": to_wire(self._session_context),
        }
        return {name: value for name, value in claims.items() if value is not None}


def _check_duration(seconds: object) -> None:
    from coze_openapi.api.oauth.token import LIMITS

    try:
        if type(seconds) is not int:
            raise ArgumentError("duration_seconds must be a whole number")
        check({"duration_seconds": seconds}, LIMITS)
    except ArgumentError as error:
        raise OAuthSetupError(str(error), argument="duration_seconds") from None


def key_signer(private_key: str | bytes) -> Signer:
    """Creates a signer from a PEM key. The key is parsed once.

    Args:
        private_key: The RSA key from the console, as PEM text or bytes (PKCS#8 or PKCS#1).
            Escaped line breaks (backslash, n) are accepted.

    Raises:
        OAuthSetupError: It is not an RSA private key, or PyJWT is not installed. The message never
            quotes the key.
    """
    try:
        import jwt.algorithms
    except ImportError:
        algorithms: Any = None
    else:
        algorithms = jwt.algorithms
    if algorithms is None or not algorithms.has_crypto:
        raise OAuthSetupError(
            "signing with a private key needs PyJWT: pip install 'cozekit[jwt]'",
            argument="private_key",
        )
    algorithm = algorithms.RSAAlgorithm(algorithms.RSAAlgorithm.SHA256)
    problem = "a public key"
    try:
        key = algorithm.prepare_key(_pem(private_key))
    except Exception as error:
        key, problem = None, type(error).__name__
    # Older versions of PyJWT also accept other kinds of keys.
    if not isinstance(key, algorithms.RSAPrivateKey):
        raise OAuthSetupError(
            f"private_key is not an RSA private key in PEM form ({problem}); use the file from "
            "the console unencrypted, with its BEGIN and END lines",
            argument="private_key",
        )

    def sign(message: bytes) -> bytes:
        signature: bytes = algorithm.sign(message, key)
        return signature

    return sign


def _pem(private_key: str | bytes) -> bytes:
    text = private_key.decode("ascii") if isinstance(private_key, bytes) else private_key
    if not isinstance(text, str):
        raise TypeError
    # Environment variables and nested JSON often hold line breaks as the two characters `\n`.
    return text.replace("\\r", "").replace("\\n", "\n").strip().encode("ascii") + b"\n"


def _encode_part(part: Mapping[str, Any]) -> str:
    return _base64(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


publish(globals(), "cozekit.auth", "JWTOAuth")
