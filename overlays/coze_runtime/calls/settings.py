"""The settings of a client, and the way from a call to a request that is ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from attrs import define, evolve, field

from .. import __version__
from .._http.prepared import PreparedRequest
from ..auth import Auth
from ..errors import ArgumentError
from ..operation import CallOptions, Operation, Request, Service
from ..serialization.codec import encode
from ..types import DEFAULT, DriftHook, Timeout, TimeoutInput, UseDefault
from .hooks import Observer
from .retries import RetryPolicy

SLOW_READ_TIMEOUT = 600.0
"""Seconds of silence that a run of a model or workflow may take."""
CONNECT_TIMEOUT = 5.0
"""Seconds to connect, at most, where one number is given for everything."""
USER_AGENT = f"cozekit/{__version__}"


@define(frozen=True, kw_only=True)
class Settings:
    """What `with_options` can change, and what it cannot: everything but the connections."""

    service: Service = field(repr=False)
    auth: Auth
    base_url: str
    www_url: str
    timeout: TimeoutInput = DEFAULT
    retries: RetryPolicy = field(factory=RetryPolicy)
    default_headers: Mapping[str, str] = field(factory=dict, repr=False)
    observer: Observer = field(factory=Observer)
    on_drift: DriftHook | None = None

    def prepare(self, request: Request, options: CallOptions, token: str | None) -> PreparedRequest:
        """The request with token, headers, query and timeout.

        Raises:
            ArgumentError: A header, a query field or the body cannot be written.
        """
        operation = request.operation
        base = self.www_url if operation.www else self.base_url
        content, form = None, None
        body = request.body
        if options.extra_body:
            body = {**(body or {}), **options.extra_body}
        if request.files is not None:
            form = {name: _text(value) for name, value in (body or {}).items()}
        elif body is not None:
            content = encode(body)
        return PreparedRequest(
            operation,
            _address(base, request, options),
            base,
            self._headers(request, options, token, has_json=content is not None),
            content,
            request.files,
            form,
            self.timeout_for(operation, options.timeout),
            self.on_drift,
            self.service,
        )

    def _headers(
        self, request: Request, options: CallOptions, token: str | None, *, has_json: bool
    ) -> dict[str, str]:
        headers = {"Accept": "text/event-stream, application/json, */*", "User-Agent": USER_AGENT}
        _replace(headers, self.default_headers)
        _replace(headers, request.headers)
        if token and not request.operation.anonymous:
            _replace(headers, {"Authorization": f"Bearer {token}"})
        if has_json:
            headers["Content-Type"] = "application/json"
        _replace(headers, options.extra_headers)
        _check_headers(headers)
        return headers

    def timeout_for(self, operation: Operation, wanted: TimeoutInput) -> Timeout:
        """The timeouts of one call: its own, the client's, or those that fit the operation."""
        found = self.timeout if isinstance(wanted, UseDefault) else checked_timeout(wanted)
        if isinstance(found, UseDefault):
            return Timeout(read=SLOW_READ_TIMEOUT) if operation.slow else Timeout()
        if found is None:
            return Timeout(None, None, None, None)
        if isinstance(found, Timeout):
            return found
        return Timeout(min(found, CONNECT_TIMEOUT), found, found, found)

    def at(self, base_url: str) -> Settings:
        """These settings for another base URL."""
        return evolve(self, base_url=checked_url(base_url))


def checked_timeout(timeout: TimeoutInput) -> TimeoutInput:
    """The timeout as it is.

    Raises:
        ArgumentError: It is neither None nor a number above zero; a limit of zero would never let a
            call succeed.
    """
    for seconds in timeout if isinstance(timeout, tuple) else (timeout,):
        if seconds is None or isinstance(seconds, UseDefault):
            continue
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            raise ArgumentError(
                f"a timeout is a number of seconds above zero, a Timeout or None, not {seconds!r}",
                argument="timeout",
            )
    if isinstance(timeout, tuple) and not isinstance(timeout, Timeout):
        return Timeout(*timeout)
    return timeout


def checked_url(url: str) -> str:
    """A base URL without a slash at its end.

    Raises:
        ArgumentError: It is not an http or https address.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is not a number, an IPv6 address without its bracket
        sound = False
    if not sound:
        raise ArgumentError(
            f"base URL {url!r} is not an http or https address, such as https://api.coze.cn",
            argument="base_url",
        )
    return url.rstrip("/")


def www_url(base_url: str) -> str:
    """The web host beside an API host: `api.coze.cn` has `www.coze.cn`; any other host serves
    both.
    """
    return base_url.replace("://api.", "://www.", 1)


def resolve_retries(wanted: int | RetryPolicy, base: RetryPolicy | None = None) -> RetryPolicy:
    """The policy for a number of retries, otherwise as `base`.

    Raises:
        ArgumentError: The number is negative or not whole.
    """
    if isinstance(wanted, RetryPolicy):
        return wanted
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise ArgumentError(
            f"max_retries must be a whole number from 0 on, or a RetryPolicy, not {wanted!r}",
            argument="max_retries",
        )
    return evolve(base or RetryPolicy(), max_retries=wanted)


def _address(base: str, request: Request, options: CallOptions) -> str:
    query = {**request.query, **options.extra_query} if options.extra_query else request.query
    url = f"{base}{request.path}"
    return f"{url}?{urlencode(_query_items(query), safe=',')}" if query else url


def _replace(headers: dict[str, str], more: Mapping[str, str] | None) -> None:
    """Adds headers; one that is there under another spelling gives way, so that no header goes out
    twice.
    """
    if more:
        names = {name.lower() for name in more}
        for name in [name for name in headers if name.lower() in names]:
            del headers[name]
        headers.update(more)


def _check_headers(headers: dict[str, str]) -> None:
    """Finds what no header can hold before the HTTP library does: its error would show the value,
    which may be a token.
    """
    try:
        text = "".join([*headers, *headers.values()])
        if text.isascii() and text.isprintable():
            return
    except TypeError:
        pass
    for name, value in headers.items():
        plain = isinstance(value, str) and (name + value).isascii()
        if not plain or not (name + value).isprintable():
            raise ArgumentError(
                f"the header {name!r} has characters that no header can hold", argument=name
            )


def _query_items(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in query.items():
        if value is not None:
            items = value if isinstance(value, list | tuple) else [value]
            found += [(name, _text(item)) for item in items]
    return found


def _text(value: Any) -> str:
    """A scalar as the wire has it in queries and forms; anything else as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return format(value) if not isinstance(value, str) else str.__str__(value)
    return encode(value).decode()
