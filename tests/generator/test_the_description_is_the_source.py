"""Nothing that the description says is written a second time: what is taken out of a copy of it is
gone from what users see, or what they see behaves otherwise.
"""

from __future__ import annotations

import copy
import json
import sys
import types
from functools import cache
from typing import Any

import pytest
from attrs import evolve

from coze_openapi.api.chat import create as create_chat
from coze_openapi.api.workflows_runs import stream as run_workflow
from coze_openapi.errors import SERVICE
from coze_runtime._http.prepared import PreparedRequest
from coze_runtime.errors import CozeError
from coze_runtime.loops.toolbox import Toolbox
from coze_runtime.streams.chat import ChatParser
from coze_runtime.streams.workflow import WorkflowParser
from coze_runtime.types import Timeout
from generator.compile.bundle import Bundle, Node, bundle
from generator.compile.emit import Compiled, compile_bundle, make
from generator.compile.methods import methods_of
from generator.compile.streams import (
    errors_context,
    events_context,
    kind_events,
    stream_context,
    stream_events_context,
)
from tests.generator.tiny import ROOT


@cache
def description() -> Bundle:
    return bundle(ROOT / "spec")


@cache
def compiled() -> Compiled:
    return compile_bundle(description())


def changed() -> Bundle:
    """A copy whose document may be changed; the files as written are shared."""
    return evolve(description(), document=copy.deepcopy(description().document))


def module(name: str, text: str) -> Any:
    """A generated module that exists in memory alone."""
    found = types.ModuleType(name)
    found.__package__ = name.rpartition(".")[0]
    exec(compile(text, name, "exec"), vars(found))
    return found


def events_module(spec: Bundle, kind: str) -> Any:
    context = stream_events_context(spec, kind)
    return module(f"coze_openapi.events.{kind}", make("stream_events.py.jinja", **context))


