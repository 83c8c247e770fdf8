"""Pages of a list, as the paging rule of the operation (`x-coze-pager`) says."""

from __future__ import annotations

from ..errors import ApiError, invalid_parameter
from ..state.store import Record
from .request import ApiRequest
from .response_fields import deep_merge, items_response, nested


def page_response(request: ApiRequest, records: list[Record]) -> Record:
    """One page of the records, with totals and cursors.

    Raises:
        ApiError: 4000, an unknown page token; 4005, an unknown message.
    """
    rule = request.operation.pager
    size = int(request.arg(rule["size"]) or _default_size(request))
    if rule["style"] == "cursor":
        return _cursor_page(request, records, size)
    if rule["style"] == "token":
        start = _offset_of_token(request)
    else:
        start = (max(int(request.arg(rule["page"]) or 1), 1) - 1) * size
    end = start + size
    has_more = end < len(records)
    fields = {
        "total": len(records),
        "has_more": has_more,
        "next": f"offset_{end}" if has_more else "",
    }
    return deep_merge(
        items_response(request, rule["items"], records[start:end]),
        *(nested(rule[name], value) for name, value in fields.items() if name in rule),
    )


def _offset_of_token(request: ApiRequest) -> int:
    name = request.operation.pager["page"]
    token = str(request.arg(name) or "")
    # The example of the official page means the first page, so that its request can be sent as it
    # is.
    examples = {p["name"]: str(p.get("example", "")) for p in request.operation.parameters}
    if token in ("", examples.get(name, "")) or request.state.is_documented_id(token):
        return 0
    number = token.removeprefix("offset_")
    if not number.isdecimal():
        raise invalid_parameter(f"{name} {token!r} is unknown")
    return int(number)


def _default_size(request: ApiRequest) -> int:
    schemas = {p["name"]: p["schema"] for p in request.operation.parameters}
    if request.operation.body is not None:
        schemas.update(request.state.description.properties(request.operation.body[1]))
    return int(schemas[request.operation.pager["size"]].get("default", 20))


def _cursor_page(request: ApiRequest, records: list[Record], size: int) -> Record:
    """The messages next to one: `before` asks for those in front of it, `after` for those behind
    it.
    """
    rule = request.operation.pager
    ids = [str(record["id"]) for record in records]
    after = _index_of_bound(request, rule["after"], ids)
    before = _index_of_bound(request, rule["before"], ids)
    window = records[0 if after is None else after + 1 : before]
    from_the_end = before is not None and after is None
    page = window[-size:] if from_the_end else window[:size]
    return {
        **items_response(request, rule["items"], page),
        rule["next_before"]: page[0]["id"] if page else "",
        rule["next_after"]: page[-1]["id"] if page else "",
        rule["has_more"]: len(window) > len(page),
    }


def _index_of_bound(request: ApiRequest, name: str, ids: list[str]) -> int | None:
    """Where the message is that an argument names; None when it names none."""
    message_id = str(request.arg(name) or "0")
    if message_id in ids:
        return ids.index(message_id)
    if message_id != "0" and not request.state.is_documented_id(message_id):
        raise ApiError(4005, f"message {message_id!r}: not found")
    return None
