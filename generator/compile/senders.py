"""Senders of events: a method, or a function, for every event that a client sends; data for the
template, out of the joined document alone.
"""

from __future__ import annotations

from typing import Any

from attrs import define

from ..yaml_files import DescriptionError
from .bundle import Bundle, Node
from .docstrings import DOCS
from .limits import Tree, limit_code, limit_tree, narrowed, subtree
from .nodes import node_at, one_line, properties, reference, schema_name
from .schemas import Field, Model


@define
class Argument:
    """One argument of a sender."""

    python: str
    field: str
    """Path of the field in the data that it becomes; empty for the data as a whole."""
    annotation: str
    default: str | None
    """In Python; None when it has to be given."""
    positional: bool
    value: str
    """What the field gets, in Python."""
    description: str

    @property
    def code(self) -> str:
        """The parameter in Python."""
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.python}: {self.annotation}{default}"


@define
class SentEvent:
    """One event that a client sends."""

    event: str
    method: str
    model: str
    arguments: list[Argument]
    data: str
    """The data in Python; empty when the event has none."""
    limits: dict[str, str]
    text: str
    id: bool
    """Whether it takes an id: functions do, a socket gives ids itself."""

    @property
    def signature(self) -> str:
        """Its parameters in Python; a function takes the id of the event besides."""
        given = [] if self.id else ["self"]
        given += [argument.code for argument in self.arguments if argument.positional]
        keywords = [argument.code for argument in self.arguments if not argument.positional]
        keywords += ["id: str | None = None"] if self.id else []
        return ", ".join([*given, *(["*", *keywords] if keywords else [])])

    @property
    def checked(self) -> str:
        """The arguments that have limits, as a dictionary."""
        return f"{{{', '.join(f'{name!r}: {name}' for name in self.limits)}}}"

    @property
    def limits_name(self) -> str:
        """The constant that holds the limits of its arguments."""
        return f"{self.method.upper()}_LIMITS"


def sender_class(stem: str) -> str:
    """`websockets_simult_interpretation` → `SimultInterpretationSender`."""
    words = (stem.partition("_")[2] or stem).split("_")
    return f"{''.join(word.capitalize() for word in words)}Sender"


def sender_tables(bundle: Bundle) -> dict[str, Node]:
    """The tables that have senders, by the name of their file."""
    return {stem: table for stem, table in bundle.event_tables.items() if "senders" in table}


def is_socket(table: Node) -> bool:
    """Whether a connection sends the events; else functions build them."""
    return bool(table["kind"] == "x-coze-socket")


def sender_names(bundle: Bundle) -> dict[str, list[str]]:
    """The classes by module, for the lazy table of the package."""
    return {
        stem: [sender_class(stem)]
        for stem, table in sender_tables(bundle).items()
        if is_socket(table)
    }


def senders_context(bundle: Bundle, models: list[Model], stem: str, table: Node) -> dict[str, Any]:
    """Everything that `senders.py.jinja` prints."""
    fields = {model.name: {field.wire: field for field in model.fields} for model in models}
    title = str(table["title"])
    return {
        "source": bundle.origin[f"events/{stem}"],
        "title": title[0].lower() + title[1:],
        "cls": sender_class(stem) if is_socket(table) else None,
        "link": _link(table),
        "events": [
            _Sender(bundle, fields, table, event, about or {}).compiled()
            for event, about in table["senders"].items()
        ],
    }


def _link(table: Node) -> str:
    page = table.get("send_page")
    return f"{DOCS}{page}" if page else "undocumented"


