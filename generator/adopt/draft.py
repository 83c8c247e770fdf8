"""A request of a page as the draft of an operation."""

from __future__ import annotations

from typing import Any

from attrs import define, evolve

from ..compile.bundle import Bundle, Node
from ..pages.judgement import json_type
from ..pages.page import SENT_BY_ITSELF, Page, Request, Row
from ..pages.page_parser import plain
from .facts import default_of, known_values, limits_of, plain_text
from .naming import camel, free_name, names_of, singular
from .schemas import SchemaDraft, example_of, gap

_ENVELOPE = ("code", "msg", "detail")
_PAGERS: dict[str, dict[str, tuple[str, ...]]] = {
    "number": {"page": ("page_num", "page_index", "page"), "size": ("page_size", "size")},
    "token": {"page": ("page_token",), "size": ("page_size",)},
    "cursor": {"size": ("limit",), "before": ("before_id",), "after": ("after_id",)},
}
_IN_RESPONSE = {
    "total": ("total", "total_count"),
    "has_more": ("has_more",),
    "next": ("next_page_token",),
    "next_before": ("first_id",),
    "next_after": ("last_id",),
}


@define
class Draft:
    """An operation, its schemas, and where they belong."""

    name: str
    tag: str
    file: str
    method: str
    path: str
    node: Node
    schemas: dict[str, Node]


def draft(joined: Bundle, page: Page, request: Request, name: str = "") -> Draft:
    """The draft of an operation; `name` is its operationId, when it is not to be guessed."""
    path, method = request.paths[0], request.method
    tag, guessed = names_of(joined, method, path)
    if name:
        tag = _tag_of(joined, name) or tag
    name = name or guessed
    file = f"resources/{tag.replace('.', '_')}.yaml"
    verb = camel(name.removeprefix(f"{tag.replace('.', '_')}_"))
    noun = camel(*map(singular, tag.split(".")[-2:]))
    schemas = SchemaDraft(joined, file, noun, request)
    builder = _Builder(joined, request, schemas, f"{verb}{noun}")
    node: Node = {
        "operationId": name,
        "tags": [tag],
        "summary": gap(page.title or plain(request.text)),
        "description": gap(" ".join(request.text.split())),
        "x-coze-page": page.slug,
        "x-coze-permission": request.permissions or [],
        **builder.operation(),
    }
    return Draft(name, tag, file, method.lower(), path, node, schemas.new)


def _tag_of(joined: Bundle, name: str) -> str:
    tags = (str(tag["name"]) for tag in joined.document.get("tags", ()))
    fitting = [tag for tag in tags if name.startswith(f"{tag.replace('.', '_')}_")]
    return max(fitting, key=len, default="")


