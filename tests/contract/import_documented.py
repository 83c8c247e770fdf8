"""Makes `documented.json` from catalogues of documented endpoints: `python -m
tests.contract.import_documented CATALOGUE…`.

Pages that describe the same method and path (the sign-in flows) are joined: a field is required
when all of them require it.
"""

from __future__ import annotations

import sys
from typing import Any

from generator.adopt.files import one_field_a_line
from tests.contract.documented import FILE
from tests.contract.import_exchanges import entries, operation_of

PARTS = {
    "path_params": "path",
    "query_params": "query",
    "headers": "header",
    "body": "body",
    "response": "response",
}


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    found: dict[str, dict[str, Any]] = {}
    for entry in entries(arguments):
        name = operation_of(entry).id
        found[name] = joined(found[name], facts(entry)) if name in found else facts(entry)
    ordered = {name: found[name] for name in sorted(found)}
    FILE.write_text(one_field_a_line(ordered), encoding="utf-8", newline="\n")
    fields = sum(len(part) for one in found.values() for part in all_parts(one))
    print(f"{len(found)} operations, {fields} fields")
    return 0


def all_parts(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [one[part] for part in PARTS.values() if part in one] + list(
        one.get("objects", {}).values()
    )


def facts(entry: dict[str, Any]) -> dict[str, Any]:
    """What the pages say about one operation."""
    found: dict[str, Any] = {
        "method": entry["method"],
        "address": entry["path"],
        "answers": entry["response_kind"],
    }
    found |= {ours: fields(entry[theirs]) for theirs, ours in PARTS.items() if entry[theirs]}
    if entry["body"]:
        found["body_type"] = entry["content_type"]
    if "sse" in entry:
        found["events"] = {event["event"]: event["data_ref"] for event in entry["sse"]["events"]}
    # Some pages name an object that none of them describes; its fields are unknown.
    found["objects"] = {name: fields(listed) for name, listed in entry["objects"].items()}
    for part in all_parts(found):
        for fact in part.values():
            if fact.get("object") not in found["objects"]:
                fact.pop("object", None)
    return {key: value for key, value in found.items() if value != {}}


def fields(listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {field["name"]: fact(field) for field in listed}


def fact(field: dict[str, Any]) -> dict[str, Any]:
    """Type as it travels (which some pages write otherwise), what it is made of, whether it is
    required, and its values.
    """
    below = field.get("items") or field.get("values") or {}
    required = field.get("wire_required", field.get("required"))
    found = {
        "type": field.get("wire_type", field["type"]),
        "of": below.get("type") if "wire_type" not in field else None,
        "object": field.get("ref"),
        "required": required,
        "enum": field.get("enum") or below.get("enum"),
        "source": field.get("source"),
    }
    return {key: value for key, value in found.items() if value is not None}


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both pages of an operation in one."""
    result = {**other, **one, "objects": {**other.get("objects", {}), **one.get("objects", {})}}
    result["answers"] = list(dict.fromkeys([*one["answers"], *other["answers"]]))
    for part in PARTS.values():
        if part in one or part in other:
            result[part] = joined_fields(
                one.get(part, {}), other.get(part, {}), flags=part != "response"
            )
    return {key: value for key, value in result.items() if value != {}}


def joined_fields(one: dict[str, Any], other: dict[str, Any], *, flags: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in {**one, **other}:
        both = [part[name] for part in (one, other) if name in part]
        result[name] = {key: value for key, value in both[0].items() if key != "required"}
        if all("enum" in fact for fact in both):
            result[name]["enum"] = list(
                dict.fromkeys(value for fact in both for value in fact["enum"])
            )
        if flags and any("required" in fact for fact in both):
            result[name]["required"] = len(both) == 2 and all(
                fact.get("required", False) for fact in both
            )
    return result


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
