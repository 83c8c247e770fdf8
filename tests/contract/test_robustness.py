"""Answers that depart from the description, through whole calls of the handwritten clients: read
all the same, reported, and kept.

`test_models.py` goes through every property of every model; here every operation shows that its
call hands the hook on, that the raw answer is within reach, and that no model is left out there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from coze_runtime.errors import ResponseError
from coze_runtime.serialization import convert
from coze_runtime.types import Drift
from cozekit import AsyncCoze, Coze
from tests.contract.catalogue import Op, merged, operations, sample_answer, split_arguments
from tests.contract.conftest import TOKEN
from tests.contract.server import LoopbackServer, json_reply
from tests.contract.test_models import ANSWERED, ENUMS, MODELS, SCHEMAS, wrong_values
from tests.contract.test_operations import as_given
from tests.contract.test_updates import UPDATES, required_of
from tests.each import each

ANSWERING = {op.id: op for op in operations().values() if op.answer_schema}

every_answer = each("op", ANSWERING)
deprecated_too = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")


def given(op: Op) -> tuple[list[Any], dict[str, Any]]:
    return split_arguments(op, as_given(op, required_of(op)))


def call(op: Op, coze: Coze) -> Any:
    """The method with what it requires, and the raw answer."""
    positional, named = given(op)
    return coze.with_raw_response(op.method_of(coze, streaming=False))(*positional, **named)


async def call_async(op: Op, coze: AsyncCoze) -> Any:
    positional, named = given(op)
    return await coze.with_raw_response(op.method_of(coze, streaming=False))(*positional, **named)


def plain(op: Op, result: Any) -> Any:
    return convert.to_wire(result.items if op.pager else result)


def with_unknown(data: Any) -> Any:
    """The same with a property that nobody knows in every object; maps of any names keep theirs."""
    if isinstance(data, list):
        return [with_unknown(item) for item in data]
    if not isinstance(data, dict) or set(data) <= {"key", "any"}:
        return data
    return {
        "not_yet_described": {"a": 1},
        **{key: with_unknown(value) for key, value in data.items()},
    }


class Drifts(list[Drift]):
    """What the hooks of the clients were told about one operation."""

    reset = list.clear


@pytest.fixture
def drifts() -> Drifts:
    return Drifts()


@pytest.fixture
def coze(running_server: LoopbackServer, drifts: Drifts) -> Iterator[Coze]:
    with Coze(TOKEN, base_url=running_server.url, on_drift=drifts.append) as coze:
        yield coze


@pytest.fixture
async def async_coze(running_server: LoopbackServer, drifts: Drifts) -> AsyncIterator[AsyncCoze]:
    async with AsyncCoze(TOKEN, base_url=running_server.url, on_drift=drifts.append) as coze:
        yield coze


@every_answer
@deprecated_too
async def test_unknown_properties_change_nothing_and_are_in_the_raw_answer(
    op: Op, server: LoopbackServer, drifts: Drifts, coze: Coze, async_coze: AsyncCoze
) -> None:
    server.answer(json_reply(sample_answer(op)))
    expected = plain(op, call(op, coze).parsed)
    answer = with_unknown(sample_answer(op))
    server.answer(json_reply(answer))
    for raw in (call(op, coze), await call_async(op, async_coze)):
        assert json.loads(raw.content) == answer
        assert known_part(plain(op, raw.parsed), expected) == expected
    assert drifts == []


def known_part(found: Any, expected: Any) -> Any:
    """Without the unknown properties of results that are plain data, which keep everything."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return {
            key: known_part(value, expected.get(key))
            for key, value in found.items()
            if key in expected
        }
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return [known_part(*pair) for pair in zip(found, expected, strict=True)]
    return found


def wrong_answer(op: Op) -> tuple[str, dict[str, Any]] | None:
    """An answer with a value of the wrong kind in the first property of the result (or of its
    first item) that can have one, and the path of that property.
    """
    if op.unwrap == "nothing":
        return None
    answer, schema = sample_answer(op), op.answer_schema or {}
    node: Any = answer
    path = "$"
    for step in op.result_path:
        if isinstance(node, list):
            node, schema, path = node[int(step)], merged(schema)["items"], f"{path}[{step}]"
            continue
        node, schema, path = node[step], merged(schema)["properties"][step], f"{path}.{step}"
    if isinstance(node, list):
        node, schema, path = node[0], merged(schema)["items"], f"{path}[0]"
    for name, below in merged(schema)["properties"].items() if isinstance(node, dict) else ():
        value = next(wrong_values(below), None)
        if value is not None and (op.result_path or name != "code"):
            node[name] = value
            return f"{path}.{name}", answer
    return None


