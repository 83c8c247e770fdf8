"""What the sync and async clients share: settings, and copies with changed settings."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, Self

from attrs import evolve

from .auth import Auth, StaticToken
from .calls.hooks import Observer, RequestHook, ResponseHook
from .calls.retries import RetryPolicy
from .calls.settings import Settings, checked_timeout, checked_url, resolve_retries, www_url
from .errors import ArgumentError
from .operation import Service
from .steps import reject_async
from .types import DEFAULT, DriftHook, TimeoutInput

logging.getLogger("cozekit").addHandler(logging.NullHandler())


class BaseClient:
    """What the sync and async clients share."""

    service: ClassVar[Service] = Service()
    """What the description says about the service; set by the generated clients."""

    _is_async: ClassVar[bool]
    _settings: Settings
    # The client that this one is a copy of; it owns and closes the connections.
    _parent: BaseClient | None

    def _configure(
        self,
        token: str | None,
        auth: Auth | None,
        base_url: str | None,
        www: str | None,
        server: str | None,
        timeout: TimeoutInput,
        max_retries: int | RetryPolicy,
        default_headers: Mapping[str, str] | None,
        on_drift: DriftHook | None,
        on_request: RequestHook | None,
        on_response: ResponseHook | None,
    ) -> None:
        self._check_hooks(on_drift, on_request, on_response)
        server = self._server_of(server)
        base = checked_url(self._base_url_of(base_url, server))
        self._settings = Settings(
            service=self.service,
            auth=_resolve_auth(token, auth, self.service.token_variable),
            base_url=base,
            www_url=checked_url(www) if www else www_url(base),
            server=server,
            timeout=checked_timeout(timeout),
            retries=resolve_retries(max_retries),
            default_headers=dict(default_headers or {}),
            observer=Observer(on_request, on_response),
            on_drift=on_drift,
        )
        self._parent = None

    def _check_hooks(
        self,
        on_drift: DriftHook | None,
        on_request: RequestHook | None,
        on_response: ResponseHook | None,
    ) -> None:
        reject_async(on_drift, "on_drift", "on_drift", "it is called while a response is decoded")
        if not self._is_async:
            reject_async(on_request, "on_request", "on_request")
            reject_async(on_response, "on_response", "on_response")

    @classmethod
    def _server_of(cls, server: str | None) -> str | None:
        variable, known = cls.service.server_variable, cls.service.other_servers
        if server is None and variable:
            server = os.environ.get(variable) or None
        if server is not None and server not in known:
            raise ArgumentError(
                f"server must be {' or '.join(map(repr, known))}, or None for the official "
                f"service, not {server!r}",
                argument="server",
            )
        return server

    @classmethod
    def _base_url_of(cls, base_url: str | None, server: str | None) -> str:
        if base_url is not None:
            return base_url
        variable = cls.service.base_url_variable
        servers = cls.service.servers
        from_environment = os.environ.get(variable) if variable else None
        if server is not None and not from_environment:
            raise ArgumentError(
                f"server {server!r} has no usual address: pass base_url or set {variable}",
                argument="base_url",
            )
        return from_environment or (servers[0] if servers else "")

    @property
    def settings(self) -> Settings:
        """The settings of this client. To change them, use `with_options`."""
        return self._settings

    @property
    def base_url(self) -> str:
        """Base URL of the API, without a trailing slash."""
        return self._settings.base_url

    @property
    def www_url(self) -> str:
        """Base URL of the sign-in pages, without a trailing slash."""
        return self._settings.www_url

    @property
    def timeout(self) -> TimeoutInput:
        """The timeout of the client, as passed to the constructor."""
        return self._settings.timeout

    def with_options(
        self,
        *,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
    ) -> Self:
        """Returns a copy with changed settings that shares connections and tokens.

        ```python
        coze.with_options(timeout=30, max_retries=0).bots.retrieve("7342866812345")
        ```

        Args:
            timeout: Seconds without data before a call fails: a number, a `Timeout`, or None for no
                limit. Omit to keep the timeout of this client.
            max_retries: How often a failed call is retried (0 for never), or a `RetryPolicy`. None
                keeps the policy of this client.
            default_headers: Headers to add to those of this client; they override headers of the
                same name.
            on_drift: Called with a `Drift` for each place where a response differs from the
                description. None keeps the hook of this client.
            on_request: Called with an `OutgoingRequest` before each request, retries included; it
                may add headers. None keeps the hook of this client.
            on_response: Called with a `ReceivedResponse` after each request, failed ones included.
                None keeps the hook of this client.

        Raises:
            ArgumentError: `timeout` is not positive, `max_retries` is negative, or a hook is an
                async function that the client cannot await.
        """
        self._check_hooks(on_drift, on_request, on_response)
        old = self._settings
        new: dict[str, Any] = {}
        if timeout is not DEFAULT:
            new["timeout"] = checked_timeout(timeout)
        if max_retries is not None:
            new["retries"] = resolve_retries(max_retries, old.retries)
        if default_headers:
            new["default_headers"] = {**old.default_headers, **default_headers}
        if on_drift is not None:
            new["on_drift"] = on_drift
        if on_request is not None or on_response is not None:
            new["observer"] = Observer(
                on_request or old.observer.on_request, on_response or old.observer.on_response
            )
        return self._with_settings(evolve(old, **new))

    def with_base_url(self, base_url: str) -> Self:
        """Returns a copy with another base URL that shares connections and tokens.

        Args:
            base_url: Base URL of the API, such as `https://api.coze.com`.

        Raises:
            ArgumentError: `base_url` is not an http or https URL.
        """
        return self._with_settings(self._settings.at(base_url))

    def _with_settings(self, settings: Settings) -> Self:
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__, _settings=settings, _parent=self)
        return copy

    def __copy__(self) -> Self:
        return self._with_settings(self._settings)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a token and open connections and cannot be pickled; "
            "create a client in each process"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"


def _resolve_auth(token: str | None, auth: Auth | None, variable: str) -> Auth:
    """The token source for the constructor arguments `token` and `auth`.

    Raises:
        ArgumentError: Neither is given and the environment variable is not set, or both are given.
    """
    if auth is not None:
        if token is not None:
            raise ArgumentError("pass either token or auth, not both", argument="auth")
        if not isinstance(auth, Auth):
            raise ArgumentError(
                f"auth must be an Auth, not {type(auth).__name__}; for an OAuth app, pass "
                "app.auth(token or store)",
                argument="auth",
            )
        return auth
    if token is None:
        token = os.environ.get(variable, "") if variable else ""
    return StaticToken(token)
