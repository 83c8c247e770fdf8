"""Interrupted workflow runs: answered until they end, streamed, awaited and polled, sync and async;
and what results add up to.
"""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from coze_openapi.streams.workflow import Interruption
from cozekit import ArgumentError, AsyncCoze, Coze, RetryPolicy, WorkflowFailed
from cozekit.errors import StreamInterrupted, TooManyRounds
from cozekit_emulator import Emulator, workflows
from tests.overlays.chunk_server import LOGID, ChunkServer, reply, stream
from tests.overlays.either import client, coze, each_kind, local, sent_to, server, ways
from tests.overlays.wire import FLOW, RUN

__all__ = ["coze", "local", "server"]

ASKING: dict[str, Any] = {"workflow_id": workflows.INTERRUPTING}
STREAMED = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "awaited"])


def event(number: int, name: str, data: object) -> bytes:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def message(number: int, content: str, **fields: Any) -> bytes:
    return event(
        number,
        "Message",
        {
            "content": content,
            "node_is_finish": True,
            "node_seq_id": "0",
            "node_title": "Output",
            **fields,
        },
    )


def interrupt(number: int, event_id: str = "7001/1") -> bytes:
    return event(
        number,
        "Interrupt",
        {"interrupt_data": {"event_id": event_id, "type": 2, "data": ""}, "node_title": "Ask"},
    )


@STREAMED
@ways("way")
def test_what_a_run_asks_is_answered_and_the_run_goes_on_to_its_end(
    coze: Any, local: Emulator, streamed: bool, way: str
) -> None:
    asked: list[Interruption] = []

    def answer(interruption: Interruption) -> str:
        asked.append(interruption)
        return "杭州"

    async def answer_async(interruption: Interruption) -> str:
        await anyio.lowlevel.checkpoint()
        return answer(interruption)

    asynchronous = way == "async" and not isinstance(coze, Coze)
    result = coze.workflows.runs.run_interactive(
        **ASKING, answer=answer_async if asynchronous else answer, stream=streamed
    )
    assert result.output == '{"output":"好的，杭州 ☀️"}'
    assert result.interruption is None
    assert "execute_id" in result.debug_url
    assert [(item.number, item.type, list(item.required_parameters)) for item in asked] == [
        (1, 2, ["answer"])
    ]
    assert (
        sent_to(local, "workflows_runs_stream_resume" if streamed else "workflows_runs_resume") == 1
    )


def test_a_streamed_run_tells_the_question_and_the_text_of_each_node(coze: Any) -> None:
    questions = []
    result = coze.workflows.runs.run_interactive(
        **ASKING, answer=lambda it: questions.append(it.question) or "杭州"
    )
    assert questions == [workflows.QUESTION]
    assert result.texts == {
        "问答": workflows.QUESTION,
        "输出": "正在处理你的请求 🚀",
        "End": '{"output":"好的，杭州 ☀️"}',
    }
    assert all(node.is_finished and node.node_execute_uuid for node in result.nodes)
    assert result.usage.token_count > 0


@STREAMED
def test_an_answer_that_does_not_fit_is_asked_again_with_its_number(
    coze: Any, streamed: bool
) -> None:
    numbers = []
    answers = ["  ", "北京"]

    def answer(interruption: Interruption) -> str:
        numbers.append(interruption.number)
        return answers.pop(0)

    result = coze.workflows.runs.run_interactive(**ASKING, answer=answer, stream=streamed)
    assert numbers == [1, 2]
    assert "北京" in result.output


@STREAMED
def test_a_third_answer_that_does_not_fit_fails_the_run(
    coze: Any, local: Emulator, streamed: bool
) -> None:
    with pytest.raises(Exception, match="the question was not answered") as caught:
        coze.workflows.runs.run_interactive(**ASKING, answer=lambda _: " ", stream=streamed)
    assert caught.value.code == 4000
    assert (
        sent_to(local, "workflows_runs_stream_resume" if streamed else "workflows_runs_resume") == 3
    )


@STREAMED
def test_more_interruptions_than_allowed_raise_with_what_came(coze: Any, streamed: bool) -> None:
    with pytest.raises(TooManyRounds, match="interrupted again after 1 resumes") as caught:
        coze.workflows.runs.run_interactive(
            **ASKING, answer=lambda _: " ", max_resumes=1, stream=streamed
        )
    assert caught.value.rounds == 1
    assert caught.value.result.interruption.event_id.endswith("/2")


