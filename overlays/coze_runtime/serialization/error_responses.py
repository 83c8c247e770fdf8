"""From an unsuccessful response to the error that is raised."""

from __future__ import annotations

import re
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
    QuotaExceededError,
    RateLimitError,
    RequestInfo,
    ResponseError,
    ServerError,
    TokenExpiredError,
)
from ..operation import Response, without_secrets
from .convert import read_json

_EXECUTE_ID = re.compile(r"[?&]execute_id=([1-9]\d*)")
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


NO_ERROR = (None, 0, "0", "")
"""Values of an error code that report success."""


def classify(
    codes: Mapping[int, type[APIError]], code: int | None, http_status: int | None, msg: str = ""
) -> type[APIError]:
    """The exception class for an error code and an HTTP status.

    Args:
        codes: Error code → class, from `Service.codes`.
        code: Error code of the response.
        http_status: HTTP status; decides if the code is not in `codes`, and whether a limit is one
            of the rate.
        msg: Error message; distinguishes an expired token from a wrong one.
    """
    error_class = codes.get(code) if code is not None else None
    if error_class is None and http_status is not None:
        error_class = ServerError if http_status >= 500 else _STATUS.get(http_status)
    if error_class is QuotaExceededError and http_status == 429:
        return RateLimitError  # the same code stands for either limit
    if error_class is AuthenticationError and "expire" in msg.lower():
        return TokenExpiredError
    return error_class or APIError


def api_error(
    response: Response, *, code: Any, msg: Any, logid: str | None = None, debug_url: Any = None
) -> APIError:
    """The error for a code and a message."""
    number = number_of(code)
    text = str(msg) if msg else ""
    logid = logid or response.logid
    info = response.info
    execute_id = execute_id_in(debug_url)
    error_class, hint = _class_and_hint(response, number, text, is_run=execute_id is not None)
    description = describe(
        info, number if number is not None else code, text, response.status, logid
    )
    error: Any = error_class(
        description + hint,
        code=number,
        msg=text,
        http_status=response.status,
        logid=logid,
        debug_url=str(debug_url) if debug_url else None,
        request=info,
        retry_after=retry_after(response.headers.get("retry-after")),
    )
    if execute_id and hasattr(error, "execute_id"):
        error.execute_id = execute_id
    return error  # type: ignore[no-any-return]  # the class is given by the description


def _class_and_hint(
    response: Response, number: int | None, text: str, *, is_run: bool
) -> tuple[type[APIError], str]:
    """The class of an error, and what its text adds."""
    service, failed = response.service, response.operation.failed
    lacking = [it.name for it in service.other_servers.values() if it.absent in text]
    if lacking:
        # Not an error of the token, although the status says so: renewing it would not help.
        return NotFoundError, f"; {lacking[0]} does not seem to have this operation"
    if failed is not None and (is_run or number in service.failed):
        return failed, ""  # as in the stream of such a run
    error_class = classify(service.codes, number, response.status, text)
    about_token = issubclass(error_class, AuthenticationError | PermissionDeniedError)
    return error_class, _site_hint(response.base_url, service.servers) if about_token else ""


def _site_hint(base_url: str, sites: Sequence[str]) -> str:
    """A hint at the other site: a token of one site looks wrong to the other."""
    other = next((url for url in sites if url != base_url), None)
    if base_url not in sites or other is None:
        return ""
    return f"; a token of the other site needs base_url={other!r}"


def describe(
    info: RequestInfo,
    code: Any,
    msg: str,
    http_status: int | None,
    logid: str | None,
    ids: Mapping[str, Any] | None = None,
) -> str:
    """The text of an error: operation, code, message, status, ids, log id, base URL, page."""
    facts = [
        f"HTTP {http_status}" if http_status else "",
        *(f"{name} {value}" for name, value in (ids or {}).items() if value),
        f"logid {logid}" if logid else "",
        f"at {info.base_url}",
    ]
    reason = f"code {code}: {msg}" if code is not None else (msg or "no reason given")
    link = f"; see {info.page}" if info.page else ""
    return f"{info.call}: {reason} ({', '.join(fact for fact in facts if fact)}{link})"


