"""Workflows: their lists, and runs with interrupts, resumes and histories.

An asynchronous run advances when its history is read: `Running` in the first response, the end in
the second.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from ..errors import ApiError, invalid_parameter
from ..http.request import ApiRequest
from ..http.response_fields import visible_fields
from ..http.responses import Event, compact_json, event_stream, workflow_event
from ..state.ids import API_CHANNEL, USER
from ..state.store import Record
from ..state.workflows import MAX_RESUMES, QUESTION, WorkflowScript, script_of
from .bots import has_publish_status

_SYNC, _STREAM, _ASYNC = 0, 1, 2


def retrieve(request: ApiRequest) -> Record:
    """Basic data, and with `include_input_output` the signature."""
    workflow = request.find("workflows")
    schema = request.state.description.schemas["WorkflowSummary"]
    fields = {"workflow_detail": visible_fields(request, schema, workflow)}
    if request.arg("include_input_output", False):
        example = request.state.examples.fields("Workflow")
        fields.update(input=example["input"], output=example["output"])
    return {"data": fields}


def has_mode(workflow: Record, request: ApiRequest) -> bool:
    """Whether a workflow has the mode and the publish status that are asked for."""
    mode = str(request.arg("workflow_mode", workflow["_mode"]))
    return has_publish_status(workflow, request) and mode == str(workflow["_mode"])


def published_workflow(request: ApiRequest) -> Record:
    """The workflow that is to be run.

    Raises:
        ApiError: 4200, unknown or not published; 4000, run for an app and a bot at once.
    """
    workflow = request.find("workflows")
    if not workflow["_published"]:
        raise ApiError(4200, "the workflow is not published")
    if request.arg("app_id") and request.arg("bot_id"):
        raise invalid_parameter("body.app_id and body.bot_id exclude each other")
    return workflow


def run_url(request: ApiRequest, workflow: Record, execute_id: str) -> str:
    """The address at which people look at a run."""
    query = f"execute_id={execute_id}&space_id={workflow['workspace_id']}"
    return f"{request.base_url}/work_flow?{query}&workflow_id={workflow['workflow_id']}"


def create_run(request: ApiRequest) -> Record:
    """`POST /v1/workflow/run`."""
    run = _new_run(request, _ASYNC if request.arg("is_async", False) else _SYNC)
    if run["run_mode"] == _ASYNC:
        return {"execute_id": run["execute_id"], "debug_url": run["debug_url"]}
    return _finished(run)


def stream_run(request: ApiRequest) -> Response:
    """`POST /v1/workflow/stream_run`."""
    return event_stream(_events(_new_run(request, _STREAM)), workflow_event, request.logid)


def stream_resumed_run(request: ApiRequest) -> Response:
    """`POST /v1/workflow/stream_resume`."""
    run = _resumed_run(request, streams=True)
    return event_stream(_events(run), workflow_event, request.logid)


def resume_run(request: ApiRequest) -> Record:
    """`POST /v1/workflows/resume`."""
    run = _resumed_run(request, streams=False)
    if run["run_mode"] == _ASYNC:
        run["_reads"] = 0
        return {"execute_id": run["execute_id"], "debug_url": run["debug_url"]}
    return _finished(run)


def retrieve_history(request: ApiRequest) -> Record:
    """`GET /v1/workflows/{workflow_id}/run_histories/{execute_id}`."""
    run = _find(request)
    running = run["execute_status"] == "Running" and not run.get("interrupt_data")
    if running and run["run_mode"] == _ASYNC:
        run["_reads"] += 1
        if run["_reads"] > 1:
            _drain(_events(run))
    schema = request.state.description.schemas["WorkflowRunHistory"]
    return {"data": [visible_fields(request, schema, run)]}


def retrieve_node(request: ApiRequest) -> Record:
    """`GET …/execute_nodes/{node_execute_uuid}`; a masked id means the first node."""
    nodes = _find(request)["_nodes"]
    uuid = str(request.arg("node_execute_uuid"))
    if request.state.is_documented_id(uuid):
        uuid = next(iter(nodes), uuid)
    if uuid not in nodes:
        raise ApiError(4314, f"node_execute_uuid {uuid!r}: not found")
    return {"data": nodes[uuid]}


def _find(request: ApiRequest) -> Record:
    workflow = request.find("workflows")
    run = request.find("runs")
    if run["workflow_id"] != workflow["workflow_id"]:
        raise ApiError(4314, f"execute_id {run['execute_id']!r}: not found")
    return run


def _new_run(request: ApiRequest, mode: int) -> Record:
    workflow = published_workflow(request)
    request.state.billed_calls += 1
    execute_id = request.state.new_id()
    return request.collection("runs").add(
        {
            "execute_id": execute_id,
            "workflow_id": workflow["workflow_id"],
            "execute_status": "Running",
            "run_mode": mode,
            "bot_id": request.arg("bot_id", "0"),
            "connector_id": request.arg("connector_id", API_CHANNEL),
            "connector_uid": request.arg("ext", {}).get("user_id") or USER,
            "debug_url": run_url(request, workflow, execute_id),
            "logid": request.logid,
            "output": "",
            "error_code": "",
            "error_message": "",
            "is_output_trimmed": False,
            "node_execute_status": {},
            "_nodes": {},
            "_parameters": request.arg("parameters", {}),
            "_resumes": 0,
            "_reads": 0,
            "_answer": None,
        }
    )


def _resumed_run(request: ApiRequest, *, streams: bool) -> Record:
    """The interrupted run, with the answer put in.

    Raises:
        ApiError: 4314, no such run; 4315, it has ended; 4000, wrong workflow, event, or way of
            resuming.
    """
    workflow = request.find("workflows")
    event_id = str(request.arg("event_id"))
    run = request.collection("runs").get_or_none(event_id.partition("/")[0])
    if run is None:
        raise ApiError(4314, f"event_id {event_id!r}: no such run")
    if run["execute_status"] != "Running":
        raise ApiError(4315, "the run has ended and cannot be resumed")
    interrupt = run.get("interrupt_data") or {}
    if run["workflow_id"] != workflow["workflow_id"] or interrupt.get("event_id") != event_id:
        raise invalid_parameter("body.event_id is not an interrupt of this workflow")
    if interrupt["type"] != request.arg("interrupt_type"):
        raise invalid_parameter(f"body.interrupt_type is not {interrupt['type']}")
    if (run["run_mode"] == _STREAM) != streams:
        raise invalid_parameter(
            "body.event_id: streamed runs are resumed by stream_resume, others by resume"
        )
    request.state.billed_calls += 1
    run.update(
        update_time=request.state.now(),
        interrupt_data=None,
        _answer=str(request.arg("resume_data")).strip(),
        _resumes=run["_resumes"] + 1,
    )
    return run


def _drain(events: Iterator[Event]) -> None:
    for _ in events:
        pass


def _finished(run: Record) -> Record:
    """The response of a run that does not stream."""
    _drain(_events(run))
    debug_url = {"debug_url": run["debug_url"]}
    if run["execute_status"] == "Fail":
        raise ApiError(int(run["error_code"]), run["error_message"], fields=debug_url)
    optional = {name: run.get(name) for name in ("execute_id", "usage", "interrupt_data")}
    fields = {name: value for name, value in optional.items() if value is not None} | debug_url
    if run.get("interrupt_data"):
        return fields
    return {"data": compact_json({"output": _output(run)}), **fields}


def _events(run: Record) -> Iterator[Event]:
    """What happens from the start, or from the last interrupt, to the next stop."""
    script = script_of(run["workflow_id"])
    if script.interrupts and not run["_answer"]:
        if run["_resumes"] < MAX_RESUMES:
            yield from _ask(run)
        else:
            yield _fail(run, 4000, "the question was not answered")
        return
    yield from _send_output(run, script)
    if script.fails:
        yield _fail(run, 5000, "the workflow failed")
        return
    output = _output(run)
    usage = {"input_count": 50, "output_count": len(output), "token_count": 50 + len(output)}
    run["usage"] = usage
    content = compact_json({"output": output})
    message = _node_message(run, "End", "900001", "0", content, is_last=True)
    yield "Message", {**message, "usage": usage}
    run["execute_status"] = "Success"
    run["output"] = compact_json({"Output": content})
    yield "Done", {"debug_url": run["debug_url"]}


def _send_output(run: Record, script: WorkflowScript) -> Iterator[Event]:
    """The pieces of an output node."""
    title, node_id, pieces = "输出", "100001", ["正在处理", "你的请求", " 🚀"]
    for number, piece in enumerate(pieces):
        is_last = number == len(pieces) - 1
        message = _node_message(run, title, node_id, str(number), piece, is_last=is_last)
        yield "Message", message
        if number < script.heartbeats:
            yield "PING", None
    _record_node(run, title, node_id, "".join(pieces))


def _ask(run: Record) -> Iterator[Event]:
    title, node_id = "问答", "100002"
    yield "Message", _node_message(run, title, node_id, "0", QUESTION, is_last=True)
    _record_node(run, title, node_id, QUESTION)
    parameter = {"type": "string", "required": True, "description": "city and day"}
    interrupt = {
        "event_id": f"{run['execute_id']}/{run['_resumes'] + 1}",
        "type": 2,
        "data": "",
        "required_parameters": {"answer": parameter},
    }
    run["interrupt_data"] = interrupt
    yield "Interrupt", {"interrupt_data": interrupt, "node_title": title}


def _fail(run: Record, code: int, message: str) -> Event:
    run.update(execute_status="Fail", error_code=str(code), error_message=message)
    return "Error", {"error_code": code, "error_message": message}


def _node_message(
    run: Record, title: str, node_id: str, number: str, content: str, *, is_last: bool
) -> Record:
    return {
        "node_id": node_id,
        "node_execute_uuid": f"{run['execute_id']}-{node_id}",
        "node_title": title,
        "node_seq_id": number,
        "content_type": "text",
        "content": content,
        "node_is_finish": is_last,
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
    parameters = "，".join(f"{name}={value}" for name, value in sorted(run["_parameters"].items()))
    return f"收到 ✅ {parameters}" if parameters else "收到 ✅"
