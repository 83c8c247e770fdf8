"""Reads the files in `spec/` and joins them into one OpenAPI document.

The parser library knows no references between files, so they are resolved here:
`other.yaml#/components/schemas/X` becomes `#/components/schemas/X`. A key given twice, a name
defined twice and a reference that leads nowhere are errors. Texts name other operations by
operationId; the document names the method of the client instead.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from io import StringIO
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

import yaml
from attrs import define, field

Node = dict[str, Any]
EVENT_TABLES = ("x-coze-socket", "x-coze-rtc", "x-coze-callbacks")
STREAM_KIND, ERROR_CLASSES = "x-coze-stream-kind", "x-coze-error-classes"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_QUOTED_NAME = re.compile(r"`(\w+)`")


class DescriptionError(Exception):
    """The description cannot be used; the text says where and how to fix it."""


class _Loader(yaml.CSafeLoader):
    """A YAML loader that refuses a key given twice (YAML would keep the last one in silence)."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            mark = key_node.start_mark
            raise DescriptionError(
                f"{mark.name}:{mark.line + 1}: key {key!r} is given twice; keep one of them"
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
# Dates stay text: `2026-11-20` is an example value or a version here, never a datetime.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@define
class Bundle:
    """The joined document, and for each part the file it came from."""

    document: Node
    files: dict[str, Node] = field(factory=dict)
    """Path relative to the spec folder → its content as written."""
    origin: dict[str, str] = field(factory=dict)
    """Name of a schema, operation, table of events, kind of stream or error → its file."""
    calls: dict[str, str] = field(factory=dict)
    """operationId → how users call it."""

    @property
    def schemas(self) -> dict[str, Node]:
        """Schemas by name."""
        schemas: dict[str, Node] = self.document["components"]["schemas"]
        return schemas

    @property
    def event_tables(self) -> dict[str, Node]:
        """Tables of events that no operation carries, by the name of their file."""
        tables: dict[str, Node] = self.document.get("x-coze-events") or {}
        return tables

    @property
    def stream_kinds(self) -> dict[str, Node]:
        """`x-coze-stream-kind` by the name of the kind."""
        kinds: dict[str, Node] = self.document.get("x-coze-stream-kinds") or {}
        return kinds

    @property
    def error_classes(self) -> dict[str, Node]:
        """Errors that carry models, by the name of their class."""
        classes: dict[str, Node] = self.document.get(ERROR_CLASSES) or {}
        return classes

    def operations(self) -> Iterator[tuple[str, str, Node]]:
        """Every operation as method, path and node, in the order of the document."""
        return operations_of(self.document)


def operations_of(document: Node) -> Iterator[tuple[str, str, Node]]:
    """Every operation of a document, or of a file, as method, path and node."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def call_of(node: Node) -> str:
    """How users call an operation: `coze.bots.publish`."""
    tag, stream = node["tags"][0], node.get("x-coze-stream") or {}
    method = str(node["operationId"]).removeprefix(f"{tag.replace('.', '_')}_")
    return f"coze.{tag}.{stream.get('method', method) if 'switch' not in stream else method}"


def load_yaml(path: Path, name: str | None = None) -> Any:
    """The content of a YAML file.

    Raises:
        DescriptionError: The file is missing, is not YAML, or gives a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptionError(f"{name or path}: cannot be read ({error})") from error
    stream = StringIO(text)
    stream.name = str(name or path)  # the parser in C takes the name for its marks from the stream
    loader = _Loader(stream)
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise DescriptionError(f"{name or path}: not valid YAML: {error}") from error
    finally:
        loader.dispose()


def bundle(spec: Path) -> Bundle:
    """Joins `spec/openapi.yaml`, `spec/shared.yaml` and `spec/resources/*.yaml`.

    Raises:
        DescriptionError: A file, key, name or reference is wrong.
    """
    resources = sorted(f"resources/{path.name}" for path in spec.glob("resources/*.yaml"))
    files = {
        name: load_yaml(spec / name, f"spec/{name}")
        for name in ("openapi.yaml", "shared.yaml", *resources)
    }
    for name, content in files.items():
        if not isinstance(content, dict) or not isinstance(content.get("paths"), dict):
            raise DescriptionError(
                f"spec/{name}: not an OpenAPI document; it needs `openapi`, `info` and `paths`"
            )
    joined = Bundle({}, files)
    joined.calls = {
        node["operationId"]: call_of(node)
        for content in files.values()
        for _, _, node in operations_of(content)
        if node.get("operationId") and node.get("tags")
    }
    joined.document = {**_root(joined), "paths": {}, "components": {}}
    for name, content in files.items():
        _add_paths(joined, name, content)
        _add_components(joined, name, content)
        _add_events(joined, name, content)
        _add_stream_kind(joined, name, content)
        _add_error_classes(joined, name, content)
    joined.document["paths"] = dict(sorted(joined.document["paths"].items()))
    joined.document["components"].setdefault("schemas", {})
    _check_references(joined)
    return joined


def _root(joined: Bundle) -> Node:
    """What only `openapi.yaml` says, and the tables of `shared.yaml`."""
    main, shared = joined.files["openapi.yaml"], joined.files["shared.yaml"]
    root = {key: value for key, value in main.items() if key not in ("paths", "components")}
    tables = {
        key: value
        for key, value in shared.items()
        if key.startswith("x-") and key not in (STREAM_KIND, ERROR_CLASSES, *EVENT_TABLES)
    }
    return {
        **_localized(joined, "openapi.yaml", root),
        **_localized(joined, "shared.yaml", tables),
    }


def _add(table: Node, key: Any, value: Any, place: str) -> None:
    """Enters something that only one file may describe."""
    if key in table:
        raise DescriptionError(f"{place} is described in another file too; keep one")
    table[key] = value


def _add_paths(joined: Bundle, name: str, content: Node) -> None:
    for path, item in content["paths"].items():
        target = joined.document["paths"].setdefault(path, {})
        for method, node in item.items():
            place = f"spec/{name}: {method.upper()} {path}"
            _add(target, method, _localized(joined, name, node), place)
            operation_id = node.get("operationId") if isinstance(node, dict) else None
            if operation_id in joined.origin:
                raise DescriptionError(
                    f"spec/{name}: operationId {operation_id} is used in "
                    f"spec/{joined.origin[operation_id]} too; rename one of them"
                )
            if operation_id:
                joined.origin[operation_id] = name


def _add_components(joined: Bundle, name: str, content: Node) -> None:
    for section, parts in (content.get("components") or {}).items():
        target = joined.document["components"].setdefault(section, {})
        for part, node in (parts or {}).items():
            _add(target, part, _localized(joined, name, node), f"spec/{name}: {section}/{part}")
            if section == "schemas":
                joined.origin[part] = name


def _add_events(joined: Bundle, name: str, content: Node) -> None:
    """Tables of events that no operation carries: sockets, real-time calls, callbacks."""
    keys, stem = [key for key in EVENT_TABLES if key in content], Path(name).stem
    if len(keys) > 1:
        raise DescriptionError(
            f"spec/{name}: {' and '.join(keys)} would both be events/{stem}.py; move one to "
            "another file"
        )
    for key in keys:
        table = _localized(joined, name, content[key])
        table |= {"kind": key, "title": content["info"]["title"]}
        joined.document.setdefault("x-coze-events", {})[stem] = table
        joined.origin[f"events/{stem}"] = name


def _add_stream_kind(joined: Bundle, name: str, content: Node) -> None:
    """How the events of a kind of stream add up."""
    if STREAM_KIND in content:
        about = _localized(joined, name, content[STREAM_KIND])
        kind = about.get("kind")
        kinds = joined.document.setdefault("x-coze-stream-kinds", {})
        _add(kinds, kind, about, f"spec/{name}: {STREAM_KIND} {kind}")
        joined.origin[f"streams/{kind}"] = name


def _add_error_classes(joined: Bundle, name: str, content: Node) -> None:
    for error, about in (content.get(ERROR_CLASSES) or {}).items():
        classes = joined.document.setdefault(ERROR_CLASSES, {})
        place = f"spec/{name}: {ERROR_CLASSES} {error}"
        _add(classes, error, _localized(joined, name, about), place)
        joined.origin[error] = name


def _localized(joined: Bundle, name: str, node: Any) -> Any:
    """The node for the joined document: references are local to it, after a check against the file
    that they name; texts name methods of the client.
    """
    if isinstance(node, str):
        return _QUOTED_NAME.sub(lambda m: f"`{joined.calls.get(m[1], m[1])}`", node)
    if isinstance(node, list):
        return [_localized(joined, name, item) for item in node]
    if not isinstance(node, dict):
        return node
    local = {key: _localized(joined, name, value) for key, value in node.items()}
    target = node.get("$ref")
    if isinstance(target, str):
        local["$ref"] = f"#{_pointer(joined, name, target)}"
    return local


def _pointer(joined: Bundle, name: str, target: str) -> str:
    """Where a reference leads inside of its file."""
    file, _, pointer = target.partition("#")
    source = normpath(join(dirname(name), file)) if file else name
    if source not in joined.files:
        raise DescriptionError(
            f"spec/{name}: $ref {target} names a file that does not exist; fix the path"
        )
    if _lookup(joined.files[source], pointer) is None:
        raise DescriptionError(
            f"spec/{name}: $ref {target} leads nowhere; define it or fix the name"
        )
    return pointer


def _lookup(document: Any, pointer: str) -> Any:
    for step in pointer.strip("/").split("/"):
        document = (
            document.get(step.replace("~1", "/").replace("~0", "~"))
            if isinstance(document, dict)
            else None
        )
    return document


def references(node: Any) -> Iterator[str]:
    """Every `$ref` below a node."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)


def _check_references(joined: Bundle) -> None:
    for target in references(joined.document):
        if _lookup(joined.document, target[1:]) is None:
            raise DescriptionError(f"$ref {target} leads nowhere in the joined document")
        if target.count("/") != 3:
            raise DescriptionError(
                f"$ref {target} points into a part of the description; give that part a name under "
                "components/schemas"
            )
