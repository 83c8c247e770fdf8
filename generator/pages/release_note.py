"""The release note of a change of the description: two bundles in, Markdown in the style of the
changelog out.

Breaking for callers are: an operation, parameter or field that is gone, an argument that is newly
required, a changed type, method or tag. They are marked; nobody has to change code for the other
entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from ..compile.bundle import Bundle, Node, call_of
from ..compile.nodes import body_schema, event_payloads, reachable, reference, schema_name
from ..yaml_files import DescriptionError, read_yaml
from .places import Place, named_schema, parameters, properties, received_schemas, resolve

SECTIONS = ("Added", "Changed", "Removed")
RESULT = "the result"


@define
class Part:
    """A parameter or field as far as callers notice it."""

    kind: str
    required: bool


@define
class Surface:
    """What callers see of an operation or schema: its group, heading, and parts by name."""

    group: str
    title: str
    sent: bool
    identity: str = ""
    parts: dict[str, Part] = field(factory=dict)
    values: set[str] = field(factory=set)
    word: str = "known value"
    """What `values` are."""


def load(path: Path) -> Bundle:
    """A bundle as `generated/openapi.yaml` holds it.

    Raises:
        DescriptionError: It is missing, or no bundle.
    """
    document = read_yaml(path).content
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise DescriptionError(f"{path}: not a bundle; give a file like generated/openapi.yaml")
    document.setdefault("components", {}).setdefault("schemas", {})
    return Bundle(document)


def _type(joined: Bundle, node: Node) -> str:
    """The type of a value in words."""
    target = schema_name(node)
    if target:
        inner = joined.schemas[target]
        return target if "properties" in inner or "allOf" in inner else _type(joined, inner)
    types = node.get("type") or "any"
    text = " or ".join(types) if isinstance(types, list) else str(types)
    text = "file" if node.get("format") == "binary" else text
    elements = node.get("items") or node.get("additionalProperties")
    return f"{text} of {_type(joined, elements)}" if isinstance(elements, dict) else text


def surfaces(joined: Bundle) -> dict[str, Surface]:
    """Operations by `operation <id>` and schemas by `schema <name>`."""
    surfaces_by_key: dict[str, Surface] = {}
    tags: dict[str, str] = {}
    bodies: set[str] = set()
    received: set[str] = set()
    for method, path, node in joined.operations():
        tag, body, sources = node["tags"][0], body_schema(node), received_schemas(joined, node)
        surfaces_by_key[f"operation {node['operationId']}"] = _operation(joined, method, path, node)
        bodies |= {body} if body else set()
        received |= set(reachable(joined, sources))
        for schema in reachable(joined, [*([body] if body else []), *sources]):
            tags.setdefault(schema, tag)
    for name in joined.schemas:
        if name not in bodies - received:
            sent = name not in received
            surfaces_by_key[f"schema {name}"] = _schema(
                joined, name, tags.get(name, "shared"), sent
            )
    return surfaces_by_key


def _operation(joined: Bundle, method: str, path: str, node: Node) -> Surface:
    pager, body = node.get("x-coze-pager"), body_schema(node)
    surface = Surface(
        node["tags"][0], f"`{call_of(node)}`", True, f"`{method.upper()} {path}`", word="event"
    )
    surface.values = set(event_payloads(node))
    result = f"pages of {pager['items']}" if pager else str(node.get("x-coze-unwrap"))
    surface.parts[RESULT] = Part(result, False)
    for place in parameters("", node):
        kind = _type(joined, place.node.get("schema") or {})
        surface.parts[place.name.partition(".")[2]] = Part(kind, place.required)
    if body:
        surface.parts |= _parts_of(joined, properties(joined, named_schema(joined, body)))
    return surface


def _schema(joined: Bundle, name: str, tag: str, sent: bool) -> Surface:
    surface = Surface(tag, f"`{name}`", sent)
    surface.parts = _parts_of(joined, properties(joined, resolve(joined, reference(name))))
    surface.values = {str(value) for value in joined.schemas[name].get("x-known-values") or ()}
    return surface


def _parts_of(joined: Bundle, places: dict[str, Place]) -> dict[str, Part]:
    return {name: Part(_type(joined, place.node), place.required) for name, place in places.items()}


Change = tuple[str, str, bool, str]
"""Section, group, breaking or not, and text."""


def changes(old: Bundle, new: Bundle) -> Iterator[Change]:
    """Each change of an operation or schema."""
    before, after = surfaces(old), surfaces(new)
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None:
            yield from _identity(was, now)
            yield from _parts(was, now)
            yield from _values(was, now)
        elif was is not None:
            yield "Removed", was.group, True, f"{was.title} {was.identity}".strip()
        elif now is not None:
            yield "Added", now.group, False, f"{now.title} {now.identity}".strip()


def _identity(was: Surface, now: Surface) -> Iterator[Change]:
    if was.title != now.title:
        yield "Changed", now.group, True, f"{now.title}: was {was.title}"
    elif was.identity != now.identity:
        yield "Changed", now.group, False, f"{now.title}: {was.identity} → {now.identity}"


def _parts(was: Surface, now: Surface) -> Iterator[Change]:
    for name in sorted(was.parts.keys() | now.parts.keys()):
        old, new = was.parts.get(name), now.parts.get(name)
        if old is not None and new is not None:
            yield from _part(now, name, old, new)
        elif old is not None:
            yield "Removed", now.group, True, f"{now.title}: `{name}`"
        elif new is not None:
            needed = new.required and now.sent
            kind = f"{new.kind}, required" if needed else new.kind
            yield "Added", now.group, needed, f"{now.title}: `{name}` ({kind})"


def _part(now: Surface, name: str, old: Part, new: Part) -> Iterator[Change]:
    if old.kind != new.kind:
        shown = name if name == RESULT else f"`{name}`"
        text = f"{now.title}: {shown} is {new.kind}, was {old.kind}"
        yield "Changed", now.group, True, text
    if old.required != new.required:
        words = {True: "required", False: "optional"}
        broken = new.required if now.sent else old.required
        text = f"{now.title}: `{name}` is {words[new.required]}, was {words[old.required]}"
        yield "Changed", now.group, broken, text


def _values(was: Surface, now: Surface) -> Iterator[Change]:
    for value in sorted(now.values - was.values):
        yield "Added", now.group, False, f"{now.title}: {now.word} `{value}`"
    for value in sorted(was.values - now.values):
        yield "Removed", now.group, now.word == "event", f"{now.title}: {now.word} `{value}`"


def release_note(old: Bundle, new: Bundle) -> str:
    """The text for the changelog; a single line when nothing has changed."""
    rows = list(changes(old, new))
    if not rows:
        return "No change of the description.\n"
    lines = []
    for section in SECTIONS:
        groups = sorted({group for kind, group, _, _ in rows if kind == section})
        lines += [f"### {section}\n"] if groups else []
        for group in groups:
            lines.append(f"**{group}**\n")
            lines += [
                f"- {'⚠️ ' if broken else ''}{text}"
                for kind, own, broken, text in rows
                if (kind, own) == (section, group)
            ]
            lines.append("")
    return "\n".join(lines)


def main(old: Path, new: Path) -> int:
    """Prints the release note."""
    print(release_note(load(old), load(new)), end="")
    return 0
