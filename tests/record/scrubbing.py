"""Takes ids, secrets and people out of recorded exchanges; the same value becomes the same
placeholder everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from tests.contract.bodies import form_fields
from tests.contract.catalogue import Op, description
from tests.record.leaks import findings, whole

REQUEST_HEADERS = {"accept", "content-type"}
RESPONSE_HEADERS = {"content-type", "location", "retry-after", "x-tt-logid"}
OFFICIAL_URL = "https://api.coze.cn"
OFFICIAL = re.compile(r"(?:\w+\.)*coze\.(?:cn|com)")

_ID = re.compile(r"(?:^|_)(?:log)?(?:id|ids|uid|uids|id_list|cursor|page_token)$|I[dD]s?$")
_SECRET = re.compile(
    r"(?i)(?:^|[_-])(?:token|secret|password|signature|sign|cookie|credential|api_?key|private_key|jwt|authorization)$"
)
_PERSONAL = re.compile(
    r"(?:^|_)(?:nick_?name|user_name|user_unique_name|unique_name|owner_name|creator_name|email|mobile|phone)$"
)
_ANYWHERE = {
    "id": re.compile(r"(?<!\d)\d{15,}(?!\d)"),
    "person": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w|(?<!\d)1[3-9]\d{9}(?!\d)"),
    "secret": re.compile(
        r"(?<![A-Za-z0-9])(?:pat|sat|czs|czu|cztei)_[A-Za-z0-9]{6,}|eyJ[\w-]{10,}(?:\.[\w-]+)*"
    ),
    "credentials": re.compile(r"(?i)\b(?:bearer|basic)\s+([\w+/=.~-]{6,})"),
}


def secret_names() -> set[str]:
    """Properties that the description marks as passwords."""
    schemas = description()["components"]["schemas"].values()
    parts = [part for schema in schemas for part in [schema, *schema.get("allOf", [])]]
    return {
        name
        for part in parts
        for name, below in part.get("properties", {}).items()
        if below.get("format") == "password"
    }


class Scrubber:
    """First learns from all exchanges of a cassette what has to go, then takes it out of them."""

    def __init__(self, token: str, base_urls: tuple[str, ...] = ()) -> None:
        """Nothing is known yet but the token and the server.

        Args:
            token: The access token that was used.
            base_urls: Addresses of the server; those of no official one become
                `https://api.coze.cn`.
        """
        self._secret_names = secret_names()
        self._values: dict[str, str] = {}
        self._whole: set[str] = set()
        self._add(token, "secret")
        self._hosts = [
            url.rstrip("/")
            for url in base_urls
            if not OFFICIAL.fullmatch(urlsplit(url).hostname or "")
        ]

    def left_in(self, data: Any) -> list[str]:
        """What is still to be found; the shortest values would be found by chance."""
        values = [value for value in self._values if len(value) >= 8]
        return findings(
            data,
            [v for v in values if v not in self._whole],
            [v for v in values if v in self._whole],
        )

    def _add(self, value: str, kind: str) -> None:
        if value in self._values or len(value) < 4:
            return
        if kind == "id" and not (value.isdigit() and len(value) >= 6) and not looks_like_id(value):
            return
        number = len(self._values) + 1
        if value.isdecimal():
            self._values[value] = f"7{number:0{len(value) - 1}d}"
        else:
            self._values[value] = (
                f"person{number}@example.com" if "@" in value else f"{kind}_{number}"
            )
        if kind != "secret":
            self._whole.add(value)

    def learn(self, op: Op, interaction: dict[str, Any]) -> None:
        """Notes everything in an exchange that has to go."""
        request, response = interaction["request"], interaction["response"]
        self._learn_address(op, request["uri"])
        for message in (request, response):
            for name, value in headers_of(message):
                if name.lower() in ("x-tt-logid", "logid"):
                    self._add(value, "id")
                elif name.lower() == "location":
                    self._learn_pairs(parse_qsl(urlsplit(value).query))
                self._learn_text(value)
        self._learn_body(request["body"], content_type(request))
        self._learn_body(response["body"]["string"], content_type(response))

    def _learn_address(self, op: Op, uri: str) -> None:
        parts = urlsplit(uri)
        pattern = re.sub(r"\\\{[^}]*\\}", "([^/]+)", re.escape(op.path))
        matched = re.search(f"{pattern}$", parts.path)
        for value in matched.groups() if matched else ():
            self._add(unquote(value), "id")
        self._learn_pairs(parse_qsl(parts.query))
        self._learn_text(unquote(uri))

    def _learn_pairs(self, pairs: list[tuple[str, str]]) -> None:
        for name, value in pairs:
            self._learn_value(name, value)

    def _learn_body(self, body: str | bytes | None, kind: str) -> None:
        if not body:
            return
        raw = body if isinstance(body, bytes) else body.encode()
        text = raw.decode("utf-8", "replace")
        if kind.startswith("multipart/form-data"):
            for name, value in form_fields(kind, raw).items():
                if isinstance(value, bytes):
                    self._learn_value(name, value.decode("utf-8", "replace"))
        for data in json_in(text):
            self._learn_data(data)
        self._learn_text(text)

    def _learn_data(self, data: Any, name: str = "") -> None:
        if isinstance(data, dict):
            for key, value in data.items():
                self._learn_data(value, str(key))
        elif isinstance(data, list):
            for value in data:
                self._learn_data(value, name)
        elif isinstance(data, str | int) and not isinstance(data, bool):
            self._learn_value(name, str(data))

    def _learn_value(self, name: str, value: str) -> None:
        if name in self._secret_names or (_SECRET.search(name) and not _ID.search(name)):
            self._add(value, "secret")
        elif _PERSONAL.search(name):
            self._add(value, "person")
        elif _ID.search(name):
            self._add(value, "id")
        if value[:1] in ("{", "["):
            for data in json_in(value):
                self._learn_data(data)

    def _learn_text(self, text: str) -> None:
        for kind, pattern in _ANYWHERE.items():
            for found in pattern.finditer(text):
                value = found[found.lastindex or 0]
                if not value.startswith("person") or not value.endswith("@example.com"):
                    self._add(value, "secret" if kind == "credentials" else kind)
        for name, value in re.findall(r"[?&]([\w-]+)=([^&\s\"'\\<>]+)", text):
            if _SECRET.search(name):
                self._add(unquote(value), "secret")

    def scrubbed(self, op: Op, interaction: dict[str, Any]) -> dict[str, Any]:
        """The exchange without what was learnt, and without headers that nobody needs."""
        request, response = interaction["request"], interaction["response"]
        allowed = REQUEST_HEADERS | {name.lower() for name in op.constants}
        return {
            "request": {
                "method": request["method"],
                "uri": self._text(
                    request["uri"], "https://www.coze.cn" if op.www else OFFICIAL_URL
                ),
                "body": self._body(request["body"]),
                "headers": self._headers(request, allowed),
            },
            "response": {
                "status": response["status"],
                "headers": self._headers(response, RESPONSE_HEADERS),
                "body": {"string": self._body(response["body"]["string"])},
            },
        }

    def _headers(self, message: dict[str, Any], allowed: set[str]) -> dict[str, list[str]]:
        kept = sorted(
            (name.lower(), value) for name, value in headers_of(message) if name.lower() in allowed
        )
        return {name: [self._text(value)] for name, value in kept}

    def _body(self, body: str | bytes | None) -> str | bytes | None:
        if not body:
            return None if body is None else ""
        raw = body if isinstance(body, bytes) else body.encode()
        try:
            return self._text(raw.decode())
        except UnicodeDecodeError:
            return self._text(raw.decode("latin-1")).encode("latin-1")

    def _text(self, text: str, official: str = OFFICIAL_URL) -> str:
        for host in self._hosts:
            text = text.replace(host, official)
        for value, placeholder in sorted(self._values.items(), key=lambda pair: -len(pair[0])):
            for form in forms(value):
                if form in text:
                    # An id may be a word; inside another word it means something else.
                    pattern = whole(form) if value in self._whole else re.escape(form)
                    text = re.sub(pattern, placeholder, text)
        return text


def looks_like_id(value: str) -> bool:
    """A word of the documentation (`bot.published`, `default`) is none."""
    return len(value) >= 16 or (len(value) >= 6 and any(letter.isdigit() for letter in value))


def forms(value: str) -> list[str]:
    """How a value may be written in a URL, in JSON, and in JSON inside JSON."""
    in_json = [json.dumps(value, ensure_ascii=escaped)[1:-1] for escaped in (True, False)]
    twice = [json.dumps(form)[1:-1] for form in in_json]
    found = [
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        *in_json,
        *twice,
        value.replace("/", "\\/"),
    ]
    return list(dict.fromkeys(found))


def json_in(text: str) -> Iterator[Any]:
    """JSON documents of a body: the whole, or those of the events of a stream."""
    for part in [text, *re.findall(r"(?m)^data: ?(.*)$", text)]:
        try:
            yield json.loads(part)
        except ValueError:
            continue


def headers_of(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, values in message["headers"].items():
        for value in [values] if isinstance(values, str | bytes) else values:
            yield str(name), value.decode("latin-1") if isinstance(value, bytes) else str(value)


def content_type(message: dict[str, Any]) -> str:
    return next(
        (value for name, value in headers_of(message) if name.lower() == "content-type"), ""
    )
