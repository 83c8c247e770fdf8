"""What an error of the HTTP library means, in our words.

The text of a library is never passed on: it may show the password of a proxy, a query or a body.
The error itself becomes the `__cause__` of ours. Loaded when a call fails for the first time.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any, NamedTuple

import anyio
import httpx


class Diagnosis(NamedTuple):
    """What an error means."""

    text: str
    sent: bool = True
    """Whether the server may have received the request."""
    retryable: bool = True
    """Whether another attempt may succeed."""
    timed_out: bool = False


class _Trail(NamedTuple):
    """An error and its causes, and what the frames that they passed through tell. httpx itself does
    not say which step failed; its trace callback does, but would slow every call down.
    """

    causes: list[BaseException]
    proxy: str | None = None
    """URL of the proxy, without user and password."""
    connecting: bool = False
    """Whether the connection to the server was not ready, so that nothing was sent on it."""

    def find(self, *classes: type[Any]) -> Any:
        """The first cause of one of these classes."""
        return next((cause for cause in self.causes if isinstance(cause, classes)), None)


_TRUST = (
    "if it is that of your company or your own server, set SSL_CERT_FILE to a PEM file with its "
    "issuer, or pass http_client= with a TLS context"
)
# Codes of OpenSSL for certificates that fail the check; all others are not trusted.
_CERTIFICATES = {
    9: "is not valid yet",
    10: "has expired",
    62: "is for another host name",
    64: "is for another IP address",
}
# What OpenSSL, by version, makes of a response that is not TLS.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_PROXY_SETTINGS = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, or the proxy of http_client"
_PROXY_STATUS = {
    403: "refuses to connect to this host (HTTP 403)",
    407: "refuses its user or password (HTTP 407)",
}
_TIMEOUTS: dict[type[Exception], str] = {
    httpx.ConnectTimeout: "timed out while connecting",
    httpx.ReadTimeout: "timed out while waiting for the response",
    httpx.WriteTimeout: "timed out while sending",
    httpx.PoolTimeout: "timed out while waiting for a free connection",
}
_HTTP_ENDS = (httpx.RemoteProtocolError, httpx.ReadError)
# What failed while a connection was made. The first row that matches decides, here and below.
_CONNECTING: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((ConnectionRefusedError,), "{} refused the connection: nothing listens there"),
    ((socket.gaierror,), "the host name of {} is unknown"),
    (
        (ConnectionError, ssl.SSLEOFError, anyio.EndOfStream, *_HTTP_ENDS),
        "{} hung up while the connection was made",
    ),
)
_OTHERS: tuple[tuple[type[Exception], Diagnosis], ...] = (
    (httpx.DecodingError, Diagnosis("the response cannot be decompressed")),
    (httpx.StreamError, Diagnosis("the response was read or closed by something else")),
    (
        httpx.LocalProtocolError,
        Diagnosis("the request is not valid HTTP", sent=False, retryable=False),
    ),
    (
        httpx.UnsupportedProtocol,
        Diagnosis("the URL is not http or https", sent=False, retryable=False),
    ),
    (httpx.InvalidURL, Diagnosis("the URL is not valid", sent=False, retryable=False)),
    (httpx.WriteError, Diagnosis("the connection was lost while the request was sent")),
    (httpx.RequestError, Diagnosis("the connection was lost")),
    (OSError, Diagnosis("the connection was lost")),
)


def diagnose(error: Exception) -> Diagnosis:
    """What an error of the HTTP library, of a transport or of a hook means.

    Args:
        error: The error.
    """
    trail = _trail(error)
    if isinstance(error, httpx.TimeoutException):
        return _timeout(error, trail)
    if isinstance(error, httpx.ProxyError):
        return _proxy_refused(error, trail)
    if isinstance(error, httpx.ConnectError) or trail.connecting:
        return _not_connected(trail)
    if isinstance(error, httpx.RemoteProtocolError):
        return _protocol(str(error))
    if trail.find(ssl.SSLError):
        return Diagnosis(f"the TLS connection was lost{_reason(trail.find(ssl.SSLError))}")
    if trail.find(ConnectionResetError, BrokenPipeError):
        return Diagnosis("the connection was reset by the server")
    known = next((found for kind, found in _OTHERS if isinstance(error, kind)), None)
    if known is not None:
        return known
    if isinstance(error, RuntimeError) and "closed" in str(error):
        return Diagnosis("the client is closed", sent=False, retryable=False)
    return Diagnosis(
        f"{type(error).__name__} was raised inside the HTTP client; look at http_client, "
        "transport and their hooks",
        retryable=False,
    )


def _timeout(error: Exception, trail: _Trail) -> Diagnosis:
    text = _TIMEOUTS.get(type(error), "timed out")
    if trail.connecting and not isinstance(error, httpx.PoolTimeout):
        text = "timed out while connecting"
    unsent = trail.connecting or isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
    if unsent and trail.proxy and not isinstance(error, httpx.PoolTimeout):
        text += f" through the proxy {trail.proxy}"
    return Diagnosis(text, sent=not unsent, timed_out=True)


def _proxy_refused(error: Exception, trail: _Trail) -> Diagnosis:
    """The error of a proxy that answered; its text begins with the HTTP status."""
    proxy = f"the proxy {trail.proxy}" if trail.proxy else "the proxy"
    digits = re.match(r"\d{3}\b", str(error))
    status = int(digits[0]) if digits else 0
    refused = f"refuses to connect (HTTP {status})" if status else "refuses to connect"
    return Diagnosis(
        f"{proxy} {_PROXY_STATUS.get(status, refused)}",
        sent=False,
        retryable=not 400 <= status < 500,
    )


def _not_connected(trail: _Trail) -> Diagnosis:
    if trail.find(ssl.SSLError) and not trail.find(ssl.SSLEOFError):
        return _tls(trail)
    text = next((text for classes, text in _CONNECTING if trail.find(*classes)), None)
    if text is None:
        problem = trail.find(OSError)
        number = problem.errno if problem is not None else None
        text = "{} cannot be reached" + (f" ({os.strerror(number)})" if number else "")
    if trail.proxy is None:
        return Diagnosis(text.format("the server"), sent=False)
    text = f"{text.format(f'the proxy {trail.proxy}')}; check {_PROXY_SETTINGS}"
    return Diagnosis(text, sent=False)


def _tls(trail: _Trail) -> Diagnosis:
    """The error of a TLS handshake. The innermost error is that of the TLS library."""
    problem = [cause for cause in trail.causes if isinstance(cause, ssl.SSLError)][-1]
    if isinstance(problem, ssl.SSLCertVerificationError):
        state = _CERTIFICATES.get(problem.verify_code, "is not trusted")
        text = f"the certificate of the server {state}; {_TRUST}"
    elif problem.reason in _NO_TLS:
        text = "the server does not speak TLS there; does the URL begin with http:// ?"
    else:
        text = f"the TLS handshake failed{_reason(problem)}"
    return Diagnosis(text, sent=False, retryable=False)


def _reason(problem: ssl.SSLError) -> str:
    """The name that OpenSSL has for an error, in brackets; a word, never a value."""
    name = getattr(problem, "reason", None)
    return f" ({name})" if isinstance(name, str) and name.isidentifier() else ""


def _protocol(text: str) -> Diagnosis:
    """A response that is cut, or not HTTP: the text tells which."""
    if "disconnected" in text:
        return Diagnosis("the server closed the connection without a response")
    if "incomplete" in text or "complete message" in text:
        return Diagnosis("the connection was lost before the response was complete")
    return Diagnosis("the response is not valid HTTP; is the URL that of the API?")


def _trail(error: BaseException) -> _Trail:
    causes = list(_causes(error))
    trail = _Trail(causes)
    for cause in causes:
        trace = cause.__traceback__
        while trace is not None:
            trail = _passed(trail, trace.tb_frame)
            trace = trace.tb_next
    return trail


def _passed(trail: _Trail, frame: Any) -> _Trail:
    """The trail after a frame of httpcore or aiohttp."""
    module, names = frame.f_globals.get("__name__", ""), frame.f_locals
    if module == "aiohttp.connector":
        return trail._replace(connecting=True)
    if module == "coze_runtime._http.aiohttp_transport":
        return trail._replace(proxy=getattr(names.get("self"), "proxy", None) or trail.proxy)
    if module.startswith("httpcore."):
        to_proxy = names.get("connect_request") or names.get("proxy_request")
        if to_proxy is not None:
            trail = trail._replace(proxy=str(to_proxy.url.origin))
        if getattr(names.get("request"), "method", None) == b"CONNECT":
            trail = trail._replace(connecting=True)
    return trail


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, and what it wraps: httpcore and aiohttp keep the error of the socket
    among their arguments, a group of errors has its members.
    """
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop(0)
        if id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            inner = [cause.__cause__, *cause.args, *getattr(cause, "exceptions", ())]
            pending += [error for error in inner if isinstance(error, BaseException)]
