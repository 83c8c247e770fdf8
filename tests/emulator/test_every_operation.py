"""Every operation of the manifest answers, sync and async, and refuses what the description
refuses.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coze_openapi import AsyncClient, Client
from coze_runtime.errors import APIError
from coze_runtime.paging import Page
from cozekit_emulator import Emulator
from cozekit_emulator.openapi.description import Operation
from tests.emulator.arguments import DESCRIPTION, EXAMPLES, OVERRIDES, SETUP, arguments, manifest


def calls() -> list[tuple[str, str, str]]:
    """Operation, name of the method, key of the arguments; the streaming form of an operation is a
    call of its own.
    """
    found = []
    for operation in DESCRIPTION.operations.values():
        stream = operation.data.get("x-coze-stream", {})
        plain = operation.id.removeprefix(operation.data["tags"][0].replace(".", "_") + "_")
        if not stream or "switch" in stream:
            found.append((operation.id, plain, operation.id))
        if stream:
            found.append(
                (
                    operation.id,
                    stream["method"],
                    operation.id if "switch" not in stream else f"{operation.id}_stream",
                )
            )
    return found


CALLS = calls()


def method(client: Any, operation: Operation, name: str) -> Any:
    """The method of the client."""
    for part in operation.data["tags"][0].split("."):
        client = getattr(client, part)
    return getattr(client, name)


def values(client: Client, operation: Operation, key: str) -> dict[str, Any]:
    """Arguments of the call, after what has to come before it."""
    prepared = SETUP[key](client) if key in SETUP else {}
    return {**arguments(operation), **OVERRIDES.get(key, {}), **prepared}


def test_the_emulator_knows_exactly_the_operations_of_the_manifest() -> None:
    assert sorted(DESCRIPTION.operations) == manifest()


EVERY_CALL = pytest.mark.parametrize(
    ("operation_id", "name", "key"), CALLS, ids=[key for _, _, key in CALLS]
)
OLD_ONES_TOO = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")


@EVERY_CALL
@OLD_ONES_TOO
def test_the_sync_client_gets_an_answer_that_fits_the_description(
    client: Client, coze_emulator: Emulator, operation_id: str, name: str, key: str
) -> None:
    operation = DESCRIPTION.operations[operation_id]
    given = values(client, operation, key)
    drifts: list[Any] = []
    with Client(
        coze_emulator.token,
        base_url=coze_emulator.base_url,
        max_retries=0,
        on_drift=drifts.append,
    ) as watching:
        result = method(watching, operation, name)(**given)
        if hasattr(result, "iter_bytes"):
            with result:
                assert b"event:" in b"".join(result.iter_bytes())
        elif isinstance(result, Page):
            assert len(list(result)) >= len(result.items)
    assert drifts == []
    assert coze_emulator.requests[-1].operation == operation_id


@EVERY_CALL
@OLD_ONES_TOO
async def test_the_async_client_gets_an_answer_that_fits_the_description(
    client: Client, coze_emulator: Emulator, operation_id: str, name: str, key: str
) -> None:
    operation = DESCRIPTION.operations[operation_id]
    given = values(client, operation, key)
    drifts: list[Any] = []
    async with AsyncClient(
        coze_emulator.token,
        base_url=coze_emulator.base_url,
        max_retries=0,
        on_drift=drifts.append,
    ) as watching:
        result = method(watching, operation, name)(**given)
        if hasattr(result, "iter_bytes"):
            async with result:
                assert b"event:" in b"".join([piece async for piece in result.iter_bytes()])
        elif operation.pager:
            page = await result
            assert len([item async for item in page]) >= len(page.items)
        else:
            await result
    assert drifts == []
    assert coze_emulator.requests[-1].operation == operation_id


BODIES = [
    operation
    for operation in DESCRIPTION.operations.values()
    if operation.body and operation.body[0] == "application/json"
]
REQUIRED = [
    (operation, name)
    for operation in BODIES
    for name in DESCRIPTION.resolve(operation.body[1]).get("required", [])
]  # type: ignore[index]


def path_of(operation: Operation) -> tuple[str, dict[str, Any]]:
    """Path with example ids, and the example query."""
    path, query = operation.path, {}
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
        elif parameter["in"] == "query" and parameter.get("required"):
            query[parameter["name"]] = parameter.get("example", EXAMPLES.of(parameter["schema"]))
    return path, query


def refused(answer: httpx.Response, operation: Operation, field: str) -> None:
    """The answer is the documented refusal of a parameter and names the field."""
    body = answer.json()
    if operation.id.startswith("oauth_"):
        # The sign-in endpoints have a form of their own.
        name = field.split(" ", maxsplit=1)[0].rpartition(".")[2]
        assert (body["error_code"], answer.status_code) == ("invalid_request", 400)
        assert (body["error"], body["error_message"]) == ("", f"invalid request: {name}")
        return
    assert (body["code"], answer.status_code) == (4000, 200 if operation.streams else 400)
    assert field in body["msg"]
    assert body["detail"]["logid"] == answer.headers["x-tt-logid"]


HEADERS = {"Authorization": "Bearer jwt"}


@pytest.mark.parametrize(
    ("operation", "name"), REQUIRED, ids=[f"{operation.id}-{name}" for operation, name in REQUIRED]
)
def test_a_missing_body_field_is_refused_by_name(
    coze_emulator: Emulator, http: httpx.Client, operation: Operation, name: str
) -> None:
    path, query = path_of(operation)
    body = EXAMPLES.of(operation.body[1])  # type: ignore[index]
    del body[name]
    headers = HEADERS if operation.anonymous else {}
    refused(
        http.request(operation.method, path, params=query, json=body, headers=headers),
        operation,
        f"body.{name} is required",
    )


@pytest.mark.parametrize("operation", BODIES, ids=[operation.id for operation in BODIES])
def test_a_body_field_of_the_wrong_type_is_refused_by_name(
    coze_emulator: Emulator, http: httpx.Client, operation: Operation
) -> None:
    path, query = path_of(operation)
    body = EXAMPLES.of(operation.body[1])  # type: ignore[index]
    name = next(iter(body))
    body[name] = {"an": "object"} if not isinstance(body[name], dict) else "a text"
    headers = HEADERS if operation.anonymous else {}
    refused(
        http.request(operation.method, path, params=query, json=body, headers=headers),
        operation,
        f"body.{name}",
    )


QUERIES = [
    (operation, p["name"])
    for operation in DESCRIPTION.operations.values()
    for p in operation.parameters
    if p["in"] == "query" and p.get("required")
]


@pytest.mark.parametrize(
    ("operation", "name"), QUERIES, ids=[f"{operation.id}-{name}" for operation, name in QUERIES]
)
def test_a_missing_query_parameter_is_refused_by_name(
    coze_emulator: Emulator, http: httpx.Client, operation: Operation, name: str
) -> None:
    path, query = path_of(operation)
    del query[name]
    refused(
        http.request(operation.method, path, params=query, follow_redirects=False),
        operation,
        f"query.{name} is required",
    )


FORMS = [
    operation
    for operation in DESCRIPTION.operations.values()
    if operation.body and operation.body[0] == "multipart/form-data"
]


@pytest.mark.parametrize("operation", FORMS, ids=[operation.id for operation in FORMS])
def test_a_form_operation_refuses_json(
    coze_emulator: Emulator, http: httpx.Client, operation: Operation
) -> None:
    path, query = path_of(operation)
    assert http.request(operation.method, path, params=query, json={}).json()["code"] == 4300


PROTECTED = [operation for operation in DESCRIPTION.operations.values() if not operation.anonymous]


@pytest.mark.parametrize("operation", PROTECTED, ids=[operation.id for operation in PROTECTED])
def test_a_wrong_token_is_refused(
    coze_emulator: Emulator, http: httpx.Client, operation: Operation
) -> None:
    answer = http.request(
        operation.method, path_of(operation)[0], headers={"Authorization": "Bearer wrong"}
    )
    expected = (700012006, 401) if operation.method == "GET" else (4101, 200)
    assert (answer.json()["code"], answer.status_code) == expected


UNKNOWN = [
    operation for operation in PROTECTED if any(p["in"] == "path" for p in operation.parameters)
]
LENIENT = {"connectors_install", "connectors_user_configs_create"}
"""Any connector is taken for granted: there is no way to make one."""


@pytest.mark.parametrize(
    "operation", [item for item in UNKNOWN if item.id not in LENIENT], ids=lambda item: item.id
)
def test_an_unknown_id_is_refused(
    coze_emulator: Emulator, http: httpx.Client, operation: Operation
) -> None:
    path = operation.path
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", "9999999")
    body: dict[str, Any] = {}
    if operation.body is not None:
        body = (
            {"json": EXAMPLES.of(operation.body[1])}
            if operation.body[0] == "application/json"
            else {"data": {"name": "n"}, "files": {"file": b"x"}}
        )
    answer = http.request(operation.method, path, params=path_of(operation)[1], **body)
    assert answer.json()["code"] in (4200, 4002, 4005, 4314), answer.text


def test_the_error_of_the_typed_client_names_code_and_log_id(
    client: Client, coze_emulator: Emulator
) -> None:
    with pytest.raises(APIError) as caught:
        client.bots.retrieve("9999999")
    assert (caught.value.code, caught.value.logid) == (4200, coze_emulator.requests[-1].logid)
