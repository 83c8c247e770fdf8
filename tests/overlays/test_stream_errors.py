"""Failures keep what the stream has shown: ids, the text so far, the last events, the address of
the run; and one failure has one class, however it is told.
"""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from cozekit import ChatFailed, CozeError, NotFoundError, StreamError, WorkflowFailed
from cozekit.errors import APIError, StreamInterrupted, StreamTimeout
from cozekit_emulator import Emulator, workflows
from tests.overlays.chunk_server import (
    LOGID,
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Script,
    Send,
    Step,
    reply,
    stream,
)
from tests.overlays.either import client, coze, each_kind, local, server
from tests.overlays.test_every_stream import IDS, OUTPUTS, RESUME
from tests.overlays.wire import (
    ASK,
    CHAT_ID,
    CONVERSATION_ID,
    CREATED,
    HELLO,
    LO,
    RUN,
    chat,
    event,
    message,
    names,
    node,
)

__all__ = ["coze", "local", "server"]

CHATFLOW: dict[str, Any] = {"workflow_id": "w1", "additional_messages": [], "parameters": {}}
DELTA = "conversation.message.delta"
WITH_IDS = event(DELTA, {**message("Hel"), "conversation_id": CONVERSATION_ID})
FAILED = chat("failed", last_error={"code": 5000, "msg": "model"})
BREAKS: dict[str, tuple[type[CozeError], list[Step]]] = {
    "cut": (StreamInterrupted, [Close()]),
    "body ended": (StreamInterrupted, []),
    "silent": (StreamTimeout, [KeepOpen()]),
    "not JSON": (StreamError, [Send(event(DELTA, "{broken"))]),
    "failed": (ChatFailed, [Send(event("conversation.chat.failed", FAILED))]),
    "failed without ids": (
        ChatFailed,
        [Send(event("conversation.chat.failed", {"code": 5000, "msg": "model"}))],
    ),
    "error": (ChatFailed, [Send(event("error", {"code": "5000", "msg": "model"}))]),
}
each_break = pytest.mark.parametrize(("error", "last"), BREAKS.values(), ids=BREAKS)
SEEN = {"state": CREATED + HELLO, "messages alone": WITH_IDS}
each_seen = pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)


def failure(kind: str, ask: Any, script: Script, error: type[CozeError], **how: Any) -> Any:
    """The error of a call that is answered by a script, after pickling."""
    with (
        ChunkServer(script) as server,
        client(kind, server.url, max_retries=0, **how) as coze,
        pytest.raises(error) as caught,
    ):
        ask(coze)
    assert type(caught.value) is error
    return pickle.loads(pickle.dumps(caught.value))


@each_kind
@each_break
@each_seen
def test_an_error_of_a_chat_stream_has_its_ids_and_the_answer_so_far(
    kind: str, error: type[CozeError], last: list[Step], seen: bytes
) -> None:
    found = failure(
        kind,
        lambda coze: coze.chat.stream(**ASK).until_done(),
        [Head(), Send(seen), Send(LO), *last],
        error,
        timeout=0.3,
    )
    assert (found.chat_id, found.conversation_id) == (CHAT_ID, CONVERSATION_ID)
    assert f"chat_id {CHAT_ID}, conversation_id {CONVERSATION_ID}" in str(found)
    assert found.text == "Hello"
    assert found.logid == LOGID


@each_kind
def test_a_stream_that_breaks_before_its_first_event_has_the_ids_of_its_request(kind: str) -> None:
    found = failure(
        kind,
        lambda coze: list(coze.chat.submit_tool_outputs_stream(**IDS, tool_outputs=OUTPUTS)),
        [Head(), Close()],
        StreamInterrupted,
    )
    assert (found.chat_id, found.conversation_id) == (CHAT_ID, CONVERSATION_ID)


