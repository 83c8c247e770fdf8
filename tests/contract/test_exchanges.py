"""Every request and every answer on the official pages: exactly that is sent, and exactly that is
decoded. See `import_exchanges.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from coze_openapi import Client
from coze_runtime.errors import APIConnectionError
from coze_runtime.models import Model
from coze_runtime.operation import Response
from coze_runtime.serialization import codec, convert
from coze_runtime.types import Drift
from tests.contract.catalogue import model_of, operations, reference
from tests.contract.differences import differences
from tests.contract.exchanges import JWT, Exchange, dig, exchanges
from tests.contract.make_cassettes import CASSETTES, cassette_text
from tests.contract.matching import recorder
from tests.contract.replay import KINDS, TOKEN, ask, body, cassette, replaying
from tests.each import Problems, each

SAME_AS_DOCUMENTED = 155, 151

with_exchanges = pytest.mark.parametrize("listed", exchanges().values(), ids=exchanges())
ALL = [exchange for listed in exchanges().values() for exchange in listed]
DOCUMENTED_JSON = [
    exchange for exchange in ALL if exchange.data.get("answer", {}).get("kind") == "json"
]
STREAMS = [exchange for exchange in ALL if exchange.answer["kind"] == "sse"]


def check_credentials(exchange: Exchange, request: Any) -> None:
    if "authorization" in exchange.arguments():
        assert request.headers["authorization"] == JWT
    else:
        assert request.headers.get("authorization") == (
            None if exchange.op.anonymous else f"Bearer {TOKEN}"
        )


def check_result(exchange: Exchange, result: Any) -> None:
    """The result of the method against the documented answer, at the place that the method
    returns.
    """
    answer = exchange.answer
    if answer["kind"] in ("redirect", "bytes", "sse"):
        assert (result if isinstance(result, str) else result.decode()) == answer["text"]
        return
    # A history of runs has a field of that name: the log id of the run.
    if exchange.op.id != "workflows_runs_run_histories_retrieve":
        assert result.logid == exchange.logid
    if exchange.op.unwrap == "nothing":
        assert result.to_dict() == {}
        return
    items = result.items if exchange.op.pager else result
    path = ".".join(exchange.op.result_path)
    expected = dig(answer["value"], path) if path else answer["value"]
    at = re.sub(r"\.(\d+)", "[]", f"$.{path}" if path else "$")
    found = list(differences(expected, convert.to_wire(items), at))
    assert places(found) == {
        place for place in departures(exchange, "lost") if place.startswith(at)
    }, found
    if exchange.op.pager:
        check_page(exchange, result)


def check_page(exchange: Exchange, page: Any) -> None:
    pager, value = exchange.op.pager, exchange.answer["value"]
    assert pager is not None
    assert page.total == (dig(value, pager["total"]) if "total" in pager else None)
    if "has_more" in pager:
        assert page.has_more == bool(dig(value, pager["has_more"]))


def departures(exchange: Exchange, kind: str) -> set[str]:
    """Known departures of the answer from the description: `lost` or `kept` as it came."""
    return set(exchange.data.get("answer_deviation", {}).get(kind, []))


def places(found: list[str]) -> set[str]:
    """Paths of differences, without what became what."""
    return {line.partition(":")[0] for line in found}


@with_exchanges
def test_the_documented_exchange_is_sent_and_decoded(listed: list[Exchange]) -> None:
    problems = Problems()
    path = CASSETTES / f"{listed[0].op.id}.yaml"
    for kind in KINDS:
        drifts: list[Drift] = []
        with (
            problems.of(kind),
            cassette(path) as asked,
            replaying(kind, on_drift=drifts.append) as coze,
        ):
            for exchange in listed:
                check_result(exchange, ask(exchange, coze, body(exchange)))
                check_credentials(exchange, asked[-1])
            check_drifts(listed, drifts)
    problems.must_be_none()


def check_drifts(listed: list[Exchange], drifts: list[Drift]) -> None:
    """Only the listed places depart from the description."""
    known = {place for exchange in listed for place in departures(exchange, "kept")}
    assert {re.sub(r"\[\d+]", "[]", drift.path) for drift in drifts} == known


@each("exchange", {exchange.id: exchange for exchange in DOCUMENTED_JSON})
def test_nothing_of_a_documented_answer_is_lost(exchange: Exchange) -> None:
    """The whole answer, with the parts around the result, decoded fast and leniently."""
    cls = model_of(exchange.op.answer_schema or {})
    assert cls is not None
    value = exchange.answer["value"]
    response = Response(
        status=200,
        headers={},
        content=json.dumps(value).encode(),
        operation=exchange.op.module.OPERATION,
    )
    for decoded in (codec.decode(response, cls), cls.from_dict(value)):
        lost = list(differences(value, decoded.to_dict()))
        assert places(lost) == departures(exchange, "lost"), lost


@each("exchange", {exchange.id: exchange for exchange in STREAMS})
def test_every_event_of_a_documented_stream_is_decoded(exchange: Exchange) -> None:
    """Each payload by the table of the kind of stream; the framing itself is tested with the
    decoder.
    """
    assert exchange.op.stream is not None
    described = exchange.op.stream["events"]
    spec = import_module(f"coze_openapi.streams.{exchange.op.stream['kind']}").SPEC
    assert described.keys() <= spec.events.keys()
    drifts: list[Drift] = []
    lost: list[str] = []
    for name, data in events_of(exchange.answer["text"]):
        for key in departures(exchange, "unquoted"):
            data = re.sub(rf"([,{{]\s*){key}:", rf'\1"{key}":', data)
        if described[name]:
            model = spec.events[name].model
            assert model.__name__ == reference(described[name])
            decoded = codec.decode_event(
                data.encode(), model, exchange.op.module.OPERATION, drifts.append
            )
            lost += differences(json.loads(data), decoded.to_dict())
    assert places(lost) == departures(exchange, "lost"), lost
    assert drifts == []


def events_of(text: str) -> list[tuple[str, str]]:
    """Name and data of each event. Pages leave blank lines out between events and break the lines
    of a payload, so events are found by their first line.
    """
    pattern = r"^event: *([\w.]+)\ndata: *(.*?)(?=^(?:id|event):|\Z)"
    events: list[tuple[str, str]] = re.findall(pattern, text, re.MULTILINE | re.DOTALL)
    assert len(events) == len(re.findall(r"^event:", text, re.MULTILINE))
    return events


def test_every_example_of_the_pages_is_here() -> None:
    requests = {exchange.data["source"] for exchange in ALL if "request" in exchange.data}
    answers = [exchange for exchange in ALL if "answer" in exchange.data]
    assert (len(requests), len(answers)) == SAME_AS_DOCUMENTED


def test_every_operation_with_a_page_has_an_exchange_or_no_example() -> None:
    without = {
        op.id
        for op in operations().values()
        if op.id not in exchanges() and op.node.get("x-coze-page")
    }
    assert without == {"oauth_authorize_workspace", "oauth_device_code_workspace"}


@each("exchange", {exchange.id: exchange for exchange in ALL})
def test_what_is_sent_otherwise_than_documented_has_a_reason(exchange: Exchange) -> None:
    data = exchange.data
    assert ("sent" in data) == bool(data.get("deviation"))
    reason = data.get("answer_deviation", {}).get("reason")
    assert ("answer_deviation" in data) == bool(reason)
    if "sent" in data:
        documented = data.get("request", {})
        assert any(documented.get(key) != value for key, value in data["sent"].items())


def test_each_cassette_is_what_the_tool_makes() -> None:
    changed = {
        name
        for name, listed in exchanges().items()
        if (CASSETTES / f"{name}.yaml").read_text(encoding="utf-8") != cassette_text(listed)
    }
    assert changed == set(), "run `python -m tests.contract.make_cassettes`"


def test_no_cassette_is_left_over() -> None:
    assert {path.stem for path in CASSETTES.glob("*")} == set(exchanges())


def test_no_cassette_holds_a_credential() -> None:
    for path in CASSETTES.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?i)authorization:|bearer |\bpat_|\bsat_|eyJ[\w-]{10}", text), (
            path.name
        )


def test_a_request_that_no_page_shows_is_refused_by_the_player() -> None:
    """The comparison is strict: one more field, and nothing is played."""
    tape = recorder().use_cassette(str(CASSETTES / "bots_publish.yaml"))
    with (
        tape,
        Client(TOKEN, max_retries=0) as client,
        pytest.raises(APIConnectionError, match="CannotOverwriteExistingCassetteException"),
    ):
        client.bots.publish(bot_id="73428668*****", connector_ids=["1024"], extra_body={"more": 1})


def test_models_of_requests_keep_every_documented_key() -> None:
    """Arguments are given as models; a key that a model does not know would vanish before it is
    sent.
    """
    for exchange in ALL:
        given = {name: value for name, value in exchange.arguments().items() if has_model(value)}
        body = {**exchange.request.get("body", {}), **exchange.request.get("form", {})}
        assert list(differences({name: body[name] for name in given}, convert.to_wire(given))) == []


def has_model(value: Any) -> bool:
    test: Callable[[Any], bool] = has_model
    if isinstance(value, list):
        return any(map(test, value))
    if isinstance(value, dict):
        return any(map(test, value.values()))
    return isinstance(value, Model)