WRONG = {op.id: (op, *wrong) for op in ANSWERING.values() if (wrong := wrong_answer(op))}


@each("op, path, answer", WRONG)
@deprecated_too
async def test_a_wrong_value_is_reported_to_the_hook_of_the_client_and_is_in_the_raw_answer(
    op: Op,
    path: str,
    answer: dict[str, Any],
    server: LoopbackServer,
    drifts: Drifts,
    coze: Coze,
    async_coze: AsyncCoze,
) -> None:
    """`test_models.py` asks about the other properties."""
    server.answer(json_reply(answer))
    check_told(op, path, call(op, coze), answer, drifts)
    check_told(op, path, await call_async(op, async_coze), answer, drifts)


def check_told(op: Op, path: str, raw: Any, answer: dict[str, Any], drifts: list[Drift]) -> None:
    assert json.loads(raw.content) == answer
    told = {(drift.operation, drift.path) for drift in drifts}
    assert (op.id, path) in told or below(path, told), f"{path}: {told}"
    drifts.clear()


def below(path: str, told: set[tuple[str, str]]) -> bool:
    """A value whose elements are wrong is reported element by element."""
    return any(place.startswith((f"{path}[", f"{path}.")) for _, place in told)


def result_schema(op: Op) -> dict[str, Any]:
    schema = op.answer_schema or {}
    for step in op.result_path:
        whole = merged(schema)
        schema = whole["items"] if step.isdecimal() else whole["properties"][step]
    return schema


def is_map(schema: dict[str, Any]) -> bool:
    whole = merged(schema)
    return whole.get("type") == "object" and not whole["properties"]


WHOLE = {
    f"{op.id} {name}": (op, name, value)
    for op in ANSWERING.values()
    if op.result_path and not op.pager
    for kind, name in ((list, "array"), (dict, "object"))
    if (merged(result_schema(op)).get("type") == "array", is_map(result_schema(op)))
    == (kind is list, kind is dict)
    for value in (7, 0.5, "text", True, {"a": 1}, [1])
    if not isinstance(value, kind)
}


@each("op, kind, value", WHOLE)
@deprecated_too
async def test_what_is_no_list_or_map_is_told_in_place_of_one(
    op: Op,
    kind: str,
    value: Any,
    server: LoopbackServer,
    coze: Coze,
    async_coze: AsyncCoze,
) -> None:
    """A text is no list of letters, and a map no list of its names."""
    answer = sample_answer(op)
    node = answer
    for step in op.result_path[:-1]:
        node = node[step]
    node[op.result_path[-1]] = value
    server.answer(json_reply(answer))
    with pytest.raises(ResponseError, match=f"{op.call}: the response contains .*, not an {kind}"):
        call(op, coze)
    with pytest.raises(ResponseError, match=f"not an {kind}"):
        await call_async(op, async_coze)


def test_lists_and_maps_are_among_the_results() -> None:
    assert {kind for _, kind, _ in WHOLE.values()} == {"array", "object"}
    assert len({op.id for op, _, _ in WHOLE.values()}) > 5


def test_every_schema_that_the_platform_sends_is_tested() -> None:
    """Models and enums of `test_models.py`; what is left are texts and numbers, lists and maps of
    others, and the bare envelope.
    """
    left = {name for name in ANSWERED if name not in MODELS and name not in ENUMS}
    assert {name for name in left if merged(SCHEMAS[name])["properties"]} <= {"Error"}


def test_the_number_of_probes_is_that_of_all_properties() -> None:
    """Guards against a change of the catalogue by which models slip out of the tests."""
    properties = sum(
        len(merged(SCHEMAS[name])["properties"]) for name in MODELS if name in ANSWERED
    )
    assert len([name for name in MODELS if name in ANSWERED]) > 200
    assert properties > 1000


def test_every_operation_that_replaces_is_among_the_updates() -> None:
    replacing = {op.id for op in operations().values() if op.method in ("PUT", "PATCH")}
    assert replacing <= {op.id for op in UPDATES}
