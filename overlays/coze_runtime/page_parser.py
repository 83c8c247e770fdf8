"""One page out of the response of a list operation, as its `Pager` says."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from .models import Model
from .operation import MissingList, PageData, Pager, Response
from .serialization.codec import parse_json
from .serialization.convert import fields_of, get_path
from .serialization.error_responses import shape_error


def page(answer: Model, pager: Pager, response: Response) -> PageData[Any]:
    """One page out of the answer of a list operation; for a list that is missing stands an empty
    one, a `MissingList`.
    """
    items = get_path(answer, pager.items)
    token = get_path(answer, pager.next) if pager.next else None
    has_more, total = (
        get_path(answer, path) if path else None for path in (pager.has_more, pager.total)
    )
    return PageData(
        items=items if isinstance(items, list) else _missing_list(answer, pager, response, total),
        total=total if isinstance(total, int) else None,
        has_more=bool(has_more) if has_more is not None else None,
        next_token=str(token) if token else None,
        first_id=get_path(answer, pager.first_id) if pager.first_id else None,
        last_id=get_path(answer, pager.last_id) if pager.last_id else None,
        logid=response.logid,
    )


def _missing_list(answer: Model, pager: Pager, response: Response, total: Any) -> list[Any]:
    """What stands for a missing list. Where its items came under another name, it is certain that
    they are lost.
    """
    found = parse_json(response)
    steps = pager.items.split(".")
    while len(steps) > 1 and isinstance(inner := getattr(answer, steps[0], None), Model):
        answer, found = inner, found[steps.pop(0)]
    other = (
        steps[0]
        if isinstance(found.get(steps[0]), dict)
        else _other_name(type(answer), steps, found)
    )
    text = (
        f"{pager.items} is missing (total: {total})"
        if other is None
        else f"{pager.items} is no list, but there is {other!r}"
    )
    return MissingList(shape_error(response, text), certain=other is not None)


def _other_name(cls: type[Model], steps: list[str], found: Mapping[str, Any]) -> str | None:
    """The undescribed property that holds what was described under the first step.

    Anything else that is new beside a list that is not there leaves the list empty: the service may
    add what it likes.
    """
    kinds = {name: kind for name, kind, _ in fields_of(cls)}
    model = _model_in(kinds[steps[0]])
    described = {name for name, _, _ in fields_of(model)} if model is not None else set()
    for name, value in found.items():
        if name not in kinds and _may_hold(value, steps, described):
            return name
    return None


def _may_hold(value: Any, steps: list[str], described: set[str]) -> bool:
    """Whether a value has the shape of what was described: the object around the list, or a list of
    objects that have mostly the described properties.
    """
    if len(steps) > 1:
        return isinstance(value, dict) and steps[1] in value
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return len(described & value[0].keys()) * 2 > len(value[0])


def _model_in(kind: Any) -> type[Model] | None:
    """The model of an annotation such as `list[Bot] | None`."""
    if isinstance(kind, type) and typing.get_origin(kind) is None:
        return kind if issubclass(kind, Model) else None
    return next(
        (model for part in typing.get_args(kind) if (model := _model_in(part)) is not None), None
    )
