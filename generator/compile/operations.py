"""What the templates need to know of an operation, as plain data: the parser's view joined with the
`x-coze-*` data.
"""

from __future__ import annotations

from attrs import define, field
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol

from ..yaml_files import DescriptionError
from .bundle import Bundle, Node
from .limits import Tree, limit_tree
from .nodes import (
    body_schema,
    node_at,
    pages_of,
    properties,
    python_name,
    reference,
    response_schema,
    schema_name,
)
from .schemas import Types, describe, parsed_fields


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
    """Whether a list is sent as one value, comma between the elements."""
    limit: Tree = field(factory=dict)
    """What the description limits in it, for the check before the request."""


@define
class Operation:
    """One operation; `node` is the description itself, for what the templates print unchanged."""

    id: str
    call: str
    """How users call it: `coze.bots.publish`."""
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
    response: str | None
    """Schema of a success."""
    uses: frozenset[str]
    errors: list[tuple[str, int, str]]
    """Documented errors: class, code, meaning."""
    successor: str
    """How users call the operation to use instead of a deprecated one; empty for all others."""

    @property
    def arguments(self) -> list[Parameter]:
        """Parameters of the Python method: the switch of a stream is set by the method itself, and
        what the switch of a waiter starts is not a page.
        """
        switches = {(self.stream or {}).get("switch"), self.poll_switch if self.pager else ""}
        return [parameter for parameter in self.parameters if parameter.python not in switches]

    @property
    def poll_switch(self) -> str:
        """The field that the method that starts and polls sets to true."""
        return str((self.waiter or {}).get("switch") or "")

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
    def other_places(self) -> list[tuple[str, str]]:
        """Documented places of the response, and where servers have them instead."""
        entries = self.node.get("x-coze-tolerance") or ()
        return [(it["place"], it["seen"]) for it in entries if it["seen"] != "stream"]

    @property
    def streamed_unasked(self) -> bool:
        """Whether a server may stream although the plain method was called."""
        return any(it["seen"] == "stream" for it in self.node.get("x-coze-tolerance") or ())

    @property
    def pages(self) -> list[str]:
        """Slugs of the official pages."""
        return pages_of(self.node)

    @property
    def stream(self) -> Node | None:
        """The `x-coze-stream` data."""
        return self.node.get("x-coze-stream")

    @property
    def streams_only(self) -> bool:
        """Whether it always responds with a stream."""
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


def operations_of(bundle: Bundle, data: GeneratorData, types: Types) -> list[Operation]:
    """Every operation of the description.

    Raises:
        DescriptionError: The parser knows fewer or other operations than the description holds.
    """
    parsed = {
        endpoint.name: endpoint
        for group in data.endpoint_collections_by_tag.values()
        for endpoint in group.endpoints
    }
    operations = []
    for method, path, node in bundle.operations():
        endpoint = parsed.pop(node["operationId"], None)
        if endpoint is None:
            raise DescriptionError(
                f"{node['operationId']}: the parser dropped it or knows it by another name; "
                "rename the operation"
            )
        operations.append(_operation(bundle, types, endpoint, method, path, node))
    if parsed:
        raise DescriptionError(
            f"the parser made operations that the description does not hold: {', '.join(parsed)}"
        )
    return sorted(operations, key=lambda operation: (operation.tag, operation.id))


def _operation(
    bundle: Bundle, types: Types, endpoint: Endpoint, method: str, path: str, node: Node
) -> Operation:
    operation_id, tag = node["operationId"], node["tags"][0]
    parameters = _parameters(bundle, types, endpoint, node) + _body(bundle, types, endpoint, node)
    if len({parameter.python for parameter in parameters}) != len(parameters):
        raise DescriptionError(
            f"{operation_id}: two arguments have the same Python name; rename one in the "
            "description"
        )
    returns, uses = _returns(bundle, node)
    codes = bundle.document.get("x-coze-error-codes") or {}
    module = tag.replace(".", "_")
    return Operation(
        id=operation_id,
        call=bundle.calls[operation_id],
        tag=tag,
        method=operation_id.removeprefix(f"{module}_"),
        http_method=method.upper(),
        path=path,
        node=node,
        module=module,
        parameters=parameters,
        media=next(iter((node.get("requestBody") or {}).get("content") or {}), ""),
        constants={
            parameter["name"]: parameter["x-coze-constant"]
            for parameter in node.get("parameters") or ()
            if "x-coze-constant" in parameter
        },
        returns=returns,
        response=response_schema(node),
        uses=uses,
        errors=[
            (codes[code]["error"], code, codes[code]["meaning"])
            for code in node.get("x-coze-errors") or ()
        ],
        successor=bundle.calls[node["x-coze-replaced-by"]] if node.get("deprecated") else "",
    )


