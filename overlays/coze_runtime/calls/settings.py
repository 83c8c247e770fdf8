"""The settings of a client; turns a request into one that is ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from attrs import define, evolve, field

from .. import __version__
from .._http.prepared import PreparedRequest
from ..auth import Auth
from ..errors import ArgumentError
from ..operation import CallOptions, Operation, Request, Service, valid_unicode
from ..types import DEFAULT, DriftHook, Timeout, TimeoutInput, UseDefault
from .hooks import Observer, check_headers
from .retries import RetryPolicy

SLOW_READ_TIMEOUT = 600.0
"""Default read timeout of model and workflow runs, in seconds."""
CONNECT_TIMEOUT = 5.0
"""Most seconds to connect if the timeout is a single number."""
MAX_TIMEOUT = 2_147_483
"""Longest timeout in seconds that the sockets of every system take."""
USER_AGENT = f"cozekit/{__version__}"


@define(frozen=True, kw_only=True)
class Settings:
    """All settings of a client; not its connections."""

    service: Service = field(repr=False)
    auth: Auth
    base_url: str
    www_url: str
    server: str | None = None
    timeout: TimeoutInput = DEFAULT
    retries: RetryPolicy = field(factory=RetryPolicy)
    default_headers: Mapping[str, str] = field(factory=dict, repr=False)
    observer: Observer = field(factory=Observer)
    on_drift: DriftHook | None = None

    def prepare(self, request: Request, options: CallOptions, token: str | None) -> PreparedRequest:
        """Adds base URL, headers, token, query and timeout to a request, and encodes its body.

        Args:
            request: The request.
            options: Options of the call.
            token: The access token; None to send none.

        Raises:
            ArgumentError: A header, a query field or the body cannot be encoded.
        """
        operation = request.operation
        base = request.base or (self.www_url if operation.www else self.base_url)
        content, form = None, None
        body = request.body
        if options.extra_body:
            body = {**(body or {}), **options.extra_body}
        if request.files is not None:
            form = {name: _text(name, value) for name, value in (body or {}).items()}
        elif body is not None:
            content = _encode(body)
        return PreparedRequest(
            operation,
            _url(base, request, options),
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
        if not request.base:
            _set_headers(headers, self.default_headers)
        _set_headers(headers, request.headers)
        if token and not request.operation.anonymous:
            _set_headers(headers, {"Authorization": f"Bearer {token}"})
        if has_json:
            headers["Content-Type"] = "application/json"
        _set_headers(headers, options.extra_headers)
        check_headers(headers)
        return headers

    def timeout_for(self, operation: Operation, timeout: TimeoutInput) -> Timeout:
        """The timeouts of a call: those of the call, else of the client, else of the operation.

        Args:
            operation: The operation.
            timeout: The timeout of the call.
        """
        timeout = self.timeout if isinstance(timeout, UseDefault) else checked_timeout(timeout)
        if isinstance(timeout, UseDefault):
            return Timeout(read=SLOW_READ_TIMEOUT) if operation.slow else Timeout()
        if timeout is None:
            return Timeout(None, None, None, None)
        if isinstance(timeout, Timeout):
            return timeout
        return Timeout(min(timeout, CONNECT_TIMEOUT), timeout, timeout, timeout)

    def at(self, base_url: str) -> Settings:
        """A copy with another base URL.

        Args:
            base_url: The base URL.

        Raises:
            ArgumentError: It is not an http or https URL.
        """
        return evolve(self, base_url=checked_url(base_url))


def checked_timeout(timeout: TimeoutInput) -> TimeoutInput:
    """Returns the timeout if it is valid; a tuple becomes a `Timeout`.

    Raises:
        ArgumentError: A limit is neither None nor a positive number.
    """
    for seconds in timeout if isinstance(timeout, tuple) else (timeout,):
        if seconds is None or isinstance(seconds, UseDefault):
            continue
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not is_number or not 0 < seconds <= MAX_TIMEOUT:
            raise ArgumentError(
                f"timeout must be a positive number of seconds up to {MAX_TIMEOUT}, a Timeout, or "
                f"None for no limit, not {seconds!r}",
                argument="timeout",
            )
    if isinstance(timeout, tuple) and not isinstance(timeout, Timeout):
        return Timeout(*timeout)
    return timeout


def checked_url(url: str) -> str:
    """Returns the base URL without trailing slashes.

    Raises:
        ArgumentError: It is not an http or https URL, or it has a user, query or fragment.
    """
    text = url if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_valid = is_valid and not parts.query and not parts.fragment
        is_valid = is_valid and text.isprintable() and " " not in text
    except ValueError:  # a port that is not a number, an unclosed bracket of an IPv6 address
        is_valid = False
    if "@" in text.partition("?")[0]:
        # It would replace the token, and errors show the base URL.
        raise ArgumentError("base URL must not contain a user or password", argument="base_url")
    if not is_valid:
        shown = text.partition("?")[0].partition("#")[0] or url
        raise ArgumentError(
            f"base URL {shown!r} is not an http or https URL, such as https://api.coze.cn",
            argument="base_url",
        )
    return url.rstrip("/")


def www_url(base_url: str) -> str:
    """The URL of the sign-in pages for a base URL: `www.coze.cn` for `api.coze.cn`; other hosts
    serve both.
    """
    return base_url.replace("://api.", "://www.", 1)


def resolve_retries(max_retries: int | RetryPolicy, base: RetryPolicy | None = None) -> RetryPolicy:
    """The policy itself, or `base` with another number of retries.

    Raises:
        ArgumentError: The number is negative or not an integer.
    """
    if isinstance(max_retries, RetryPolicy):
        return max_retries
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise ArgumentError(
            f"max_retries must be an integer of 0 or more, or a RetryPolicy, not {max_retries!r}",
            argument="max_retries",
        )
    return evolve(base or RetryPolicy(), max_retries=max_retries)


def _url(base: str, request: Request, options: CallOptions) -> str:
    query = {**request.query, **options.extra_query} if options.extra_query else request.query
    url = f"{base}{request.path}"
    return f"{url}?{urlencode(_query_items(query), safe=',')}" if query else url


def _set_headers(headers: dict[str, str], values: Mapping[str, str] | None) -> None:
    """Sets headers; replaces headers of the same name in any case, so that none is sent twice."""
    if values:
        names = {name.lower() for name in values}
        for name in [name for name in headers if name.lower() in names]:
            del headers[name]
        headers.update(values)


def _query_items(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if value is not None:
            items = value if isinstance(value, list | tuple) else [value]
            pairs += [(valid_unicode("extra_query", name), _text(name, item)) for item in items]
    return pairs


def _text(name: str, value: Any) -> str:
    """The text of a value in a query or form; JSON if it is not a scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return valid_unicode(name, str.__str__(value))
    return format(value) if isinstance(value, int | float) else _encode(value).decode()


def _encode(value: Any) -> bytes:
    from ..serialization.codec import encode  # the codec loads at the first call

    return encode(value)
