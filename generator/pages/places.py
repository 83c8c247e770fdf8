"""Parameters and properties of the description as places: each with the schema or operation that
owns it and what is around it.
"""

from __future__ import annotations

from attrs import define

from ..compile.bundle import Bundle, Node
from ..compile.nodes import event_payloads, response_schema, schema_name


@define
class Place:
    """A parameter or property of the description."""

    owner: str
    """operationId or schema"""
    name: str
    node: Node
    required: bool
    holders: list[Node]
    """Schemas and operations around it; a deviation there must name it."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return self.owner, self.name

    @property
    def deviation(self) -> str:
        """What its own deviation says, or empty."""
        return str((self.node.get("x-coze-deviation") or {}).get("what") or "")


def label(schema: Node) -> str:
    """Name of a schema, or something unique for one in place."""
    return str(schema.get("x-name") or id(schema))


def named_schema(joined: Bundle, name: str) -> Node:
    """A schema that knows its name."""
    return joined.schemas[name] | {"x-name": name}


def resolve(joined: Bundle, node: Node) -> Node:
    """The schema behind a reference, with its name."""
    name = schema_name(node)
    return resolve(joined, named_schema(joined, name)) if name else node


def leaf(joined: Bundle, node: Node) -> Node:
    """The object behind references, arrays and maps."""
    node = resolve(joined, node)
    values = None if node.get("properties") else node.get("additionalProperties")
    inner = node.get("items") or values
    return leaf(joined, inner) if isinstance(inner, dict) else node


def properties(joined: Bundle, node: Node) -> dict[str, Place]:
    """Properties of an object, each with the schema that defines it."""
    owner, places = label(node), dict[str, Place]()
    required = node.get("required") or ()
    for part in node.get("allOf") or ():
        inner = resolve(joined, part) if "$ref" in part else part | {"x-name": owner}
        for name, place in properties(joined, inner).items():
            needed, holders = place.required or name in required, [node, *place.holders]
            places[name] = Place(place.owner, name, place.node, needed, holders)
    for name, child in (node.get("properties") or {}).items():
        places[name] = Place(owner, name, child, name in required, [node])
    return places


def parameters(operation: str, node: Node) -> list[Place]:
    """Parameters of an operation."""
    return [
        Place(operation, f"{p['in']}.{p['name']}", p, bool(p.get("required")), [node])
        for p in node.get("parameters") or ()
    ]


def around(node: Node) -> list[Node]:
    """An operation and its request body and responses, which may carry deviations themselves."""
    return [node, node.get("requestBody") or {}, *(node.get("responses") or {}).values()]


def received_schemas(joined: Bundle, node: Node) -> list[str]:
    """Schemas of the response, of the events, and of the error envelope."""
    default = (node.get("responses") or {}).get("default") or {}
    responses = joined.document["components"].get("responses", {})
    error = responses.get(default.get("$ref", "").rpartition("/")[2], {})
    content = error.get("content", {}).get("application/json", {})
    names = [
        response_schema(node),
        *(schema_name(payload) for payload in event_payloads(node).values()),
        schema_name(content.get("schema")),
    ]
    return [name for name in names if name]