def retry_after(value: str | None) -> float | None:
    """Seconds of a `Retry-After` header, a number or a date; `None` if it is absent or invalid."""
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
    """An error code as a number, even if the service sent a string; None if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def execute_id_in(debug_url: object) -> str | None:
    """The id of the run that a debug URL shows; None if it shows none, as `execute_id=0` does."""
    match = _EXECUTE_ID.search(debug_url) if isinstance(debug_url, str) else None
    return match[1] if match else None


class _Envelope(msgspec.Struct):
    code: Any = None
    error: Any = None
    error_code: Any = None
    error_message: Any = None


_envelope_decoder = msgspec.json.Decoder(_Envelope)


def is_error_envelope(content: bytes) -> bool:
    """Whether a body reports an error: by its code, or without one by the fields of other
    envelopes. Does not decode the rest of it.
    """
    try:
        envelope = _envelope_decoder.decode(content)
    except (ValueError, RecursionError):
        body = _json_object(content)
        if body is None:
            return False
        envelope = _Envelope(**{name: body.get(name) for name in _Envelope.__struct_fields__})
    if envelope.code not in NO_ERROR:
        return True
    if envelope.code is not None:
        return False
    return envelope.error_code not in NO_ERROR or bool(envelope.error_message or envelope.error)


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        body = read_json(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


_ASK = "is the base URL that of the API?"


def _is_page(response: Response) -> bool:
    """Whether a response is a page for people, such as one of a proxy or a sign-in."""
    return (
        response.content_type.startswith("text/html") or response.content[:50].lstrip()[:1] == b"<"
    )


def _excerpt(response: Response) -> str:
    """The first words of a response that is not JSON, without markup."""
    is_text = response.content_type.startswith("text/")
    if not (is_text or response.content_type in ("", "application/json")):
        return ""
    text = response.content[:4096].decode("utf-8", "replace")
    if _is_page(response):
        text = re.sub(r"(?is)<(script|style)\b.*?(</\1>|$)|<[^>]*(>|$)", " ", text)
    words = " ".join(text.split())
    return f": {words[:120]}" if words else ""


def _without_envelope(response: Response) -> str:
    """What a response without an error envelope says: a redirect, a page, an empty body."""
    status = f"HTTP {response.status}"
    location = response.headers.get("location")
    if location and 300 <= response.status < 400:
        return f"{status}, a redirect to {without_secrets(location)}; {_ASK}"
    if not response.content:
        return f"{status}, empty body"
    hint = f"; {_ASK}" if _is_page(response) and response.status < 429 else ""
    return f"{status} with {response.content_type or 'no content type'}{_excerpt(response)}{hint}"


def failure(response: Response) -> APIError:
    """The error for an unsuccessful response with a body of any shape."""
    body = _json_object(response.content)
    if body is None or 300 <= response.status < 400:
        return api_error(response, code=None, msg=_without_envelope(response))
    error = body.get("error")
    details = [detail for detail in (body.get("detail"), error) if isinstance(detail, dict)]
    logid = next((str(detail["logid"]) for detail in details if detail.get("logid")), None)
    code = body.get("code")
    msg = (
        body.get("msg")
        or body.get("error_message")
        or body.get("message")
        or (error.get("message") if isinstance(error, dict) else error)
        or f"HTTP {response.status}"
    )
    if code is None:
        code = body.get("error_code")
    return api_error(response, code=code, msg=msg, logid=logid, debug_url=body.get("debug_url"))


def shape_error(response: Response, problem: str) -> ResponseError:
    """The error for a response that does not match the documented schema."""
    info = response.info
    if _is_page(response):
        problem = f"{problem}{_excerpt(response)}; {_ASK}"
    facts = [
        f"HTTP {response.status}",
        response.content_type or "no content type",
        f"logid {response.logid}" if response.logid else "",
        f"at {response.base_url}",
    ]
    return ResponseError(
        f"{info.call}: {problem} ({', '.join(fact for fact in facts if fact)})",
        http_status=response.status,
        logid=response.logid,
        request=info,
        body=response.content[:2000],
    )
