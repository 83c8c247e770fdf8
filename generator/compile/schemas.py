"""What the templates need to know of a model or an enum, as plain data, and the types of fields and
arguments.

The parser of openapi-python-client reads the schemas (references, `allOf`, unions, class names);
this module asks it for the Python type of everything. Its enums are fed from `x-known-values`,
which it does not know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import define
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.properties import AnyProperty, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty

from ..yaml_files import DescriptionError
from .bundle import Bundle, Node
from .nodes import field_name, known_values, member_name, module_of, one_line, properties

_SIMPLE = {
    StringProperty: "str",
    IntProperty: "int",
    FloatProperty: "float",
    BooleanProperty: "bool",
    AnyProperty: "Any",
    FileProperty: "FileInput",
}
_NAMED = {"properties", "schemas", "paths", "responses"}
_TEXTS = {"description", "summary", "example", "examples"}


@define
class Field:
    """One field of a model."""

    name: str
    wire: str
    annotation: str
    required: bool
    secret: bool
    description: str
    uses: frozenset[str]


@define
class Model:
    """One object schema."""

    name: str
    module: str
    description: str
    fields: list[Field]

    @property
    def renamed(self) -> dict[str, str]:
        """Python name → wire name, for the fields whose names differ."""
        return {field.name: field.wire for field in self.fields if field.name != field.wire}


@define
class Member:
    """One known value of an enum."""

    name: str
    value: str | int
    description: str


@define
class Enum:
    """One list of known values; other values are accepted too."""

    name: str
    module: str
    base: str
    description: str
    members: list[Member]
    other_values: dict[str, str]
    """What servers send in place of a known value."""


def parse(bundle: Bundle) -> GeneratorData:
    """The document as openapi-python-client understands it.

    Raises:
        DescriptionError: The parser warned of anything; by default it would leave the operation out
            and go on.
    """
    document = _for_parser(bundle.document)
    config = Config.from_sources(
        ConfigFile(), MetaType.NONE, Path("openapi.yaml"), "utf-8", overwrite=True, output_path=None
    )
    data = GeneratorData.from_dict(document, config=config)
    if isinstance(data, GeneratorError):
        raise DescriptionError(f"the parser refuses the description: {data.header}: {data.detail}")
    collections = data.endpoint_collections_by_tag.values()
    warnings = [*data.errors, *(error for tag in collections for error in tag.parse_errors)]
    if warnings:
        raise DescriptionError(
            "\n".join(f"the parser warns: {w.header} {w.detail}".strip() for w in warnings)
        )
    return data


def _for_parser(node: Any, named: bool = False) -> Any:
    """The description without what the parser does not need but copies for every operation (texts,
    examples, our own data, contents of responses); with lists of known values as enums.

    Args:
        node: The document, or a part of it.
        named: Whether its keys are names that people gave, not words of OpenAPI.
    """
    if isinstance(node, list):
        return [_for_parser(item) for item in node]
    if not isinstance(node, dict):
        return node
    slim = {
        key: _for_parser(value, not named and key in _NAMED)
        for key, value in node.items()
        if named or not (key in _TEXTS or str(key).startswith("x-"))
    }
    return slim if named else slim | _replaced(node)


def _replaced(node: Node) -> Node:
    """What the parser gets in place of known values and responses."""
    replaced: Node = {}
    if "x-known-values" in node:
        values = node["x-known-values"]
        names = [member_name(value, about) for value, about in values.items()]
        replaced |= {"enum": list(values), "x-enum-varnames": names}
    if "responses" in node:
        replaced["responses"] = {code: {"description": ""} for code in node["responses"]}
    return replaced


@define
class Types:
    """Python types by property of the parser, and the schemas that they name."""

    bundle: Bundle
    decoded: frozenset[str]
    """Schemas that responses and events hold; callers build all others."""
    results: frozenset[str]
    """Schemas that methods return."""

    def annotation(self, prop: PropertyProtocol, *, sent: bool) -> tuple[str, frozenset[str]]:
        """The type of a property, and the names of the schemas in it; `sent` gives the wider types
        of an argument.
        """
        uses: set[str] = set()
        return self._of(prop, sent, uses), frozenset(uses)

    def _of(self, prop: PropertyProtocol, sent: bool, uses: set[str]) -> str:
        for kind, text in _SIMPLE.items():
            if isinstance(prop, kind):
                return text
        if isinstance(prop, EnumProperty):
            uses.add(prop.class_info.name)
            base = "int" if prop.value_type is int else "str"
            return f"{prop.class_info.name} | {base}" if sent else str(prop.class_info.name)
        if isinstance(prop, ListProperty):
            inner = self._of(prop.inner_property, sent, uses)
            return f"Sequence[{inner}]" if sent and inner != "str" else f"list[{inner}]"
        if isinstance(prop, UnionProperty):
            return " | ".join(
                dict.fromkeys(self._of(inner, sent, uses) for inner in prop.inner_properties)
            )
        if isinstance(prop, ModelProperty):
            return self._object(prop, sent, uses)
        raise DescriptionError(
            f"{prop.python_name}: the generator has no Python type for {type(prop).__name__}; "
            "extend generator/schemas.py"
        )

    def _object(self, prop: ModelProperty, sent: bool, uses: set[str]) -> str:
        name = str(prop.class_info.name)
        if name in self.bundle.schemas and not is_map(self.bundle.schemas[name]):
            uses.add(name)
            return name
        inner = prop.additional_properties
        values = self._of(inner, sent, uses) if inner else "Any"
        return f"Mapping[str, {values}]" if sent else f"dict[str, {values}]"


def is_map(node: Node) -> bool:
    """Whether an object schema is a plain map: no properties, only values of one kind."""
    return node.get("type") == "object" and not node.get("properties") and "allOf" not in node


def models_of(
    bundle: Bundle, data: GeneratorData, types: Types, skip: frozenset[str]
) -> list[Model]:
    """Every model of the description, `skip` left out (request bodies, whose fields are keyword
    arguments).

    Raises:
        DescriptionError: The parser lost or renamed a schema.
    """
    parsed = {str(prop.class_info.name): prop for prop in data.models}
    expected = [
        name
        for name, node in bundle.schemas.items()
        if ("properties" in node or "allOf" in node) and name not in skip
    ]
    lost = sorted(set(expected) - parsed.keys())
    if lost:
        raise DescriptionError(
            f"schemas {', '.join(lost)} do not come out of the parser under their own name; "
            "rename them, or, where `allOf` has only a `$ref`, add `- type: object` to it"
        )
    return [
        Model(
            name,
            module_of(bundle, name),
            one_line(bundle.schemas[name].get("description")),
            _fields(bundle, parsed[name], bundle.schemas[name], types),
        )
        for name in expected
    ]


def enums_of(bundle: Bundle) -> list[Enum]:
    """Every list of known values."""
    return [
        Enum(
            name,
            module_of(bundle, name),
            "OpenIntEnum" if node["type"] == "integer" else "OpenStrEnum",
            one_line(node.get("description")),
            [_member(value, about) for value, about in node["x-known-values"].items()],
            {entry["seen"]: entry["place"] for entry in node.get("x-coze-tolerance", ())},
        )
        for name, node in bundle.schemas.items()
        if "x-known-values" in node
    ]


def _member(value: Any, about: Any) -> Member:
    text = about.get("description") if isinstance(about, dict) else about
    return Member(member_name(value, about), value, one_line(text))


def parsed_fields(model: ModelProperty) -> dict[str, PropertyProtocol]:
    """The properties of an object as the parser knows them, by wire name."""
    fields = [*(model.required_properties or ()), *(model.optional_properties or ())]
    return {prop.name.get_untrusted_value(): prop for prop in fields}


def _fields(bundle: Bundle, prop: ModelProperty, node: Node, types: Types) -> list[Field]:
    model, written, parsed = prop.class_info.name, properties(bundle, node), parsed_fields(prop)
    if set(written) != set(parsed):
        lost = ", ".join(sorted(set(written) ^ set(parsed)))
        raise DescriptionError(f"{model}: the parser loses {lost}")
    fields: list[Field] = []
    for name, raw in written.items():
        annotation, uses = types.annotation(parsed[name], sent=str(model) not in types.decoded)
        required, secret = bool(parsed[name].required), raw.get("format") == "password"
        text = describe(bundle, raw)
        python = field_name(name, result=str(model) in types.results)
        fields.append(Field(python, name, annotation, required, secret, text, uses))
    return fields


def describe(bundle: Bundle, node: Node) -> str:
    """Text of a property or parameter: its own description, its server-side default, its known
    values.
    """
    text = one_line(node.get("description"))
    schema = node.get("schema") or node
    default = schema.get("default", node.get("default"))
    if default is not None and "default" not in text.lower():
        shown = str(default).lower() if isinstance(default, bool) else default
        text += f" Default: `{shown}`."
    values = known_values(bundle, schema.get("items") or schema)
    if values:
        text += f" Known values: {', '.join(f'`{value}`' for value in values if value != '')}."
    return text
