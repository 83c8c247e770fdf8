"""The pages of a list, as the `Pager` of its operation says: parses a page, and finds out which of
its items are new and what to ask for next. Does no I/O.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from .errors import ResponseError
from .models import Model
from .operation import PageData, Pager, Response
from .serialization.codec import parse_json
from .serialization.convert import fields_of, get_path
from .serialization.error_responses import shape_error

T = TypeVar("T")

# Requests in a row that bring nothing new. A filter on the server, or items that arrive meanwhile,
# may cause one; more would never end.
MAX_IDLE_PAGES = 2


def page(model: Model, pager: Pager, response: Response) -> PageData[Any]:
    """Extracts the page from a parsed response.

    Args:
        model: The parsed response.
        pager: Where the items are, and how the operation pages.
        response: The response, for errors.

    Raises:
        ResponseError: The list is not where it should be, but the response seems to have items.
    """

    def at(path: str | None) -> Any:
        return get_path(model, path) if path else None

    items, total = at(pager.items), at(pager.total)
    missing = None
    if not isinstance(items, list):
        items = []
        lost = _lost_items(type(model), pager.items.split("."), parse_json(response))
        if lost is not None:
            raise shape_error(response, f"{pager.items} is not a list, but the response has {lost}")
        missing = shape_error(response, f"{pager.items} is missing (total: {total})")
    return PageData(
        items=items,
        total=total if isinstance(total, int) else None,
        has_more=_flag(at(pager.has_more)),
        next_token=_id(at(pager.next)),
        next_before=_id(at(pager.next_before)),
        next_after=_id(at(pager.next_after)),
        logid=response.logid,
        missing=missing,
    )


def _id(value: Any) -> str | None:
    """An id or cursor as text; None if there is none."""
    return str(value) if value and isinstance(value, str | int) else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return value.lower() in ("true", "1")
    return None if value is None else bool(value)


def _lost_items(cls: type[Model], steps: list[str], body: Any) -> str | None:
    """The place of what seems to be the items, because it is where the list or an object around it
    should be, or looks like them; None if there is none.

    Other undocumented properties mean nothing: the service may add what it likes.
    """
    unknown: list[tuple[str, Any]] = []
    model: type[Model] | None = cls
    for number, step in enumerate(steps):
        types = _types(model)
        if isinstance(body, dict):
            unknown += [(name, value) for name, value in body.items() if name not in types]
            body = body.get(step)
            if body and (number == len(steps) - 1 or not isinstance(body, dict)):
                return repr(".".join(steps[: number + 1]))
        model = _model_in(types.get(step))
    fields = set(_types(model))
    places = (_place_of_items(name, value, fields, 4) for name, value in unknown)
    return next((repr(place) for place in places if place), None)


def _types(model: type[Model] | None) -> dict[str, Any]:
    return {field.name: field.annotation for field in fields_of(model)} if model else {}


def _place_of_items(path: str, value: Any, fields: set[str], depth: int) -> str | None:
    """The path, or one below it, of a list of objects that have mostly documented properties."""
    if isinstance(value, list):
        first = value[0] if value else None
        is_item = isinstance(first, dict) and len(fields & first.keys()) * 2 > len(first)
        return path if is_item else None
    if not isinstance(value, dict) or not depth:
        return None
    below = (
        _place_of_items(f"{path}.{name}", inner, fields, depth - 1) for name, inner in value.items()
    )
    return next((place for place in below if place), None)


def _model_in(annotation: Any) -> type[Model] | None:
    """The model in an annotation such as `list[Bot] | None`."""
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation if issubclass(annotation, Model) else None
    models = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in models if model is not None), None)


class Walk:
    """How far an iteration has come: which items are new, and the arguments of the next page. Does
    no I/O.
    """

    __slots__ = (
        "arguments",
        "cursors",
        "found",
        "id_of",
        "idle",
        "ids",
        "operation",
        "other_end",
        "page_size",
        "pager",
        "previous",
        "skipped",
    )

    def __init__(self, operation: str, pager: Pager, arguments: dict[str, Any]) -> None:
        self.operation = operation
        self.pager = pager
        self.arguments = arguments
        self.id_of: Callable[[Any], Any] = attrgetter(pager.id) if pager.id else lambda _: None
        self.ids: set[str] = set()
        names = (pager.page, pager.before, pager.after)
        self.cursors = {cursor for name in names if (cursor := arguments.get(name or ""))}
        self.skipped = self._skipped()
        self.found = 0
        self.idle = 0
        self.page_size = 1
        self.previous: list[Any] | None = None
        # Whether the server answers in another order than documented, so that the next cursor is
        # at the other end of the page.
        self.other_end = False

    def take(self, data: PageData[T]) -> tuple[PageData[T], dict[str, Any] | ResponseError | None]:
        """Adds a page. Returns it without the items of earlier pages, and the arguments of the next
        page: None if this is the last one; an error if the walk makes no progress, to be raised
        when the next page is requested, so that the items of this page are not lost.

        Raises:
            ResponseError: The list is missing although there are items.
        """
        # A later page may lack its list: its items may have been deleted meanwhile.
        if data.missing and self.previous is None and (data.total or 0) > self.skipped:
            raise data.missing
        ends = data.next_before, data.next_after
        earlier = [end in self.ids or end in self.cursors for end in ends]
        # Items without an id are compared page by page.
        repeats = data.items == self.previous
        items = [] if repeats else self._new_items(data.items)
        self.idle = 0 if items else self.idle + 1
        self.found += len(items)
        self.page_size = max(self.page_size, len(data.items))
        self.previous = data.items
        arguments: dict[str, Any] | ResponseError | None
        try:
            arguments = self._next_arguments(data, earlier)
        except ResponseError as error:
            arguments = error
        return data._replace(items=items), arguments

    def _new_items(self, items: list[T]) -> list[T]:
        new, ids, id_of = [], self.ids, self.id_of
        for item in items:
            try:
                id_ = id_of(item)
            except AttributeError:  # an item of an undocumented shape
                id_ = None
            if type(id_) is not str:
                id_ = _id(id_)
            if not id_ or id_ not in ids:
                new.append(item)
                if id_:
                    ids.add(id_)
        return new

    def _skipped(self) -> float:
        """Number of items before the first page, as far as the arguments show; infinity if they
        show that there may be some.
        """
        pager, arguments = self.pager, self.arguments
        if pager.style != "number":
            return math.inf if any(self.cursors) else 0
        pages_before = int(arguments.get(pager.page or "") or 1) - 1
        size = arguments.get(pager.size)
        return pages_before * int(size) if size else math.inf if pages_before else 0

    def _next_arguments(self, data: PageData[Any], earlier: list[bool]) -> dict[str, Any] | None:
        if not self._has_more(data):
            is_stuck = self.idle and data.items
            if is_stuck and self.found + self.skipped < (data.total or 0):
                raise self._no_progress(f"{self._cursor} brought nothing new", data)
            return None
        if self.idle >= MAX_IDLE_PAGES:
            raise self._no_progress(
                f"{self.idle} pages in a row brought nothing new, the last for {self._cursor}", data
            )
        name, value = self._next_cursor(data, earlier)
        self.arguments = {**self.arguments, name: value}
        return self.arguments

    def _has_more(self, data: PageData[Any]) -> bool:
        if data.has_more is not None:
            return data.has_more
        if self.pager.style == "token":
            return data.next_token is not None
        if data.total is None:
            return bool(data.items)
        # The server may send less than was asked for: because pages are smaller, or, if the page is
        # empty, because of a filter.
        asked = int(self.arguments.get(self.pager.size) or self.page_size)
        size = self.page_size if data.items else asked
        skipped = (int(self.arguments.get(self.pager.page or "") or 1) - 1) * size
        return max(self.found, skipped + len(data.items)) < data.total

    def _next_cursor(self, data: PageData[Any], earlier: list[bool]) -> tuple[str, Any]:
        """Name and value of the argument that moves. A walk by cursor goes on in the direction of
        the first call.
        """
        pager = self.pager
        if pager.style == "number":
            assert pager.page is not None
            return pager.page, int(self.arguments.get(pager.page) or 1) + 1
        if pager.style == "token":
            name, cursor = pager.page, data.next_token
        else:
            ends = [data.next_before, data.next_after]
            backward = bool(self.arguments.get(pager.before or ""))
            # An end that was on an earlier page, or is what this page was asked for by, is where
            # the page starts.
            self.other_end |= earlier[0 if backward else 1]
            name = pager.before if backward else pager.after
            cursor = ends[0 if backward is not self.other_end else 1]
        assert name is not None
        if not cursor:
            raise self._no_progress(f"the page for {self._cursor} has no cursor", data)
        if cursor in self.cursors:
            raise self._no_progress(f"{name}={cursor!r} appeared twice", data)
        self.cursors.add(cursor)
        return name, cursor

    @property
    def _cursor(self) -> str:
        """The cursor of the current page, for errors."""
        names = (self.pager.page, self.pager.before, self.pager.after)
        cursors = [(name, value) for name in names if name and (value := self.arguments.get(name))]
        return ", ".join(f"{name}={value!r}" for name, value in cursors) or "the first page"

    def _no_progress(self, problem: str, data: PageData[Any]) -> ResponseError:
        logid = f" (logid {data.logid})" if data.logid else ""
        total = "" if data.total is None else f" of {data.total}"
        return ResponseError(
            f"{self.operation}: the server claims that there are more pages after "
            f"{self.found}{total} items, but {problem}{logid}",
            logid=data.logid,
        )
