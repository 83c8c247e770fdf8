"""Failures on demand: the header `X-Emulate` (or `Emulator.emulate`) makes a request fail.

A rule is a list of directives separated by semicolons: `status=503;retry-after=1;times=2`.

| Directive | Effect |
|---|---|
| `status=N` | HTTP status N; the body is an envelope with a matching code |
| `code=N` | an error envelope with this business code; HTTP 200 without `status` |
| `oauth=CODE` | on the sign-in endpoints: this `error_code`; HTTP 400 without `status` |
| `html` | an HTML page as a gateway sends it; HTTP 502 without `status` |
| `retry-after=S` | adds the header `Retry-After`; HTTP 429 without `status` |
| `delay=S` | waits S seconds before the response, and before each piece of an event stream |
| `cut=N` | the connection breaks after N bytes of the body |
| `keepalive` | an endless event stream of comments, one every `delay` seconds (0.05 by default) |
| `times=N` | only the first N requests; then one succeeds, and the count starts again |

In the header, a rule applies to the requests that carry it; `times` counts those with the same
method, path and value. A rule set with `Emulator.emulate` applies to the next matching request, or
to the next `times` of them, and is then gone.

On a voice socket, a rule that replaces the response rejects the handshake; `delay` waits before
each event, `cut=N` breaks the connection after N events, and `keepalive` accepts and stays silent.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Message, Receive, Send

from ..errors import ApiError
from . import responses

HEADER = "X-Emulate"
_CODES = {400: 4000, 401: 700012006, 403: 4101, 404: 4200, 429: 4020}
_OAUTH_CODES = {401: "invalid_client", 403: "access_deny"}
_FLAGS = ("html", "keepalive")
_INTEGERS = ("status", "code", "cut", "times")
_NUMBERS = (*_INTEGERS, "delay", "retry-after")
_DIRECTIVES = (*_FLAGS, *_NUMBERS, "oauth")
_KEEPALIVE_INTERVAL = 0.05


@dataclass(frozen=True, slots=True)
class FailureRule:
    """How a request fails."""

    text: str
    status: int = 0
    code: int = 0
    oauth: str = ""
    html: bool = False
    keepalive: bool = False
    retry_after: str = ""
    delay: float = 0
    cut: int = -1
    times: int = 0

    @property
    def replaces_response(self) -> bool:
        """Whether the rule says the whole response, so that no operation runs."""
        return bool(self.status or self.code or self.html or self.retry_after or self.oauth)


def parse(text: str) -> FailureRule:
    """Parses a rule.

    Args:
        text: The directives.

    Raises:
        ValueError: A directive is unknown or its value is not a number.
    """
    values: dict[str, str] = {}
    for directive in filter(None, (part.strip() for part in text.split(";"))):
        name, _, value = directive.partition("=")
        if name not in _DIRECTIVES:
            raise ValueError(
                f"{HEADER}: unknown directive {name!r}; known are {', '.join(_DIRECTIVES)}"
            )
        if name in _NUMBERS and not value.replace(".", "", 1).isdecimal():
            raise ValueError(f"{HEADER}: {name} needs a number, not {value!r}")
        values[name] = value
    integers = {name: int(float(values[name])) for name in _INTEGERS if name in values}
    return FailureRule(
        text,
        oauth=values.get("oauth", ""),
        html="html" in values,
        keepalive="keepalive" in values,
        retry_after=values.get("retry-after", ""),
        delay=float(values.get("delay", 0)),
        **integers,
    )


@dataclass(slots=True)
class _PreparedFailure:
    operation_id: str
    """Empty for any operation."""
    rule: FailureRule
    remaining: int


@dataclass(slots=True)
class FailureSwitch:
    """Decides which rule applies to a request."""

    _prepared: list[_PreparedFailure] = field(default_factory=list)
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def prepare(self, text: str, operation_id: str = "") -> None:
        """Makes the next matching requests fail.

        Args:
            text: The rule.
            operation_id: Id of the operation; any when empty.
        """
        rule = parse(text)
        self._prepared.append(_PreparedFailure(operation_id, rule, rule.times or 1))

    def rule_for(
        self, method: str, path: str, operation_id: str, header: str | None
    ) -> FailureRule | None:
        """The rule for a request, which is counted.

        Args:
            method: HTTP method.
            path: Path of the URL.
            operation_id: Id of the operation.
            header: Value of `X-Emulate`; None when the request has none.

        Raises:
            ValueError: The header is not a rule.
        """
        if header is not None:
            rule = parse(header)
            key = (method, path, header)
            self._counts[key] += 1
            if rule.times and self._counts[key] > rule.times:
                del self._counts[key]
                return None
            return rule
        for prepared in self._prepared:
            if prepared.operation_id in ("", operation_id):
                prepared.remaining -= 1
                if prepared.remaining <= 0:
                    self._prepared.remove(prepared)
                return prepared.rule
        return None


def failure_response(rule: FailureRule, logid: str, *, oauth: bool = False) -> Response:
    """The response that a rule says.

    Args:
        rule: The rule.
        logid: Log id of the response.
        oauth: Whether a sign-in endpoint gives it.
    """
    if rule.html:
        response = _html_page(rule.status or 502, logid)
    elif oauth and not rule.code and not rule.retry_after:
        response = _oauth_error(rule, logid)
    else:
        status = rule.status or (429 if rule.retry_after and not rule.code else 200)
        code = rule.code or _CODES.get(status, 5000)
        error = ApiError(code, f"emulated failure {rule.text!r}", status=status)
        response = responses.failure(error, logid)
    if rule.retry_after:
        response.headers["Retry-After"] = rule.retry_after
    return response


def _html_page(status: int, logid: str) -> Response:
    head, body = f"<title>{status}</title>", f"<h1>{status} (emulated)</h1>"
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    return Response(page, status, responses.headers(logid), "text/html; charset=utf-8")


def _oauth_error(rule: FailureRule, logid: str) -> Response:
    status = rule.status or 400
    default = "internal_error" if status >= 500 else _OAUTH_CODES.get(status, "invalid_request")
    code, message = rule.oauth or default, f"emulated failure {rule.text!r}"
    if code == "internal_error":
        message = "Service internal error."
    return responses.json_response(
        {"error": "", "error_code": code, "error_message": message}, logid, status
    )


async def keep_alive(rule: FailureRule, logid: str, receive: Receive, send: Send) -> None:
    """Sends comments until the client leaves or the server stops."""
    await send(_stream_start(logid))
    disconnected = asyncio.ensure_future(_disconnected(receive))
    comment = {"type": "http.response.body", "body": b": keep-alive\n\n", "more_body": True}
    try:
        while not disconnected.done():
            await send(comment)
            await asyncio.wait([disconnected], timeout=rule.delay or _KEEPALIVE_INTERVAL)
    finally:
        disconnected.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _stream_start(logid: str) -> Message:
    headers = {**responses.headers(logid), "Content-Type": "text/event-stream; charset=utf-8"}
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }


class ConnectionCut(Exception):
    """Ends the connection in the middle of a response."""


def failing_send(send: Send, rule: FailureRule) -> Send:
    """A `send` that delays pieces of streams, and cuts the connection after the allowed bytes."""
    remaining = rule.cut
    is_stream = False

    async def sending(message: Message) -> None:
        nonlocal remaining, is_stream
        if message["type"] == "http.response.start":
            is_stream = b"text/event-stream" in dict(message["headers"]).get(b"content-type", b"")
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            if is_stream and rule.delay and body:
                await asyncio.sleep(rule.delay)
            if rule.cut >= 0 and len(body) >= remaining:
                await send({**message, "body": body[:remaining], "more_body": True})
                raise ConnectionCut
            remaining -= len(body)
        await send(message)

    return sending
