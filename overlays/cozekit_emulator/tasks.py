"""Tasks that finish while one looks at them, quotas, and plugins: what counts and what
takes time.
"""

from __future__ import annotations

from collections.abc import Callable

from .answers import Refusal
from .calls import Call
from .kinds import WORKSPACE
from .lists import items, page, view
from .publishing import NEVER_PUBLISHED
from .store import Record
from .verbs import shown, stateless


def advancing(
    stages: tuple[str, ...], field: str, done: Callable[[Record], None] | None = None
) -> Callable[[Record], None]:
    """Moves a task one stage on with each read."""

    def advance(record: Record) -> None:
        if record[field] in stages[:-1]:
            record[field] = stages[stages.index(record[field]) + 1]
            if record[field] == stages[-1] and done:
                done(record)

    return advance


_bill = advancing(
    ("init", "running", "succeed"),
    "status",
    lambda record: record.update(
        file_urls=["https://example.com/bill.csv"], expires_at=2_000_000_000
    ),
)
_copying = advancing(("in_progress", "successful"), "task_status")


def create_copy_task(call: Call) -> Record:
    """A copy; the new thing has its id at once and is ready when the task is."""
    made, kind = call.world.new_id(), call.arg("entity_type", "bot")
    source = call.collection("bots").peek(call.arg("entity_id", "*")) if kind == "bot" else None
    if kind == "bot" and source is None:
        raise Refusal(4200, f"entity_id {call.arg('entity_id')!r}: not found")
    workspace = call.arg("to_workspace_id", WORKSPACE)
    if source is not None:
        call.collection("bots").add(
            {**source, "bot_id": made, "workspace_id": workspace, **NEVER_PUBLISHED}
        )
    fields = {
        "entity_type": kind,
        "source_entity_id": call.arg("entity_id"),
        "target_entity_id": made,
        "target_workspace_id": workspace,
    }
    task = call.collection("copy_tasks").add(
        {**fields, "task_status": "in_progress", "failed_reasons": []}
    )
    return {"data": {"task_id": task["task_id"], "copied_entity_id": made}}


def retrieve_copy_task(call: Call) -> Record:
    """A task; it shows the present stage, and the next read the next one."""
    task = call.find("copy_tasks")
    answer = shown(call, task)
    _copying(task)
    return answer


def list_bill_tasks(call: Call) -> Record:
    """Exports, each one stage further with each read."""
    wanted = [item for item in call.arg("task_ids", []) if not call.world.printed(item)]
    records = [
        record
        for record in call.collection("bill_tasks").all()
        if not wanted or record["task_id"] in wanted
    ]
    for record in records:
        _bill(record)
    return page(call, records)


def create_limitation(call: Call) -> Record:
    """A quota; its terms stand one level down in the request and on both levels of the answer."""
    terms = call.arg("benefit_info")
    period = {"trigger_unit": "never", "trigger_time": 1}
    fields = {
        "entity_type": call.arg("entity_type"),
        "entity_id": call.arg("entity_id", ""),
        **period,
        **terms,
    }
    record = call.collection("limitations").add(fields)
    quota = view(call, call.world.description.schemas["BenefitLimitation"], record)
    return {"data": {**quota, "benefit_info": quota}}


LIMITATION_FILTERS = {
    "entity_type": "entity_type",
    "entity_id": "entity_id",
    "benefit_type": "benefit_type",
}


def by_status(record: Record, call: Call) -> bool:
    """Quotas in the state asked for; those in force by default."""
    return str(record.get("status")) == str(call.arg("status", "valid"))


def benefits(call: Call) -> Record:
    """The plan of the example, with counters that count the billed calls since the last reset."""
    answer = stateless(call)
    if not call.arg("benefit_type_list"):
        answer["data"].pop("benefit_info")
        return answer
    for benefit in answer["data"]["benefit_info"]:
        for share in (benefit["basic"], benefit["effective"], *benefit["extra"]):
            share["item_info"]["used"] = call.world.billed
    return answer


def call_plugin(call: Call) -> Record:
    """The example result of a tool."""
    call.find("plugins")
    call.world.billed += 1
    return stateless(call)


def plugins_by_id(call: Call) -> Record:
    """Those of the asked plugins that are there."""
    found = [call.collection("plugins").peek(item) for item in call.arg("ids")]
    return items(call, "data.items", [record for record in found if record])
