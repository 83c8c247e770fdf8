"""The release note of a change of the description: two bundles in, Markdown in the style of the
changelog out.

Breaking for callers are: an operation, parameter or field that is gone, an argument that is newly
required, a changed type, method, path or tag. They are marked; the other entries can be adopted
without a look at the own code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from .bundle import Bundle, DescriptionError, Node, load_yaml, schema_name
from .drift_walk import answers, parameters, properties, reach, resolve
from .lint_operations import body_schema

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
    document = load_yaml(path)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise DescriptionError(f"{path}: no bundle; give a file like generated/openapi.yaml")
    document.setdefault("components", {}).setdefault("schemas", {})
    return Bundle(document)


def _kind(joined: Bundle, node: Node) -> str:
    target = schema_name(node)
    if target:
        inner = joined.schemas[target]
        return target if "properties" in inner or "allOf" in inner else _kind(joined, inner)
    kinds = node.get("type") or "any"
    text = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    inner_node = node.get("items") or node.get("additionalProperties")
    text = "file" if node.get("format") == "binary" else text
    return f"{text} of {_kind(joined, inner_node)}" if isinstance(inner_node, dict) else text


def surfaces(joined: Bundle) -> dict[str, Surface]:
    """Operations by `operation <id>` and schemas by `schema <name>`."""
    found: dict[str, Surface] = {}
    groups: dict[str, str] = {}
    bodies: set[str] = set()
    received: set[str] = set()
    for method, path, node in joined.operations():
        tag, name = node["tags"][0], node["operationId"]
        call = f"coze.{tag}.{name.removeprefix(tag.replace('.', '_') + '_')}"
        surface = Surface(tag, f"`{call}`", True, f"`{method.upper()} {path}`", word="event")
        surface.values = set((node.get("x-coze-stream") or {}).get("events") or ())
        pager = node.get("x-coze-pager")
        surface.parts[RESULT] = Part(
            f"pages of {pager['items']}" if pager else str(node.get("x-coze-unwrap")), False
        )
        for place in parameters(name, node):
            surface.parts[place.name.partition(".")[2]] = Part(
                _kind(joined, place.node.get("schema") or {}), place.required
            )
        body = body_schema(node)
        if body:
            bodies.add(body)
            for field_name, place in properties(
                joined, joined.schemas[body] | {"x-name": body}
            ).items():
                surface.parts[field_name] = Part(_kind(joined, place.node), place.required)
        received |= set(reach(joined, answers(joined, node)))
        for schema in [*([body] if body else []), *answers(joined, node)]:
            groups |= {below: groups.get(below, tag) for below in reach(joined, [schema])}
        found[f"operation {name}"] = surface
    for name, node in joined.schemas.items():
        if name in bodies - received:
            continue
        surface = Surface(groups.get(name, "shared"), f"`{name}`", name not in received)
        for field_name, place in properties(
            joined, resolve(joined, {"$ref": f"#/components/schemas/{name}"})
        ).items():
            surface.parts[field_name] = Part(_kind(joined, place.node), place.required)
        surface.values = {str(value) for value in node.get("x-known-values") or ()}
        found[f"schema {name}"] = surface
    return found


def changes(old: Bundle, new: Bundle) -> Iterator[tuple[str, str, bool, str]]:
    """Each change as section, group, breaking or not, and text."""
    before, after = surfaces(old), surfaces(new)
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if now is None and was is not None:
            yield "Removed", was.group, True, f"{was.title} {was.identity}".strip()
        elif was is None and now is not None:
            yield "Added", now.group, False, f"{now.title} {now.identity}".strip()
        elif was is not None and now is not None:
            if was.identity != now.identity or was.title != now.title:
                text = (
                    f"was {was.title}"
                    if was.title != now.title
                    else f"{was.identity} → {now.identity}"
                )
                yield "Changed", now.group, was.title != now.title, f"{now.title}: {text}"
            yield from _parts(was, now)


def _parts(was: Surface, now: Surface) -> Iterator[tuple[str, str, bool, str]]:
    for name in sorted(was.parts.keys() | now.parts.keys()):
        old, new = was.parts.get(name), now.parts.get(name)
        if new is None:
            yield "Removed", now.group, True, f"{now.title}: `{name}`"
        elif old is None:
            needed = new.required and now.sent
            yield (
                "Added",
                now.group,
                needed,
                f"{now.title}: `{name}` ({new.kind}{', required' if needed else ''})",
            )
        else:
            if old.kind != new.kind:
                shown = name if name == RESULT else f"`{name}`"
                yield (
                    "Changed",
                    now.group,
                    True,
                    f"{now.title}: {shown} is {new.kind}, was {old.kind}",
                )
            if old.required != new.required:
                words = {True: "required", False: "optional"}
                broken = new.required if now.sent else old.required
                yield (
                    "Changed",
                    now.group,
                    broken,
                    f"{now.title}: `{name}` is {words[new.required]}, was {words[old.required]}",
                )
    for value in sorted(now.values - was.values):
        yield "Added", now.group, False, f"{now.title}: {now.word} `{value}`"
    for value in sorted(was.values - now.values):
        yield "Removed", now.group, now.word == "event", f"{now.title}: {now.word} `{value}`"


def release_note(old: Bundle, new: Bundle) -> str:
    """The text for the changelog; a single line when nothing changed."""
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
