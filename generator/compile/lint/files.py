"""Rules for the files, and for the document as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..bundle import ERROR_CLASSES, Bundle, Node, operations_of
from ..nodes import reachable, schemas_below
from .keys import EXAMPLES, check_keys

MAX_LINES = 1000
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def lint_files(bundle: Bundle, spec: Path) -> Iterator[str]:
    """Messages for every file, and for how the files fit together."""
    for name, content in bundle.files.items():
        yield from _file(name, content, spec / name)
        yield from _language(f"spec/{name}", content)
    yield from _environment(bundle)
    yield from _tags(bundle)
    yield from _unused(bundle)
    yield from _circles(bundle)


def _file(name: str, content: Node, path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").count("\n")
    if lines > MAX_LINES:
        yield f"spec/{name}: {lines} lines, {MAX_LINES} allowed; cut it by sub-resource"
    if not str(content.get("openapi", "")).startswith("3.1"):
        yield f"spec/{name}: not valid alone; begin it with `openapi: 3.1.0` and `info`"
    for method, route, node in operations_of(content):
        tag = str((node.get("tags") or [""])[0])
        stem = tag.replace(".", "_")
        if tag and stem != Path(name).stem:
            yield (
                f"spec/{name}: {method.upper()} {route} has tag {tag}; move it to "
                f"resources/{stem}.yaml"
            )


def _language(where: str, content: Node) -> Iterator[str]:
    """Descriptions and summaries are English; examples may be in any language."""
    for route, item in content["paths"].items():
        yield from _chinese(f"{where}: {route}", item)
    for schema, node in ((content.get("components") or {}).get("schemas") or {}).items():
        yield from _chinese(f"{where}: {schema}", node)


def _chinese(where: str, node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _chinese(where, item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("description", "summary") and isinstance(value, str):
                if _CHINESE.search(value.replace("扣子", "")):
                    yield f"{where}: Chinese text in a {key}; say it in English"
            elif key not in EXAMPLES:
                yield from _chinese(where, value)


def _environment(bundle: Bundle) -> Iterator[str]:
    """The clients read their token and their base URL from variables that have to be named."""
    where = "spec/openapi.yaml: x-coze-environment"
    variables = bundle.document.get("x-coze-environment")
    yield from check_keys(where, variables, ({"token", "base_url"}, {"server"}))


def _tags(bundle: Bundle) -> Iterator[str]:
    used = {tag for _, _, node in bundle.operations() for tag in node.get("tags") or ()}
    for tag in sorted({tag["name"] for tag in bundle.document.get("tags", ())} - used):
        yield f"spec/openapi.yaml: tag {tag} has no operation; delete it"


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
            yield (
                f"spec/{bundle.origin[name]}: {name}: nothing uses it; delete it, or add "
                "`x-coze-used-by`"
            )


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
            yield (
                f"spec/{file}: its schemas and those of another file need each other; move what "
                "both need to spec/shared.yaml"
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
