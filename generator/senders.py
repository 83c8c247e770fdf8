"""Senders of events: a method, or a function, for every event that a client sends; data for the
template, out of the joined document alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import define

from .bundle import Bundle, DescriptionError, Node, schema_name
from .docstrings import DOCS
from .limits import limit_code, limit_tree, narrowed, subtree
from .lint_paths import properties
from .schemas import Field, Model

BASE64_BYTES = "The bytes; they are sent as Base64."
OPTIONAL_ID = "Id of the event; a new UUID when left out."


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
    tables: dict[str, Node] = bundle.document.get("x-coze-events") or {}
    return {stem: table for stem, table in tables.items() if "senders" in table}


def is_socket(table: Node) -> bool:
    """Whether a connection sends the events; else functions build them."""
    return bool(table["kind"] == "x-coze-socket")


def senders_context(bundle: Bundle, models: list[Model], stem: str, table: Node) -> dict[str, Any]:
    """Everything that `senders.py.jinja` prints."""
    known = {model.name: {field.name: field for field in model.fields} for model in models}
    page = table.get("send_page")
    title = str(table["title"])
    return {
        "source": bundle.origin[f"events/{stem}"],
        "title": title[0].lower() + title[1:],
        "cls": sender_class(stem) if is_socket(table) else None,
        "link": f"{DOCS}{page}" if page else "undocumented",
        "events": [
            _event(bundle, known, table, event, about or {})
            for event, about in table["senders"].items()
        ],
    }


Fields = dict[str, dict[str, Field]]


def _event(bundle: Bundle, known: Fields, table: Node, event: str, about: Node) -> SentEvent:
    model = str(schema_name(table["send"][event]))
    data_node = (properties(bundle, model) or {}).get("data")
    data = schema_name(data_node)
    words = " ".join(str((data_node or {}).get("description") or "").split())
    arguments = _arguments(bundle, known, data, words, about)
    tree = limit_tree(bundle, data_node) if data_node else {}
    for path, node in (about.get("limits") or {}).items():
        tree = narrowed(bundle, tree, path, node)
    if tree.get("conditions") and not about.get("data"):
        raise DescriptionError(
            f"{event}: {data} has conditions between its fields, which are separate arguments; "
            "move them to a schema inside of it"
        )
    trees = {a.python: subtree(tree, a.field) if a.field else tree for a in arguments}
    limits = {name: limit_code(limit) for name, limit in trees.items() if limit}
    return SentEvent(
        event,
        str(about.get("name") or event.replace(".", "_")),
        model,
        arguments,
        _data_code(bundle, data, data_node, arguments, about),
        limits,
        _text(bundle, table, event, model, arguments, bool(limits)),
        not is_socket(table),
    )


def _arguments(
    bundle: Bundle, known: Fields, data: str | None, words: str, about: Node
) -> list[Argument]:
    """The arguments that the description names, in its order; then the other fields."""
    if about.get("data"):
        return [Argument(about["data"], "", f"models.{data}", None, True, about["data"], words)]
    named: Node = about.get("arguments") or {}
    taken = {_head(name, rule) for name, rule in named.items()} | set(about.get("fixed") or ())
    found = [_argument(bundle, known, data, name, rule or {}) for name, rule in named.items()]
    found += [
        _argument(bundle, known, data, field, {})
        for field in known.get(data or "", ())
        if field not in taken
    ]
    return sorted(found, key=lambda argument: not argument.positional)


def _head(name: str, rule: Node | None) -> str:
    return str((rule or {}).get("field") or name).partition(".")[0]


def field_at(bundle: Bundle, known: Fields, model: str | None, path: str) -> Field:
    """The field at a path below a model."""
    head, _, rest = path.partition(".")
    if rest:
        return field_at(bundle, known, schema_name((properties(bundle, model) or {})[head]), rest)
    return known[model or ""][head]


def _argument(bundle: Bundle, known: Fields, data: str | None, name: str, rule: Node) -> Argument:
    path = str(rule.get("field") or name)
    field = field_at(bundle, known, data, path)
    required = bool(rule.get("required", field.required and "default" not in rule))
    default = None if required else repr(rule["default"]) if "default" in rule else "None"
    annotation, value = _types(bundle, field, name)
    text = str(rule.get("description") or field.description)
    if rule.get("base64"):
        annotation, value = "bytes", f"base64_text({name})"
        text = str(rule.get("description") or BASE64_BYTES)
    if default == "None":
        annotation += " | None"
        value = value if value == name else f"{value} if {name} is not None else None"
    text = " ".join(text.split())
    return Argument(name, path, annotation, default, bool(rule.get("positional")), value, text)


def _types(bundle: Bundle, field: Field, name: str) -> tuple[str, str]:
    """What an argument may be, and how it becomes what the model holds."""
    annotation = field.annotation
    enum = next((use for use in field.uses if "x-known-values" in bundle.schemas[use]), None)
    for use in sorted(field.uses, key=len, reverse=True):
        annotation = annotation.replace(use, f"models.{use}")
    if enum and annotation == f"models.{enum}":
        plain = "int" if bundle.schemas[enum]["type"] == "integer" else "str"
        return f"{annotation} | {plain}", f"models.{enum}({name})"
    if annotation.startswith("list["):
        return f"Sequence[{annotation[5:]}", f"list({name})"
    return annotation, name


def _data_code(
    bundle: Bundle, data: str | None, node: Node | None, arguments: list[Argument], about: Node
) -> str:
    if node is None:
        return ""
    if about.get("data"):
        return str(about["data"])
    if data is None:
        return "{}"
    values = {path: _fixed(bundle, data, path, v) for path, v in (about.get("fixed") or {}).items()}
    values |= {argument.field: argument.value for argument in arguments}
    return _object_code(bundle, data, values)


def _object_code(bundle: Bundle, model: str, values: dict[str, str]) -> str:
    """The constructor of a model for values by path."""
    given: list[str] = []
    for field, node in (properties(bundle, model) or {}).items():
        below = f"{field}."
        inner = {path[len(below) :]: v for path, v in values.items() if path.startswith(below)}
        if field in values:
            given.append(f"{field}={values[field]}")
        elif inner:
            given.append(f"{field}={_object_code(bundle, str(schema_name(node)), inner)}")
    return f"models.{model}({', '.join(given)})"


def _fixed(bundle: Bundle, data: str, path: str, value: Any) -> str:
    node: Node = {"$ref": f"#/components/schemas/{data}"}
    for step in path.split("."):
        node = (properties(bundle, schema_name(node)) or {})[step]
    enum = schema_name(node)
    return f"models.{enum}({value!r})" if enum else repr(value)


def _text(
    bundle: Bundle, table: Node, event: str, model: str, arguments: list[Argument], limited: bool
) -> str:
    """Docstring of a sender: the words of the event, arguments, result, errors, source."""
    words = " ".join(str(bundle.schemas[model]["description"]).split())
    words = words.removeprefix("Client event: ")
    summary, _, more = words.partition(". ")
    parts = [
        f"{summary[:1].upper()}{summary[1:].rstrip('.')}.",
        "",
        f"Sends `{event}`. {more}".strip(),
    ]
    socket = is_socket(table)
    lines = [f"    {argument.python}: {argument.description}" for argument in arguments]
    lines += [] if socket else [f"    id: {OPTIONAL_ID}"]
    parts += ["", "Args:", *lines] if lines else []
    result = "Nothing; on a socket for coroutines something to await." if socket else "The event."
    parts += ["", "Returns:", f"    {result}"]
    errors = ["    ArgumentError: A value is beyond its limits."] if limited else []
    if socket:
        errors.append("    WebSocketError: The socket is not open, or the connection was lost.")
        errors.append("    WebSocketTimeout: The queue of events to send stayed full.")
    parts += ["", "Raises:", *errors] if errors else []
    page = table.get("send_page")
    return "\n".join([*parts, "", f"Source: {DOCS + page if page else 'undocumented'}"])


def sender_names(bundle: Bundle) -> dict[str, list[str]]:
    """The classes by module, for the lazy table of the package."""
    return {
        Path(stem).stem: [sender_class(stem)]
        for stem, table in sender_tables(bundle).items()
        if is_socket(table)
    }
