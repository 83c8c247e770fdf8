"""The documented exchanges as data: what the client sends for each, and what came back."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.contract.catalogue import Op, as_argument, is_file, merged, operations

FOLDER = Path(__file__).parent
UPLOAD = ("example.bin", b"content of the example", "application/octet-stream")
JWT = "Bearer a.signed.jwt"
LOGID = "20250106172024B5F607030EFFAD0000"


class Exchange(NamedTuple):
    op: Op
    number: int
    data: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.op.id}-{self.number}"

    @property
    def request(self) -> dict[str, Any]:
        """What the client sends: the documented request, changed where `deviation` says why."""
        changed = {**self.data.get("request", {}), **self.data.get("sent", {})}
        return {key: value for key, value in changed.items() if value is not None}

    @property
    def streaming(self) -> bool:
        return self.op.only_streams or bool(
            self.op.switch and self.request.get("body", {}).get(self.op.switch)
        )

    @property
    def unswitched(self) -> bool:
        """Whether the example leaves out the field that no method of the client leaves out."""
        name = self.op.set_by_method
        return name is not None and name not in self.request.get("body", {})

    @property
    def query(self) -> list[tuple[str, str]]:
        """Query fields; the empty value of a field that is left empty in the example counts."""
        return [
            (name, value)
            for name, value in parse_qsl(
                urlsplit(self.request["url"]).query, keep_blank_values=True
            )
            if name
        ]

    @property
    def logid(self) -> str:
        """Log id of the answer: that of the example, or one that we give."""
        value = self.data.get("answer", {}).get("value", {})
        return str((value.get("detail") or {}).get("logid") or LOGID)

    @property
    def answer(self) -> dict[str, Any]:
        """The documented answer, or the least that counts as success."""
        return self.data["answer"] if "answer" in self.data else least_answer(self.op)  # type: ignore[no-any-return]

    def arguments(self) -> dict[str, Any]:
        """Arguments of the Python method that ask for this request, by the description alone."""
        pattern = re.sub(r"\{([^}]*)}", r"(?P<\1>[^/]+)", self.op.path)
        matched = re.fullmatch(pattern, urlsplit(self.request["url"]).path)
        assert matched, f"{self.request['url']} is no {self.op.path}"
        query = dict(self.query)
        body = {
            key: value
            for key, value in self.request.get("body", {}).items()
            if key != self.op.set_by_method
        }
        parts = {
            "path": {k: unquote(v) for k, v in matched.groupdict().items()},
            "query": query,
            "header": {},
            "body": body,
            "form": dict(self.request.get("form", {})),
        }
        found: dict[str, Any] = {}
        for parameter in self.op.parameters:
            values = parts[parameter.place]
            if parameter.wire in values:
                value = values.pop(parameter.wire)
                found[parameter.argument] = argument(parameter.place, parameter.schema, value)
            elif parameter.place == "header" and parameter.required:
                found[parameter.argument] = JWT
        left = {place: values for place, values in parts.items() if values}
        assert not left, f"{self.id}: the description does not know {left}"
        return found


def argument(place: str, schema: dict[str, Any], value: Any) -> Any:
    if is_file(schema):
        return UPLOAD
    if place == "query":
        return in_python(schema, value)
    return as_argument(schema, value)


def in_python(schema: dict[str, Any], text: str) -> Any:
    """The value of a query field as a caller would write it; an empty one stays empty text."""
    match schema.get("type") if text else None:
        case "integer":
            return int(text)
        case "boolean":
            return {"true": True, "false": False}[text]
        case "array":
            return text.split(",")
        case _:
            return text


def least_answer(op: Op) -> dict[str, Any]:
    if op.unwrap == "location":
        return {"kind": "redirect", "text": "https://www.coze.cn/sign?from=authorize"}
    if op.unwrap == "content":
        return {"kind": "bytes", "text": "RIFF, then sound"}
    value: dict[str, Any] = {} if op.unwrap == "body" else {"code": 0, "msg": ""}
    place, schema = value, op.answer_schema
    for step in op.result_path:
        schema = merged(merged(schema or {})["properties"][step])
        place[step] = [] if schema.get("type") == "array" else {}
        place = place[step]
    return {"kind": "json", "value": value}


def dig(value: Any, path: str) -> Any:
    """The value at a dotted path of plain JSON data."""
    for step in path.split("."):
        value = (
            value[int(step)]
            if step.isdigit()
            else value.get(step)
            if isinstance(value, dict)
            else None
        )
    return value


@cache
def exchanges() -> dict[str, list[Exchange]]:
    """All exchanges, by operation."""
    data = json.loads((FOLDER / "exchanges.json").read_text(encoding="utf-8"))
    return {
        name: [Exchange(operations()[name], number, entry) for number, entry in enumerate(listed)]
        for name, listed in data.items()
    }
