"""The description knows everything that the official pages tell of an operation; `documented.json`
is the suite's own copy of that.

An example shows few of the fields of an operation, and nobody notices by it that one of the others
    has gone: this comparison does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.catalogue import description
from tests.contract.documented import (
    Comparison,
    Excuse,
    Schema,
    differences_of,
    documented,
    excuses,
    nodes,
)
from tests.each import each


@each("name", list(documented()))
def test_the_description_knows_what_the_pages_tell(name: str) -> None:
    assert [str(found) for found in differences_of(description(), name)] == []


@each("name", list(documented()))
def test_every_described_parameter_and_field_is_in_the_copy_or_has_a_reason(name: str) -> None:
    """So that none is lost from the copy unnoticed."""
    node = next(node for _, _, node in nodes(description()) if node["operationId"] == name)
    facts, schemas = documented()[name], description()["components"]["schemas"]
    holders: dict[str, list[dict[str, Any]]] = {}
    for parameter in node.get("parameters", []):
        known = {*facts.get(parameter["in"], {}), "Authorization"}
        if parameter["name"] not in known:
            holders[parameter["name"]] = [parameter]
    for part, holder in (
        ("body", node.get("requestBody")),
        ("response", node["responses"].get("200")),
    ):
        content = next(iter((holder or {}).get("content", {}).values()), {})
        schema = Schema(description(), content.get("schema", {}))
        named = {field.partition(".")[0] for field in facts.get(part, {})}
        for field in schema.properties.keys() - named:
            owners = [s for s in schemas.values() if field in s.get("properties", {})]
            holders[field] = [schema.properties[field][1], holder or {}, node, *owners]
    for field, around in holders.items():
        texts = [str(one.get("x-coze-deviation") or "") for one in around]
        assert texts[0] or any(f"`{field}`" in text for text in texts), field


def test_operations_beyond_the_copy_are_marked_as_undocumented() -> None:
    for _, _, node in nodes(description()):
        if node["operationId"] not in documented():
            assert "x-coze-deviation" in node, (
                f"{node['operationId']} has no facts: run `python -m "
                "tests.contract.import_documented`"
            )


def test_every_field_that_a_deviation_excuses_needs_the_excuse() -> None:
    """An excuse that nothing needs hides the next change of its field."""
    used: set[Excuse] = set()
    for name in documented():
        comparison = Comparison(description(), name, documented()[name])
        comparison.run()
        used |= comparison.used
    stated: list[Excuse] = []
    for node, owner in owners(description()):
        stated += [excuse for _, excuse in excuses(node, owner)]
    assert set(stated) == used


def owners(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Everything that has exceptions."""
    named = [(node, f"operation {node['operationId']}") for _, _, node in nodes(document)]
    named += [
        (p, f"parameter {node['operationId']} {p['name']}")
        for _, _, node in nodes(document)
        for p in node.get("parameters", [])
    ]
    for name, schema in document["components"]["schemas"].items():
        todo = [schema]
        while todo:
            part = todo.pop()
            named.append((part, f"schema {name}"))
            todo += [*part.get("allOf", []), *part.get("properties", {}).values()]
    return ((node, owner) for node, owner in named if "x-coze-deviation" in node)


@pytest.fixture
def spec() -> dict[str, Any]:
    """A copy of the description to break."""
    return copy.deepcopy(description())


def operation(spec: dict[str, Any], name: str) -> dict[str, Any]:
    return next(node for _, _, node in nodes(spec) if node["operationId"] == name)