@each_kind
def test_an_error_does_not_name_what_it_does_not_know(kind: str) -> None:
    script = [Head(headers={"x-tt-logid": None}), Close()]
    for ask in (
        lambda coze: list(coze.chat.stream(**ASK)),
        lambda coze: list(coze.workflows.runs.stream(**RUN)),
    ):
        found = failure(kind, ask, script, StreamInterrupted)
        assert (found.chat_id, found.conversation_id, found.execute_id) == (None, None, None)
        assert "None" not in str(found)


@each_kind
def test_an_error_has_the_last_events_and_all_of_the_text(kind: str) -> None:
    pieces = [event(DELTA, message(f"{number} ")) for number in range(600)]
    script = [Head(), Send(CREATED + b"".join(pieces)), Close()]
    text = "".join(f"{number} " for number in range(600))
    for how, count in (({}, 20), ({"keep_events": True}, 601)):
        found = failure(
            kind,
            lambda coze, how=how: coze.chat.stream(**ASK, **how).until_done(),
            script,
            StreamInterrupted,
        )
        assert found.text == text
        assert names(found.events)[-20:] == [DELTA] * 20
        assert (found.events[-1].message.content, len(found.events)) == ("599 ", count)


URL = "https://www.coze.cn/work_flow?space_id=1&execute_id=7355608&workflow_id=2"
NO_RUN = "https://www.coze.cn/work_flow?execute_id=0&space_id=0"
MESSAGE = event("Message", node("half", 0), 0)


@each_kind
def test_a_failed_run_has_its_address_its_id_and_the_output_so_far(kind: str) -> None:
    last = {"error_code": "5000", "error_message": "model", "debug_url": URL}
    found = failure(
        kind,
        lambda coze: coze.workflows.runs.stream(**RUN).until_done(),
        stream(MESSAGE, event("Error", last, 1)),
        WorkflowFailed,
    )
    assert (found.code, found.msg, found.http_status, found.logid) == (5000, "model", 200, LOGID)
    assert (found.debug_url, found.execute_id, found.text) == (URL, "7355608", "half")
    assert "execute_id 7355608" in str(found)


@each_kind
def test_a_resumed_run_that_breaks_has_the_id_of_its_interruption(kind: str) -> None:
    found = failure(
        kind,
        lambda coze: coze.workflows.runs.stream_resume(
            **{**RESUME, "event_id": "7355608/1"}
        ).until_done(),
        [Head(), Send(MESSAGE), Close()],
        StreamInterrupted,
    )
    assert (found.execute_id, found.text) == ("7355608", "half")


@each_kind
def test_the_result_of_a_streamed_run_has_its_id_interrupted_or_not(kind: str) -> None:
    interrupted = {"interrupt_data": {"event_id": "7355608/1", "type": 2}, "debug_url": URL}
    scripts = stream(event("Done", {"debug_url": URL}, 0)), stream(event("Interrupt", interrupted))
    with ChunkServer(*scripts) as server, client(kind, server.url) as coze:
        for _ in scripts:
            result = coze.workflows.runs.stream(**RUN).until_done()
            assert (result.debug_url, result.execute_id) == (URL, "7355608")


# ---- one failure, one class

CODE = 720701013
ENVELOPE = reply({"code": CODE, "msg": "panic", "debug_url": NO_RUN})
NAMED = reply({"code": 4000, "msg": "panic", "debug_url": URL})
RUNS: dict[str, Any] = {
    "create": lambda coze: coze.workflows.runs.create(**RUN),
    "resume": lambda coze: coze.workflows.runs.resume(**RESUME),
    "stream": lambda coze: coze.workflows.runs.stream(**RUN).until_done(),
    "stream_resume": lambda coze: coze.workflows.runs.stream_resume(**RESUME).until_done(),
    "run_interactive": lambda coze: coze.workflows.runs.run_interactive(**RUN, answer=str),
}
CHATS: dict[str, Any] = {
    "chat.create": lambda coze: coze.chat.create(**ASK),
    "chat.stream": lambda coze: coze.chat.stream(**ASK).until_done(),
    "chatflow": lambda coze: coze.workflows.chat.stream(**CHATFLOW).until_done(),
}
ASKED = {
    **{name: (ask, WorkflowFailed) for name, ask in RUNS.items()},
    **{name: (ask, ChatFailed) for name, ask in CHATS.items()},
}
each_asked = pytest.mark.parametrize(("ask", "error"), ASKED.values(), ids=ASKED)


