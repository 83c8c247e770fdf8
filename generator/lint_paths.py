"""Properties of schemas, and paths through them."""

from __future__ import annotations

from .bundle import Bundle, Node, schema_name


def properties(bundle: Bundle, name: str | None) -> dict[str, Node] | None:
    """Properties of an object schema, `allOf` included; None when it is no object."""
    node = bundle.schemas.get(name or "")
    if node is None:
        return None
    found: dict[str, Node] = {}
    for part in node.get("allOf") or ():
        found |= (
            properties(bundle, schema_name(part)) if schema_name(part) else part.get("properties")
        ) or {}
    found |= node.get("properties") or {}
    return found if found or node.get("type") == "object" else None


def find_path(bundle: Bundle, name: str | None, path: str) -> bool:
    """Whether a dotted path exists below a schema; a number steps into an array."""
    node: Node = {"$ref": f"#/components/schemas/{name}"}
    for step in path.split("."):
        target = schema_name(node)
        if target and bundle.schemas.get(target, {}).get("type") == "array":
            node = bundle.schemas[target]
        if step.isdigit() or step == "*":
            node = node.get("items") or {}
        else:
            node = (properties(bundle, schema_name(node)) or {}).get(step) or {}
        if not node:
            return False
    return True
