"""The loops of `chat.run`, `run_interactive` and `create_and_poll(answer=)`: their limits hold in
every round, and every error tells where the work can be found again; streamed and polled, sync and
async.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cozekit import AsyncCoze, ChatFailed, Coze
from cozekit.errors import (
    APIConnectionError,
    APITimeoutError,
    ArgumentError,
    CozeError,
    PollTimeout,
    ServerError,
    StreamInterrupted,
    StreamTimeout,
    ToolFailed,
    TooManyRounds,
)
from cozekit_emulator import Emulator, workflows
from tests.overlays.chunk_server import (
    LOGID,
    Abort,
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Script,
    Send,
    reply,
    stream,
)
from tests.overlays.either import client, each_kind, local, server
from tests.overlays.test_stream_limits import TRIES
from tests.overlays.wire import (
    ASK,
    BOT,
    CHAT_ID,
    CONVERSATION_ID,
    DONE,
    RUN,
    at_once,
    chat,
    event,
    node,
)

__all__ = ["local", "server"]

LONG = 60.0
"""Seconds that nothing here takes when the limits hold."""
CALLS = {
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "tool", "arguments": "{}"}}
    ]
}
WAITING = chat(
    "requires_action", required_action={"type": "submit_tool_outputs", "submit_tool_outputs": CALLS}
)
RUNNING = event("conversation.chat.in_progress", chat("in_progress"))
ASKS = stream(event("conversation.chat.requires_action", WAITING), DONE)
INTERRUPT = {"event_id": "8001/1", "type": 2, "data": ""}
INTERRUPTED = stream(event("Interrupt", {"interrupt_data": INTERRUPT, "node_title": "Ask"}, 0))


def data(found: object) -> Any:
    return reply({"code": 0, "data": found})


HISTORY = data([{"execute_id": "8001", "execute_status": "Running", "interrupt_data": INTERRUPT}])

OTHER_CALLS = {"tool_calls": [{**CALLS["tool_calls"][0], "id": "call_2"}]}
OTHER = chat(
    "requires_action",
    required_action={"type": "submit_tool_outputs", "submit_tool_outputs": OTHER_CALLS},
)


@dataclass
class Form:
    """One form of a loop."""

    scripts: list[Script]
    """The answers up to the step after the first round."""
    more: list[Script]
    """The answers to that step when the work then waits again."""
    act: Callable[[Any, Callable[..., Any], int], Any]
    """Runs the loop with a function and a number of rounds."""
    told: list[str]
    """What its errors tell."""


def chat_run(streamed: bool) -> Callable[[Any, Callable[..., Any], int], Any]:
    def act(coze: Any, tool: Callable[..., Any], rounds: int) -> Any:
        more: dict[str, Any] = {} if streamed else {"stream": False, "poll_interval": 0}
        return coze.chat.run(
            **ASK, tools={"tool": tool}, on_tool_error="raise", max_rounds=rounds, **more
        )

    return act


def workflow_run(method: str, **more: Any) -> Callable[[Any, Callable[..., Any], int], Any]:
    def act(coze: Any, answer: Callable[..., Any], rounds: int) -> Any:
        return getattr(coze.workflows.runs, method)(
            **RUN, answer=answer, max_resumes=rounds, **more
        )

    return act


CHAT_IDS = [f"chat_id {CHAT_ID}", f"conversation_id {CONVERSATION_ID}"]
EVENT = ["workflow_id w1", "event_id 8001/1", "interrupt_type 2"]
BEGUN = reply({"code": 0, "execute_id": "8001"})
AWAITED = reply({"code": 0, "execute_id": "8001", "interrupt_data": INTERRUPT})
FORMS = {
    "chat.run streamed": Form([ASKS], [ASKS], chat_run(True), CHAT_IDS),
    "chat.run polled": Form(
        [data(WAITING), data([])],
        [data(chat("in_progress")), data(OTHER), data([])],
        chat_run(False),
        CHAT_IDS,
    ),
    "run_interactive streamed": Form(
        [INTERRUPTED], [INTERRUPTED], workflow_run("run_interactive"), EVENT
    ),
    "run_interactive awaited": Form(
        [AWAITED],
        [AWAITED],
        workflow_run("run_interactive", stream=False),
        ["execute_id 8001", *EVENT],
    ),
    "create_and_poll": Form(
        [BEGUN, HISTORY],
        [BEGUN, HISTORY],
        workflow_run("create_and_poll", poll_interval=0),
        ["execute_id 8001", *EVENT],
    ),
}
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
FAILURES: dict[str, tuple[Script, type[CozeError]]] = {
    "503": (reply({"code": 5000, "msg": "down"}, 503), ServerError),
    "cut": ([Abort()], APIConnectionError),
    "timeout": ([KeepOpen()], APITimeoutError),
}


def told(error: BaseException) -> str:
    """Everything that a traceback shows of an error."""
    return "\n".join([str(error), *getattr(error, "__notes__", [])])


def fine(*_: Any) -> str:
    return "x"


def fails(
    kind: str,
    form: Form,
    last: Script,
    error: type[BaseException],
    function: Callable[..., Any] = fine,
) -> Any:
    """The error of a loop whose second step is answered by a script, or whose function raises
    before it.
    """
    steps = len(form.scripts) + (function is fine)
    for seconds in TRIES if error is APITimeoutError else [LONG]:
        with (
            ChunkServer(*form.scripts, last) as http,
            client(kind, http.url, timeout=seconds) as coze,
            pytest.raises(error) as caught,
        ):
            form.act(coze, function, 3)
        if len(http.requests) == steps:
            break  # and no earlier step has timed out on a busy machine
    assert len(http.requests) == steps
    return caught.value


# ---- where the work can be found again


@each_kind
@each_form
@pytest.mark.parametrize(("last", "error"), FAILURES.values(), ids=FAILURES)
def test_a_step_that_fails_after_the_first_round_tells_the_ids(
    kind: str, form: Form, last: Script, error: type[CozeError]
) -> None:
    found = fails(kind, form, last, error)
    assert type(found) is error
    assert [said for said in form.told if said not in told(found)] == []


@each_kind
@each_form
def test_an_exception_of_the_programs_own_function_tells_the_ids_and_stays_what_it_is(
    kind: str, form: Form
) -> None:
    mine = ZeroDivisionError("mine")

    def broken(*_: Any) -> str:
        raise mine

    found = fails(kind, form, [Close()], Exception, broken)
    assert (found.__cause__ if isinstance(found, ToolFailed) else found) is mine
    assert [said for said in form.told if said not in told(found)] == []


@each_kind
@pytest.mark.parametrize("name", ["chat.run streamed", "run_interactive streamed"])
def test_a_stream_that_is_cut_after_the_first_round_tells_the_ids(kind: str, name: str) -> None:
    form = FORMS[name]
    first = RUNNING if name.startswith("chat") else event("Message", node("half", 0), 0)
    found = fails(kind, form, [Head(), Send(first), Close()], StreamInterrupted)
    assert len(found.events) == 1
    assert [said for said in form.told if said not in told(found)] == []


@each_kind
def test_an_error_that_has_room_for_the_ids_gets_them(kind: str) -> None:
    found = fails(
        kind,
        FORMS["chat.run streamed"],
        stream(event("error", {"code": 5000, "msg": "no"}), DONE),
        ChatFailed,
    )
    assert (found.chat_id, found.conversation_id) == (CHAT_ID, CONVERSATION_ID)


@each_kind
def test_ids_that_an_error_tells_anyhow_are_not_told_twice(kind: str) -> None:
    def broken() -> str:
        raise LookupError

    found = fails(kind, FORMS["chat.run polled"], [Close()], ToolFailed, broken)
    assert told(found).count(CHAT_ID) == 1


def test_what_is_told_outlives_pickling_and_copying() -> None:
    found = fails("sync", FORMS["chat.run streamed"], [Abort()], APIConnectionError)
    for again in (pickle.loads(pickle.dumps(found)), copy.copy(found)):
        assert told(again) == told(found)


@each_form
def test_ctrl_c_tells_the_ids(form: Form) -> None:
    def stop(*_: Any) -> str:
        raise KeyboardInterrupt

    found = fails("sync", form, [Close()], KeyboardInterrupt, stop)
    assert [said for said in form.told if said not in told(found)] == []


def test_an_exception_that_takes_no_note_reaches_the_caller_as_it_is() -> None:
    @dataclass(frozen=True)
    class Frozen(Exception):
        reason: str

    def broken(*_: Any) -> str:
        raise Frozen("ice")

    form = FORMS["run_interactive awaited"]
    with (
        ChunkServer(*form.scripts) as http,
        Coze("t", base_url=http.url) as coze,
        pytest.raises(Frozen, match="ice"),
    ):
        form.act(coze, broken, 3)


@each_kind
@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "awaited"])
def test_an_answer_that_json_cannot_hold_tells_the_ids(kind: str, streamed: bool) -> None:
    form = FORMS[f"run_interactive {'streamed' if streamed else 'awaited'}"]
    with (
        ChunkServer(*form.scripts) as http,
        client(kind, http.url) as coze,
        pytest.raises(TypeError, match="cannot be written as JSON") as caught,
    ):
        form.act(coze, lambda _: object(), 3)
    assert "event_id 8001/1" in told(caught.value)


def test_an_async_answer_is_refused_by_the_sync_client_before_an_asynchronous_run_begins(
    local: Emulator,
) -> None:
    async def answer(_: Any) -> str:
        return ""

    with (
        Coze(local.token, base_url=local.base_url) as coze,
        pytest.raises(ArgumentError, match="answer is an async function"),
    ):
        coze.workflows.runs.create_and_poll(workflow_id=workflows.INTERRUPTING, answer=answer)
    assert not local.requests


@pytest.mark.parametrize("method", ["run_interactive", "create_and_poll"])
async def test_a_missing_workflow_id_is_a_type_error(method: str) -> None:
    with (
        Coze("t", base_url="http://127.0.0.1:1") as coze,
        pytest.raises(TypeError, match="workflow_id"),
    ):
        getattr(coze.workflows.runs, method)(answer=str)
    async with AsyncCoze("t", base_url="http://127.0.0.1:1") as parallel:
        with pytest.raises(TypeError, match="workflow_id"):
            await getattr(parallel.workflows.runs, method)(answer=str)


# ---- too many rounds


@each_kind
@each_form
def test_a_loop_that_is_not_over_after_its_rounds_tells_ids_and_log_id(
    kind: str, form: Form
) -> None:
    with (
        ChunkServer(*form.scripts, *form.more) as http,
        client(kind, http.url) as coze,
        pytest.raises(TooManyRounds) as caught,
    ):
        form.act(coze, fine, 1)
    error = caught.value
    assert error.rounds == 1
    assert [said for said in form.told if said not in str(error)] == []
    assert (error.logid, f"logid {LOGID}" in str(error)) == (LOGID, True)
    assert len(http.requests) == len(form.scripts) + len(form.more)
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.logid, twin.rounds) == (str(error), LOGID, 1)


@each_kind
def test_no_round_at_all_hands_in_nothing_polled(kind: str) -> None:
    with (
        ChunkServer(data(WAITING), data([])) as http,
        client(kind, http.url) as coze,
        pytest.raises(TooManyRounds) as caught,
    ):
        coze.chat.run(
            **ASK, tools={"tool": lambda: "x"}, max_rounds=0, stream=False, poll_interval=0
        )
    assert (caught.value.rounds, len(http.requests)) == (0, 2)
    assert caught.value.result.tool_calls[0].id == "call_1"


@each_kind
@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "polled"])
def test_a_tool_that_fails_tells_the_log_id_of_the_chat(kind: str, streamed: bool) -> None:
    def broken() -> str:
        raise LookupError

    found = fails(
        kind,
        FORMS[f"chat.run {'streamed' if streamed else 'polled'}"],
        [Close()],
        ToolFailed,
        broken,
    )
    assert (found.logid, f"logid {LOGID}" in str(found)) == (LOGID, True)
    twin = pickle.loads(pickle.dumps(found))
    assert (twin.logid, twin.chat_id) == (LOGID, CHAT_ID)


# ---- limits of streams, in each round


LIMITS = {"idle_timeout": "no event for {:g} s", "deadline": "the deadline of {:g} s passed"}
each_limit = pytest.mark.parametrize(("limit", "problem"), LIMITS.items(), ids=LIMITS)
each_round = pytest.mark.parametrize("rounds", [0, 1], ids=["first round", "second round"])


@each_kind
@each_limit
@each_round
def test_the_limits_of_a_streamed_chat_hold_in_each_round(
    kind: str, limit: str, problem: str, rounds: int
) -> None:
    def chat(coze: Any, **limits: float) -> None:
        coze.chat.run(**ASK, tools={"tool": lambda: "x"}, **limits)

    scripts = [*[ASKS] * rounds, [Head(), Send(RUNNING), KeepOpen()]]
    events = events_before_the_limit(kind, chat, scripts, limit, problem)
    assert [item.event for item in events] == ["conversation.chat.in_progress"]


def events_before_the_limit(
    kind: str, call: Callable[..., None], scripts: list[Any], limit: str, problem: str
) -> list[Any]:
    """The events of the last round, which a limit ends; a busy machine may need a longer one until
    they have come.
    """
    for seconds in TRIES:
        with (
            ChunkServer(reply(BOT), *scripts) as http,
            client(kind, http.url, timeout=LONG) as coze,
        ):
            # So that the limits do not cover what the first call of a process loads.
            coze.bots.retrieve("b1")
            with pytest.raises(StreamTimeout, match=problem.format(seconds)) as caught:
                call(coze, **{limit: seconds})
        if len(http.requests) > len(scripts) and caught.value.events:
            break
    assert len(http.requests) == len(scripts) + 1
    return list(caught.value.events)


@each_kind
@each_limit
@each_round
def test_the_limits_of_a_streamed_run_hold_in_each_part(
    kind: str, limit: str, problem: str, rounds: int
) -> None:
    def run(coze: Any, **limits: float) -> None:
        coze.workflows.runs.run_interactive(**RUN, answer=lambda _: "x", **limits)

    last = [Head(), Send(event("Message", node("half", 0), 0)), KeepOpen()]
    events = events_before_the_limit(kind, run, [*[INTERRUPTED] * rounds, last], limit, problem)
    assert [item.event for item in events] == ["Message"]


# ---- limits of polls, in each round


@each_kind
def test_the_interval_of_a_polled_chat_holds_in_each_round(kind: str) -> None:
    policy, slept = at_once()
    answers = [
        chat("created"),
        chat("in_progress"),
        WAITING,
        [],
        chat("in_progress"),
        WAITING,
        chat("in_progress"),
        chat("completed"),
        [],
    ]
    with (
        ChunkServer(*map(data, answers)) as http,
        client(kind, http.url, max_retries=policy) as coze,
    ):
        result = coze.chat.run(**ASK, tools={"tool": lambda: "x"}, stream=False, poll_interval=2)
    assert result.chat.status == "completed"
    assert slept == [2, 3, 2, 3, 4.5]
    assert len(http.requests) == len(answers)


@each_kind
@each_round
def test_the_time_of_a_polled_chat_holds_in_each_round(kind: str, rounds: int) -> None:
    policy, slept = at_once()
    before = [data(WAITING), data([])] * rounds
    with (
        ChunkServer(*before, data(chat("in_progress"))) as http,
        client(kind, http.url, max_retries=policy) as coze,
        pytest.raises(PollTimeout, match="no outcome within 20 s") as caught,
    ):
        coze.chat.run(
            **ASK, tools={"tool": lambda: "x"}, stream=False, poll_timeout=20, poll_interval=4
        )
    assert slept[:3] == [4, 5, 5]
    assert sum(slept) == pytest.approx(20, abs=4)
    assert caught.value.ids == {"chat_id": CHAT_ID, "conversation_id": CONVERSATION_ID}
    assert len(http.requests) == len(before) + 1 + len(slept)
