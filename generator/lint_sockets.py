"""The rules of docs/description.md for tables of events, and for the senders of those that a client
sends.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from typing import Any

from .bundle import Bundle, Node, schema_name
from .limits import parts
from .lint_limits import limit_rules, types_of
from .lint_paths import find_path, properties

SHARED = {"send_page", "send", "receive", "senders", "x-coze-deviation"}
# Needed, and allowed besides.
TABLE_KEYS = {
    "x-coze-socket": (
        {"id", "path", "permission", "parameters", "send", "receive"},
        SHARED | {"page", "terminal", "failure", "settings"},
    ),
    "x-coze-rtc": ({"pages", "send", "receive"}, SHARED | {"aliases"}),
}
ARGUMENT_KEYS: dict[str, type] = {
    "field": str,
    "positional": bool,
    "required": bool,
    "default": object,
    "base64": bool,
    "description": str,
}
SENDER_KEYS = {"name": str, "data": str, "arguments": dict, "fixed": dict, "limits": dict}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def lint_sockets(bundle: Bundle) -> Iterator[str]:
    """Messages for every table of a socket or of real-time calls."""
    for stem, table in (bundle.document.get("x-coze-events") or {}).items():
        if table["kind"] not in TABLE_KEYS:
            continue
        where = f"spec/{bundle.origin[f'events/{stem}']}: {table['kind']}"
        before = list(_keys(where, table))
        yield from before
        if before:
            continue
        yield from _parts(where, table)
        if "senders" in table:
            yield from _senders(where, bundle, table)


def _keys(where: str, table: Node) -> Iterator[str]:
    need, may = TABLE_KEYS[table["kind"]]
    given = set(table) - {"kind", "title"}
    if need - given:
        yield f"{where}: lacks {', '.join(sorted(need - given))}; see docs/description.md"
    if given - need - may:
        unknown = ", ".join(sorted(given - need - may))
        yield f"{where}: has unknown {unknown}; see docs/description.md"


def _parts(where: str, table: Node) -> Iterator[str]:
    """Events that play a part have to be in the tables."""
    settings = table.get("settings")
    if settings is not None and settings not in table["send"]:
        yield f"{where}: settings names event {settings}, which is not in send; fix the name"
    for key in ("terminal", "failure"):
        for event in table.get(key) or ():
            if event not in table["receive"]:
                yield f"{where}: {key} names event {event}, which is not in receive; fix the name"
    for event in (table.get("aliases") or {}).values():
        if event not in table["receive"]:
            yield f"{where}: aliases names event {event}, which is not in receive; fix the name"


def _senders(where: str, bundle: Bundle, table: Node) -> Iterator[str]:
    senders: Node = table["senders"]
    for event in table["send"]:
        if event not in senders:
            yield f"{where}: event {event} is in send but has no sender; add it to senders"
    names: dict[str, str] = {}
    for event, about in senders.items():
        here = f"{where}: sender {event}"
        if event not in table["send"]:
            yield f"{here}: no such event in send; fix the name"
            continue
        name = str((about or {}).get("name") or event.replace(".", "_"))
        other = names.setdefault(name, event)
        if other != event:
            yield f"{here}: has the method {name} of {other}; give it another `name`"
        if not name.isidentifier() or keyword.iskeyword(name) or name == "send":
            yield f"{here}: {name} cannot be the name of a method; give it a `name`"
        yield from _sender(here, bundle, table["send"][event], about or {})


def _of_type(here: str, what: str, data: Any, keys: Mapping[str, type]) -> Iterator[str]:
    """Unknown keys, and values of the wrong type."""
    if not isinstance(data, dict):
        yield f"{here}: {what} must be a map; see docs/description.md"
        return
    for key, value in data.items():
        if key not in keys:
            yield f"{here}: {what} has unknown {key}; use {', '.join(keys)}"
        elif not isinstance(value, keys[key]):
            yield f"{here}: {what} has {key} {value!r}, which must be of type {keys[key].__name__}"


def _sender(here: str, bundle: Bundle, event: Node, about: Node) -> Iterator[str]:
    model = schema_name(event)
    if "event_type" not in (properties(bundle, model) or {}):
        yield f"{here}: {model} has no event_type; point to the schema of an event"
        return
    before = list(_of_type(here, "it", about, SENDER_KEYS))
    arguments: Node = about.get("arguments") or {}
    if not before:
        for name, rule in arguments.items():
            before += _of_type(here, f"argument {name}", rule or {}, ARGUMENT_KEYS)
    yield from before
    if before:
        return
    data = schema_name((properties(bundle, model) or {}).get("data"))
    if "data" in about and (arguments or about.get("fixed")):
        yield f"{here}: `data` is the data as a whole; delete arguments and fixed"
    yield from _fields(here, bundle, data, about)
    yield from _arguments(here, bundle, data, arguments)
    for path, node in (about.get("limits") or {}).items():
        if _is_field(bundle, data, path):
            described = node_at(bundle, data, path)
            yield from limit_rules(f"{here}: limits of {path}", bundle, node, described)


def _fields(here: str, bundle: Bundle, data: str | None, about: Node) -> Iterator[str]:
    """Every path leads to a field of the data, and none is given twice."""
    paths = [str((rule or {}).get("field") or name) for name, rule in _items(about, "arguments")]
    paths += [path for path, _ in _items(about, "fixed")]
    for path in dict.fromkeys([*paths, *(path for path, _ in _items(about, "limits"))]):
        if not _is_field(bundle, data, path):
            yield f"{here}: {path} is no field of {data or 'the data, which has none'}; fix it"
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        yield f"{here}: field {path} is given twice; keep one"
    for path, value in _items(about, "fixed"):
        if _is_field(bundle, data, path):
            yield from _value(f"{here}: fixed {path}", bundle, node_at(bundle, data, path), value)


def _items(about: Node, key: str) -> list[tuple[str, Any]]:
    return list((about.get(key) or {}).items())


def _is_field(bundle: Bundle, data: str | None, path: str) -> bool:
    return data is not None and find_path(bundle, data, path)


def node_at(bundle: Bundle, data: str | None, path: str) -> Node:
    """The field at a path that exists."""
    node: Node = {"$ref": f"#/components/schemas/{data}"}
    for step in path.split("."):
        node = (properties(bundle, schema_name(node)) or {})[step]
    return node


def _arguments(here: str, bundle: Bundle, data: str | None, arguments: Node) -> Iterator[str]:
    for name, rule in arguments.items():
        yield from _argument(here, bundle, data, name, rule or {})
    optional = ""
    for name, rule in ((name, rule or {}) for name, rule in arguments.items()):
        path = str(rule.get("field") or name)
        if not rule.get("positional") or not _is_field(bundle, data, path):
            continue
        if not (rule.get("required") or ("default" not in rule and _required(bundle, data, path))):
            optional = name
        elif optional:
            yield f"{here}: argument {name} must be given, and {optional} before it need not be"


def _argument(here: str, bundle: Bundle, data: str | None, name: str, rule: Node) -> Iterator[str]:
    if not name.isidentifier() or keyword.iskeyword(name) or name in ("self", "id"):
        yield f"{here}: argument {name} cannot be a name in Python; rename it, with `field`"
    path = str(rule.get("field") or name)
    if not _is_field(bundle, data, path):
        return
    node = node_at(bundle, data, path)
    if rule.get("base64") and types_of(bundle, node) != {"string"}:
        yield f"{here}: argument {name} is sent as Base64, and its field is no text"
    if "default" in rule:
        yield from _value(f"{here}: default of {name}", bundle, node, rule["default"])


def _required(bundle: Bundle, data: str | None, path: str) -> bool:
    node: Node = {"$ref": f"#/components/schemas/{data}"}
    head, _, rest = path.rpartition(".")
    node = node_at(bundle, data, head) if head else node
    return any(rest in (part.get("required") or ()) for part in parts(bundle, node))


def _value(here: str, bundle: Bundle, node: Node, value: Any) -> Iterator[str]:
    kinds = types_of(bundle, node)
    allowed = tuple(kind for name in kinds for kind in _flat(_TYPES.get(name, ())))
    if (isinstance(value, bool) and "boolean" not in kinds) or not isinstance(value, allowed):
        yield f"{here} is {value!r}, and the field is {' or '.join(sorted(kinds))}; fix it"
        return
    known = [v for part in parts(bundle, node) for v in part.get("x-known-values") or ()]
    if known and value not in known:
        yield f"{here} is {value!r}, which is not among the known values of the field; fix it"


def _flat(kinds: type | tuple[type, ...]) -> tuple[type, ...]:
    return kinds if isinstance(kinds, tuple) else (kinds,)
