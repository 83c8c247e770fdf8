"""What the sync and the async client have in common: settings, and copies with other ones."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, Self

from attrs import evolve

from .auth import Auth, StaticToken, checked_token
from .calls.hooks import Observer, RequestHook, ResponseHook
from .calls.retries import RetryPolicy
from .calls.settings import Settings, checked_timeout, checked_url, resolve_retries, www_url
from .errors import ArgumentError
from .operation import Service
from .types import DEFAULT, DriftHook, TimeoutInput

logging.getLogger("cozekit").addHandler(logging.NullHandler())


class BaseClient:
    """What the sync and the async client have in common."""

    service: ClassVar[Service] = Service()
    """What the description says of the service; set by the generated clients."""

    _settings: Settings
    # The client whose connections this one shares; that one closes them.
    _parent: BaseClient | None

    def _configure(
        self,
        token: str | None,
        auth: Auth | None,
        base_url: str | None,
        www: str | None,
        timeout: TimeoutInput,
        max_retries: int | RetryPolicy,
        default_headers: Mapping[str, str] | None,
        on_drift: DriftHook | None,
        observer: Observer,
    ) -> None:
        base = checked_url(self._base_url_of(base_url))
        self._settings = Settings(
            service=self.service,
            auth=_resolve_auth(token, auth, self.service.token_variable),
            base_url=base,
            www_url=checked_url(www) if www else www_url(base),
            timeout=checked_timeout(timeout),
            retries=resolve_retries(max_retries),
            default_headers=dict(default_headers or {}),
            observer=observer,
            on_drift=on_drift,
        )
        self._parent = None

    @classmethod
    def _base_url_of(cls, base_url: str | None) -> str:
        if base_url is not None:
            return base_url
        variable = cls.service.base_url_variable
        servers = cls.service.servers
        named = os.environ.get(variable) if variable else None
        return named or (servers[0] if servers else "")

    @property
    def settings(self) -> Settings:
        """The settings of this client; `with_options` makes a copy with other ones."""
        return self._settings

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return self._settings.base_url

    @property
    def www_url(self) -> str:
        """Where the sign-in pages are."""
        return self._settings.www_url

    @property
    def timeout(self) -> TimeoutInput:
        """The timeout of the client, as it was given."""
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
        """A copy with other settings that shares connections and tokens; for one call or for a part
        of a program.

        Args:
            timeout: Seconds of silence to allow: a number, a `Timeout`, or None for no limit. By
                default as this client has it.
            max_retries: How often a failed call is repeated (0 for never), or a whole
                `RetryPolicy`. None keeps that of this client.
            default_headers: Headers to send besides those of this client; these win.
            on_drift: Called with a `Drift` for each place where a response differs from the
                description. None keeps that of this client.
            on_request: Called with an `OutgoingRequest` before each request, retries included; it
                may add headers. None keeps that of this client.
            on_response: Called with a `ReceivedResponse` after each request, also when it failed.
                None keeps that of this client.

        Raises:
            ArgumentError: A timeout or a number of retries cannot be used.
        """
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
        """A copy that sends to another base URL over the same connections, with the same tokens.

        Args:
            base_url: Where the API is.

        Raises:
            ArgumentError: It is not an http or https address.
        """
        return self._with_settings(self._settings.at(base_url))

    def _with_settings(self, settings: Settings) -> Self:
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__, _settings=settings, _parent=self)
        return other

    def __copy__(self) -> Self:
        return self._with_settings(self._settings)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a token and open connections; make one in each process, "
            "from settings of your own"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"


def _resolve_auth(token: str | None, auth: Auth | None, variable: str) -> Auth:
    """The source of tokens that the arguments name.

    Raises:
        ArgumentError: There is none, or there are two.
    """
    if auth is not None:
        if token is not None:
            raise ArgumentError("give either token or auth, not both", argument="auth")
        if not isinstance(auth, Auth):
            raise ArgumentError(
                f"auth is a {type(auth).__name__}; an OAuth app gives an Auth by app.auth(token or "
                "store)",
                argument="auth",
            )
        return auth
    given = token if token is not None else os.environ.get(variable, "") if variable else ""
    return StaticToken(checked_token(given))
