"""What `Coze` and `AsyncCoze` make of their arguments, and copies with other ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from coze_openapi.client import BaseClient, checked_timeout
from coze_openapi.errors import ArgumentError
from coze_openapi.types import DEFAULT, DriftHook, TimeoutInput

from .auth.base import Auth, checked_token
from .hooks import Observer, RequestHook, ResponseHook
from .retries import RetryPolicy

if TYPE_CHECKING:
    from typing import Self

DEFAULT_BASE_URL = "https://api.coze.cn"


def base_url_of(given: str | None) -> str:
    """The base URL to use: the given one, that of COZE_API_BASE, or the default."""
    return given or os.environ.get("COZE_API_BASE") or DEFAULT_BASE_URL


class Settings(BaseClient):
    """The part of a client that `with_options` can change."""

    _auth: Auth
    _retries: RetryPolicy
    _observer: Observer
    # The client whose connections this one shares; that one closes them.
    _parent: Any

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
        """A copy with other settings that shares connections and tokens; for one call or for a part of a program.

        Args:
            timeout: As in the constructor.
            max_retries: How often a failed call is repeated, or a whole `RetryPolicy`.
            default_headers: Headers to send besides those of this client.
            on_drift: As in the constructor.
            on_request: As in the constructor.
            on_response: As in the constructor.

        Raises:
            ArgumentError: A timeout or a number of repetitions cannot be used.
        """
        other = self.__copy__()
        other._parent = self
        if timeout is not DEFAULT:
            other._timeout = checked_timeout(timeout)
        if max_retries is not None:
            other._retries = policy_of(max_retries, self._retries)
        if default_headers:
            other._default_headers = {**self._default_headers, **default_headers}
        if on_drift is not None:
            other._on_drift = on_drift
        other._observer = Observer(on_request or self._observer.on_request, on_response or self._observer.on_response)
        return other

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a token and open connections; make one in each process, from settings of your own")


def auth_of(token: str | None, auth: Auth | None) -> Auth:
    """The source of tokens that the arguments name.

    Raises:
        ArgumentError: There is none, or there are two.
    """
    if auth is not None:
        if token is not None:
            raise ArgumentError("give either token or auth, not both", argument="auth")
        if not isinstance(auth, Auth):
            raise ArgumentError(f"auth is a {type(auth).__name__}; an OAuth app gives an Auth by app.auth(token or store)", argument="auth")
        return auth
    from .auth.token import StaticToken

    return StaticToken(checked_token(token if token is not None else os.environ.get("COZE_API_TOKEN", "")))


def policy_of(wanted: int | RetryPolicy, base: RetryPolicy | None = None) -> RetryPolicy:
    """The policy for a number of repetitions, otherwise as `base`.

    Raises:
        ArgumentError: The number is negative, or no whole number.
    """
    if isinstance(wanted, RetryPolicy):
        return wanted
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise ArgumentError(f"max_retries must be a whole number from 0 on, or a RetryPolicy, not {wanted!r}", argument="max_retries")
    from attrs import evolve

    return evolve(base or RetryPolicy(), max_retries=wanted)