def stream_module(spec: Bundle, kind: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import coze_openapi.events as package

    __import__(f"coze_openapi.events.{kind}")
    events = events_module(spec, kind)
    monkeypatch.setattr(package, kind, events)
    monkeypatch.setitem(sys.modules, f"coze_openapi.events.{kind}", events)
    context = stream_context(spec, kind)
    return module(f"coze_openapi.streams.{kind}", make(f"stream_{kind}.py.jinja", **context))


# ---- events of streams

KIND_EVENTS = [
    (kind, event.name)
    for kind in ("chat", "workflow")
    for event in kind_events(description(), kind)
]


@pytest.mark.parametrize(("kind", "name"), KIND_EVENTS)
def test_an_event_that_is_taken_out_has_no_class_any_more(kind: str, name: str) -> None:
    gone = next(event.cls for event in kind_events(description(), kind) if event.name == name)
    union = f"{kind.capitalize()}Event"
    before = events_module(description(), kind)
    assert hasattr(before, gone)
    spec = changed()
    for _, _, node in spec.operations():
        (node.get("x-coze-stream") or {}).get("events", {}).pop(name, None)
    after = events_module(spec, kind)
    assert not hasattr(after, gone)
    assert len(getattr(after, union).__args__) == len(getattr(before, union).__args__) - 1


# ---- roles and states: the same bytes add up to something else


def sse(name: str, data: str, id_: int | None = None) -> bytes:
    number = f"id: {id_}\n" if id_ is not None else ""
    return f"{number}event: {name}\ndata: {data}\n\n".encode()


CHAT = '{"id":"1","conversation_id":"2","status":"%s"%s}'
CALLS = (
    ',"required_action":{"submit_tool_outputs":{"tool_calls":'
    '[{"id":"c","type":"reply_message","function":{"name":"ask","arguments":"{}"}}]}}'
)
MESSAGE = '{"id":"3","role":"assistant","type":"%s","content":"%s"}'
DONE = sse("done", '"[DONE]"')
CHAT_STREAMS = {
    "created": sse("conversation.chat.created", CHAT % ("created", "")),
    "in_progress": sse("conversation.chat.in_progress", CHAT % ("in_progress", "")),
    "pieces": sse("conversation.message.delta", MESSAGE % ("answer", "a")),
    "messages": sse("conversation.message.completed", MESSAGE % ("answer", "a"))
    + sse("conversation.message.completed", MESSAGE % ("follow_up", "b")),
    "failed": sse("conversation.chat.failed", '{"id":"1","status":"failed"}') + DONE,
    "error": sse("error", '{"code":5000,"msg":"x"}') + DONE,
    "done": DONE + sse("conversation.message.delta", MESSAGE % ("answer", "late")),
    "stream done": sse("conversation.chat.completed", CHAT % ("completed", ""))
    + sse("conversation.stream.done", "{}")
    + sse("conversation.message.delta", MESSAGE % ("answer", "late")),
    "pause": sse(
        "conversation.message.completed",
        MESSAGE % ("verbose", json.dumps('{"msg_type":"interrupt","data":"{}"}')[1:-1]),
    )
    + sse("conversation.chat.completed", CHAT % ("in_progress", ""))
    + DONE,
    "requires_action": sse("conversation.chat.requires_action", CHAT % ("requires_action", CALLS))
    + sse("conversation.message.delta", MESSAGE % ("answer", "late")),
} | {
    f"ends {status}": sse("conversation.chat.completed", CHAT % (status, CALLS)) + DONE
    for status in ("completed", "failed", "canceled", "requires_action")
}
RUN_STREAMS = {
    "message": sse("Message", '{"content":"a","node_title":"n","node_seq_id":"0"}', 0),
    "holes": sse("Message", '{"content":"a","node_title":"n","node_seq_id":"0"}', 0)
    + sse("Message", '{"content":"a","node_title":"n","node_seq_id":"3"}', 1),
    "interrupt": sse(
        "Interrupt", '{"interrupt_data":{"event_id":"e","type":2},"node_title":"n"}', 0
    )
    + sse("Message", '{"content":"late"}', 1),
    "error": sse("Error", '{"error_code":5000,"error_message":"x"}', 0)
    + sse("Message", '{"content":"late"}', 1),
    "done": sse("Done", '{"debug_url":"u"}', 0) + sse("Message", '{"content":"late"}', 1),
    "ping": sse("ping", "{}", 0),
}


def prepared(operation: Any) -> PreparedRequest:
    return PreparedRequest(
        operation.OPERATION, "u", "b", {}, None, None, None, Timeout(), None, SERVICE
    )


def read(parser: Any, body: bytes, operation: Any) -> list[Any]:
    """What a user sees of a stream: its events, its error, and whether it has ended."""
    parser.request = prepared(operation).info
    seen: list[Any] = []
    parser.push(body)
    try:
        for event in parser.take():
            seen.append((event.event, type(event).__name__, event.message is None))
    except CozeError as error:
        seen.append((type(error).__name__, getattr(error, "chat_id", None)))
    return [*seen, parser.ended]


def chat_facts(streams: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, body in CHAT_STREAMS.items():
        parser = ChatParser(streams.SPEC, {})
        seen = read(parser, body, create_chat)
        chat = parser.chat
        result: Any = None
        try:
            result = parser.result(streams.ChatResult)
            facts = [result.answer, result.follow_ups, len(result.tool_calls)]
            if result.tool_calls:
                facts.append(tools_of(streams.SPEC, result.chat))
        except CozeError as error:
            facts = [type(error).__name__]
        messages = streams.ChatResult(chat=chat, messages=parser.messages)
        found[name] = [
            *seen,
            parser.pieces,
            len(parser.messages),
            chat and chat.status,
            messages.answer,
            messages.follow_ups,
            facts,
        ]
    return found


def tools_of(spec: Any, chat: Any) -> str:
    """What becomes of a question to the user for which there is no tool."""
    try:
        return str(Toolbox({}, "report", spec).outputs(chat))
    except CozeError as error:
        return type(error).__name__


def run_facts(streams: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, body in RUN_STREAMS.items():
        parser = WorkflowParser(streams.SPEC, {})
        seen = read(parser, body, run_workflow)
        result = parser.result(streams.WorkflowResult)
        found[name] = [
            *seen,
            parser.pieces,
            result.debug_url,
            result.interruption is not None,
            [node.text for node in result.nodes],
        ]
    return found


FACTS = {"chat": chat_facts, "workflow": run_facts}


def parts(about: Node) -> list[tuple[str, ...]]:
    """Every entry of every list in the description of a kind."""
    found = [("roles", role, name) for role, names in about["roles"].items() for name in names]
    for key in ("settled", "waiting", "questions"):
        found += [(key, name) for name in about.get(key) or ()]
    for key, names in (about.get("message_types") or {}).items():
        found += [("message_types", key, name) for name in names]
    return found


PARTS = [
    (kind, part)
    for kind, about in description().document["x-coze-stream-kinds"].items()
    for part in parts(about)
]


@pytest.mark.parametrize(
    ("kind", "part"),
    PARTS,
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_a_role_or_state_that_is_taken_out_changes_what_a_stream_adds_up_to(
    kind: str, part: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = FACTS[kind](stream_module(description(), kind, monkeypatch))
    spec = changed()
    holder: Any = spec.document["x-coze-stream-kinds"][kind]
    for step in part[:-1]:
        holder = holder[step]
    holder.remove(part[-1])
    after = FACTS[kind](stream_module(spec, kind, monkeypatch))
    assert after != before


@pytest.mark.parametrize("name", list(description().document["x-coze-error-classes"]))
def test_an_error_class_that_is_taken_out_is_gone(name: str) -> None:
    spec = changed()
    del spec.document["x-coze-error-classes"][name]
    assert f"class {name}(" in make("errors.py.jinja", **errors_context(description(), ""))
    assert f"class {name}(" not in make("errors.py.jinja", **errors_context(spec, ""))


# ---- sockets, calls, callbacks

TABLES: dict[str, Node] = description().document["x-coze-events"]
TABLE_EVENTS = [
    (stem, key, name)
    for stem, table in TABLES.items()
    for key in ("send", "receive", "events")
    for name in table.get(key) or ()
]
UNIONS = {"send": "Sent", "receive": "Received", "events": "Delivered"}
NAMES = {"send": "SEND", "receive": "RECEIVE", "events": "EVENTS"}


def table_module(spec: Bundle, stem: str) -> Any:
    context = events_context(spec, stem, spec.document["x-coze-events"][stem])
    return module(f"coze_openapi.events.{stem}", make("events.py.jinja", **context))


@pytest.mark.parametrize(("stem", "key", "name"), TABLE_EVENTS)
def test_an_event_that_is_taken_out_of_a_table_is_gone_from_its_union(
    stem: str, key: str, name: str
) -> None:
    before, spec = table_module(description(), stem), changed()
    del spec.document["x-coze-events"][stem][key][name]
    after = table_module(spec, stem)
    model = getattr(before, NAMES[key])[name]
    assert name not in getattr(after, NAMES[key])
    assert model in getattr(before, UNIONS[key]).__args__
    if model not in getattr(after, NAMES[key]).values():
        assert model not in getattr(after, UNIONS[key]).__args__


TERMINAL = [(stem, name) for stem, table in TABLES.items() for name in table.get("terminal") or ()]


@pytest.mark.parametrize(("stem", "name"), TERMINAL)
def test_a_terminal_event_of_a_socket_comes_out_of_the_description(stem: str, name: str) -> None:
    before, spec = table_module(description(), stem), changed()
    spec.document["x-coze-events"][stem]["terminal"].remove(name)
    after = table_module(spec, stem)
    assert before.SOCKET.terminal - after.SOCKET.terminal == {name}


@pytest.mark.parametrize("name", list(TABLES["rtc"]["aliases"]))
def test_an_alias_of_an_event_comes_out_of_the_description(name: str) -> None:
    spec = changed()
    del spec.document["x-coze-events"]["rtc"]["aliases"][name]
    assert name in table_module(description(), "rtc").ALIASES
    assert name not in getattr(table_module(spec, "rtc"), "ALIASES", {})


# ---- methods

METHODS = [
    (op.id, key, name)
    for op in compiled().operations
    for key, name in [
        *(
            [("x-coze-stream", op.stream["method"])]
            if op.stream and op.stream.get("switch")
            else []
        ),
        *(
            (part, op.waiter[part]["method"])
            for part in ("poll", "wait")
            if part in (op.waiter or {})
        ),
        *(("x-coze-helpers", name) for name in op.node.get("x-coze-helpers") or {}),
    ]
]


def test_streams_waiters_and_helpers_are_found() -> None:
    assert len(METHODS) >= 16


@pytest.mark.parametrize(("operation_id", "key", "name"), METHODS)
def test_a_stream_waiter_or_helper_that_is_taken_out_is_no_method_any_more(
    operation_id: str, key: str, name: str
) -> None:
    operations = {op.id: op for op in compiled().operations}
    op = operations[operation_id]
    node = copy.deepcopy(op.node)
    if key in ("poll", "wait"):
        del node["x-coze-waiter"][key]
    elif key == "x-coze-helpers":
        del node[key][name]
    else:
        del node[key]
    spec = compiled().bundle
    before = [method.name for method in methods_of(spec, op, operations)]
    after = [method.name for method in methods_of(spec, evolve(op, node=node), operations)]
    assert set(before) - set(after) == {name}