@each_kind
@STREAMED
def test_a_run_may_ask_more_often_than_three_times(kind: str, streamed: bool) -> None:
    interrupted = {"event_id": "7001/1", "type": 2, "data": ""}
    ask = stream(interrupt(0)) if streamed else reply({"code": 0, "interrupt_data": interrupted})
    end = stream(event(0, "Done", {})) if streamed else reply({"code": 0, "data": "end"})
    numbers: list[int] = []
    with ChunkServer(*[ask] * 8, end) as http, client(kind, http.url) as coze:
        result = coze.workflows.runs.run_interactive(
            **RUN, answer=lambda it: numbers.append(it.number) or "x", stream=streamed
        )
    assert result.interruption is None
    assert numbers == list(range(1, 9))


@each_kind
@STREAMED
def test_a_run_that_never_stops_asking_ends_in_an_error_with_the_number(
    kind: str, streamed: bool
) -> None:
    interrupted = {"event_id": "7001/1", "type": 2, "data": ""}
    ask = stream(interrupt(0)) if streamed else reply({"code": 0, "interrupt_data": interrupted})
    with (
        ChunkServer(ask) as http,
        client(kind, http.url) as coze,
        pytest.raises(TooManyRounds, match="after 20 resumes, the most that max_resumes allows"),
    ):
        coze.workflows.runs.run_interactive(**RUN, answer=lambda _: "x", stream=streamed)
    assert len(http.requests) == 21


@STREAMED
def test_no_answer_leaves_the_run_waiting(coze: Any, local: Emulator, streamed: bool) -> None:
    result = coze.workflows.runs.run_interactive(**ASKING, answer=lambda _: None, stream=streamed)
    assert result.interruption.type == 2
    assert (
        sent_to(local, "workflows_runs_stream_resume") + sent_to(local, "workflows_runs_resume")
        == 0
    )


@STREAMED
def test_an_answer_that_is_no_text_is_sent_as_json(
    coze: Any, local: Emulator, streamed: bool
) -> None:
    coze.workflows.runs.run_interactive(
        **ASKING, answer=lambda _: {"file_id": "7"}, stream=streamed
    )
    assert json.loads(local.requests[-1].body)["resume_data"] == '{"file_id":"7"}'


@STREAMED
def test_a_run_that_asks_nothing_just_ends(coze: Any, streamed: bool) -> None:
    def answer(_: Interruption) -> str:
        raise AssertionError("nothing was asked")

    result = coze.workflows.runs.run_interactive(
        workflow_id=workflows.PLAIN, parameters={"a": 1}, answer=answer, stream=streamed
    )
    assert "a=1" in result.output


def test_a_run_that_fails_raises(coze: Any) -> None:
    with pytest.raises(WorkflowFailed, match="the workflow failed"):
        coze.workflows.runs.run_interactive(workflow_id=workflows.FAILING, answer=str)


def test_an_exception_of_the_answer_function_reaches_the_caller(coze: Any) -> None:
    def answer(_: Interruption) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        coze.workflows.runs.run_interactive(**ASKING, answer=answer)


def test_every_event_of_every_part_is_told(coze: Any) -> None:
    names: list[str] = []
    coze.workflows.runs.run_interactive(
        **ASKING, answer=lambda _: "x", on_event=lambda event: names.append(event.event)
    )
    assert names[1] == "Interrupt"
    assert names[-1] == "Done"


def test_events_can_be_told_by_name(coze: Any) -> None:
    titles: list[str] = []
    listener = {"Message": lambda event: titles.append(event.message.node_title)}
    coze.workflows.runs.run_interactive(workflow_id=workflows.SLOW, answer=str, on_event=listener)
    assert set(titles) == {"输出", "End"}


