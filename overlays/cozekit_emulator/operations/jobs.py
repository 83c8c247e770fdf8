"""What takes time or is counted: copies, bill exports, quotas, and calls of plugins."""

from __future__ import annotations

from ..errors import ApiError
from ..http.pagination import page_response
from ..http.request import ApiRequest
from ..http.response_fields import (
    example_response,
    items_response,
    record_response,
    visible_fields,
)
from ..state.ids import WORKSPACE
from ..state.seed import NEVER_PUBLISHED
from ..state.store import Record

LIMITATION_FILTERS = {name: name for name in ("entity_type", "entity_id", "benefit_type")}
_NEXT_BILL_STATUS = {"init": "running", "running": "succeed"}


def create_copy(request: ApiRequest) -> Record:
    """A copy: the new resource has its id at once and is ready when the task is."""
    new_id, entity_type = request.state.new_id(), request.arg("entity_type", "bot")
    workspace_id = request.arg("to_workspace_id", WORKSPACE)
    if entity_type == "bot":
        bots = request.collection("bots")
        source = bots.get_or_none(request.arg("entity_id", "*"))
        if source is None:
            raise ApiError(4200, f"entity_id {request.arg('entity_id')!r}: not found")
        bots.add({**source, "bot_id": new_id, "workspace_id": workspace_id, **NEVER_PUBLISHED})
    task = request.collection("copy_tasks").add(
        {
            "entity_type": entity_type,
            "source_entity_id": request.arg("entity_id"),
            "target_entity_id": new_id,
            "target_workspace_id": workspace_id,
            "task_status": "in_progress",
            "failed_reasons": [],
        }
    )
    return {"data": {"task_id": task["task_id"], "copied_entity_id": new_id}}


def retrieve_copy(request: ApiRequest) -> Record:
    """A copy task; the first read shows `in_progress`, the next one the end."""
    task = request.find("copy_tasks")
    response = record_response(request, task)
    task["task_status"] = "successful"
    return response


def list_bills(request: ApiRequest) -> Record:
    """Exports of bills; each read advances them by one status."""
    ids = [item for item in request.arg("task_ids", []) if not request.state.is_documented_id(item)]
    tasks = [
        task for task in request.collection("bill_tasks").all() if not ids or task["task_id"] in ids
    ]
    for task in tasks:
        if task["status"] == "running":
            task.update(file_urls=["https://example.com/bill.csv"], expires_at=2_000_000_000)
        task["status"] = _NEXT_BILL_STATUS.get(task["status"], task["status"])
    return page_response(request, tasks)


def create_limitation(request: ApiRequest) -> Record:
    """A quota; its terms are one level down in the request and on both levels of the response."""
    fields = {
        "entity_type": request.arg("entity_type"),
        "entity_id": request.arg("entity_id", ""),
        "trigger_unit": "never",
        "trigger_time": 1,
        **request.arg("benefit_info"),
    }
    record = request.collection("limitations").add(fields)
    schema = request.state.description.schemas["BenefitLimitation"]
    quota = visible_fields(request, schema, record)
    return {"data": {**quota, "benefit_info": quota}}


def limitation_has_status(limitation: Record, request: ApiRequest) -> bool:
    """Whether a quota has the status asked for; `valid` by default."""
    return str(limitation.get("status")) == str(request.arg("status", "valid"))


def retrieve_benefits(request: ApiRequest) -> Record:
    """The plan of the example, with counters of the billed calls since the last reset."""
    response = example_response(request)
    if not request.arg("benefit_type_list"):
        response["data"].pop("benefit_info")
        return response
    for benefit in response["data"]["benefit_info"]:
        for share in (benefit["basic"], benefit["effective"], *benefit["extra"]):
            share["item_info"]["used"] = request.state.billed_calls
    return response


def call_plugin(request: ApiRequest) -> Record:
    """The example result of a tool."""
    request.find("plugins")
    request.state.billed_calls += 1
    return example_response(request)


def retrieve_plugins(request: ApiRequest) -> Record:
    """The plugins of a list of ids; unknown ones are left out."""
    plugins = [request.collection("plugins").get_or_none(item) for item in request.arg("ids")]
    return items_response(request, "data.items", [plugin for plugin in plugins if plugin])
