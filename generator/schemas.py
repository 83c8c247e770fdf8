"""What the templates need to know of a model or an enum, as plain data, and the types of fields and
arguments.

The parser of openapi-python-client reads the schemas (references, `allOf`, unions, class names);
this module asks it for the Python type of everything. Its enums are fed from `x-known-values`,
which it does not know.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
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

from .bundle import Bundle, DescriptionError, Node, references, schema_name
from .identifiers import member_name, python_name

_SIMPLE = {
    StringProperty: "str",
    IntProperty: "int",
    FloatProperty: "float",
    BooleanProperty: "bool",
    AnyProperty: "Any",
    FileProperty: "FileInput",
}


@define
class Field:
    """One field of a model."""

    name: str
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


def parse(bundle: Bundle) -> GeneratorData:
    """The document as openapi-python-client understands it.

    Raises:
        DescriptionError: The parser warned of anything; by default it would leave the operation out
            and go on.
    """
    document = copy.deepcopy(bundle.document)
    for node in document["components"]["schemas"].values():
        if "x-known-values" in node:
            node["enum"] = list(node["x-known-values"])
            node["x-enum-varnames"] = [
                member_name(value, about) for value, about in node["x-known-values"].items()
            ]
    config = Config.from_sources(
        ConfigFile(), MetaType.NONE, Path("openapi.yaml"), "utf-8", overwrite=True, output_path=None
    )
    data = GeneratorData.from_dict(document, config=config)
    if isinstance(data, GeneratorError):
        raise DescriptionError(f"the parser refuses the description: {data.header}: {data.detail}")
    problems = [
        *data.errors,
        *(e for c in data.endpoint_collections_by_tag.values() for e in c.parse_errors),
    ]
    if problems:
        raise DescriptionError(
            "\n".join(f"the parser warns: {p.header} {p.detail}".strip() for p in problems)
        )
    return data


@define
class Types:
    """Python types by property of the parser, and the schemas that they name."""

    bundle: Bundle
    decoded: frozenset[str]
    """Schemas that answers and events hold; all others are only ever built by callers."""

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
        if prop.class_info.name in self.bundle.schemas and not is_map(
            self.bundle.schemas[prop.class_info.name]
        ):
            uses.add(prop.class_info.name)
            return str(prop.class_info.name)
        inner = prop.additional_properties
        values = self._of(inner, sent, uses) if inner else "Any"
        return f"Mapping[str, {values}]" if sent else f"dict[str, {values}]"


def is_map(node: Node) -> bool:
    """Whether an object schema is a plain map: no properties, only values of one kind."""
    return node.get("type") == "object" and not node.get("properties") and "allOf" not in node


def module_of(bundle: Bundle, name: str) -> str:
    """The module of `models/` that holds a schema: one for each file of the description."""
    return Path(bundle.origin[name]).stem


def closure(bundle: Bundle, names: Iterable[str]) -> frozenset[str]:
    """The named schemas and all that they refer to."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [
                inner
                for inner in (
                    schema_name({"$ref": ref}) for ref in references(bundle.schemas[name])
                )
                if inner
            ]
    return frozenset(found)


def collect(
    bundle: Bundle, data: GeneratorData, types: Types, skip: frozenset[str]
) -> tuple[list[Model], list[Enum]]:
    """Every model and enum of the description, `skip` left out (request bodies, whose fields are
    keyword arguments).
    """
    models: list[Model] = []
    for prop in data.models:
        name = str(prop.class_info.name)
        node = bundle.schemas.get(name)
        if node is None or name in skip or is_map(node):
            continue
        module = module_of(bundle, name)
        models.append(Model(name, module, _text(node), _fields(bundle, prop, node, types)))
    enums = [
        _enum(bundle, name, node)
        for name, node in bundle.schemas.items()
        if "x-known-values" in node
    ]
    expected = {
        name
        for name, node in bundle.schemas.items()
        if ("properties" in node or "allOf" in node) and name not in skip
    }
    if expected != {model.name for model in models}:
        lost = sorted(expected ^ {model.name for model in models})
        raise DescriptionError(
            f"schemas {', '.join(lost)} do not come out of the parser under their own name; "
            "rename them"
        )
    order = {name: index for index, name in enumerate(bundle.schemas)}
    return sorted(models, key=lambda model: order[model.name]), enums


def raw_properties(bundle: Bundle, node: Node) -> dict[str, Node]:
    """Properties as written, `allOf` included, in the order of the description."""
    found: dict[str, Node] = {}
    for part in node.get("allOf") or ():
        target = schema_name(part)
        found |= raw_properties(bundle, bundle.schemas[target] if target else part)
    return found | (node.get("properties") or {})


def _fields(bundle: Bundle, prop: ModelProperty, node: Node, types: Types) -> list[Field]:
    written = raw_properties(bundle, node)
    parsed = {
        p.name.get_untrusted_value(): p
        for p in [*(prop.required_properties or ()), *(prop.optional_properties or ())]
    }
    if set(written) != set(parsed):
        raise DescriptionError(
            f"{prop.class_info.name}: the parser loses "
            f"{', '.join(sorted(set(written) ^ set(parsed)))}"
        )
    found: list[Field] = []
    for name, raw in written.items():
        if python_name(name) != name.lower() and python_name(name) != name:
            raise DescriptionError(
                f"{prop.class_info.name}.{name}: no Python identifier; a model needs the wire "
                "name as its field name"
            )
        sent = str(prop.class_info.name) not in types.decoded
        annotation, uses = types.annotation(parsed[name], sent=sent)
        found.append(
            Field(
                name,
                annotation,
                bool(parsed[name].required),
                raw.get("format") == "password",
                describe(bundle, raw),
                uses,
            )
        )
    return found


def describe(bundle: Bundle, node: Node) -> str:
    """Text of a property or parameter: its own description, its server-side default, its known
    values.
    """
    text = " ".join(str(node.get("description") or "").split())
    schema = node.get("schema") or node
    inner = schema.get("items") or schema
    default = schema.get("default", node.get("default"))
    if default is not None and "default" not in text.lower():
        text += f" Default: `{_json(default)}`."
    target = schema_name(inner)
    values = bundle.schemas[target].get("x-known-values") if target else None
    if values:
        text += f" Known values: {', '.join(f'`{value}`' for value in values if value != '')}."
    return text


def _json(value: Any) -> str:
    return (
        {True: "true", False: "false"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
    )


def _text(node: Node) -> str:
    return " ".join(str(node.get("description") or "").split())


def _enum(bundle: Bundle, name: str, node: Node) -> Enum:
    members = [
        Member(
            member_name(value, about),
            value,
            _text(about) if isinstance(about, dict) else " ".join(str(about).split()),
        )
        for value, about in node["x-known-values"].items()
    ]
    base = "OpenIntEnum" if node["type"] == "integer" else "OpenStrEnum"
    return Enum(name, module_of(bundle, name), base, _text(node), members)
