"""Workflow runs: plain, asynchronous and streamed, interrupts and resumes, run histories.

An asynchronous run moves with the reads of its history: `Running` in the first, the end in the
    second.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from . import sse
from .answers import Refusal, compact, event_stream
from .calls import Call
from .kinds import USER
from .lists import view
from .sse import Event
from .store import Record
from .workflows import MAX_RESUMES, PLAIN, QUESTION, SCRIPTS, Script

_SYNC, _STREAM, _ASYNC = 0, 1, 2


def create(call: Call) -> Record:
    """`POST /v1/workflow/run`."""
    run = _new_run(call, _ASYNC if call.arg("is_async", False) else _SYNC)
    if run["run_mode"] == _ASYNC:
        return {"execute_id": run["execute_id"], "debug_url": run["debug_url"]}
    return _finished(run, _play(run))


def stream(call: Call) -> Response:
    """`POST /v1/workflow/stream_run`."""
    return event_stream(sse.pump(_play(_new_run(call, _STREAM)), sse.workflow), call.logid)


def stream_resume(call: Call) -> Response:
    """`POST /v1/workflow/stream_resume`."""
    return event_stream(sse.pump(_play(_resumed(call, streams=True)), sse.workflow), call.logid)


def resume(call: Call) -> Record:
    """`POST /v1/workflows/resume`."""
    run = _resumed(call, streams=False)
    if run["run_mode"] == _ASYNC:
        run["_reads"] = 0
        return {"execute_id": run["execute_id"], "debug_url": run["debug_url"]}
    return _finished(run, _play(run))


def history(call: Call) -> Record:
    """`GET /v1/workflows/{workflow_id}/run_histories/{execute_id}`."""
    run = _find(call)
    if (
        run["execute_status"] == "Running"
        and run["run_mode"] == _ASYNC
        and not run.get("interrupt_data")
    ):
        run["_reads"] += 1
        if run["_reads"] > 1:
            for _ in _play(run):
                pass
    return {"data": [view(call, call.world.description.schemas["WorkflowRunHistory"], run)]}


def node(call: Call) -> Record:
    """`GET …/execute_nodes/{node_execute_uuid}`; a masked id means the first node."""
    nodes = _find(call)["_nodes"]
    wanted = str(call.arg("node_execute_uuid"))
    found = next(iter(nodes.values()), None) if call.world.printed(wanted) else nodes.get(wanted)
    if found is None:
        raise Refusal(4314, f"node_execute_uuid {wanted!r}: not found")
    return {"data": found}


def _find(call: Call) -> Record:
    workflow = call.find("workflows")
    run = call.find("runs")
    if run["workflow_id"] != workflow["workflow_id"]:
        raise Refusal(4314, f"execute_id {run['execute_id']!r}: not found")
    return run


def _new_run(call: Call, mode: int) -> Record:
    workflow = call.find("workflows")
    if not workflow["_published"]:
        raise Refusal(4200, "the workflow is not published")
    if call.arg("app_id") and call.arg("bot_id"):
        raise Refusal(
            4000, "Request parameter error: body.app_id and body.bot_id exclude each other"
        )
    call.world.billed += 1
    execute_id = call.world.new_id()
    query = f"execute_id={execute_id}&space_id={workflow['workspace_id']}"
    link = f"{call.base_url}/work_flow?{query}&workflow_id={workflow['workflow_id']}"
    return call.collection("runs").add(
        {
            "execute_id": execute_id,
            "workflow_id": workflow["workflow_id"],
            "execute_status": "Running",
            "run_mode": mode,
            "bot_id": call.arg("bot_id", "0"),
            "connector_id": call.arg("connector_id", "1024"),
            "connector_uid": call.arg("ext", {}).get("user_id") or USER,
            "debug_url": link,
            "logid": call.logid,
            "output": "",
            "error_code": "",
            "error_message": "",
            "is_output_trimmed": False,
            "node_execute_status": {},
            "_nodes": {},
            "_parameters": call.arg("parameters", {}),
            "_resumes": 0,
            "_reads": 0,
            "_answer": None,
        }
    )


def _resumed(call: Call, *, streams: bool) -> Record:
    """The run that waits, with the answer put in.

    Raises:
        Refusal: 4314, no such run; 4315, it waits no longer; 4000, wrong workflow, event, or way of
            resuming.
    """
    workflow = call.find("workflows")
    event_id = str(call.arg("event_id"))
    run = call.collection("runs").peek(event_id.partition("/")[0])
    if run is None:
        raise Refusal(4314, f"event_id {event_id!r}: no such run")
    if run["execute_status"] != "Running":
        raise Refusal(4315, "the run is over and cannot be resumed")
    waiting = run.get("interrupt_data") or {}
    if run["workflow_id"] != workflow["workflow_id"] or waiting.get("event_id") != event_id:
        raise Refusal(
            4000,
            "Request parameter error: body.event_id does not belong to an interrupt of this "
            "workflow",
        )
    if waiting["type"] != call.arg("interrupt_type"):
        raise Refusal(
            4000, f"Request parameter error: body.interrupt_type is not {waiting['type']}"
        )
    if (run["run_mode"] == _STREAM) != streams:
        raise Refusal(
            4000,
            "Request parameter error: body.event_id: streamed runs are resumed by "
            "stream_resume, others by resume",
        )
    call.world.billed += 1
    run.update(
        update_time=call.world.now(),
        interrupt_data=None,
        _answer=str(call.arg("resume_data")).strip(),
        _resumes=run["_resumes"] + 1,
    )
    return run


def _finished(run: Record, events: Iterator[Event]) -> Record:
    """The answer of a run that is read at once."""
    for _ in events:
        pass
    link = {"debug_url": run["debug_url"]}
    if run["execute_status"] == "Fail":
        raise Refusal(int(run["error_code"]), run["error_message"], **link)
    shared = {
        "execute_id": run["execute_id"],
        "usage": run.get("usage"),
        "interrupt_data": run.get("interrupt_data"),
        **link,
    }
    known = {name: value for name, value in shared.items() if value is not None}
    return (
        known if run.get("interrupt_data") else {"data": compact({"output": _output(run)}), **known}
    )


def _play(run: Record) -> Iterator[Event]:
    """What happens from the start, or from the last interrupt, to the next stop."""
    script = SCRIPTS.get(run["workflow_id"], SCRIPTS[PLAIN])
    if script.interrupts and not run["_answer"]:
        if run["_resumes"] < MAX_RESUMES:
            yield from _ask(run)
        else:
            yield _fail(run, 4000, "the question was not answered")
        return
    yield from _say(run, "输出", ["正在处理", "你的请求", " 🚀"], script)
    if script.fails:
        yield _fail(run, 5000, "the workflow failed")
        return
    output = _output(run)
    usage = {"input_count": 50, "output_count": len(output), "token_count": 50 + len(output)}
    run["usage"] = usage
    end = _node(run, "End", "900001", "0")
    yield (
        "Message",
        {**end, "content": compact({"output": output}), "node_is_finish": True, "usage": usage},
    )
    run["execute_status"] = "Success"
    run["output"] = compact({"Output": compact({"output": output})})
    yield "Done", {"debug_url": run["debug_url"]}


def _say(run: Record, title: str, pieces: list[str], script: Script) -> Iterator[Event]:
    """The pieces of one output node."""
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        yield (
            "Message",
            {**_node(run, title, "100001", str(number)), "content": piece, "node_is_finish": last},
        )
        if number < script.heartbeats:
            yield "PING", None
    _record_node(run, title, "100001", "".join(pieces))


def _ask(run: Record) -> Iterator[Event]:
    yield (
        "Message",
        {**_node(run, "问答", "100002", "0"), "content": QUESTION, "node_is_finish": True},
    )
    _record_node(run, "问答", "100002", QUESTION)
    parameter = {"type": "string", "required": True, "description": "city and day"}
    interrupt = {
        "event_id": f"{run['execute_id']}/{run['_resumes'] + 1}",
        "type": 2,
        "data": "",
        "required_parameters": {"answer": parameter},
    }
    run["interrupt_data"] = interrupt
    yield "Interrupt", {"interrupt_data": interrupt, "node_title": "问答"}


def _fail(run: Record, code: int, message: str) -> Event:
    run.update(execute_status="Fail", error_code=str(code), error_message=message)
    return "Error", {"error_code": code, "error_message": message}


def _node(run: Record, title: str, node_id: str, number: str) -> Record:
    uuid = f"{run['execute_id']}-{node_id}"
    return {
        "node_id": node_id,
        "node_execute_uuid": uuid,
        "node_title": title,
        "node_seq_id": number,
        "content_type": "text",
    }


def _record_node(run: Record, title: str, node_id: str, output: str) -> None:
    uuid = f"{run['execute_id']}-{node_id}"
    run["_nodes"][uuid] = {"is_finish": True, "node_output": output}
    run["node_execute_status"][title] = {
        "node_id": node_id,
        "is_finish": True,
        "update_time": run["create_time"],
        "node_execute_uuid": uuid,
    }


def _output(run: Record) -> str:
    """The result: the answer to the question, or the parameters in the order of their names."""
    if run["_answer"]:
        return f"好的，{run['_answer']} ☀️"
    given = "，".join(f"{name}={value}" for name, value in sorted(run["_parameters"].items()))
    return f"收到 ✅ {given}" if given else "收到 ✅"
