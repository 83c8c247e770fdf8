"""Answers that depart from the description, through whole calls of the handwritten clients: read
all the same, reported, and kept.

`test_models.py` goes through every property of every model; here every operation shows that its
call hands the hook on, that the raw answer is within reach, and that no model is left out there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from coze_runtime.serialization import convert
from coze_runtime.types import Drift
from cozekit import AsyncCoze, Coze
from tests.contract.catalogue import Op, merged, operations, sample_answer, split_arguments
from tests.contract.conftest import TOKEN
from tests.contract.server import LoopbackServer, json_reply
from tests.contract.test_models import ANSWERED, ENUMS, MODELS, SCHEMAS, wrong_values
from tests.contract.test_operations import as_given
from tests.contract.test_updates import UPDATES, required_of

ANSWERING = [op for op in operations().values() if op.answer_schema is not None]

every_answer = pytest.mark.parametrize("op", ANSWERING, ids=lambda op: op.id)
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


@every_answer
@deprecated_too
async def test_unknown_properties_change_nothing_and_are_in_the_raw_answer(
    op: Op, server: LoopbackServer
) -> None:
    server.answer(json_reply(sample_answer(op)))
    with Coze(TOKEN, base_url=server.url) as coze:
        expected = plain(op, call(op, coze).parsed)
    answer = with_unknown(sample_answer(op))
    server.answer(json_reply(answer))
    drifts: list[Drift] = []
    with Coze(TOKEN, base_url=server.url, on_drift=drifts.append) as coze:
        found = call(op, coze)
    async with AsyncCoze(TOKEN, base_url=server.url, on_drift=drifts.append) as twin:
        other = await call_async(op, twin)
    assert json.loads(found.content) == json.loads(other.content) == answer
    assert (
        known_part(plain(op, found.parsed), expected)
        == known_part(plain(op, other.parsed), expected)
        == expected
    )
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


def wrong_answers(op: Op) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each property of the result (or of its items): its path, and the answer with a value of
    the wrong kind there.
    """
    if op.unwrap == "nothing":
        return
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
    if not isinstance(node, dict):
        return
    for name, below in merged(schema)["properties"].items():
        value = next(wrong_values(below), None)
        if value is None or (not op.result_path and name == "code"):
            continue
        before, node[name] = node[name], value
        yield f"{path}.{name}", answer
        node[name] = before


@every_answer
@deprecated_too
async def test_a_wrong_value_is_reported_to_the_hook_of_the_client_and_is_in_the_raw_answer(
    op: Op, server: LoopbackServer
) -> None:
    drifts: list[Drift] = []
    async with AsyncCoze(TOKEN, base_url=server.url, on_drift=drifts.append) as twin:
        with Coze(TOKEN, base_url=server.url, on_drift=drifts.append) as coze:
            for path, answer in wrong_answers(op):
                server.answer(json_reply(answer))
                check_told(op, path, call(op, coze), answer, drifts)
                check_told(op, path, await call_async(op, twin), answer, drifts)


def check_told(op: Op, path: str, found: Any, answer: dict[str, Any], drifts: list[Drift]) -> None:
    assert json.loads(found.content) == answer
    told = {(drift.operation, drift.path) for drift in drifts}
    assert (op.id, path) in told or below(path, told), f"{path}: {told}"
    drifts.clear()


def below(path: str, told: set[tuple[str, str]]) -> bool:
    """A value whose elements are wrong is reported element by element."""
    return any(place.startswith((f"{path}[", f"{path}.")) for _, place in told)


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
