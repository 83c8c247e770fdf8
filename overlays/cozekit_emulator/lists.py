"""Pages: cuts a list as the paging rule of the operation says, and puts it where the answer
has it.
"""

from __future__ import annotations

from typing import Any

from .answers import Refusal
from .calls import Call
from .description import Schema
from .store import Record


def view(call: Call, schema: Schema, record: Any) -> Any:
    """What of a record the schema shows."""
    if not isinstance(record, dict):
        return record
    names = call.world.description.properties(schema)
    return {name: record[name] for name in names if record.get(name) is not None}


def place(path: str, value: Any) -> Record:
    """`data.items` and a value → `{"data": {"items": value}}`."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def merged(*parts: Record) -> Record:
    """Nested objects as one."""
    found: Record = {}
    for part in parts:
        for name, value in part.items():
            both = isinstance(found.get(name), dict) and isinstance(value, dict)
            found[name] = merged(found[name], value) if both else value
    return found


def items(call: Call, path: str, records: list[Record]) -> Record:
    """Records as the item schema at a path of the answer shows them, in that place."""
    schema = call.world.description.resolve(call.world.description.at(call.operation.answer, path))[
        "items"
    ]
    return place(path, [view(call, schema, record) for record in records])


def page(call: Call, records: list[Record]) -> Record:
    """One page of the records, with totals and cursors, as the operation declares it.

    Raises:
        Refusal: 4000 for a page token that did not come from here.
    """
    rule = call.operation.pager
    size = int(call.arg(rule["size"]) or _default_size(call))
    if rule["style"] == "cursor":
        return _cursor_page(call, records, size)
    start = (
        _token(call)
        if rule["style"] == "token"
        else (max(int(call.arg(rule["page"]) or 1), 1) - 1) * size
    )
    end = start + size
    found = items(call, rule["items"], records[start:end])
    if "total" in rule:
        found = merged(found, place(rule["total"], len(records)))
    if "has_more" in rule:
        found = merged(found, place(rule["has_more"], end < len(records)))
    if "next" in rule:
        found = merged(found, place(rule["next"], f"offset_{end}" if end < len(records) else ""))
    return found


def _token(call: Call) -> int:
    token = str(call.arg(call.operation.pager["page"]) or "")
    if not token or token == _example(call) or call.world.printed(token):
        return 0
    number = token.removeprefix("offset_")
    if not number.isdecimal():
        raise Refusal(
            4000, f"Request parameter error: {call.operation.pager['page']} {token!r} is unknown"
        )
    return int(number)


def _example(call: Call) -> str:
    """The token of the official page counts as the first page, so that its request can be sent as
    it stands.
    """
    name = call.operation.pager["page"]
    return next(
        (str(p.get("example", "")) for p in call.operation.parameters if p["name"] == name), ""
    )


def _default_size(call: Call) -> int:
    name = call.operation.pager["size"]
    schemas = {p["name"]: p["schema"] for p in call.operation.parameters}
    if call.operation.body is not None:
        schemas.update(call.world.description.properties(call.operation.body[1]))
    return int(schemas[name].get("default", 20))


def _cursor_page(call: Call, records: list[Record], size: int) -> Record:
    """A page beside a message: `before` takes the nearest ones in front of it, `after` those behind
    it.
    """
    rule = call.operation.pager
    ids = [str(record["id"]) for record in records]
    before, after = (str(call.arg(rule[name]) or "0") for name in ("before", "after"))
    for bound in (before, after):
        if bound != "0" and bound not in ids and not call.world.printed(bound):
            raise Refusal(4005, f"message {bound!r}: not found")
    start = ids.index(after) + 1 if after in ids else 0
    end = ids.index(before) if before in ids else len(ids)
    window = records[start:end]
    backwards = before in ids and after not in ids
    shown = window[-size:] if backwards else window[:size]
    found = items(call, rule["items"], shown)
    ends = {
        rule["first_id"]: shown[0]["id"] if shown else "",
        rule["last_id"]: shown[-1]["id"] if shown else "",
    }
    return {**found, **ends, rule["has_more"]: len(window) > len(shown)}
