"""Anything may come over a wire: the decoder of events, the codec and the parser of errors never
raise what is no CozeError.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coze_openapi.api.bots import list as list_bots
from coze_openapi.api.bots import retrieve as retrieve_bot
from coze_openapi.api.chat import create as create_chat
from coze_openapi.api.chat import submit_tool_outputs
from coze_openapi.api.conversations_messages import list as list_messages
from coze_openapi.api.workflows_runs import create as create_run
from coze_openapi.api.workflows_runs import stream as stream_run
from coze_openapi.errors import SERVICE
from coze_openapi.streams import chat, workflow
from coze_runtime.operation import Operation, Response, request_info
from coze_runtime.serialization import codec
from coze_runtime.serialization import error_responses as failures
from coze_runtime.serialization.error_responses import retry_after
from coze_runtime.streams.chat import ChatParser
from coze_runtime.streams.event_parser import EventParser
from coze_runtime.streams.sse import SSEDecoder
from coze_runtime.streams.workflow import WorkflowParser
from cozekit.errors import APIError, ArgumentError, CozeError, StreamError
from tests.faults.exchange import FULL
from tests.overlays.wire import CHAT, FLOW

fuzz = settings(
    max_examples=5000 if FULL else 150,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
known_names = st.sampled_from(
    "code msg data detail logid error message error_code error_message debug_url id name items "
    "total bot_id status usage last_error"
    " has_more first_id last_id content role type execute_id required_action".split()
)
near_json = st.recursive(
    json_values,
    lambda inner: st.dictionaries(known_names, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=20,
)
bodies = st.one_of(
    st.binary(max_size=200),
    near_json.map(lambda value: json.dumps(value).encode()),
    st.just(b"[" * 5000),
)
pieces_of_streams = st.sampled_from(
    [
        *CHAT,
        *FLOW,
        b"\n",
        b"\r\n",
        b"\r",
        b"data:",
        b"event:",
        b"id: 7\n",
        b":",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\0",
        b"retry: 5\n",
        b"event:conversation.chat.failed\n",
        b'data:{"code":"x"}\n\n',
        b"event:error\ndata:[1]\n\n",
        b'event:error\ndata:{"code":"--5","msg":"\xc2\xb2"}\n\n',
        b"id:" + b"9" * 5000 + b"\n",
        b"event:Error\ndata:7\n\n",
        b"event:conversation.chat.created\ndata:null\n\n",
        b"event:Message\ndata:{}\n\n",
    ]
)
streams = st.lists(pieces_of_streams | st.binary(max_size=12), max_size=12).map(b"".join)
operations = pytest.mark.parametrize(
    "operation", [retrieve_bot, list_bots, create_chat, create_run, list_messages]
)


def answer(body: bytes, status: int, headers: dict[str, str]) -> Response:
    return Response(
        status=status,
        headers=headers,
        content=body,
        operation=retrieve_bot.OPERATION,
        url="http://x/y?z",
        base_url="http://x",
        service=SERVICE,
    )


@fuzz
@given(body=streams, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_events_do_not_depend_on_how_the_bytes_are_cut(body: bytes, cuts: list[int]) -> None:
    whole = SSEDecoder()
    expected = whole.feed(body)
    parts = SSEDecoder()
    found = []
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for start, end in pairwise(edges):
        found += parts.feed(body[start:end])
    # A CR at the end of a piece is told from CRLF by the next one; what was held back comes with
    # the end.
    assert found == expected
    assert parts.close() == whole.close()
    assert parts.last_event_id == whole.last_event_id


@pytest.mark.parametrize(
    ("make", "operation"),
    [
        (partial(ChatParser, chat.SPEC, {}, True), create_chat.OPERATION),
        (partial(ChatParser, chat.SPEC, {}, True), submit_tool_outputs.OPERATION),
        (partial(WorkflowParser, workflow.SPEC, {}, True), stream_run.OPERATION),
    ],
)
@fuzz
@given(body=streams, cut=st.integers(0, 400))
def test_a_parser_gives_events_or_one_of_our_errors(
    make: Callable[[], EventParser[Any]], operation: Operation, body: bytes, cut: int
) -> None:
    parser = make()
    parser.logid = "L"
    parser.request = request_info(operation, "http://x/y", "http://x", SERVICE)
    parser.operation = operation
    seen = []
    try:
        for chunk in (body[:cut], body[cut:]):
            parser.push(chunk)
            seen += list(parser.take())
        seen += list(parser.finish())
    except CozeError as error:
        assert pickle.loads(pickle.dumps(error)).args == error.args
        if isinstance(error, StreamError):
            assert len(error.events) == len(parser.events)
        return
    assert parser.ended, "only the last event ends a stream without an error"
    assert len(seen) == len(parser.events)


@operations
@fuzz
@given(
    body=bodies,
    status=st.sampled_from([200, 200, 200, 204, 302, 400, 401, 404, 429, 499, 500, 520, 599, 999]),
)
def test_an_answer_is_a_result_or_one_of_our_errors(
    operation: Any, body: bytes, status: int
) -> None:
    try:
        operation.parse(answer(body, status, {"content-type": "application/json"}))
    except CozeError as error:
        assert str(error)
        assert pickle.loads(pickle.dumps(error)).args == error.args
    else:
        assert status < 300, "no status that says no passes for a success"
        assert not failures.is_error_envelope(body)


@fuzz
@given(
    body=bodies,
    status=st.integers(100, 999),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "x-tt-logid", "retry-after"]), st.text(max_size=20)
    ),
)
def test_the_parser_of_errors_makes_an_api_error_of_anything(
    body: bytes, status: int, headers: dict[str, str]
) -> None:
    error = failures.failure(answer(body, status, headers))
    assert isinstance(error, APIError)
    assert error.http_status == status
    assert error.code is None or isinstance(error.code, int)
    assert isinstance(error.msg, str)
    assert str(status) in str(error)
    assert error.retry_after is None or error.retry_after >= 0


@fuzz
@given(
    text=st.text(max_size=40)
    | st.sampled_from(["nan", "inf", "-inf", "-1", "1e999", "0x10", "١٢", "Wed, 99 Foo 2026"])
)
def test_a_wait_that_a_server_asks_for_is_never_negative(text: str) -> None:
    found = retry_after(text)
    assert found is None or found >= 0


@fuzz
@given(data=near_json)
def test_leniently_read_models_go_out_as_they_came_in(data: Any) -> None:
    from coze_openapi.models.bots import Bot

    if isinstance(data, dict):
        model = Bot.from_dict(data)
        assert Bot.from_dict(model.to_dict()) == model
        try:
            sent = codec.encode(model.to_dict())
        except ArgumentError as error:
            assert "not a JSON number" in str(error), (
                "the only thing in plain data that JSON has no word for"
            )
        else:
            assert json.loads(sent) == model.to_dict()
