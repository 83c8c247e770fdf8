"""Failures on demand: the header `X-Emulate` (or `Emulator.emulate`) says how the call shall go
wrong.

A value is a list of directives with semicolons between them: `status=503;retry-after=1;times=2`.

| Directive | Effect |
|---|---|
| `status=N` | HTTP status N; the body is an envelope with a matching code |
| `code=N` | an error envelope with this business code; HTTP 200 unless `status` says otherwise |
| `oauth=WORD` | on the sign-in endpoints: this `error_code`; HTTP 400 without `status` |
| `html` | an HTML page as a gateway sends it; HTTP 502 unless `status` says otherwise |
| `retry-after=S` | adds the header `Retry-After`; HTTP 429 unless `status` says otherwise |
| `delay=S` | waits S seconds before the answer, and before each piece of an event stream |
| `cut=N` | the connection breaks after N bytes of the body |
| `keepalive` | an endless event stream of comments, one every `delay` seconds (0.05 by default) |
| `times=N` | only the first N calls; then one goes through, and the count begins anew |

In the header a rule holds for the requests that carry it; `times` counts those with the same
method, path and value. A rule set with `Emulator.emulate` holds for the next matching requests,
once unless `times` says otherwise, and then is gone.

On a voice socket what answers by itself refuses the handshake; `delay` waits before each event,
`cut=N` breaks the connection after N events, and `keepalive` accepts and then stays silent.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from . import answers

HEADER = "X-Emulate"
_CODES = {400: 4000, 401: 700012006, 403: 4101, 404: 4200, 429: 4020}
_WORDS = {401: "invalid_client", 403: "access_deny"}
_FLAGS = ("html", "keepalive")
_NUMBERS = ("status", "code", "cut", "times", "delay", "retry-after")
_TEXTS = ("oauth",)
_KEEPALIVE_INTERVAL = 0.05


@dataclass(frozen=True, slots=True)
class Rule:
    """What shall go wrong."""

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
    def answers(self) -> bool:
        """Whether the rule answers in place of the emulator."""
        return bool(self.status or self.code or self.html or self.retry_after or self.oauth)


def parse(text: str) -> Rule:
    """A rule out of its text.

    Raises:
        ValueError: A directive is unknown or its value is no number.
    """
    values: dict[str, str] = {}
    for directive in filter(None, (part.strip() for part in text.split(";"))):
        name, _, value = directive.partition("=")
        if name not in (*_FLAGS, *_NUMBERS, *_TEXTS):
            raise ValueError(
                f"{HEADER}: unknown directive {name!r}; known are "
                f"{', '.join((*_FLAGS, *_NUMBERS, *_TEXTS))}"
            )
        if name in _NUMBERS and not value.replace(".", "", 1).isdecimal():
            raise ValueError(f"{HEADER}: {name} needs a number, not {value!r}")
        values[name] = value
    whole = {
        name: int(float(values[name]))
        for name in ("status", "code", "cut", "times")
        if name in values
    }
    return Rule(
        text,
        oauth=values.get("oauth", ""),
        html="html" in values,
        keepalive="keepalive" in values,
        retry_after=values.get("retry-after", ""),
        delay=float(values.get("delay", 0)),
        **whole,
    )


@dataclass(slots=True)
class Switch:
    """Decides which rule a request meets."""

    armed: list[tuple[str, Rule, int]] = field(default_factory=list)
    """Operation id (empty: any), rule, and how often it still applies."""
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def arm(self, text: str, operation: str = "") -> None:
        """Holds a rule ready for the next matching requests."""
        rule = parse(text)
        self.armed.append((operation, rule, rule.times or 1))

    def rule_for(self, method: str, path: str, operation: str, header: str | None) -> Rule | None:
        """The rule for one request, counted."""
        if header is not None:
            rule = parse(header)
            key = (method, path, header)
            self._counts[key] += 1
            if rule.times and self._counts[key] > rule.times:
                del self._counts[key]
                return None
            return rule
        for number, (wanted, rule, left) in enumerate(self.armed):
            if wanted in ("", operation):
                self.armed[number] = (wanted, rule, left - 1)
                if left <= 1:
                    del self.armed[number]
                return rule
        return None


def response(rule: Rule, logid: str, *, oauth: bool = False) -> Response:
    """The answer that a rule gives by itself; `oauth` says that the sign-in endpoints give it."""
    extra = {"Retry-After": rule.retry_after} if rule.retry_after else {}
    status = rule.status or (
        502 if rule.html else 429 if rule.retry_after and not rule.code else 200
    )
    if rule.html:
        page = (
            f"<html><head><title>{status}</title></head><body><h1>{status} "
            "(emulated)</h1></body></html>"
        )
        return Response(
            page, status, {**answers.headers(logid), **extra}, "text/html; charset=utf-8"
        )
    if oauth and not rule.code and not rule.retry_after:
        status = rule.status or 400
        word = rule.oauth or (
            "internal_error" if status >= 500 else _WORDS.get(status, "invalid_request")
        )
        text = (
            "Service internal error."
            if word == "internal_error"
            else f"emulated failure {rule.text!r}"
        )
        return answers.json_answer(
            {"error": "", "error_code": word, "error_message": text}, logid, status
        )
    code = rule.code or _CODES.get(status, 5000)
    found = answers.refused(
        answers.Refusal(code, f"emulated failure {rule.text!r}", status=status), logid
    )
    found.headers.update(extra)
    return found


async def keep_alive(rule: Rule, logid: str, receive: Receive, send: Send) -> None:
    """Comments until the client leaves or the server stops."""
    await send(_stream_head(logid))
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        while not gone.done():
            await send(
                {"type": "http.response.body", "body": b": keep-alive\n\n", "more_body": True}
            )
            await asyncio.wait([gone], timeout=rule.delay or _KEEPALIVE_INTERVAL)
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _stream_head(logid: str) -> Message:
    head = {**answers.headers(logid), "Content-Type": "text/event-stream; charset=utf-8"}
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [(name.lower().encode(), value.encode()) for name, value in head.items()],
    }


class Cut(Exception):
    """Ends the connection in the middle of an answer."""


def spoiled(send: Send, rule: Rule, scope: Scope) -> Send:
    """A `send` that delays pieces of streams, and breaks off after the allowed number of bytes."""
    left = rule.cut
    streams = False

    async def sending(message: Message) -> None:
        nonlocal left, streams
        if message["type"] == "http.response.start":
            streams = b"text/event-stream" in dict(message["headers"]).get(b"content-type", b"")
        elif message["type"] == "http.response.body":
            if streams and rule.delay and message.get("body"):
                await asyncio.sleep(rule.delay)
            if rule.cut >= 0:
                body = message.get("body", b"")
                if len(body) >= left:
                    await send({**message, "body": body[:left], "more_body": True})
                    raise Cut
                left -= len(body)
        await send(message)

    return sending
