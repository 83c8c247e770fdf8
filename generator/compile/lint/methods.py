"""Rules for what makes further methods of an operation: waits, helpers, calls that may come too
late. Every path leads to something, and every state is a known value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define

from ..bundle import Bundle, Node, parts_of
from ..nodes import (
    body_fields,
    known_values,
    node_at,
    python_name,
    reference,
    response_schema,
)
from .place import Place
from .values import Values

_STATES = ("success", "failure", "pause")


def lint_methods(place: Place, node: Node, values: Values) -> Iterator[str]:
    """Messages for the waiter, the helpers and the too-late codes of an operation."""
    bundle = values.bundle
    if "x-coze-waiter" in node:
        waiter = node["x-coze-waiter"]
        polled = _operation(bundle, waiter["operation"])
        rules = _Waiter(place / "x-coze-waiter", bundle, node, waiter, polled)
        yield from rules.problems()
    if "x-coze-ended" in node:
        ended, here = node["x-coze-ended"], place / "x-coze-ended"
        result = _result(bundle, _operation(bundle, ended["operation"]))
        yield from _states(here, bundle, result, ended, ("states",))
        for index, code in enumerate(ended["codes"]):
            if code not in (node.get("x-coze-errors") or ()):
                yield here.below("codes", index).says(f"{code} is not in x-coze-errors; add it")
    for name, about in (node.get("x-coze-helpers") or {}).items():
        yield from _among(
            place.below("x-coze-helpers", name, "without"),
            about.get("without") or (),
            _arguments(bundle, node),
            "an argument of the operation",
        )


def _operation(bundle: Bundle, name: str) -> Node:
    return next(node for _, _, node in bundle.operations() if node.get("operationId") == name)


def _arguments(bundle: Bundle, node: Node) -> dict[str, Node]:
    """The schemas of the arguments of an operation, by name in Python."""
    fields = {p["name"]: p["schema"] for p in node.get("parameters") or ()}
    return {python_name(k): v for k, v in {**fields, **body_fields(bundle, node)}.items()}


def _result(bundle: Bundle, node: Node) -> Node:
    """What the method of an operation returns; empty when it is not JSON."""
    response, pager = response_schema(node), node.get("x-coze-pager")
    path = pager["items"] if pager else node.get("x-coze-unwrap")
    if response is None or path == "body":
        return reference(response) if response else {}
    return node_at(bundle, reference(response), str(path)) or {}


def _among(place: Place, names: Iterable[Any], known: Any, what: str) -> Iterator[str]:
    for step, name in names.items() if isinstance(names, dict) else enumerate(names):
        if name not in known:
            shown = ", ".join(map(str, known)) or "there is none"
            yield (place / step).says(f"{name!r} is not {what}: {shown}; fix it")


def _states(
    place: Place, bundle: Bundle, result: Node, about: Node, keys: Iterable[str], path: str = ""
) -> Iterator[str]:
    """The path of a state leads somewhere, and the states are known values."""
    state = node_at(bundle, result, path or about["state"])
    if state is None:
        yield (place / "state").says("not a path in the polled response; fix it")
        return
    for key in keys:
        yield from _among(
            place / key, about.get(key) or (), known_values(bundle, state), "a known value"
        )


@define
class _Waiter:
    """The waiter of one operation."""

    place: Place
    bundle: Bundle
    first: Node
    waiter: Node
    polled: Node

    def problems(self) -> Iterator[str]:
        """Messages for this waiter."""
        yield from self.arguments()
        yield from self.states()
        yield from self.failures()
        yield from self.paths()

    def states(self) -> Iterator[str]:
        """States are known values of the field that they are states of."""
        waiter, result = self.waiter, _result(self.bundle, self.polled)
        items = (self.polled.get("x-coze-pager") or {}).get("items")
        path = waiter["state"].removeprefix(f"{items}.")
        yield from _states(self.place, self.bundle, result, waiter, _STATES, path)
        for key in ("waits", "cancel"):
            if key in waiter:
                here = self.place / key
                yield from _states(here, self.bundle, result, waiter[key], ("states",), path)

    def arguments(self) -> Iterator[str]:
        """Arguments come from somewhere, and all operations that the waiter calls take them."""
        waiter, given = self.waiter, _arguments(self.bundle, self.first)
        cancel = waiter.get("cancel") or {}
        for name in filter(
            None, (waiter["operation"], waiter.get("then"), cancel.get("operation"))
        ):
            taken = _arguments(self.bundle, _operation(self.bundle, name))
            arguments = {key: key for key in waiter["arguments"]}
            yield from _among(self.place / "arguments", arguments, taken, f"an argument of {name}")
        paged = "x-coze-pager" in self.first  # then the paths begin at the body
        page = reference(response_schema(self.first)) if paged else None
        result = page or _result(self.bundle, self.first)
        for name, source in waiter["arguments"].items():
            path = source[0] if isinstance(source, list) else source
            if path.startswith("$"):
                leads = path.removeprefix("$") in given
            else:
                leads = node_at(self.bundle, result, path) is not None
            if not leads:
                yield self.place.below("arguments", name).says(
                    f"{path} is neither a path in the first response nor $argument; fix it"
                )
        if "switch" in waiter:
            yield from _among(self.place, {"switch": waiter["switch"]}, given, "an argument")
        if "wait" in waiter:
            yield from self.wait(self.place / "wait", waiter["wait"])

    def wait(self, place: Place, wait: Node) -> Iterator[str]:
        """Arguments of the method for work that is already running."""
        own, polled = wait.get("arguments") or {}, _arguments(self.bundle, self.polled)
        yield from _among(place / "arguments", {key: key for key in own}, polled, "an argument")
        names = [name for names in own.values() for name in names] or self.waiter["arguments"]
        yield from _among(place / "positional", wait.get("positional") or (), names, "an argument")

    def failures(self) -> Iterator[str]:
        """Errors are for states of failure, and can hold what they are to hold."""
        waiter = self.waiter
        failures = waiter.get("failures") or {}
        here = self.place / "failures"
        yield from _among(here, {key: key for key in failures}, waiter["failure"], "in failure")
        for failure in failures.values() if "keep" in waiter else ():
            fields = (self.bundle.error_classes.get(failure["error"]) or {}).get("properties") or {}
            what = f"a property of {failure['error']}"
            yield from _among(self.place, {"keep": waiter["keep"]}, fields, what)

    def paths(self) -> Iterator[str]:
        """Paths lead somewhere in the polled response."""
        waiter, unless = self.waiter, self.waiter.get("unless") or {}
        result = _result(self.bundle, self.polled)
        yield from self.lead(result, [("code",), ("msg",), ("pick",)])
        yield from self.lead(result, [("waits", "path"), ("unless", "asked")])
        if unless:
            given = {"properties": _arguments(self.bundle, self.first)}
            yield from self.lead(given, [("unless", "answered")])
        reasons = waiter.get("reasons")
        if reasons:
            items = reasons["items"]
            yield from self.lead(result, [("reasons", "items")] if items else [])
            part = node_at(self.bundle, result, f"{items}.*" if items else "*") or {}
            names = [("reasons", "names", index) for index in range(len(reasons["names"]))]
            yield from self.lead(part, [("reasons", "text"), *names])

    def lead(self, node: Node, places: Iterable[tuple[str | int, ...]]) -> Iterator[str]:
        """Messages for paths, by where they are, that lead nowhere in a node."""
        for place in places:
            path: Any = self.waiter
            for step in place:
                path = dict(parts_of(path)).get(step)
            if path is not None and node_at(self.bundle, node, path) is None:
                yield self.place.below(*place).says(f"{path} leads nowhere; fix the path")
