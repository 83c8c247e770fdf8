"""Databases: rows are inserted, filtered, sorted, changed and deleted. Tasks are done at once, and
every read advances what they show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..errors import ApiError, invalid_parameter
from ..http.pagination import page_response
from ..http.request import ApiRequest
from ..http.response_fields import record_response
from ..state.ids import API_CHANNEL
from ..state.store import Record, State

_NEXT_STATUS = {"pending": "running", "running": "succeed"}
_SYSTEM_COLUMNS = ("id", "uuid", "sys_platform", "bstudio_create_time")
_FILES = "/database_files"
_TYPES: dict[str, Callable[[str], Any]] = {"integer": int, "number": float}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": lambda left, right: left == right,
    "not_equal": lambda left, right: left != right,
    "greater_than": lambda left, right: left > right,
    "less_than": lambda left, right: left < right,
    "greater_equal": lambda left, right: left >= right,
    "less_equal": lambda left, right: left <= right,
}


def insert(request: ApiRequest) -> Record:
    """Inserts rows; none if one of them does not fit the columns."""
    return _change(request, "insert", _insert)


def update(request: ApiRequest) -> Record:
    """Sets columns of the rows that a filter finds."""
    return _change(request, "update", _update)


def delete(request: ApiRequest) -> Record:
    """Deletes the rows that a filter finds."""
    return _change(request, "delete", _delete)


def query(request: ApiRequest) -> Record:
    """One page of the rows that a filter finds, or the task that puts them into a file."""
    database = request.find("databases")
    if request.arg("is_async"):
        return _start(request, "select", lambda: {"_rows": _selected(request, database)})
    return page_response(request, _selected(request, database))


def retrieve_task(request: ApiRequest) -> Record:
    """A task; every read advances it by one state, and only the last shows its result."""
    task = request.find("database_tasks")
    task["status"] = _NEXT_STATUS.get(task["status"], task["status"])
    if task["status"] != "succeed":
        shown = ("task_id", "task_type", "status", "error_msg")
        return record_response(request, {name: task.get(name) for name in shown})
    return record_response(request, task)


def routes(state: Callable[[], State]) -> list[Route]:
    """The files in which tasks leave their rows; they need no token.

    Args:
        state: The state of the local Coze.
    """

    def file(request: Request) -> Response:
        task = state().collection("database_tasks").get_or_none(request.path_params["name"])
        if task is None or "_rows" not in task:
            return Response(status_code=404)
        return JSONResponse(task["_rows"])

    return [Route(f"{_FILES}/{{name}}.json", file)]


def delete_rows_of(request: ApiRequest, database: Record) -> None:
    """Deletes the rows of a database that is deleted."""
    rows = request.collection("database_rows")
    for row in rows.all(database["database_id"]):
        rows.remove(row, database["database_id"])


def _change(request: ApiRequest, kind: str, work: Callable[[ApiRequest, Record], int]) -> Record:
    database = request.find("databases")
    if request.arg("is_async"):
        return _start(request, kind, lambda: {"affected_rows": work(request, database)})
    return {"data": {"affected_rows": work(request, database)}}


def _start(request: ApiRequest, kind: str, work: Callable[[], Record]) -> Record:
    """A task; work that cannot be done makes one that has failed."""
    try:
        outcome: Record = {"status": "pending", **work()}
    except ApiError as error:
        outcome = {"status": "failed", "error_msg": error.msg}
    task_id = request.state.new_id()
    if "_rows" in outcome:
        outcome.update(
            has_more=False,
            select_total_count=len(outcome["_rows"]),
            select_items_file_url=f"{request.base_url}{_FILES}/{task_id}.json",
        )
    request.collection("database_tasks").add({"task_id": task_id, "task_type": kind, **outcome})
    return {"data": {"task_id": task_id}}


def _insert(request: ApiRequest, database: Record) -> int:
    new_rows = request.arg("insert_rows")
    required = {field["name"] for field in database["fields"] if field.get("is_required")}
    for row in new_rows:
        for name, value in row.items():
            _value(database, name, value)
        if required - row.keys():
            raise invalid_parameter(f"insert_rows: no {', '.join(sorted(required - row.keys()))}")
    created = request.state.now()
    for row in new_rows:
        number = request.state.new_id()
        system = {
            "id": number,
            "uuid": f"00000000-0000-4000-8000-{number[-12:]}",
            "sys_platform": str(request.arg("connector_id", API_CHANNEL)),
            "bstudio_create_time": str(created),
        }
        request.collection("database_rows").add({**row, **system}, database["database_id"])
    return len(new_rows)


def _update(request: ApiRequest, database: Record) -> int:
    changes = {
        field.get("field_name", ""): field.get("value") for field in request.arg("update_fields")
    }
    for name, value in changes.items():
        _value(database, name, value)
    found = _found(request, database, all_rows=False)
    for row in found:
        row.update(changes)
    return len(found)


def _delete(request: ApiRequest, database: Record) -> int:
    found, rows = _found(request, database, all_rows=False), request.collection("database_rows")
    for row in found:
        rows.remove(row, database["database_id"])
    return len(found)


def _selected(request: ApiRequest, database: Record) -> list[Record]:
    """The rows that a query finds, sorted, with the columns that it selects."""
    rows = _found(request, database, all_rows=True)
    for order in reversed(request.arg("order_by", [])):
        name = order.get("field_name", "")
        rows.sort(
            key=lambda row: (row.get(name) is not None, _value(database, name, row.get(name))),
            reverse=order.get("direction") == "desc",
        )
    select = request.arg("select_fields", {})
    names = select.get("field_names") or [
        *(field["name"] for field in database["fields"]),
        *_SYSTEM_COLUMNS,
    ]
    selected = [{name: row[name] for name in names if name in row} for row in rows]
    if select.get("is_distinct"):
        return [json.loads(text) for text in dict.fromkeys(map(json.dumps, selected))]
    return selected


def _found(request: ApiRequest, database: Record, *, all_rows: bool) -> list[Record]:
    """The rows that the caller's channel sees and the filter finds.

    Raises:
        ApiError: 4000, a change without a condition, or a condition about an unknown column.
    """
    rule = request.arg("filter", {})
    conditions = rule.get("conditions") or []
    if not conditions and not all_rows:
        raise invalid_parameter("filter: a change of the whole table is not allowed")
    for condition in conditions:
        _value(database, condition.get("left", ""), None)
    meets: Callable[[Iterable[bool]], bool] = any if rule.get("logic") == "or" else all
    shared = database.get("connector_read_mode") == "shared_all_connectors"
    channel = str(request.arg("connector_id", API_CHANNEL))
    return [
        row
        for row in request.collection("database_rows").all(database["database_id"])
        if (shared or row["sys_platform"] == channel)
        and (not conditions or meets(_meets(database, row, one) for one in conditions))
    ]


def _meets(database: Record, row: Record, condition: Record) -> bool:
    name: str = condition["left"]
    operation: str = condition.get("operation", "equal")
    left: str | None = row.get(name)
    right: str | None = condition.get("right")
    if operation in ("is_null", "is_not_null"):
        return (left is None) == (operation == "is_null")
    if left is None or right is None:
        return False
    if operation in ("like", "not_like"):
        pattern = re.escape(right).replace("%", ".*").replace("_", ".")
        return bool(re.fullmatch(pattern, left)) == (operation == "like")
    if operation in ("in", "not_in"):
        # The form of several values is not documented: JSON and commas are both understood.
        values = json.loads(right) if right.startswith("[") else right.split(",")
        return (left in [str(value).strip() for value in values]) == (operation == "in")
    return _OPERATORS[operation](_value(database, name, left), _value(database, name, right))


def _value(database: Record, name: str, text: str | None) -> Any:
    """The value of a column, out of its text.

    Raises:
        ApiError: 4000, the column is unknown or the text does not fit it.
    """
    types = {field["name"]: field.get("type") for field in database["fields"]}
    if name not in types and name not in _SYSTEM_COLUMNS:
        raise invalid_parameter(f"the database has no column {name!r}")
    try:
        return text if text is None else _TYPES.get(types.get(name, ""), str)(text)
    except ValueError:
        raise invalid_parameter(f"column {name!r} is {types[name]}, not {text!r}") from None
