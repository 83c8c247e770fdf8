"""How much of an operation comes out of its page: `python -m tests.adopt.trial PAGES [SLUG …]`.

Takes the operation of each page out of a copy of the description, adopts the page, and compares the
draft with what was there. A share is what is the same, of everything that the one or the other has.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from generator.adopt.command import Adoption
from generator.compile.bundle import METHODS, Bundle, Node, bundle
from generator.compile.nodes import body_schema, pages_of, reachable, response_schema
from generator.pages.places import named_schema, properties, resolve

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "tests" / "contract"
SLUGS = [
    "create_workspace",
    "list_workspace",
    "add_space_member",
    "create_dataset",
    "list_conversations",
    "create_bot",
    "list_bot_versions",
    "workspace_list_folder",
    "query_resource_copy_execution_result",
    "create_voiceprint_group",
]
LIMITS = (
    "default minimum maximum minLength maxLength minItems maxItems maxProperties propertyNames "
    "x-coze-max-bytes"
).split()

Facts = dict[tuple[str, str], Any]
"""Kind of fact and place → what is said."""


def without_operation(spec: Path, name: str) -> None:
    """Takes an operation, and the schemas that only it uses, out of a copy of the description."""
    joined = bundle(spec)
    others = [node for _, _, node in joined.operations() if node["operationId"] != name]
    (node,) = (node for _, _, node in joined.operations() if node["operationId"] == name)
    own = set(_schemas(joined, [node])) - set(_schemas(joined, others))
    own = {schema for schema in own if joined.origin[schema] != "shared.yaml"}
    kept = reachable(joined, [schema for schema in joined.schemas if schema not in own])
    file = spec / joined.origin[name]
    _cut(file, name)
    for schema in own - set(kept):
        _cut_schema(spec / joined.origin[schema], schema)
    if not yaml.safe_load(file.read_text(encoding="utf-8"))["paths"]:
        root = spec / "openapi.yaml"
        lines = root.read_text(encoding="utf-8").splitlines(keepends=True)
        tag = f"  - {{name: {node['tags'][0]},"
        root.write_text("".join(li for li in lines if not li.startswith(tag)), encoding="utf-8")
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not content["components"]["schemas"]:
            file.unlink()


def _schemas(joined: Bundle, nodes: list[Node]) -> list[str]:
    roots = [r for node in nodes for r in (body_schema(node), response_schema(node)) if r]
    parameters = (p.get("schema") or {} for node in nodes for p in node.get("parameters") or ())
    roots += [str(s["$ref"]).rpartition("/")[2] for s in parameters if "$ref" in s]
    return reachable(joined, roots)


def _cut(file: Path, name: str) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for path, item in list(content["paths"].items()):
        for method in METHODS:
            if item.get(method, {}).get("operationId") == name:
                del item[method]
        if not item:
            del content["paths"][path]
    _write(file, content)


def _cut_schema(file: Path, name: str) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    del content["components"]["schemas"][name]
    _write(file, content)


def _write(file: Path, content: Node) -> None:
    if content.get("components") == {"schemas": {}}:
        content["components"]["schemas"] = {}
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=200)
    file.write_text(text.replace("  schemas: {}\n", "  schemas:\n"), encoding="utf-8")


def facts_of(joined: Bundle, method: str, path: str, node: Node) -> Facts:
    """What the description says about an operation, apart from its texts."""
    found: Facts = {
        ("method and path", ""): (method, path),
        ("tag", ""): node["tags"],
        ("operationId", ""): node["operationId"],
        ("page", ""): node.get("x-coze-page"),
        ("permission", ""): sorted(node.get("x-coze-permission") or ()),
        ("returns", ""): node.get("x-coze-pager") or node.get("x-coze-unwrap"),
        ("content type", ""): list((node.get("requestBody") or {}).get("content") or ()),
    }
    for parameter in node.get("parameters") or ():
        where = f"{parameter['in']}.{parameter['name']}"
        found |= _facts(
            joined, where, parameter["schema"], parameter, bool(parameter.get("required"))
        )
    for side, root in (("body", body_schema(node)), ("response", response_schema(node))):
        if root:
            found |= dict(_fields(joined, side, named_schema(joined, root), 0))
    return found


def _fields(joined: Bundle, where: str, schema: Node, depth: int) -> Iterator[tuple[Any, Any]]:
    for place in properties(joined, schema).values() if depth < 8 else ():
        here = f"{where}.{place.name}"
        required = place.required and where.startswith("body")
        yield from _facts(joined, here, place.node, place.node, required).items()
        node, mark = resolve(joined, place.node), ""
        while inner := node.get("items") or node.get("additionalProperties"):
            if not isinstance(inner, dict):
                break
            node, mark = resolve(joined, inner), f"{mark}[]"
        yield from _fields(joined, here + mark, node, depth + 1)


def _facts(joined: Bundle, where: str, schema: Node, holder: Node, required: bool) -> Facts:
    node, side = resolve(joined, schema), where.partition(".")[0]
    inner = resolve(joined, node.get("items") or {})
    kind = "response" if side == "response" else "request"
    found: Facts = {
        (f"{kind} field", where): True,
        (f"{kind} type", where): (
            node.get("type") or "object",
            inner.get("type") or ("object" if inner else None),
        ),
    }
    values = node.get("x-known-values") or inner.get("x-known-values")
    if values:
        found["values", where] = sorted(map(str, values))
    if kind == "request":
        found["required", where] = required
        said = {**node, **schema}
        found |= {("limits and defaults", f"{where} {k}"): said[k] for k in LIMITS if k in said}
    example = holder.get("example", schema.get("example"))
    if example is not None:
        found["examples", where] = example
    return found


def exchanges_of(content: list[Node]) -> Facts:
    """Requests and responses of the documented exchanges of an operation."""
    found: Facts = {}
    for number, exchange in enumerate(content):
        found["documented requests", str(number)] = exchange.get("request")
        found["documented responses", str(number)] = (exchange.get("answer") or {}).get("value")
    return found


def trial(pages: Path, slug: str, folder: Path) -> tuple[Facts, Facts]:
    """What is described, and what comes out of the page of an operation that was taken out."""
    spec, contract = folder / "spec", folder / "contract"
    shutil.copytree(ROOT / "spec", spec)
    contract.mkdir()
    for name in ("exchanges.json", "documented.json"):
        shutil.copy(CONTRACT / name, contract)
    joined = bundle(spec)
    method, path, node = next(op for op in joined.operations() if pages_of(op[2]) == [slug])
    listed = json.loads((contract / "exchanges.json").read_text(encoding="utf-8"))
    expected = facts_of(joined, method, path, node) | exchanges_of(listed[node["operationId"]])
    without_operation(spec, node["operationId"])
    adoption = Adoption(spec, pages, contract)
    (made,) = adoption.adopt(adoption.read(slug))
    joined = bundle(spec)
    ((method, path, node),) = (
        op for op in joined.operations() if op[2]["operationId"] == made.name
    )
    listed = json.loads((contract / "exchanges.json").read_text(encoding="utf-8"))
    return expected, facts_of(joined, method, path, node) | exchanges_of(listed.get(made.name, []))


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    shares: dict[str, list[int]] = {}
    for slug in arguments[1:] or SLUGS:
        with tempfile.TemporaryDirectory() as folder:
            expected, drafted = trial(Path(arguments[0]), slug, Path(folder))
        same = {fact for fact in expected if fact in drafted and expected[fact] == drafted[fact]}
        for kind, _ in expected.keys() | drafted.keys():
            shares.setdefault(kind, [0, 0])[1] += 1
        for kind, _ in same:
            shares[kind][0] += 1
        everything = expected.keys() | drafted.keys()
        print(f"{slug}: {len(same)} of {len(everything)}, {len(same) / len(everything):.0%}")
        for kind, where in sorted(everything - same):
            was, now = expected.get((kind, where)), drafted.get((kind, where))
            print(f"    {kind} {where}: described {str(was)[:90]} · drafted {str(now)[:90]}")
    for kind, (right, total) in sorted(shares.items()):
        print(f"{kind:<22}{right:>4} of {total:>4}  {right / total:>4.0%}")
    right, total = (sum(share[at] for share in shares.values()) for at in (0, 1))
    print(f"{'all':<22}{right:>4} of {total:>4}  {right / total:>4.0%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
