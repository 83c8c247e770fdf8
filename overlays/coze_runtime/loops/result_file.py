"""Reads the file in which a finished task has left its result.

The function is the steps of a generated method.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import ResponseError
from ..models import ResultList
from ..operation import CallOptions, Operation, Request, Response
from ..polling.poll import PollClient
from ..serialization.codec import read_as, result_list
from ..serialization.error_responses import shape_error
from ..steps import Steps

Rows = ResultList[dict[str, Any]]


def rows(
    tasks: Any,
    client: PollClient,
    arguments: Mapping[str, Any],
    options: CallOptions,
    *,
    task: Any,
    is_async: bool,
) -> Steps[Rows]:
    """The steps of `coze.databases.tasks.rows`; see there for the parameters."""
    if isinstance(task, str):
        task = yield tasks.retrieve(task, **options._asdict())
    try:
        address = urlsplit(task.select_items_file_url or "")
    except ValueError:  # an unclosed bracket of an IPv6 address
        address = urlsplit("")
    if address.scheme not in ("http", "https"):
        raise ResponseError(
            f"the task has no file (state {task.status}, type {task.task_type})", logid=task.logid
        )
    # The storage is another server: it gets nothing that was meant for the API.
    file = Operation("result_file", "GET", address.path, safe=True, anonymous=True)
    path = f"{address.path}?{address.query}" if address.query else address.path
    request = Request(file, path, {}, {}, base=f"{address.scheme}://{address.netloc}")
    found: Rows = yield client.execute(request, _rows, CallOptions(timeout=options.timeout))
    found.logid = task.logid
    return found


def _rows(response: Response) -> Rows:
    """The list of rows that the file is, or the only list in the object that it is."""
    body = read_as(response, None, "")
    values = body.values() if isinstance(body, dict) else [body]
    lists = [value for value in values if isinstance(value, list)]
    if len(lists) != 1 or not all(isinstance(row, dict) for row in lists[0]):
        raise shape_error(response, "the file does not hold rows")
    return result_list(lists[0], response)