def schema(spec: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = spec["components"]["schemas"][name]
    return found


def body_of(spec: dict[str, Any], name: str) -> dict[str, Any]:
    return next(iter(operation(spec, name)["requestBody"]["content"].values()))  # type: ignore[no-any-return]


def rename(spec: dict[str, Any]) -> None:
    spec["paths"]["/v1/bot/make"] = spec["paths"].pop("/v1/bot/create")


def drop_path(spec: dict[str, Any]) -> None:
    del spec["paths"]["/v1/bot/create"]


BREAKS: dict[str, tuple[Callable[[dict[str, Any]], object], set[str]]] = {
    "an operation": (drop_path, {"bots_create : POST /v1/bot/create is missing"}),
    "a path": (rename, {"bots_create : is POST /v1/bot/make, documented as POST /v1/bot/create"}),
    "a parameter": (
        lambda spec: operation(spec, "bots_list")["parameters"].pop(0),
        {"bots_list query.workspace_id: is missing"},
    ),
    "a required flag of a parameter": (
        lambda spec: operation(spec, "bots_list")["parameters"][0].update(required=False),
        {"bots_list query.workspace_id: is optional, documented otherwise"},
    ),
    "a required flag of a field": (
        lambda spec: schema(spec, "CreateBotRequest").update(required=["name"]),
        {"bots_create body.space_id: is optional, documented otherwise"},
    ),
    "a type": (
        lambda spec: schema(spec, "CreateBotRequest")["properties"]["name"].update(type="integer"),
        {"bots_create body.name: is integer, documented as string"},
    ),
    "the type of the elements of a list": (
        lambda spec: schema(spec, "PublishBotRequest")["properties"]["connector_ids"].update(
            items={"type": "integer"}
        ),
        {"bots_publish body.connector_ids: is array of integer, documented as array of string"},
    ),
    "a value of an enum": (
        lambda spec: schema(spec, "WorkspaceRole")["x-known-values"].pop("admin"),
        {
            "workspaces_members_create body.users[].role_type: does not know the value admin",
            "workspaces_members_list response.data.items[].role_type: does not know the value "
            "admin",
            "workspaces_list response.data.workspaces[].role_type: does not know the value admin",
        },
    ),
    "an event": (
        lambda spec: operation(spec, "chat_create")["x-coze-stream"]["events"].pop(
            "conversation.audio.delta"
        ),
        {"chat_create sse.conversation.audio.delta: is missing"},
    ),
    "the kind of an answer": (
        lambda spec: operation(spec, "chat_create")["responses"]["200"]["content"].pop(
            "text/event-stream"
        ),
        {"chat_create response: has no sse"},
    ),
    "the kind of a body": (
        lambda spec: operation(spec, "bots_create")["requestBody"].update(
            content={"text/plain": body_of(spec, "bots_create")}
        ),
        {"bots_create body: is no application/json"},
    ),
}


@pytest.mark.parametrize(("damage", "expected"), BREAKS.values(), ids=BREAKS)
def test_what_is_lost_is_named(
    spec: dict[str, Any], damage: Callable[[dict[str, Any]], object], expected: set[str]
) -> None:
    before = set(differences_of(spec))
    damage(spec)
    assert {str(found) for found in set(differences_of(spec)) - before} == expected


def paths_of(name: str) -> Iterator[tuple[str, list[str]]]:
    """Every documented field of an operation: the path in a message, and the steps to it."""
    facts = documented()[name]

    def walk(
        prefix: str, listed: dict[str, Any], steps: list[str], seen: tuple[str, ...]
    ) -> Iterator[tuple[str, list[str]]]:
        for field, fact in listed.items():
            yield f"{prefix}{field}", [*steps, field]
            below = fact.get("object")
            if below is not None and below not in seen:
                step = {"array": "[].", "map": "{}."}.get(fact["type"], ".")
                yield from walk(
                    f"{prefix}{field}{step}",
                    facts["objects"][below],
                    [*steps, field],
                    (*seen, below),
                )

    for part in ("body", "response"):
        if part in facts and (part != "response" or "json" in facts["answers"]):
            yield from walk(f"{part}.", facts[part], [part], ())
    for event, below in facts.get("events", {}).items():
        if below is not None and list(facts["events"].values()).index(below) == list(
            facts["events"]
        ).index(event):
            yield from walk(f"sse.{below}.", facts["objects"][below], ["sse", event], (below,))


def root(spec: dict[str, Any], name: str, steps: list[str]) -> tuple[dict[str, Any], list[str]]:
    node = operation(spec, name)
    if steps[0] == "sse":
        return node["x-coze-stream"]["events"][steps[1]], steps[2:]
    content = node["requestBody"] if steps[0] == "body" else node["responses"]["200"]
    kind = next(kind for kind in content["content"] if kind != "text/event-stream")
    return content["content"][kind]["schema"], steps[1:]


def owner_of(spec: dict[str, Any], node: dict[str, Any], steps: list[str]) -> dict[str, Any] | None:
    """The map of properties that holds the last step."""
    for step in steps[:-1]:
        holder = properties(spec, node, step)
        if holder is None:
            return None
        node = elements(spec, holder[step])
    return properties(spec, node, steps[-1])


def properties(spec: dict[str, Any], node: dict[str, Any], wanted: str) -> dict[str, Any] | None:
    todo = [node]
    while todo:
        node = todo.pop(0)
        if "$ref" in node:
            todo.append(schema(spec, node["$ref"].rpartition("/")[2]))
        todo += node.get("allOf", [])
        if wanted in node.get("properties", {}):
            return node["properties"]  # type: ignore[no-any-return]
    return None


def elements(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    found = Schema(spec, node)
    return found.below or node


def test_a_field_that_is_deleted_is_named(spec: dict[str, Any]) -> None:
    """Each field of each operation in turn, although no example may show it."""
    before = differences_of(spec)
    unnoticed = []
    for name in documented():
        for where, steps in paths_of(name):
            holder = owner_of(spec, *root(spec, name, steps))
            if holder is None:
                continue  # it is missing already, which the first test of this file says
            order = dict(holder)
            del holder[steps[-1]]
            if f"{name} {where}: is missing" not in map(str, differences_of(spec, name)):
                unnoticed.append(f"{name} {where}")
            holder.clear()
            holder.update(order)
    assert unnoticed == []
    assert differences_of(spec) == before