@define
class _Sender:
    """Compiles one entry of `senders`."""

    bundle: Bundle
    fields: dict[str, dict[str, Field]]
    """Model → its fields by name."""
    table: Node
    event: str
    about: Node

    @property
    def model(self) -> str:
        """The schema of the event."""
        return str(schema_name(self.table["send"][self.event]))

    @property
    def data_node(self) -> Node:
        """The property that holds the data of the event; empty when it has none."""
        return properties(self.bundle, reference(self.model)).get("data") or {}

    @property
    def data(self) -> str:
        """The schema of the data, or empty."""
        return schema_name(self.data_node) or ""

    def compiled(self) -> SentEvent:
        """The event as the template prints it."""
        arguments = self.arguments()
        tree = self.limits()
        trees = {a.python: subtree(tree, a.field) if a.field else tree for a in arguments}
        limits = {name: limit_code(limit) for name, limit in trees.items() if limit}
        return SentEvent(
            self.event,
            str(self.about.get("name") or self.event.replace(".", "_")),
            self.model,
            arguments,
            self.data_code(arguments),
            limits,
            self.text(arguments, bool(limits)),
            not is_socket(self.table),
        )

    def limits(self) -> Tree:
        """The limits of the data, those of this table alone included."""
        tree = limit_tree(self.bundle, self.data_node)
        for path, node in (self.about.get("limits") or {}).items():
            tree = narrowed(self.bundle, tree, path, node)
        if tree.get("conditions") and not self.about.get("data"):
            raise DescriptionError(
                f"{self.event}: {self.data} has conditions between its fields, which are separate "
                "arguments; move them to a schema inside of it"
            )
        return tree

    def arguments(self) -> list[Argument]:
        """The arguments that the description names, in its order; then the other fields."""
        whole = self.about.get("data")
        if whole:
            text = one_line(self.data_node.get("description"))
            return [Argument(whole, "", f"models.{self.data}", None, True, whole, text)]
        named: Node = self.about.get("arguments") or {}
        taken = {str((rule or {}).get("field") or name) for name, rule in named.items()}
        taken |= set(self.about.get("fixed") or ())
        heads = {path.partition(".")[0] for path in taken}
        others = (name for name in self.fields.get(self.data, ()) if name not in heads)
        arguments = [self.argument(name, rule or {}) for name, rule in named.items()]
        arguments += [self.argument(name, {}) for name in others]
        return sorted(arguments, key=lambda argument: not argument.positional)

    def argument(self, name: str, rule: Node) -> Argument:
        """One argument as its rule says."""
        path = str(rule.get("field") or name)
        field = self.field_at(path)
        annotation, value = self.types(field, name)
        text = rule.get("description") or field.description
        if rule.get("base64"):
            annotation, value = "bytes", f"base64_text({name})"
            text = rule.get("description") or "The bytes; they are sent as Base64."
        default = None
        if "default" in rule:
            default = None if rule.get("required") else repr(rule["default"])
        elif not rule.get("required", field.required):
            default = "None"
            annotation += " | None"
            value = value if value == name else f"{value} if {name} is not None else None"
        positional = bool(rule.get("positional"))
        return Argument(name, path, annotation, default, positional, value, one_line(text))

    def field_at(self, path: str) -> Field:
        """The field at a path below the data."""
        parent, _, name = path.rpartition(".")
        holder = node_at(self.bundle, self.data_node, parent) if parent else self.data_node
        return self.fields[schema_name(holder) or ""][name]

    def types(self, field: Field, name: str) -> tuple[str, str]:
        """What an argument may be, and how it becomes what the model holds."""
        schemas, annotation = self.bundle.schemas, field.annotation
        enum = next((use for use in field.uses if "x-known-values" in schemas[use]), None)
        for use in sorted(field.uses, key=len, reverse=True):
            annotation = annotation.replace(use, f"models.{use}")
        if enum and annotation == f"models.{enum}":
            plain = "int" if schemas[enum]["type"] == "integer" else "str"
            return f"{annotation} | {plain}", f"models.{enum}({name})"
        if annotation.startswith("list["):
            return f"Sequence[{annotation[5:]}", f"list({name})"
        return annotation, name

    def data_code(self, arguments: list[Argument]) -> str:
        """The data in Python; empty when the event has none."""
        if not self.data_node or self.about.get("data"):
            return str(self.about.get("data") or "")
        if not self.data:
            return "{}"
        fixed: Node = self.about.get("fixed") or {}
        values = {path: self.fixed_code(path, value) for path, value in fixed.items()}
        values |= {argument.field: argument.value for argument in arguments}
        return self.object_code(self.data, values)

    def object_code(self, model: str, values: dict[str, str]) -> str:
        """The constructor of a model for values by path."""
        pairs: list[str] = []
        for field, node in properties(self.bundle, reference(model)).items():
            below = f"{field}."
            inner = {path[len(below) :]: v for path, v in values.items() if path.startswith(below)}
            if field in values:
                pairs.append(f"{field}={values[field]}")
            elif inner:
                pairs.append(f"{field}={self.object_code(str(schema_name(node)), inner)}")
        return f"models.{model}({', '.join(pairs)})"

    def fixed_code(self, path: str, value: Any) -> str:
        """A fixed value in Python."""
        enum = schema_name(node_at(self.bundle, self.data_node, path))
        return f"models.{enum}({value!r})" if enum else repr(value)

    def text(self, arguments: list[Argument], limited: bool) -> str:
        """Docstring: the text of the event, arguments, result, errors, source."""
        words = one_line(self.bundle.schemas[self.model]["description"])
        summary, _, more = words.removeprefix("Client event: ").partition(". ")
        lines = [f"{summary[:1].upper()}{summary[1:].rstrip('.')}.", ""]
        lines.append(f"Sends `{self.event}`. {more}".strip())
        described = [f"    {argument.python}: {argument.description}" for argument in arguments]
        errors = ["    ArgumentError: A value is beyond its limits."] if limited else []
        result = "The event."
        if is_socket(self.table):
            result = "Nothing; an async socket returns an awaitable."
            errors.append("    WebSocketError: The socket is not open, or the connection was lost.")
            errors.append("    WebSocketTimeout: The queue of events to send stayed full.")
        else:
            described.append("    id: Id of the event; a new UUID when left out.")
        lines += ["", "Args:", *described] if described else []
        lines += ["", "Returns:", f"    {result}"]
        lines += ["", "Raises:", *errors] if errors else []
        return "\n".join([*lines, "", f"Source: {_link(self.table)}"])
