"""The examples of a page as documented exchanges: what is sent, and what comes back."""

from __future__ import annotations

import json
import re
from typing import Any

from ..pages.judgement import json_type
from ..pages.page import SENT_BY_ITSELF, Request, Row, Table, title_of
from .facts import known_values

Exchange = dict[str, Any]
_URL = re.compile(r"https?://[^\s'\"\\]+")
_METHOD = re.compile(r"(?:--request|-X)\s+'?([A-Z]+)|^\s*(GET|POST|PUT|DELETE|PATCH)\b", re.M)
# What editors write into JSON: a comment, a comma too many, a comma too few.
_REPAIRS = [
    ("comment", re.compile(r"(?<=[,\s{\[\]}\"])//[^\n]*"), ""),
    ("trailing comma", re.compile(r",(\s*[}\]])"), r"\1"),
    ("missing comma", re.compile(r"([}\]\"\d])(\s*\n\s*)(?=[\"{\[])"), r"\1,\2"),
]


def exchanges_of(slug: str, request: Request) -> list[Exchange]:
    """Requests and responses of a page, paired in their order; the last request has all further
    responses.
    """
    sent = [asked for example in request.examples if (asked := _sent(example.text))]
    received = [
        answer
        for example in request.examples
        if not _URL.search(example.text.partition("\n")[0]) and (answer := read_json(example.text))
    ]
    pairs = []
    for number in range(max(len(sent), len(received))):
        index = min(number, len(sent) - 1)
        exchange: Exchange = {"source": f"{slug}.{max(index, 0)}"}
        if sent:
            repaired = sent[index].pop("repaired", None) or exchange.get("repaired")
            exchange["request"] = sent[index]
            exchange |= {"repaired": repaired} if repaired else {}
        if number < len(received):
            value, repaired = received[number]
            exchange["answer"] = {"kind": "json", "value": value}
            exchange["answer"] |= {"repaired": repaired} if repaired else {}
        pairs.append(exchange)
    return pairs


def read_json(text: str) -> tuple[Any, list[str]] | None:
    """A JSON value, and what had to be repaired; None when it is none."""
    repaired: list[str] = []
    for name, pattern, replacement in [("", re.compile("$^"), ""), *_REPAIRS]:
        mended = pattern.sub(replacement, text)
        repaired += [name] if mended != text else []
        text = mended
        try:
            return json.loads(text), repaired
        except ValueError:
            continue
    return None


def _sent(text: str) -> Exchange | None:
    """The request of a curl command."""
    url, method = _URL.search(text), _METHOD.search(text)
    if not url or not re.search(r"curl|--header|-H |^\s*[A-Z]+ ", text, re.M):
        return None
    start, end = text.find("{"), text.rfind("}")
    body = read_json(text[start : end + 1]) if 0 <= start < end else None
    content = re.search(r"(?i)content-type:\s*([\w/+-]+)", text)
    verb = method[1] or method[2] if method else "POST" if body else "GET"
    sent: Exchange = {"method": verb, "url": url[0]}
    sent["headers"] = {"Content-Type": content[1]} if content else {}
    if body:
        sent |= {"body": body[0]} | ({"repaired": body[1]} if body[1] else {})
    return sent


def documented(request: Request) -> dict[str, Any]:
    """The fields of an operation as the page has them: types, required flags, values."""
    found: dict[str, Any] = {
        "method": request.method,
        "address": request.paths[0],
        "answers": ["json"],
    }
    for place in ("path", "query", "header", "body", "response"):
        facts: dict[str, Any] = {}
        for table in (table for table in request.tables if table.place == place):
            facts |= _facts(request, table)
        found |= {place: facts} if facts else {}
    if "body" in found:
        found["body_type"] = request.content_type
    objects = [table for table in request.tables if table.place == "object"]
    return found | {"objects": {table.title: _facts(request, table) for table in objects}}


def _facts(request: Request, table: Table) -> dict[str, Any]:
    return {
        row.name: _fact(request, table, row)
        for row in table.rows
        if row.name.lower() not in SENT_BY_ITSELF
    }


def _fact(request: Request, table: Table, row: Row) -> dict[str, Any]:
    kind = "string" if table.place == "header" else json_type(row.kind) or "object"
    fact: dict[str, Any] = {"type": "binary" if kind == "file" else kind}
    titles = [t.title for t in request.tables if t.place == "object" and t.side == table.side]
    target = next((title for title in titles if title_of(title) == row.target != ""), None)
    if kind == "array":
        inner = json_type(re.sub(r"(?i)^array of\s*", "", row.kind))
        fact["of"] = "object" if target else inner or None
    fact |= {"object": target, "required": row.required, "enum": list(known_values(row)) or None}
    return {key: value for key, value in fact.items() if value is not None}