def _parameters(bundle: Bundle, types: Types, endpoint: Endpoint, node: Node) -> list[Parameter]:
    parsed: dict[tuple[str, str], PropertyProtocol] = {
        (str(place.value), prop.name.get_untrusted_value()): prop
        for place, prop in endpoint.iter_all_parameters()
    }
    parameters = []
    for raw in node.get("parameters") or ():
        if "x-coze-constant" in raw:
            continue
        name, place = raw["name"], raw["in"]
        annotation, uses = types.annotation(parsed[place, name], sent=True)
        parameters.append(
            Parameter(
                name,
                python_name(name.lower() if place == "header" else name),
                place,
                bool(raw.get("required")),
                annotation,
                uses,
                describe(bundle, raw),
                joined=raw.get("explode") is False,
                limit=limit_tree(bundle, raw["schema"]),
            )
        )
    return parameters


def _body(bundle: Bundle, types: Types, endpoint: Endpoint, node: Node) -> list[Parameter]:
    schema = body_schema(node)
    if schema is None:
        return []
    model = endpoint.bodies[0].prop
    if not isinstance(model, ModelProperty):
        raise DescriptionError(
            f"{node['operationId']}: the request body is not an object; describe its properties"
        )
    parsed = parsed_fields(model)
    parameters = []
    for name, raw in properties(bundle, reference(schema)).items():
        annotation, uses = types.annotation(parsed[name], sent=True)
        place = "file" if annotation == "FileInput" else "body"
        parameters.append(
            Parameter(
                name,
                python_name(name),
                place,
                bool(parsed[name].required),
                annotation,
                uses,
                describe(bundle, raw),
                limit={} if place == "file" else limit_tree(bundle, raw),
            )
        )
    return parameters


# What a method returns that does not come out of a JSON body, by `x-coze-unwrap`.
_NO_JSON = {
    "nothing": "Empty",
    "content": "ResultBytes",
    "location": "ResultText",
    "": "ByteStream",
}


def _returns(bundle: Bundle, node: Node) -> tuple[str, frozenset[str]]:
    """Python type of what a method returns, and the schemas that it names."""
    pager = node.get("x-coze-pager")
    unwrap = pager["items"] if pager else str(node.get("x-coze-unwrap") or "")
    if unwrap in _NO_JSON:
        return _NO_JSON[unwrap], frozenset()
    response = response_schema(node)
    if response is None:
        raise DescriptionError(
            f"{node['operationId']}: returns {unwrap} but has no JSON response; describe the 200 "
            "response"
        )
    schema: Node | None = reference(response)
    if unwrap != "body":
        schema = node_at(bundle, reference(response), unwrap)
    uses: set[str] = set()
    text = _response_type(bundle, schema or {}, uses)
    return (text[5:-1] if pager else _with_logid(text)), frozenset(uses)


def _with_logid(text: str) -> str:
    """The type that carries the log id of the call: models do, the types of Python do not."""
    for plain, result in (("list[", "ResultList["), ("dict[str, ", "ResultDict[")):
        if text.startswith(plain):
            return result + text.removeprefix(plain)
    return text


_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def _response_type(bundle: Bundle, schema: Node, uses: set[str]) -> str:
    name = schema_name(schema)
    if name:
        node = bundle.schemas[name]
        if node.keys() & {"properties", "allOf", "x-known-values"}:
            uses.add(name)
            return name
        return _response_type(bundle, node, uses)
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_response_type(bundle, schema['items'], uses)}]"
    if kind == "object":
        values = schema.get("additionalProperties")
        inner = _response_type(bundle, values, uses) if isinstance(values, dict) else "Any"
        return f"dict[str, {inner}]"
    return _SCALARS.get(kind, "Any") if isinstance(kind, str) else "Any"
