"""From a response that is not a success to the error that is raised."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from ..errors import (
    APIError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestInfo,
    ResponseError,
    ServerError,
    TokenExpiredError,
)
from ..operation import Operation, Response, Service

_STATUS: dict[int, type[APIError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
}


def classify(
    codes: Mapping[int, type[APIError]], code: int | None, http_status: int | None, msg: str = ""
) -> type[APIError]:
    """The class for a code and an HTTP status; the code knows more.

    Args:
        codes: The table of `Service.codes`.
        code: Code of the envelope.
        http_status: Decides where the table does not know the code.
        msg: Tells an expired token from a wrong one.
    """
    found = codes.get(code) if code is not None else None
    if found is None and http_status is not None:
        found = ServerError if http_status >= 500 else _STATUS.get(http_status)
    if found is AuthenticationError and "expire" in msg.lower():
        return TokenExpiredError
    return found or APIError


def request_info(operation: Operation, url: str, base_url: str, service: Service) -> RequestInfo:
    """What an error may tell of a request."""
    page = f"{service.docs}{operation.page}" if operation.page else ""
    return RequestInfo(operation.id, operation.method, url.partition("?")[0], base_url, page)


def api_error(
    response: Response, *, code: Any, msg: Any, logid: str | None = None, debug_url: Any = None
) -> APIError:
    """The error for a response that is not a success."""
    number = number_of(code)
    text = str(msg) if msg else ""
    logid = logid or response.logid
    info = _info(response)
    kind = classify(response.service.codes, number, response.status, text)
    said = describe(info, number if number is not None else code, text, response.status, logid)
    if issubclass(kind, AuthenticationError | PermissionDeniedError):
        said += _site_hint(info.base_url, response.service.servers)
    return kind(
        said,
        code=number,
        msg=text,
        http_status=response.status,
        logid=logid,
        debug_url=str(debug_url) if debug_url else None,
        request=info,
        retry_after=retry_after(response.headers.get("retry-after")),
    )


def _info(response: Response) -> RequestInfo:
    return request_info(response.operation, response.url, response.base_url, response.service)


def _site_hint(base_url: str, sites: Sequence[str]) -> str:
    """Accounts and tokens of one site are unknown to the other, which answers as if the token were
    wrong.
    """
    other = next((url for url in sites if url != base_url), None)
    known = base_url in sites and other
    return f"; a token of the other site needs base_url={other!r}" if known else ""


def describe(
    info: RequestInfo, code: Any, msg: str, http_status: int | None, logid: str | None
) -> str:
    """One line that says who speaks: operation, code, message, status, log id, base URL, page."""
    facts = [
        f"HTTP {http_status}" if http_status else "",
        f"logid {logid}" if logid else "",
        f"at {info.base_url}",
    ]
    said = f"code {code}: {msg}" if code is not None else (msg or "no reason given")
    more = f"; see {info.page}" if info.page else ""
    return f"{info.operation}: {said} ({', '.join(fact for fact in facts if fact)}{more})"


def retry_after(value: str | None) -> float | None:
    """Seconds of a `Retry-After` header, in either of its forms; `None` when there is none or it
    cannot be read.
    """
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def number_of(value: Any) -> int | None:
    """A code as a number, whatever the service sent in its place; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


class _Head(msgspec.Struct):
    code: Any = None


_head_decoder = msgspec.json.Decoder(_Head)


def is_error_envelope(content: bytes) -> bool:
    """Whether a body is an envelope with an error code, without reading the rest of it."""
    try:
        return _head_decoder.decode(content).code not in (None, 0, "0", "")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def failure(response: Response) -> APIError:
    """The error for a response that is not a success, whatever its body looks like."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        text = response.content[:200].decode("utf-8", "replace").strip()
        kind = response.content_type or "no content type"
        return api_error(
            response,
            code=None,
            msg=f"HTTP {response.status} with {kind}: {text}"
            if text
            else f"HTTP {response.status}, empty body",
        )
    details = [part for part in (body.get("detail"), body.get("error")) if isinstance(part, dict)]
    logid = next((str(part["logid"]) for part in details if part.get("logid")), None)
    code = body.get("code", body.get("error_code"))
    word = body.get("error") if isinstance(body.get("error"), str) else None
    msg = (
        body.get("msg")
        or body.get("error_message")
        or body.get("message")
        or word
        or f"HTTP {response.status}"
    )
    return api_error(response, code=code, msg=msg, logid=logid, debug_url=body.get("debug_url"))


def shape_error(response: Response, problem: str) -> ResponseError:
    """The error for a response that does not match the documented schema."""
    info = _info(response)
    kind = response.content_type or "no content type"
    facts = f"HTTP {response.status}, {kind}, logid {response.logid}, at {response.base_url}"
    return ResponseError(
        f"{info.operation}: {problem} ({facts})",
        http_status=response.status,
        logid=response.logid,
        request=info,
        body=response.content[:2000],
    )
