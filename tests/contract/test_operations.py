"""Every operation of the description, sync and async: what leaves the machine is what the
description says.
"""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Mapping
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from coze_openapi import AsyncClient, Client
from coze_runtime.errors import ArgumentError
from tests.contract.bodies import form_fields
from tests.contract.catalogue import (
    AWKWARD_ID,
    FILE,
    Op,
    as_argument,
    description,
    is_file,
    manifest,
    merged,
    operations,
    sample_answer,
    sample_argument,
    split_arguments,
)
from tests.contract.conftest import TOKEN
from tests.contract.server import LoopbackServer, Received, Reply, json_reply
from tests.each import Problems, each

LIMITS = ("idle_timeout", "deadline", "keep_events")
OPTIONS = ["extra_headers", "extra_query", "extra_body", "timeout"]

# An operation with a stream switch has two methods; each is tested.
CALLS = {
    op.id + (".stream" if streaming and op.switch else ""): (op, streaming)
    for op in operations().values()
    for streaming in ([False, True] if op.switch else [op.only_streams])
}
ANSWERED = {op.id: op for op in operations().values() if not op.only_streams}
WITH_PATH = {op.id: op for op in operations().values() if "{" in op.path}

every_call = each("op, streaming", CALLS)
every_operation = each("op", operations())


def reply_to(op: Op, *, streaming: bool) -> Reply:
    if streaming:
        return Reply(b"event: done\ndata: {}\n\n", content_type="text/event-stream")
    if op.unwrap == "content":
        return Reply(b"RIFF", content_type="audio/wav", headers={"x-tt-logid": "log-7"})
    if op.unwrap == "location":
        return Reply(
            b"", 302, headers={"location": "https://example.com/consent", "x-tt-logid": "log-7"}
        )
    return json_reply(sample_answer(op), x_tt_logid="log-7")


def call(
    op: Op, client: Client, arguments: Mapping[str, Any], *, streaming: bool, **options: Any
) -> Any:
    positional, named = split_arguments(op, arguments)
    method = op.method_of(client, streaming=streaming)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        result = method(*positional, **named, **options)
    if streaming:
        with result:
            return b"".join(result.iter_bytes())
    return result


async def call_async(
    op: Op, client: AsyncClient, arguments: Mapping[str, Any], *, streaming: bool, **options: Any
) -> Any:
    positional, named = split_arguments(op, arguments)
    method = op.method_of(client, streaming=streaming)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        result = method(*positional, **named, **options)
        if streaming:
            async with result:
                return b"".join([piece async for piece in result.iter_bytes()])
        return await result


def arguments_of(op: Op, *, required_only: bool) -> dict[str, Any]:
    """Plain data for each argument."""
    return {
        p.argument: sample_argument(p) for p in op.parameters if p.required or not required_only
    }


