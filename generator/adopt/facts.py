"""What the Chinese texts of a page say about a field: type, limits, default, values, example."""

from __future__ import annotations

import json
import re
from typing import Any

from ..compile.bundle import Node
from ..pages.judgement import json_type
from ..pages.page import Row
from ..pages.page_parser import VALUE

_TO = r"\s*(?:~|～|-|到|至)\s*"
_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
_DEFAULT = re.compile(r"默认(?:值)?\s*(?:为|是|：|:)?\s*[\"“]?(-?[\w.]+)")
_RANGE = re.compile(rf"范围(?:为|是|：|:)?\s*\[?{_NUMBER}(?:{_TO}|\s*[,，]\s*){_NUMBER}")
_MINIMUM = re.compile(rf"最小(?:值)?(?:为|是|：|:)?\s*{_NUMBER}")
_MAXIMUM = re.compile(rf"最大(?:值)?(?:为|是|：|:)?\s*{_NUMBER}")
_CHARACTERS = re.compile(
    rf"(?:长度(?:范围)?为\s*{_NUMBER}{_TO}|(?:不超过|最多(?:支持)?|最大长度为)\s*){_NUMBER}\s*个?字符"
)
_BYTES = re.compile(rf"(?:不超过|最多(?:支持)?|限制为|最大长度为)\s*{_NUMBER}\s*字节")
_ITEMS = re.compile(rf"最多(?:[^\d，。]{{0,6}}){_NUMBER}\s*(?:个|条)")
_PAIRS = re.compile(rf"长度为\s*{_NUMBER}\s*对键值对")
_KEYS = re.compile(rf"键（key）的长度范围为\s*{_NUMBER}{_TO}{_NUMBER}\s*个?字符")
_VALUES = re.compile(rf"值（value）的长度范围为\s*{_NUMBER}{_TO}{_NUMBER}\s*个?字符")
_PYTHON: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
_IS_DEFAULT = re.compile(r"[（(]默认值?[）)]")


def plain_text(row: Row) -> str:
    """The description of a field on one line, without the marks of code and emphasis."""
    return " ".join(re.sub(r"[`*]", "", row.text).split())


def known_values(row: Row) -> dict[str, str]:
    """The values that a field lists, with what is said about each."""
    is_list = len(row.values) > 1 or re.search("枚举|取值", row.text)
    if json_type(row.kind) not in ("string", "integer") or not is_list:
        return {}
    meanings: dict[str, str] = {}
    for line in row.text.split("\n"):
        if (value := VALUE.match(line)) and value[1] in row.values:
            meanings[value[1]] = re.sub(r"[`*]", "", line[value.end() :]).strip()
    if json_type(row.kind) == "integer":
        return {value: said for value, said in meanings.items() if value.lstrip("-").isdigit()}
    return meanings


def typed(kind: str, text: str) -> Any:
    """A text as a value of a JSON type; None when it is none."""
    text = text.strip().strip("`").strip()
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    try:
        value = json.loads(text) if kind != "string" else text
    except ValueError:
        return None
    return value if kind in _PYTHON and isinstance(value, _PYTHON[kind]) else None


def default_of(row: Row) -> Any:
    """The default that a text names."""
    kind = json_type(row.kind)
    for line in row.text.split("\n"):
        if (value := VALUE.match(line)) and _IS_DEFAULT.search(line):
            return typed(kind, value[1])
    found = _DEFAULT.search(plain_text(row))
    default = typed(kind, found[1]) if found else None
    is_text = kind == "string" and default not in row.values
    return None if is_text else default


def limits_of(kind: str, text: str) -> Node:
    """The limits that a text names for a value of a JSON type."""
    if kind in ("integer", "number"):
        return _bounds(kind, text)
    if kind == "string":
        return _lengths(text)
    if kind == "array":
        return _named("maxItems", _ITEMS.search(text))
    if kind == "object":
        pairs, keys, values = _PAIRS.search(text), _KEYS.search(text), _VALUES.search(text)
        found = _named("maxProperties", pairs)
        if keys:
            found["propertyNames"] = _between("Length", keys)
        if values:
            found["additionalProperties"] = {"type": "string", **_between("Length", values)}
        return found
    return {}


def _bounds(kind: str, text: str) -> Node:
    between, lowest, highest = _RANGE.search(text), _MINIMUM.search(text), _MAXIMUM.search(text)
    found: Node = {}
    if between or lowest:
        found["minimum"] = _number(between[1] if between else lowest[1])  # type: ignore[index]
    if between or highest:
        found["maximum"] = _number(between[2] if between else highest[1])  # type: ignore[index]
    return found


def _lengths(text: str) -> Node:
    in_characters, in_bytes = _CHARACTERS.search(text), _BYTES.search(text)
    found: Node = {}
    if in_characters:
        least = _number(in_characters[1] or "0")
        found = {"minLength": least} if least else {}
        found["maxLength"] = _number(in_characters[2])
    return found | _named("x-coze-max-bytes", in_bytes)


def _between(word: str, found: re.Match[str]) -> Node:
    return {f"min{word}": _number(found[1]), f"max{word}": _number(found[2])}


def _named(key: str, found: re.Match[str] | None) -> Node:
    return {key: _number(found[1])} if found else {}


def _number(text: str) -> int | float:
    text = text.replace(",", "")
    return float(text) if "." in text else int(text)
