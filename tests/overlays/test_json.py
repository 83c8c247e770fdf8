"""JSON: what Python's own reader takes is taken wherever the service sends it, and goes back as it
came.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from coze_openapi import models
from coze_runtime.serialization.convert import read_json, write_json
from cozekit import ArgumentError, messages, rtc, webhooks
from cozekit.errors import NotFoundError, ResponseError
from tests.each import each
from tests.overlays.chunk_server import ChunkServer, Head, Send, reply, stream
from tests.overlays.either import client, each_kind
from tests.overlays.test_chat_tools import ASK, answers, asks, call, outputs

HALF = "\ud83d"
"""Half of an emoji: where JavaScript and Java cut a text by its UTF-16 units."""

ODD: dict[str, bytes] = {
    "first half": rb'{"code":0,"data":"cut \ud83d"}',
    "second half": rb'{"code":0,"data":"\ude00 cut"}',
    "halves the wrong way round": rb'{"code":0,"data":"\ude00\ud83d"}',
    "half as bytes": b'{"code":0,"data":"\xed\xa0\xbd"}',
    "half in a name": rb'{"code":0,"data":"x","\ud83d":1}',
    "half in what nobody described": rb'{"code":0,"data":"x","new":{"a":["\ud83d"]}}',
    "NaN": b'{"code":0,"data":"x","new":NaN}',
    "infinities": b'{"code":0,"data":"x","new":[Infinity,-Infinity]}',
    "beyond a float": b'{"code":0,"data":"x","new":1e999}',
    "byte order mark": b'\xef\xbb\xbf{"code":0,"data":"x"}',
    "UTF-16": '{"code":0,"data":"x"}'.encode("utf-16"),
}
BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "half an object": b'{"code":0',
    "no UTF-8": b'{"code":0,"data":"\xff"}',
    "control character": b'{"code":0,"data":"\x01"}',
    "half an escape": rb'{"code":0,"data":"\ud8"}',
    "nested too deeply": b"[" * 100_000,
    "a number of 5,000 digits": b"1" + b"0" * 5000,
}


@each("content", {**ODD, "usual": b' {"a": [1, 2.5, true, null]} ', "big": b"1" + b"0" * 30})
def test_what_pythons_own_reader_takes_is_taken(content: bytes) -> None:
    assert repr(read_json(content)) == repr(json.loads(content))


@each("content", BROKEN)
def test_what_pythons_own_reader_refuses_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(content)


@each("value", {"text": HALF, "name": {HALF: 1}, "inside": [{"a": ("x", HALF * 3)}]})
def test_half_of_a_surrogate_pair_is_written_as_an_escape(value: Any) -> None:
    written = write_json(value)
    assert written.isascii()
    assert json.loads(written) == json.loads(json.dumps(value))


@each_kind
@each("content", ODD)
def test_a_call_reads_it(kind: str, content: bytes) -> None:
    with (
        ChunkServer([Head(200, {"content-type": "application/json"}), Send(content)]) as http,
        client(kind, http.url) as coze,
    ):
        run = coze.workflows.runs.create(workflow_id="w")
        assert run.data == json.loads(content)["data"]
        own = coze.request("GET", "/v1/own", unwrap="")
        assert repr(own) == repr(json.loads(content))


@each("content", BROKEN)
def test_a_call_tells_what_cannot_be_read(content: bytes) -> None:
    with (
        ChunkServer([Head(200, {"content-type": "application/json"}), Send(content)]) as http,
        client("sync", http.url) as coze,
        pytest.raises(ResponseError, match=r"not valid JSON|not an object"),
    ):
        coze.workflows.runs.create(workflow_id="w")


@each_kind
@pytest.mark.parametrize("status", [200, 404])
def test_an_error_with_half_a_text_keeps_code_and_message(kind: str, status: int) -> None:
    body = rb'{"code":4200,"msg":"no bot \ud83d"}'
    head = Head(status, {"content-type": "application/json"})
    with (
        ChunkServer([head, Send(body)]) as http,
        client(kind, http.url) as coze,
        pytest.raises(NotFoundError) as caught,
    ):
        coze.bots.retrieve("1")
    assert (caught.value.code, caught.value.msg) == (4200, f"no bot {HALF}")


@each_kind
def test_a_stream_reads_it_and_goes_on(kind: str) -> None:
    """The two halves of an emoji in two events, and numbers that msgspec does not take."""
    delta = b'event:conversation.message.delta\ndata:{"type":"answer","content":"%s"}\n\n'
    state = b'{"id":"c","status":"completed","usage":{"token_count":1},"new":[NaN,1e999]}'
    script = stream(
        delta % b"a ",
        delta % rb"\ud83d",
        delta % rb"\ude00",
        b"event:news\ndata:" + rb'{"text":"\ud83d"}' + b"\n\n",
        b"event:conversation.chat.completed\ndata:" + state + b"\n\n",
        b"event:done\ndata:[DONE]\n\n",
    )
    with ChunkServer(script) as http, client(kind, http.url) as coze:
        events = list(coze.chat.stream(bot_id="b", user_id="u"))
    texts = [event.message.content for event in events if event.message]
    assert texts == ["a ", "\ud83d", "\ude00"]
    assert events[3].data == {"text": HALF}
    assert events[4].chat.status == "completed"


# ---- what is sent


@each_kind
def test_a_text_that_was_read_can_be_sent_back(kind: str) -> None:
    history = [messages.assistant_text(f"cut {HALF}"), messages.user_text("go on")]
    with ChunkServer(answers("ok")) as http, client(kind, http.url) as coze:
        list(coze.chat.stream(bot_id="b", user_id="u", additional_messages=history))
    sent = json.loads(http.requests[0].body)
    assert sent["additional_messages"][0]["content"] == f"cut {HALF}"


def test_a_message_of_several_parts_may_hold_half_a_text() -> None:
    message = messages.user_objects([messages.text(HALF), messages.image(file_id="7")])
    assert json.loads(message.content or "")[0]["text"] == HALF


CALLS = {
    "path": ("bot_id", lambda coze: coze.bots.retrieve(HALF)),
    "query": ("workspace_id", lambda coze: coze.bots.list(workspace_id=HALF).items),
    "a name of the query": (
        "extra_query",
        lambda coze: coze.bots.retrieve("1", extra_query={HALF: "1"}),
    ),
    "form": (
        "voice_name",
        lambda coze: coze.audio.voices.clone(voice_name=HALF, file=b"x", audio_format="wav"),
    ),
    "path of an own request": ("path", lambda coze: coze.request("GET", f"/v1/{HALF}")),
}


@each("argument, send", CALLS)
def test_a_url_or_form_that_cannot_hold_it_names_the_argument(argument: str, send: Any) -> None:
    with (
        ChunkServer(reply({"code": 0})) as http,
        client("sync", http.url) as coze,
        pytest.raises(ArgumentError, match=f"{argument}: the text is not valid Unicode") as caught,
    ):
        send(coze)
    assert caught.value.argument == argument
    assert not http.requests


@each_kind
def test_tools_get_and_return_it_and_may_fail_with_it(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "cozekit")  # reports of tests cannot hold it

    def echo(text: str) -> dict[str, str]:
        return {"echo": text}

    def fail() -> None:
        raise OSError(f"no file {HALF}")

    calls = [call("echo", r'{"text": "\ud83d"}', "1"), call("fail", "{}", "2")]
    with (
        ChunkServer(asks(*calls), answers("ok")) as http,
        client(kind, http.url) as coze,
    ):
        coze.chat.run(**ASK, tools={"echo": echo, "fail": fail})
    found = outputs(http.requests[1])
    assert json.loads(found["1"]) == {"echo": HALF}
    assert json.loads(found["2"]) == {"error": f"OSError: no file {HALF}"}


# ---- sockets, calls and callbacks


def test_messages_of_a_call_keep_it() -> None:
    parsed = rtc.parse(rb'{"event_type":"conversation.message.delta","data":{"content":"\ud83d"}}')
    assert isinstance(parsed, models.RtcConversationMessageDeltaEvent)
    assert parsed.data is not None
    assert parsed.data.content == HALF
    assert json.loads(rtc.encode(parsed))["data"]["content"] == HALF


def test_a_callback_keeps_it() -> None:
    body = rb'{"header":{"event_type":"new","event_id":"1"},"event":{"name":"\ud83d"}}'
    parsed = webhooks.parse(body)
    assert isinstance(parsed, webhooks.UnknownEvent)
    assert parsed.event == {"name": HALF}