@pytest.mark.parametrize(
    ("wrong", "argument"),
    [({"max_resumes": -1}, "max_resumes"), ({"stream": False, "on_event": print}, "on_event")],
)
def test_arguments_that_cannot_work_are_refused_before_any_request(
    coze: Any, local: Emulator, wrong: Any, argument: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        coze.workflows.runs.run_interactive(**ASKING, answer=str, **wrong)
    assert caught.value.argument == argument
    assert not local.requests


def test_the_sync_client_refuses_an_async_answer_before_any_request(local: Emulator) -> None:
    async def answer(_: Interruption) -> str:
        return ""

    with (
        Coze(local.token, base_url=local.base_url) as coze,
        pytest.raises(ArgumentError, match="answer is an async function"),
    ):
        coze.workflows.runs.run_interactive(**ASKING, answer=answer)
    assert not local.requests


# ---- asynchronous runs


def test_an_asynchronous_run_that_waits_is_answered_and_goes_on(coze: Any) -> None:
    history = coze.workflows.runs.create_and_poll(
        **ASKING, answer=lambda _: "杭州", poll_interval=0
    )
    assert history.execute_status == "Success"
    assert "杭州" in history.output


def test_an_asynchronous_run_that_waits_comes_back_and_can_be_resumed(coze: Any) -> None:
    history = coze.workflows.runs.create_and_poll(**ASKING, poll_interval=0)
    waiting = history.interrupt_data
    assert (history.execute_status, waiting.type) == ("Running", 2)
    ids = {
        "workflow_id": workflows.INTERRUPTING,
        "event_id": waiting.event_id,
        "interrupt_type": waiting.type,
    }
    ended = coze.workflows.runs.resume_and_poll(**ids, resume_data="上海", poll_interval=0)
    assert ended.execute_status == "Success"
    assert ended.execute_id == history.execute_id


def test_an_asynchronous_run_is_interrupted_only_so_often(coze: Any) -> None:
    with pytest.raises(TooManyRounds) as caught:
        coze.workflows.runs.create_and_poll(
            **ASKING, answer=lambda _: " ", max_resumes=1, poll_interval=0
        )
    assert caught.value.result.interrupt_data.event_id.endswith("/2")


@each_kind
def test_empty_interrupt_data_are_no_interruption(kind: str) -> None:
    running = {
        "execute_id": "7",
        "execute_status": "Running",
        "interrupt_data": {"event_id": "", "type": 0},
    }
    ended = {
        "execute_id": "7",
        "execute_status": "Success",
        "interrupt_data": {"event_id": "", "type": 0},
        "output": "{}",
    }
    scripts = [
        reply({"code": 0, "execute_id": "7"}),
        reply({"code": 0, "data": [running]}),
        reply({"code": 0, "data": [ended]}),
    ]
    with ChunkServer(*scripts) as http, client(kind, http.url) as coze:
        assert (
            coze.workflows.runs.create_and_poll(workflow_id="w", answer=str, poll_interval=0).output
            == "{}"
        )


# ---- what results add up to


def test_the_text_of_a_stream_adds_up(coze: Any) -> None:
    opened = coze.workflows.runs.stream(workflow_id=workflows.PLAIN)
    pieces = list(opened.text_stream())
    assert "".join(pieces) == opened.text
    assert opened.result.output == pieces[-1]


async def test_async_text_streams_add_up(local: Emulator) -> None:
    async with AsyncCoze(local.token, base_url=local.base_url) as coze:
        opened = coze.workflows.runs.stream(workflow_id=workflows.PLAIN)
        pieces = [piece async for piece in opened.text_stream()]
        assert "".join(pieces) == opened.text
        async with coze.workflows.runs.stream(workflow_id=workflows.PLAIN) as left_early:
            async for piece in left_early.text_stream():
                assert piece == pieces[0]
                break


@each_kind
def test_pieces_are_joined_by_execution_and_a_node_that_runs_twice_counts_twice(kind: str) -> None:
    events = [
        message(0, "a", node_is_finish=False, node_execute_uuid="u1", node_seq_id="0"),
        message(1, "x", node_is_finish=False, node_execute_uuid="u2", node_seq_id="0"),
        message(2, "b", node_execute_uuid="u1", node_seq_id="1"),
        message(3, "y", node_execute_uuid="u2", node_seq_id="1"),
        message(4, "first", node_title="Plain"),
        message(5, "second", node_title="Plain"),
        event(6, "Done", {}),
    ]
    with ChunkServer(stream(*events)) as http, client(kind, http.url) as coze:
        result = coze.workflows.runs.stream(workflow_id="w").until_done()
    assert [(node.title, node.text) for node in result.nodes] == [
        ("Output", "ab"),
        ("Output", "xy"),
        ("Plain", "first"),
        ("Plain", "second"),
    ]
    assert result.texts == {"Output": "abxy", "Plain": "firstsecond"}
    assert result.output == "second"
    assert result.debug_url is None


@each_kind
def test_the_usage_of_all_parts_is_summed(kind: str) -> None:
    def usage(count: int) -> dict[str, Any]:
        return {"usage": {"token_count": count, "output_count": 1, "input_count": count - 1}}

    first = stream(message(0, "?", node_title="Ask", **usage(50)), interrupt(1))
    second = stream(
        message(0, "a", **usage(20)),
        message(1, "b", **usage(70)),
        event(2, "Done", {"debug_url": "https://x"}),
    )
    with ChunkServer(first, second) as http, client(kind, http.url) as coze:
        result = coze.workflows.runs.run_interactive(workflow_id="w", answer=lambda _: "!")
    assert (result.usage.token_count, result.usage.output_count, result.usage.input_count) == (
        120,
        2,
        118,
    )
    assert json.loads(http.requests[1].body) == {
        "workflow_id": "w",
        "event_id": "7001/1",
        "interrupt_type": 2,
        "resume_data": "!",
    }


@each_kind
def test_a_resumed_stream_that_is_cut_raises(kind: str) -> None:
    scripts = [stream(interrupt(0)), stream(message(0, "half"))]
    with (
        ChunkServer(*scripts) as http,
        client(kind, http.url) as coze,
        pytest.raises(StreamInterrupted) as caught,
    ):
        coze.workflows.runs.run_interactive(workflow_id="w", answer=lambda _: "!")
    assert caught.value.events[0].message.content == "half"


RUN_ID = {"code": 0, "execute_id": "8001"}
INTERRUPT = {"event_id": "8001/1", "type": 2, "data": ""}
USAGE = {"token_count": 5, "output_count": 2, "input_count": 3}


@each_kind
def test_the_result_of_a_streamed_run_has_its_log_id(kind: str) -> None:
    with ChunkServer(stream(*FLOW)) as server, client(kind, server.url) as coze:
        assert coze.workflows.runs.run_interactive(**RUN, answer=str).logid == LOGID
        assert coze.workflows.runs.stream(**RUN).until_done().logid == LOGID


@each_kind
def test_the_result_of_an_awaited_run_has_usage_id_address_and_log_id(kind: str) -> None:
    answer = reply(
        {"code": 0, "data": "{}", "execute_id": "8001", "debug_url": "https://x", "usage": USAGE}
    )
    with ChunkServer(answer) as server, client(kind, server.url) as coze:
        result = coze.workflows.runs.run_interactive(**RUN, answer=str, stream=False)
    assert (result.output, result.execute_id, result.debug_url, result.logid) == (
        "{}",
        "8001",
        "https://x",
        LOGID,
    )
    assert (result.usage.token_count, result.usage.output_count, result.usage.input_count) == (
        5,
        2,
        3,
    )


@each_kind
def test_an_awaited_run_that_was_resumed_keeps_its_id_and_sums_its_usage(kind: str) -> None:
    first = reply({**RUN_ID, "interrupt_data": INTERRUPT, "usage": USAGE})
    second = reply({"code": 0, "data": "{}", "usage": USAGE}, headers={"x-tt-logid": "SECOND"})
    with ChunkServer(first, second) as server, client(kind, server.url) as coze:
        result = coze.workflows.runs.run_interactive(**RUN, answer=lambda _: "x", stream=False)
    assert (result.execute_id, result.logid) == ("8001", "SECOND")
    assert result.usage.token_count == 10


def test_an_interruption_in_a_pause_names_the_run(local: Emulator) -> None:
    def sleep(seconds: float) -> None:
        if answered:
            raise KeyboardInterrupt

    answered: list[str] = []
    policy = RetryPolicy(sleep=sleep)
    with (
        Coze(local.token, base_url=local.base_url, max_retries=policy) as client,
        pytest.raises(KeyboardInterrupt) as caught,
    ):
        client.workflows.runs.create_and_poll(
            **ASKING, answer=lambda it: answered.append(it.question) or "杭州"
        )
    assert answered
    assert any("answering interruption 1" in note for note in caught.value.__notes__)


def test_a_stop_iteration_of_the_answer_stays_what_it_is_and_names_the_run(
    local: Emulator,
) -> None:
    replies = iter(())
    with (
        Coze(local.token, base_url=local.base_url) as client,
        pytest.raises(StopIteration) as caught,
    ):
        client.workflows.runs.run_interactive(**ASKING, answer=lambda it: next(replies))
    assert any("answering interruption 1" in note for note in caught.value.__notes__)
