"""Updates send what was set and nothing else (an absent field stays as it is), and `NULL`
clears.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

from coze_openapi import AsyncClient, Client
from coze_runtime.models import Model
from coze_runtime.types import NULL
from tests.contract.bodies import form_fields
from tests.contract.catalogue import (
    FILE,
    Op,
    Parameter,
    model_of,
    operations,
    sample,
    sample_argument,
    split_arguments,
)
from tests.contract.conftest import TOKEN
from tests.contract.server import LoopbackServer, Received, json_reply
from tests.contract.test_operations import as_given, in_query, reply_to
from tests.each import each

UPDATES = [op for op in operations().values() if op.method_name.startswith("update")]
WRITES = [op for op in operations().values() if op.has_body and not op.only_streams]
OPTIONAL = {
    f"{op.id}.{parameter.wire}": (op, parameter)
    for op in UPDATES
    for parameter in op.parameters
    if not parameter.required and parameter.place in ("body", "form")
}
CLEARED = {
    f"{op.id}.{parameter.wire}": (op, parameter)
    for op in WRITES
    for parameter in op.parameters
    if not parameter.required and parameter.place == "body"
}

every_update = each("op", {op.id: op for op in UPDATES})


def required_of(op: Op) -> dict[str, Any]:
    return {p.argument: sample_argument(p) for p in op.parameters if p.required}


def body_of(op: Op, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        p.wire: arguments[p.argument]
        for p in op.parameters
        if p.place in ("body", "form") and p.argument in arguments
    }


def sent_fields(op: Op, request: Received) -> dict[str, Any]:
    if not op.has_form:
        found: dict[str, Any] = request.json()
        return {name: value for name, value in found.items() if name != op.set_by_method}
    assert request.headers.get_content_type() == "multipart/form-data"
    return form_fields(str(request.headers["content-type"]), request.body)


def expected_fields(op: Op, arguments: dict[str, Any]) -> dict[str, Any]:
    fields = body_of(op, arguments)
    if not op.has_form:
        return fields
    return {
        name: (FILE[0], FILE[2], FILE[1]) if value is FILE else in_query(value).encode()
        for name, value in fields.items()
    }


def test_the_updates_of_the_description_are_known() -> None:
    """The number guards against a renamed method that slips out of these tests."""
    assert (
        len(UPDATES)
        == sum(op.method_name.startswith("update") for op in operations().values())
        >= 18
    )
    assert {op.method for op in UPDATES} <= {"PUT", "POST"}


@each("op, parameter", OPTIONAL)
async def test_one_field_set_is_the_only_one_beside_the_required(
    op: Op,
    parameter: Parameter,
    client: Client,
    async_client: AsyncClient,
    server: LoopbackServer,
) -> None:
    server.answer(reply_to(op, streaming=False))
    arguments = {**required_of(op), parameter.argument: sample_argument(parameter)}
    positional, named = split_arguments(op, as_given(op, arguments))
    op.method_of(client)(*positional, **named)
    assert sent_fields(op, server.only_request()) == expected_fields(op, arguments)
    await op.method_of(async_client)(*positional, **named)
    assert sent_fields(op, server.only_request()) == expected_fields(op, arguments)


@each("op, parameter", CLEARED)
def test_null_is_sent_and_none_is_not(
    op: Op, parameter: Parameter, client: Client, server: LoopbackServer
) -> None:
    server.answer(reply_to(op, streaming=False))
    required = required_of(op)
    positional, named = split_arguments(op, as_given(op, required))
    op.method_of(client)(*positional, **named, **{parameter.argument: NULL})
    assert sent_fields(op, server.only_request()) == {**body_of(op, required), parameter.wire: None}
    op.method_of(client)(*positional, **named, **{parameter.argument: None})
    assert sent_fields(op, server.only_request()) == body_of(op, required)


@every_update
def test_falsy_values_are_sent(op: Op, client: Client, server: LoopbackServer) -> None:
    """Zero, false, an empty text and an empty list are values; only `None` is absence."""
    server.answer(reply_to(op, streaming=False))
    arguments = required_of(op)
    for value in (0, False, "", [], {}):
        optional = [p for p in op.parameters if not p.required and p.place == "body"]
        if value == "":
            # An empty text is beyond some limits, and refused before it is sent.
            optional = [p for p in optional if not p.schema.get("minLength")]
        given = {**arguments, **{p.argument: value for p in optional}}
        if optional:
            positional, named = split_arguments(op, as_given(op, given))
            op.method_of(client)(*positional, **named)
            assert json.dumps(sent_fields(op, server.only_request()), sort_keys=True) == json.dumps(
                body_of(op, given), sort_keys=True
            )


@every_update
def test_optional_arguments_of_an_update_default_to_absence(op: Op) -> None:
    signature = inspect.signature(op.method_of(Client(TOKEN)))
    for parameter in op.parameters:
        if not parameter.required:
            assert signature.parameters[parameter.argument].default is None


def models_in_bodies() -> dict[str, tuple[Op, Parameter]]:
    """Every model that is an argument of an operation or an element of one, with an operation that
    takes it.
    """
    takers: dict[str, tuple[Op, Parameter]] = {}
    for op in WRITES:
        for parameter in op.parameters:
            schema = parameter.schema.get("items", parameter.schema)
            model = model_of(schema)
            if model is not None and not op.has_form:
                takers.setdefault(model.__name__, (op, parameter))
    return takers


@each("op, parameter", models_in_bodies())
def test_null_inside_a_model_is_sent_and_none_is_not(
    op: Op, parameter: Parameter, client: Client, server: LoopbackServer
) -> None:
    server.answer(reply_to(op, streaming=False))
    element = parameter.schema.get("items", parameter.schema)
    cls = model_of(element)
    assert cls is not None
    plain = sample(element)
    for key in plain:
        for absent, expected in (
            (NULL, {**plain, key: None}),
            (None, {k: v for k, v in plain.items() if k != key}),
        ):
            model: Model = cls.from_dict(plain)
            setattr(model, key, absent)
            arguments = {
                **as_given(op, required_of(op)),
                parameter.argument: [model] if "items" in parameter.schema else model,
            }
            positional, named = split_arguments(op, arguments)
            op.method_of(client)(*positional, **named)
            sent = sent_fields(op, server.only_request())[parameter.wire]
            assert (sent[0] if "items" in parameter.schema else sent) == expected


def test_null_has_one_identity() -> None:
    import copy
    import pickle

    assert pickle.loads(pickle.dumps(NULL)) is NULL
    assert copy.deepcopy(NULL) is NULL is copy.copy(NULL) is type(NULL)()
    assert not NULL
    assert repr(NULL) == "NULL"


def test_null_clears_a_field_deep_in_plain_data(client: Client, server: LoopbackServer) -> None:
    server.answer(json_reply({"code": 0, "msg": "", "data": "{}"}))
    client.workflows.runs.create(
        workflow_id="w", parameters={"a": NULL, "b": [NULL, {"c": NULL}], "d": None}
    )
    assert server.only_request().json()["parameters"] == {
        "a": None,
        "b": [None, {"c": None}],
        "d": None,
    }
