"""Reads the files in `spec/` and joins them into one OpenAPI document.

The parser library knows no references between files, so they are resolved here:
`other.yaml#/components/schemas/X` becomes `#/components/schemas/X`. A key given twice, a name
defined twice and a reference that leads nowhere are errors. Texts name other operations by
operationId; the document names the method of the client instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from posixpath import dirname, normpath
from posixpath import join as join_path
from typing import Any

from attrs import define, evolve, field

from ..yaml_files import DescriptionError, Step, YamlFile, read_yaml

Node = dict[str, Any]
EVENT_TABLES = ("x-coze-socket", "x-coze-rtc", "x-coze-callbacks")
STREAM_KIND, ERROR_CLASSES = "x-coze-stream-kind", "x-coze-error-classes"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_QUOTED_NAME = re.compile(r"`(\w+)`")
_NAMED_PART = re.compile(r"/components/\w+/\w+")


@define
class Bundle:
    """The joined document, and for each part the file it came from."""

    document: Node
    files: Mapping[str, YamlFile] = field(factory=dict)
    """The files as written, by their path relative to the spec folder."""
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


def read(spec: Path) -> dict[str, YamlFile]:
    """`openapi.yaml`, `shared.yaml` and `resources/*.yaml`, by their path relative to the folder.

    Raises:
        DescriptionError: A file is missing, or is not YAML as `yaml_files` accepts it.
    """
    resources = sorted(f"resources/{path.name}" for path in spec.glob("resources/*.yaml"))
    names = ("openapi.yaml", "shared.yaml", *resources)
    return {name: read_yaml(spec / name, f"spec/{name}") for name in names}


def bundle(spec: Path, files: Mapping[str, YamlFile] | None = None) -> Bundle:
    """The joined document of a folder; its texts name methods of the client, not operations.

    Args:
        spec: The folder.
        files: What `read` has read there.

    Raises:
        DescriptionError: A file, key, name or reference is wrong.
    """
    joined = join(files or read(spec))
    return evolve(joined, document=_with_calls(joined.calls, joined.document))


def _with_calls(calls: dict[str, str], node: Any) -> Any:
    if isinstance(node, str):
        return (
            _QUOTED_NAME.sub(lambda m: f"`{calls.get(m[1], m[1])}`", node) if "`" in node else node
        )
    if isinstance(node, list):
        return [_with_calls(calls, item) for item in node]
    if isinstance(node, dict):
        return {key: _with_calls(calls, value) for key, value in node.items()}
    return node


def join(files: Mapping[str, YamlFile]) -> Bundle:
    """One document out of the files.

    Raises:
        DescriptionError: A name is used twice, or a reference leads nowhere.
    """
    joined = Bundle({}, files)
    for name, file in files.items():
        if not isinstance(file.content, dict) or not isinstance(file.content.get("paths"), dict):
            raise DescriptionError(
                f"spec/{name}:1: not an OpenAPI document; it needs `openapi`, `info` and `paths`"
            )
        for _, _, node in operations_of(file.content):
            if node.get("operationId") and node.get("tags"):
                joined.calls[node["operationId"]] = call_of(node)
    joined.document = {**_root(joined), "paths": {}, "components": {}}
    for name, file in files.items():
        part = _File(joined, name, file)
        part.add_paths()
        part.add_components()
        part.add_events()
        part.add_stream_kind()
        part.add_error_classes()
    joined.document["paths"] = dict(sorted(joined.document["paths"].items()))
    joined.document["components"].setdefault("schemas", {})
    return joined


def _root(joined: Bundle) -> Node:
    """What only `openapi.yaml` says, and the tables of `shared.yaml`."""
    main, shared = joined.files["openapi.yaml"].content, joined.files["shared.yaml"].content
    tables = {
        key: value
        for key, value in shared.items()
        if key.startswith("x-") and key not in (STREAM_KIND, ERROR_CLASSES, *EVENT_TABLES)
    }
    return {
        **{key: value for key, value in main.items() if key not in ("paths", "components")},
        **tables,
    }


@define
class _File:
    """One file, and the document that it joins."""

    joined: Bundle
    name: str
    file: YamlFile

    def error(self, what: str, *pointer: Step) -> DescriptionError:
        """An error at a part of the file."""
        return DescriptionError(f"{self.file.name}:{self.file.line(pointer)}: {what}")

    def add(self, table: Node, what: str, *pointer: Step, key: Any = None) -> Any:
        """Enters a part that only one file may describe.

        Args:
            table: Where it goes.
            what: What messages call it.
            pointer: Where it is in the file.
            key: Its name in the table, by default the last step of the pointer.
        """
        key, node = pointer[-1] if key is None else key, self.file.content
        if key in table:
            raise self.error(f"{what} is described in another file too; keep one", *pointer)
        for step in pointer:
            node = node[step]
        table[key] = self.localized(node)
        return table[key]

    def add_paths(self) -> None:
        """Operations."""
        for path, item in self.file.content["paths"].items():
            target = self.joined.document["paths"].setdefault(path, {})
            for method in item:
                what = f"{method.upper()} {path}"
                operation_id = self.add(target, what, "paths", path, method).get("operationId")
                if operation_id in self.joined.origin:
                    raise self.error(
                        f"operationId {operation_id} is used in "
                        f"spec/{self.joined.origin[operation_id]} too; rename one of them",
                        *("paths", path, method, "operationId"),
                    )
                if operation_id:
                    self.joined.origin[operation_id] = self.name

    def add_components(self) -> None:
        """Schemas, responses, ways to sign in."""
        for section, parts in (self.file.content.get("components") or {}).items():
            target = self.joined.document["components"].setdefault(section, {})
            for part in parts:
                self.add(target, f"{section}/{part}", "components", section, part)
                if section == "schemas":
                    self.joined.origin[part] = self.name

    def add_events(self) -> None:
        """Tables of events that no operation carries: sockets, real-time calls, callbacks."""
        content, stem = self.file.content, Path(self.name).stem
        keys = [key for key in EVENT_TABLES if key in content]
        if len(keys) > 1:
            raise self.error(
                f"{' and '.join(keys)} would both be events/{stem}.py; move one to another file",
                keys[1],
            )
        for key in keys:
            tables = self.joined.document.setdefault("x-coze-events", {})
            table = self.add(tables, key, key, key=stem)
            table |= {"kind": key, "title": content["info"]["title"]}
            self.joined.origin[f"events/{stem}"] = self.name

    def add_stream_kind(self) -> None:
        """How the events of a kind of stream add up."""
        if STREAM_KIND in self.file.content:
            kind = self.file.content[STREAM_KIND].get("kind")
            kinds = self.joined.document.setdefault("x-coze-stream-kinds", {})
            self.add(kinds, f"{STREAM_KIND} {kind}", STREAM_KIND, key=kind)
            self.joined.origin[f"streams/{kind}"] = self.name

    def add_error_classes(self) -> None:
        """Errors that carry models."""
        for error in self.file.content.get(ERROR_CLASSES) or {}:
            classes = self.joined.document.setdefault(ERROR_CLASSES, {})
            self.add(classes, f"{ERROR_CLASSES} {error}", ERROR_CLASSES, error)
            self.joined.origin[error] = self.name

    def localized(self, node: Any) -> Any:
        """The node for the joined document: references are local to it, after a check against the
        file that they name.
        """
        if isinstance(node, list):
            return [self.localized(item) for item in node]
        if not isinstance(node, dict):
            return node
        local = {key: self.localized(value) for key, value in node.items()}
        target = node.get("$ref")
        if isinstance(target, str):
            local["$ref"] = self.local(target)
        return local

    def local(self, target: str) -> str:
        """A reference for the joined document."""
        file, _, pointer = target.partition("#")
        source = normpath(join_path(dirname(self.name), file)) if file else self.name
        found: Any = self.joined.files[source].content if source in self.joined.files else None
        for step in pointer.strip("/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        problem = ""
        if source not in self.joined.files:
            problem = "names a file that does not exist; fix the path"
        elif found is None:
            problem = "leads nowhere; define it or fix the name"
        elif not _NAMED_PART.fullmatch(pointer):
            problem = "points into a part; name that part under components/schemas"
        if problem:
            place = next(_pointers(self.file.content, target), ())
            raise self.error(f"$ref {target} {problem}", *place)
        return f"#{pointer}"


def _pointers(node: Any, target: str, above: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Where a reference is made."""
    for step, child in parts_of(node):
        if step == "$ref" and child == target:
            yield (*above, step)
        yield from _pointers(child, target, (*above, step))


def parts_of(node: Any) -> Iterable[tuple[Step, Any]]:
    """The parts of a map or a list, by key or index."""
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


def references(node: Any) -> Iterator[str]:
    """Every `$ref` below a node."""
    for key, value in parts_of(node):
        if key == "$ref" and isinstance(value, str):
            yield value
        else:
            yield from references(value)
