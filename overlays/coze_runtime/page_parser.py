"""Extracts a page from the response of a list operation, as its `Pager` says."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from .models import Model
from .operation import MissingList, PageData, Pager, Response
from .serialization.codec import parse_json
from .serialization.convert import fields_of, get_path
from .serialization.error_responses import shape_error


def page(model: Model, pager: Pager, response: Response) -> PageData[Any]:
    """Extracts the page from a parsed response. A missing list becomes an empty `MissingList`.

    Args:
        model: The parsed response.
        pager: Where the items are, and how the operation pages.
        response: The response, for errors.
    """
    items = get_path(model, pager.items)
    token = get_path(model, pager.next) if pager.next else None
    has_more, total = (
        get_path(model, path) if path else None for path in (pager.has_more, pager.total)
    )
    return PageData(
        items=items if isinstance(items, list) else _missing_list(model, pager, response, total),
        total=total if isinstance(total, int) else None,
        has_more=bool(has_more) if has_more is not None else None,
        next_token=str(token) if token else None,
        first_id=get_path(model, pager.first_id) if pager.first_id else None,
        last_id=get_path(model, pager.last_id) if pager.last_id else None,
        logid=response.logid,
    )


def _missing_list(model: Model, pager: Pager, response: Response, total: Any) -> list[Any]:
    """An empty list. If the response seems to have the items under another name, it is certain
    that items are lost.
    """
    body = parse_json(response)
    steps = pager.items.split(".")
    while len(steps) > 1 and isinstance(nested := getattr(model, steps[0], None), Model):
        model, body = nested, body[steps.pop(0)]
    other = (
        steps[0] if isinstance(body.get(steps[0]), dict) else _other_name(type(model), steps, body)
    )
    problem = (
        f"{pager.items} is missing (total: {total})"
        if other is None
        else f"{pager.items} is not a list, but the response has {other!r}"
    )
    return MissingList(shape_error(response, problem), certain=other is not None)


def _other_name(cls: type[Model], steps: list[str], body: Mapping[str, Any]) -> str | None:
    """The undocumented property that seems to have the items; None if there is none.

    Other undocumented properties mean nothing: the service may add what it likes.
    """
    types = {field.name: field.annotation for field in fields_of(cls)}
    item_model = _model_in(types[steps[0]])
    item_fields = {field.name for field in fields_of(item_model)} if item_model else set()
    for name, value in body.items():
        if name not in types and _may_be_items(value, steps, item_fields):
            return name
    return None


def _may_be_items(value: Any, steps: list[str], item_fields: set[str]) -> bool:
    """Whether a value looks like the documented one: an object that contains the list, or a list of
    objects that have mostly documented properties.
    """
    if len(steps) > 1:
        return isinstance(value, dict) and steps[1] in value
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return len(item_fields & value[0].keys()) * 2 > len(value[0])


def _model_in(annotation: Any) -> type[Model] | None:
    """The model in an annotation such as `list[Bot] | None`."""
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation if issubclass(annotation, Model) else None
    models = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in models if model is not None), None)
