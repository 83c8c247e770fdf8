"""Rules for how the files fit together: sizes, tags, circles, schemas that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..bundle import ERROR_CLASSES, Bundle, operations_of
from ..nodes import reachable, schemas_below
from .place import Place

MAX_LINES = 1000


def lint_file(name: str, bundle: Bundle) -> Iterator[str]:
    """Messages for a file as a whole."""
    file = bundle.files[name]
    lines = file.root.end_mark.line if file.root else 0
    if lines > MAX_LINES:
        yield Place(file).says(f"{lines} lines, {MAX_LINES} allowed; cut it by sub-resource")
    for method, route, node in operations_of(file.content):
        stem = node["tags"][0].replace(".", "_")
        if stem != Path(name).stem:
            yield Place(file, ("paths", route, method, "tags")).says(
                f"move the operation to resources/{stem}.yaml, the file of its tag"
            )


def lint_whole(bundle: Bundle) -> Iterator[str]:
    """Messages for how the files fit together."""
    yield from _tags(bundle)
    yield from _unused(bundle)
    yield from _circles(bundle)


def _tags(bundle: Bundle) -> Iterator[str]:
    used = {tag for _, _, node in bundle.operations() for tag in node["tags"]}
    for index, tag in enumerate(bundle.document["tags"]):
        if tag["name"] not in used:
            yield Place(bundle.files["openapi.yaml"], ("tags", index)).says(
                f"tag {tag['name']} has no operation; delete it"
            )


def _unused(bundle: Bundle) -> Iterator[str]:
    """Schemas that nothing uses are dead text, unless they name the handwritten module that uses
    them.
    """
    document = bundle.document
    users = [document["paths"], document["components"].get("responses")]
    users += [document.get(key) for key in ("x-coze-events", "x-coze-stream-kinds", ERROR_CLASSES)]
    by_hand = [name for name, node in bundle.schemas.items() if node.get("x-coze-used-by")]
    used = set(reachable(bundle, [*schemas_below(users), *by_hand]))
    for name in bundle.schemas:
        if name not in used:
            place = Place(bundle.files[bundle.origin[name]], ("components", "schemas", name))
            yield place.says("nothing uses it; delete it, or add `x-coze-used-by`")


def _circles(bundle: Bundle) -> Iterator[str]:
    """Each file becomes a module of models; modules that import each other in a circle cannot be
    loaded.
    """
    needs: dict[str, set[str]] = {}
    for name, node in bundle.schemas.items():
        file = bundle.origin[name]
        others = {bundle.origin[other] for other in schemas_below(node)}
        needs.setdefault(file, set()).update(others - {file})
    for file in needs:
        if file in _needed(needs, file):
            yield Place(bundle.files[file]).says(
                "its schemas and those of another file need each other; move what both need to "
                "spec/shared.yaml"
            )


def _needed(needs: dict[str, set[str]], file: str) -> set[str]:
    """All files that a file needs, directly or not."""
    needed: set[str] = set()
    queue = list(needs[file])
    while queue:
        other = queue.pop()
        if other not in needed:
            needed.add(other)
            queue += needs.get(other, ())
    return needed
