"""What the templates need to know of an operation, as plain data: the parser's view joined with the
`x-coze-*` data.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol

from .bundle import Bundle, DescriptionError, Node, schema_name
from .identifiers import python_name
from .limits import Tree, limit_tree
from .lint_operations import answer_schema, body_schema
from .schemas import Types, describe, raw_properties


@define
class Parameter:
    """One argument of an operation."""

    wire: str
    python: str
    place: str
    """path · query · header · body · file"""
    required: bool
    annotation: str
    uses: frozenset[str]
    description: str
    joined: bool = False
    """A list that is sent as one value, comma between the elements."""
    limit: Tree = field(factory=dict)
    """What the description limits in it, for the check before the request."""


@define
class Operation:
    """One operation; `node` is the description itself, for what the templates print as it
    stands.
    """

    id: str
    tag: str
    method: str
    http_method: str
    path: str
    node: Node
    module: str
    parameters: list[Parameter]
    media: str
    constants: dict[str, str]
    returns: str
    answer: str | None
    uses: frozenset[str]
    errors: list[tuple[str, int, str]]
    """Documented errors: class, code, meaning."""

    @property
    def arguments(self) -> list[Parameter]:
        """Parameters of the Python method: the switch of a stream is set by the method itself."""
        switch = (self.stream or {}).get("switch")
        return [parameter for parameter in self.parameters if parameter.python != switch]

    @property
    def positional(self) -> list[Parameter]:
        """Ids of the path."""
        return [parameter for parameter in self.parameters if parameter.place == "path"]

    @property
    def keywords(self) -> list[Parameter]:
        """Everything else, required ones first."""
        others = [parameter for parameter in self.arguments if parameter.place != "path"]
        return sorted(others, key=lambda parameter: not parameter.required)

    @property
    def limited(self) -> list[Parameter]:
        """Arguments that have limits."""
        return [parameter for parameter in self.parameters if parameter.limit]

    @property
    def pages(self) -> list[str]:
        """Slugs of the official pages."""
        pages = self.node.get("x-coze-page") or []
        return [pages] if isinstance(pages, str) else list(pages)

    @property
    def stream(self) -> Node | None:
        """The `x-coze-stream` data."""
        return self.node.get("x-coze-stream")

    @property
    def streams_only(self) -> bool:
        """Whether there is no plain answer."""
        return self.stream is not None and "switch" not in self.stream

    @property
    def pager(self) -> Node | None:
        """The `x-coze-pager` data."""
        return self.node.get("x-coze-pager")

    @property
    def waiter(self) -> Node | None:
        """The `x-coze-waiter` data."""
        return self.node.get("x-coze-waiter")

    @property
    def unwrap(self) -> str:
        """The `x-coze-unwrap` path."""
        return str(self.node.get("x-coze-unwrap") or "")


def operations(bundle: Bundle, data: GeneratorData, types: Types) -> list[Operation]:
    """Every operation of the description.

    Raises:
        DescriptionError: The parser knows fewer or other operations than the description holds.
    """
    parsed = {
        endpoint.name: endpoint
        for group in data.endpoint_collections_by_tag.values()
        for endpoint in group.endpoints
    }
    found = []
    for method, path, node in bundle.operations():
        endpoint = parsed.pop(node["operationId"], None)
        if endpoint is None:
            raise DescriptionError(
                f"{node['operationId']}: the parser dropped it or knows it by another name; "
                "rename the operation"
            )
        found.append(_operation(bundle, types, endpoint, method, path, node))
    if parsed:
        raise DescriptionError(
            f"the parser made operations that the description does not hold: {', '.join(parsed)}"
        )
    return sorted(found, key=lambda operation: (operation.tag, operation.id))


def _operation(
    bundle: Bundle, types: Types, endpoint: Endpoint, method: str, path: str, node: Node
) -> Operation:
    tag = node["tags"][0]
    prefix = f"{tag.replace('.', '_')}_"
    content = (node.get("requestBody") or {}).get("content") or {}
    media = next(iter(content), "")
    parameters = _parameters(bundle, types, endpoint, node) + _body(bundle, types, endpoint, node)
    names = [parameter.python for parameter in parameters]
    if len(set(names)) != len(names):
        raise DescriptionError(
            f"{node['operationId']}: two arguments have the same Python name; rename one in the "
            "description"
        )
    constants = {
        p["name"]: p["x-coze-constant"]
        for p in node.get("parameters") or ()
        if "x-coze-constant" in p
    }
    returns, uses = _returns(bundle, node)
    table = bundle.document.get("x-coze-error-codes") or {}
    errors = [
        (table[code]["error"], code, table[code]["meaning"])
        for code in node.get("x-coze-errors") or ()
    ]
    return Operation(
        node["operationId"],
        tag,
        node["operationId"][len(prefix) :],
        method.upper(),
        path,
        node,
        tag.replace(".", "_"),
        parameters,
        media,
        constants,
        returns,
        answer_schema(node),
        uses,
        errors,
    )


def _parameters(bundle: Bundle, types: Types, endpoint: Endpoint, node: Node) -> list[Parameter]:
    parsed: dict[tuple[str, str], PropertyProtocol] = {
        (str(place.value), prop.name.get_untrusted_value()): prop
        for place, prop in endpoint.iter_all_parameters()
    }
    found = []
    for raw in node.get("parameters") or ():
        if "x-coze-constant" in raw:
            continue
        annotation, uses = types.annotation(parsed[raw["in"], raw["name"]], sent=True)
        joined = raw.get("explode") is False
        found.append(
            Parameter(
                raw["name"],
                python_name(raw["name"].lower() if raw["in"] == "header" else raw["name"]),
                raw["in"],
                bool(raw.get("required")),
                annotation,
                uses,
                describe(bundle, raw),
                joined,
                limit_tree(bundle, raw["schema"]),
            )
        )
    return found


def _body(bundle: Bundle, types: Types, endpoint: Endpoint, node: Node) -> list[Parameter]:
    name = body_schema(node)
    if name is None:
        return []
    model = endpoint.bodies[0].prop
    if not isinstance(model, ModelProperty):
        raise DescriptionError(
            f"{node['operationId']}: the request body is no object; describe its properties"
        )
    parsed = {
        p.name.get_untrusted_value(): p
        for p in [*(model.required_properties or ()), *(model.optional_properties or ())]
    }
    found = []
    for wire, raw in raw_properties(bundle, bundle.schemas[name]).items():
        annotation, uses = types.annotation(parsed[wire], sent=True)
        place = "file" if annotation == "FileInput" else "body"
        found.append(
            Parameter(
                wire,
                python_name(wire),
                place,
                bool(parsed[wire].required),
                annotation,
                uses,
                describe(bundle, raw),
                limit={} if place == "file" else limit_tree(bundle, raw),
            )
        )
    return found


def _returns(bundle: Bundle, node: Node) -> tuple[str, frozenset[str]]:
    """Python type of what a method returns, and the schemas that it names."""
    pager = node.get("x-coze-pager")
    unwrap = pager["items"] if pager else str(node.get("x-coze-unwrap") or "")
    answer = answer_schema(node)
    fixed = {
        "nothing": "Empty",
        "content": "ResultBytes",
        "location": "ResultText",
        "": "ByteStream",
    }
    if unwrap in fixed:
        return fixed[unwrap], frozenset()
    if answer is None:
        raise DescriptionError(
            f"{node['operationId']}: returns {unwrap} but has no JSON answer; describe the 200 "
            "response"
        )
    schema: Node = {"$ref": f"#/components/schemas/{answer}"}
    for step in [] if unwrap == "body" else unwrap.split("."):
        target = schema_name(schema)
        schema = (
            schema["items"]
            if step.isdigit()
            else raw_properties(bundle, bundle.schemas[target or ""])[step]
        )
    uses: set[str] = set()
    text = _answer_type(bundle, schema, uses)
    return (text[5:-1] if pager else _logged(text)), frozenset(uses)


def _logged(text: str) -> str:
    """The type that carries the log id of the call: models do, the types of Python do not."""
    for plain, logged in (("list[", "ResultList["), ("dict[str, ", "ResultDict[")):
        if text.startswith(plain):
            return logged + text.removeprefix(plain)
    return text


def _answer_type(bundle: Bundle, schema: Node, uses: set[str]) -> str:
    name = schema_name(schema)
    if name:
        node = bundle.schemas[name]
        if "properties" in node or "allOf" in node or "x-known-values" in node:
            uses.add(name)
            return name
        return _answer_type(bundle, node, uses)
    simple: dict[Any, str] = {
        "string": "str",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
    }
    if schema.get("type") == "array":
        return f"list[{_answer_type(bundle, schema['items'], uses)}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return (
            "dict[str, "
            f"{_answer_type(bundle, values, uses) if isinstance(values, dict) else 'Any'}]"
        )
    return simple.get(schema.get("type"), "Any")
