"""Reads the files in `spec/` and joins them into one OpenAPI document.

The parser library knows no references between files, so they are resolved here:
`other.yaml#/components/schemas/X` becomes `#/components/schemas/X`. A key given twice, a name
defined twice and a reference that leads nowhere are errors.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from attrs import define, field

Node = dict[str, Any]
EVENT_TABLES = ("x-coze-socket", "x-coze-rtc", "x-coze-callbacks")
STREAM_KIND, ERROR_CLASSES = "x-coze-stream-kind", "x-coze-error-classes"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


class DescriptionError(Exception):
    """The description cannot be used; the text says where and how to mend it."""


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
    """Schema name or operationId → the file that defines it."""

    @property
    def schemas(self) -> dict[str, Node]:
        """Schemas by name."""
        found: dict[str, Node] = self.document["components"]["schemas"]
        return found

    def operations(self) -> Iterator[tuple[str, str, Node]]:
        """Every operation as method, path and node, in the order of the document."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method, path, item[method]


def load_yaml(path: Path, name: str | None = None) -> Any:
    """The content of a YAML file.

    Raises:
        DescriptionError: The file is missing, is no YAML, or gives a key twice.
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
        raise DescriptionError(f"{name or path}: no valid YAML: {error}") from error
    finally:
        loader.dispose()


def bundle(spec: Path) -> Bundle:
    """Joins `spec/openapi.yaml`, `spec/shared.yaml` and `spec/resources/*.yaml`.

    Raises:
        DescriptionError: A file, key, name or reference is wrong.
    """
    names = [
        "openapi.yaml",
        "shared.yaml",
        *sorted(f"resources/{path.name}" for path in spec.glob("resources/*.yaml")),
    ]
    files = {name: load_yaml(spec / name, f"spec/{name}") for name in names}
    for name, content in files.items():
        if not isinstance(content, dict) or not isinstance(content.get("paths"), dict):
            raise DescriptionError(
                f"spec/{name}: no OpenAPI document; it needs `openapi`, `info` and `paths`"
            )
    root = {
        key: value
        for key, value in files["openapi.yaml"].items()
        if key not in ("paths", "components")
    }
    root |= {key: value for key, value in files["shared.yaml"].items() if key.startswith("x-")}
    result = Bundle({**root, "paths": {}, "components": {}}, files)
    for name, content in files.items():
        _add_paths(result, name, content)
        _add_components(result, name, content)
        _add_events(result, name, content)
        _add_stream_kind(result, name, content)
    result.document["paths"] = dict(sorted(result.document["paths"].items()))
    result.document["components"].setdefault("schemas", {})
    _check_references(result)
    return result


def _add_paths(result: Bundle, name: str, content: Node) -> None:
    for path, item in content["paths"].items():
        target = result.document["paths"].setdefault(path, {})
        for method, node in item.items():
            if method in target:
                raise DescriptionError(
                    f"spec/{name}: {method.upper()} {path} is described in another file too; "
                    "keep one of them"
                )
            target[method] = _localize(result, name, node)
            operation_id = node.get("operationId") if isinstance(node, dict) else None
            if operation_id in result.origin:
                other = result.origin[operation_id]
                raise DescriptionError(
                    f"spec/{name}: operationId {operation_id} is used in spec/{other} too; name "
                    "one of them anew"
                )
            if operation_id:
                result.origin[operation_id] = name


def _add_components(result: Bundle, name: str, content: Node) -> None:
    for kind, parts in (content.get("components") or {}).items():
        target = result.document["components"].setdefault(kind, {})
        for part, node in (parts or {}).items():
            if part in target:
                raise DescriptionError(
                    f"spec/{name}: {kind}/{part} is defined in another file too; keep one, "
                    "point to it from the other"
                )
            target[part] = _localize(result, name, node)
            if kind == "schemas":
                result.origin[part] = name


def _add_events(result: Bundle, name: str, content: Node) -> None:
    """Tables of events that no operation carries: sockets, real-time calls, callbacks."""
    kinds = [kind for kind in EVENT_TABLES if kind in content]
    if len(kinds) > 1:
        stem = Path(name).stem
        raise DescriptionError(
            f"spec/{name}: {' and '.join(kinds)} would both be events/{stem}.py; give one a "
            "file of its own"
        )
    for kind in kinds:
        table = {
            **_localize(result, name, content[kind]),
            "kind": kind,
            "title": content["info"]["title"],
        }
        result.document.setdefault("x-coze-events", {})[Path(name).stem] = table
        result.origin[f"events/{Path(name).stem}"] = name


def _add_stream_kind(result: Bundle, name: str, content: Node) -> None:
    """How the events of a kind of stream add up, and the errors that carry its models."""
    if STREAM_KIND in content:
        kind = _localize(result, name, content[STREAM_KIND])
        kinds = result.document.setdefault("x-coze-stream-kinds", {})
        if kind.get("kind") in kinds:
            raise DescriptionError(
                f"spec/{name}: {STREAM_KIND} {kind.get('kind')} is described in another file too; "
                "keep one of them"
            )
        kinds[kind.get("kind")] = kind
        result.origin[f"streams/{kind.get('kind')}"] = name
    for error, about in (content.get(ERROR_CLASSES) or {}).items():
        classes = result.document.setdefault(ERROR_CLASSES, {})
        if error in classes:
            raise DescriptionError(
                f"spec/{name}: {ERROR_CLASSES} {error} is defined in another file too; keep one"
            )
        classes[error] = _localize(result, name, about)
        result.origin[error] = name


def _localize(result: Bundle, name: str, node: Any) -> Any:
    """The node with every reference made local to the bundle, checked against the file that it
    names.
    """
    if isinstance(node, list):
        return [_localize(result, name, item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _localize(result, name, value) for key, value in node.items()}
    target = node.get("$ref")
    if isinstance(target, str):
        file, _, pointer = target.partition("#")
        source = _resolve_file(name, file)
        if source not in result.files:
            raise DescriptionError(
                f"spec/{name}: $ref {target} names a file that is not there; mend the path"
            )
        if _lookup(result.files[source], pointer) is None:
            raise DescriptionError(
                f"spec/{name}: $ref {target} leads nowhere; define it or mend the name"
            )
        found["$ref"] = f"#{pointer}"
    return found


def _resolve_file(name: str, file: str) -> str:
    if not file:
        return name
    parts = name.split("/")[:-1]
    for step in file.split("/"):
        if step == ".." and parts and parts[-1] != "..":
            parts = parts[:-1]
        elif step != ".":
            parts.append(step)
    return "/".join(parts)


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
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)


def _check_references(result: Bundle) -> None:
    for target in references(result.document):
        if _lookup(result.document, target[1:]) is None:
            raise DescriptionError(f"$ref {target} leads nowhere in the joined document")
        if target.count("/") != 3:
            raise DescriptionError(
                f"$ref {target} points into a part of the description; give what it points to a "
                "name of its own"
            )


def schema_name(node: Any) -> str | None:
    """The schema that a node points to, if it is a reference to one."""
    target = node.get("$ref") if isinstance(node, dict) else None
    prefix = "#/components/schemas/"
    return target[len(prefix) :] if isinstance(target, str) and target.startswith(prefix) else None