@each_kind
@each_asked
@pytest.mark.parametrize(
    ("script", "code"), [(ENVELOPE, CODE), (NAMED, 4000)], ids=["by its code", "by its run"]
)
def test_a_failed_run_in_an_envelope_is_of_the_class_of_a_failed_stream(
    kind: str, ask: Any, error: type[APIError], script: Script, code: int
) -> None:
    found = failure(kind, ask, script, error)
    assert (found.code, found.msg, found.http_status, found.logid) == (code, "panic", 200, LOGID)
    if error is WorkflowFailed:
        assert found.execute_id == (None if code == CODE else "7355608")


@each_kind
@each_asked
def test_a_refusal_before_a_run_begins_keeps_its_class(
    kind: str, ask: Any, error: type[APIError]
) -> None:
    refusal = reply({"code": 4200, "msg": "not published", "debug_url": NO_RUN})
    assert failure(kind, ask, refusal, NotFoundError).code == 4200


@pytest.mark.parametrize("method", ["create", "stream"])
def test_the_local_coze_fails_a_run_in_the_same_class(
    coze: Any, local: Emulator, method: str
) -> None:
    with pytest.raises(WorkflowFailed) as caught:
        found = getattr(coze.workflows.runs, method)(workflow_id=workflows.FAILING)
        found.until_done()
    assert caught.value.code == 5000


# ---- the question of an interruption

QUESTIONS: dict[str, tuple[list[object], dict[str, Any]]] = {
    "output of the named node": ([node("Where?", 0, title="Ask")], {"node_title": "Ask"}),
    "message before": ([node("Where?", 0, title="Ask")], {}),
    "message before of another name": (
        [node("Where?", 0, title="Ask")],
        {"node_title": "Question"},
    ),
    "data, plain": ([], {"data": "Where?"}),
    "data, as content": ([], {"data": '{"content_type":"text","content":"Where?"}'}),
    "data, as messages": ([], {"data": '{"messages":[{"type":"question","content":"Where?"}]}'}),
    "message before, as messages": (
        [node('{"messages":[{"type":"question","content":"Where?"}]}', 0, title="Ask")],
        {"data": '{"messages":[{"type":"question","content":"Where?"}]}'},
    ),
    "data and another message before": ([node("Hello", 0)], {"data": "Where?"}),
}


@each_kind
@pytest.mark.parametrize(("before", "about"), QUESTIONS.values(), ids=QUESTIONS)
def test_the_question_of_an_interruption_is_found_where_it_stands(
    kind: str, before: list[object], about: dict[str, Any]
) -> None:
    data = {
        "interrupt_data": {"event_id": "1/1", "type": 2, "data": about.get("data", "")},
        "node_title": about.get("node_title"),
    }
    script = stream(*(event("Message", piece) for piece in before), event("Interrupt", data))
    with ChunkServer(script) as server, client(kind, server.url) as coze:
        result = coze.workflows.runs.stream(**RUN).until_done()
    assert result.interruption.question == "Where?"


@each_kind
def test_the_question_of_an_awaited_run_is_in_its_data(kind: str) -> None:
    interrupted = {"event_id": "1/1", "type": 2, "data": '{"content":"Where?"}'}
    script = reply({"code": 0, "execute_id": "1", "interrupt_data": interrupted})
    asked: list[str] = []
    with ChunkServer(script) as server, client(kind, server.url) as coze:
        coze.workflows.runs.run_interactive(
            **RUN, answer=lambda it: asked.append(it.question), stream=False
        )
    assert asked == ["Where?"]