@define
class _Builder:
    """The parts of one operation."""

    joined: Bundle
    request: Request
    schemas: SchemaDraft
    name: str
    """What the names of its body and of its response begin with."""

    def operation(self) -> Node:
        """Everything but the name and the texts."""
        parameters = [
            self.parameter(table.place, row)
            for table in self.request.tables
            if table.place in ("path", "query", "header")
            for row in table.rows
            if table.place != "header" or row.name.lower() not in SENT_BY_ITSELF
        ]
        body, response = self.body(), self.response()
        pager = self.pager(parameters, body)
        node: Node = {"x-coze-pager": pager} if pager else {"x-coze-unwrap": self.unwrap()}
        if parameters:
            node["parameters"] = parameters
        if body:
            node["requestBody"] = {
                "required": True,
                "content": {self.request.content_type: {"schema": self.schemas.reference(body)}},
            }
        node["responses"] = {
            "200": {
                "description": gap("".join(plain_text(row) for row in self.own_rows()[:1])),
                "content": {"application/json": {"schema": self.schemas.reference(response)}},
            },
            "default": {"$ref": "../shared.yaml#/components/responses/Error"},
        }
        return node

    def rows(self, place: str) -> list[Row]:
        """All rows of the tables of a place."""
        return [row for table in self.request.tables if table.place == place for row in table.rows]

    def own_rows(self) -> list[Row]:
        """The rows of the response that the envelope has not."""
        return [row for row in self.rows("response") if row.name not in _ENVELOPE]

    def parameter(self, place: str, row: Row) -> Node:
        """A parameter of path, query or header; a header has its example where others have a
        type.
        """
        if place == "header":
            row = evolve(row, kind="String", example=row.kind)
        kind, said = json_type(row.kind), plain_text(row)
        schema = self.schemas.type_of(row.kind, row.target, "request")
        if values := known_values(row):
            schema = self.schemas.reference(self.schemas.values(row, kind, values))
        else:
            schema |= limits_of(kind, said)
        if (default := default_of(row)) is not None:
            schema["default"] = default
        node: Node = {"name": row.name, "in": place}
        if row.required or place == "path":
            node["required"] = True
        node |= {"description": gap(said), "schema": schema}
        example = example_of({"type": kind, **schema}, row)
        return node if example is None else {**node, "example": example}

    def body(self) -> str:
        """The schema of the request body; none when there is no table of it."""
        rows = self.rows("body")
        if not rows:
            return ""
        name = free_name(self.joined, set(self.schemas.new), f"{self.name}Request")
        self.schemas.new[name] = {}
        self.schemas.new[name] = self.schemas.schema(rows, "request", f"{self.name}Request")
        return name

    def response(self) -> str:
        """The schema of the response: the envelope, with its own fields."""
        rows = self.own_rows()
        if not rows:
            return "Envelope"
        name = free_name(self.joined, set(self.schemas.new), f"{self.name}Response")
        self.schemas.new[name] = {}
        fields, _ = self.schemas.fields(rows, "response")
        self.schemas.new[name] = {
            "description": gap(f"{self.name}Response"),
            "allOf": [
                self.schemas.reference("Envelope"),
                {"type": "object", "properties": fields},
            ],
        }
        return name

    def unwrap(self) -> str:
        """What the method returns."""
        names = {row.name.partition(".")[0] for row in self.own_rows()}
        if not names:
            return "nothing"
        return "data" if names == {"data"} else "body"

    def pager(self, parameters: list[Node], body: str) -> Node:
        """How a list comes in pages; empty when it does not."""
        sent = {
            "query": {str(node["name"]) for node in parameters if node["in"] == "query"},
            "body": set(self.schemas.new[body]["properties"]) if body else set[str](),
        }
        received = self.received()
        items = next((path for path, node in received.items() if node.get("type") == "array"), "")
        for style, keys in _PAGERS.items():
            for place, names in sent.items():
                found = {key: _first(named, names) for key, named in keys.items()}
                if items and all(found.values()):
                    own = {"items": items, **self.item_id(received[items]), **_ends(received)}
                    return {"style": style, "in": place, **found, **own}
        return {}

    def item_id(self, items: Node) -> Node:
        """Which field of an item holds its id."""
        fields = self.schema_of(items.get("items") or {}).get("properties") or {}
        ids = [name for name in fields if name == "id"] or [n for n in fields if n.endswith("_id")]
        return {"id": ids[0]} if ids else {}

    def schema_of(self, node: Node) -> Node:
        """The schema that a node points to, whether it is new or not."""
        name = str(node.get("$ref", "")).rpartition("/")[2]
        return self.schemas.new.get(name) or self.joined.schemas.get(name) or {}

    def received(self) -> dict[str, Any]:
        """The fields of the response, and those of `data`, by their paths."""
        fields, _ = self.schemas.fields(self.own_rows(), "response")
        schema = self.schema_of(fields.get("data") or {})
        inner = {f"data.{name}": node for name, node in (schema.get("properties") or {}).items()}
        return {**inner, **fields}


def _first(candidates: tuple[str, ...], names: set[str]) -> str:
    return next((name for name in candidates if name in names), "")


def _ends(received: dict[str, Any]) -> Node:
    by_name = {path.rpartition(".")[2]: path for path in reversed(received)}
    found = {key: _first(named, set(by_name)) for key, named in _IN_RESPONSE.items()}
    return {key: by_name[name] for key, name in found.items() if name}