def as_given(op: Op, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same as a caller would write it, with models."""
    schemas = {p.argument: p.schema for p in op.parameters}
    return {name: as_argument(schemas[name], value) for name, value in arguments.items()}


def in_query(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def check_request(
    op: Op, arguments: Mapping[str, Any], request: Received, *, streaming: bool
) -> None:
    """The request on the wire against the description."""
    placed = {
        place: {
            p.wire: arguments[p.argument]
            for p in op.parameters
            if p.place == place and p.argument in arguments
        }
        for place in ("path", "query", "header", "body", "form")
    }
    path = op.path
    for name in placed["path"]:
        path = path.replace(f"{{{name}}}", quote(AWKWARD_ID, safe=""))
    assert (request.method, request.path) == (op.method, path)
    assert dict(request.query) == {name: in_query(value) for name, value in placed["query"].items()}
    assert len(request.query) == len(placed["query"])
    check_headers(op, placed["header"], request)
    if op.has_form:
        check_form(placed["form"], request)
    elif op.has_body and not op.has_form:
        expected = {**placed["body"], **({op.set_by_method: streaming} if op.set_by_method else {})}
        assert json.dumps(request.json(), sort_keys=True) == json.dumps(expected, sort_keys=True)
    else:
        assert request.body == b""


def check_headers(op: Op, expected: Mapping[str, Any], request: Received) -> None:
    for name, value in {**op.constants, **expected}.items():
        assert request.headers.get_all(name) == [value]
    if "Authorization" not in expected:
        assert request.headers.get_all("authorization") == (
            None if op.anonymous else [f"Bearer {TOKEN}"]
        )
    assert str(request.headers["user-agent"]).startswith("cozekit/")
    if not op.has_form:
        assert request.headers["content-type"] == ("application/json" if op.has_body else None)


def check_form(expected: Mapping[str, Any], request: Received) -> None:
    assert request.headers.get_content_type() == "multipart/form-data"
    fields = form_fields(str(request.headers["content-type"]), request.body)
    texts = {name: str(value).encode() for name, value in expected.items() if value is not FILE}
    files = {name: (FILE[0], FILE[2], FILE[1]) for name, value in expected.items() if value is FILE}
    assert fields == {**texts, **files}


def test_manifest_and_description_list_the_same_operations() -> None:
    described = {op.id: (op.method, op.path, op.tag) for op in operations().values()}
    listed = {
        name: (entry["method"], entry["path"], entry["tag"])
        for name, entry in manifest()["operations"].items()
    }
    assert listed == described


def test_the_packaged_description_is_the_bundled_one() -> None:
    from importlib.resources import files

    assert json.loads(
        files("coze_openapi").joinpath("openapi.json").read_text(encoding="utf-8")
    ) == json.loads(json.dumps(description()))


@pytest.mark.parametrize(("op", "streaming"), CALLS.values(), ids=CALLS)
async def test_the_request_is_as_described(
    op: Op, streaming: bool, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    """With the required arguments alone, and with all of them; sync and async."""
    problems = Problems()
    for which, kind in product(("required", "all"), ("sync", "async")):
        arguments = arguments_of(op, required_only=which == "required")
        given = as_given(op, arguments)
        with problems.of(f"{kind}, {which} arguments"):
            server.reset()
            server.answer(reply_to(op, streaming=streaming))
            if kind == "sync":
                call(op, client, given, streaming=streaming)
            else:
                await call_async(op, async_client, given, streaming=streaming)
            check_request(op, arguments, server.only_request(), streaming=streaming)
    problems.must_be_none()


@each("op", ANSWERED)
async def test_every_result_tells_the_log_id_of_its_call(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    arguments = as_given(op, arguments_of(op, required_only=True))
    server.answer(reply_to(op, streaming=False))
    for result in (
        call(op, client, arguments, streaming=False),
        await call_async(op, async_client, arguments, streaming=False),
    ):
        assert result.logid == "log-7"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@every_call
def test_an_unknown_keyword_is_a_type_error(
    op: Op, streaming: bool, kind: type[Client | AsyncClient]
) -> None:
    positional, named = split_arguments(op, as_given(op, arguments_of(op, required_only=True)))
    with pytest.raises(TypeError, match="unexpected keyword argument 'no_such_argument'"):
        op.method_of(kind(TOKEN), streaming=streaming)(*positional, **named, no_such_argument=1)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@every_call
def test_each_missing_required_argument_is_a_type_error(
    op: Op, streaming: bool, kind: type[Client | AsyncClient]
) -> None:
    arguments = as_given(op, arguments_of(op, required_only=True))
    method = op.method_of(kind(TOKEN), streaming=streaming)
    for missing in arguments:
        # By keyword, so that a missing id of the path is named and not filled by the next one.
        with pytest.raises(
            TypeError, match=f"missing 1 required (positional|keyword-only) argument: '{missing}'"
        ):
            method(**{name: value for name, value in arguments.items() if name != missing})


@pytest.mark.parametrize("bad", ["", " ", ".", ".."], ids=["empty", "blank", "dot", "dots"])
@each("op", WITH_PATH)
async def test_an_id_that_would_change_the_path_is_refused_before_any_request(
    op: Op, bad: str, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    arguments = as_given(op, arguments_of(op, required_only=True))
    for parameter in op.parameters:
        if parameter.place == "path":
            wrong = {**arguments, parameter.argument: bad}
            with pytest.raises(ArgumentError, match=parameter.argument) as caught:
                call(op, client, wrong, streaming=op.only_streams)
            assert caught.value.argument == parameter.argument
            with pytest.raises(ArgumentError, match=parameter.argument):
                await call_async(op, async_client, wrong, streaming=op.only_streams)
    assert server.received == []


@every_call
def test_arguments_are_those_of_the_description_and_the_options(op: Op, streaming: bool) -> None:
    signature = inspect.signature(op.method_of(Client(TOKEN), streaming=streaming))
    described = {p.argument: (p.place == "path", p.required) for p in op.parameters}
    uploads = any(is_file(p.schema) for p in op.parameters)
    of_stream = [*LIMITS, *(["on_gap"] if op.stream and op.stream["kind"] == "workflow" else [])]
    options = [*(of_stream if streaming else ()), *(["on_progress"] if uploads else []), *OPTIONS]
    found = {
        name: (
            parameter.kind is parameter.POSITIONAL_OR_KEYWORD,
            parameter.default is parameter.empty,
        )
        for name, parameter in signature.parameters.items()
        if name not in options
    }
    assert found == described
    assert [name for name in signature.parameters if name in options] == options


@every_call
def test_extra_fields_reach_the_wire_for_what_the_description_does_not_know(
    op: Op, streaming: bool, client: Client, server: LoopbackServer
) -> None:
    server.answer(reply_to(op, streaming=streaming))
    arguments = as_given(op, arguments_of(op, required_only=True))
    options: dict[str, Any] = {
        "extra_headers": {"X-New": "h"},
        "extra_query": {"new_query": ["a", "b"]},
        "timeout": 7.0,
    }
    if op.has_body:
        options["extra_body"] = {"new_field": "f"}
    call(op, client, arguments, streaming=streaming, **options)
    request = server.only_request()
    assert request.headers["x-new"] == "h"
    assert [value for name, value in request.query if name == "new_query"] == ["a", "b"]
    if op.has_form:
        assert request.headers.get_content_type() == "multipart/form-data"
        assert form_fields(str(request.headers["content-type"]), request.body)["new_field"] == b"f"
    elif op.has_body:
        assert request.json()["new_field"] == "f"


@every_operation
def test_a_deprecated_method_warns_and_names_its_successor(
    op: Op, server: LoopbackServer, client: Client
) -> None:
    server.answer(reply_to(op, streaming=op.only_streams))
    positional, named = split_arguments(op, as_given(op, arguments_of(op, required_only=True)))
    with warnings.catch_warnings(record=True, action="always") as caught:
        result = op.method_of(client)(*positional, **named)
        if op.only_streams:
            result.close()
    texts = [
        str(warning.message)
        for warning in caught
        if issubclass(warning.category, DeprecationWarning)
    ]
    if op.node.get("deprecated"):
        assert len(texts) == 1
        successor = operations()[op.node["x-coze-replaced-by"]]
        assert texts[0].endswith(f"use coze.{successor.tag}.{successor.method_name}")
    else:
        assert texts == []


@every_operation
def test_file_arguments_exist_only_in_forms(op: Op) -> None:
    for media, content in op.node.get("requestBody", {}).get("content", {}).items():
        has_file = any(
            is_file(schema) for schema in merged(content["schema"])["properties"].values()
        )
        assert has_file == (media == "multipart/form-data")
