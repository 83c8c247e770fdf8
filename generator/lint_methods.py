"""The rules of docs/description.md for what makes further methods of an operation: waits, helpers,
and calls that may come too late.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .bundle import ERROR_CLASSES, Bundle, Node
from .lint_keys import check_keys

WAITER_KEYS = (
    {"operation", "arguments", "state", "success", "failure", "interval", "returns"},
    {
        *("pause", "poll", "wait", "starts", "code", "msg", "code_fails", "failures", "keep"),
        *("reasons", "waits", "unless", "pick", "then", "cancel", "result"),
    },
)
ENDED_KEYS: tuple[set[str], set[str]] = ({"codes", "operation", "state", "states"}, set())
HELPER_KEYS = (
    {"function", "summary", "description", "parameters", "result", "returns"},
    {"takes", "without", "example", "page", "raises"},
)
TEXT_KEYS = ({"method", "summary", "description"}, {"page", "arguments", "positional"})
TAKES = ("client", "result_type", "stream_spec", "waiter")


def lint_methods(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    """Messages for the waiter, the helpers and the too-late codes of an operation."""
    if "x-coze-waiter" in node:
        yield from _waiter(where, node["x-coze-waiter"], bundle)
    if "x-coze-ended" in node:
        ended = node["x-coze-ended"]
        yield from check_keys(where, "x-coze-ended", ended, ENDED_KEYS)
        yield from _operation(f"{where}: x-coze-ended", ended.get("operation"), bundle)
    for name, about in (node.get("x-coze-helpers") or {}).items():
        yield from _helper(f"{where}: x-coze-helpers {name}", about, bundle)


def _operation(where: str, name: Any, bundle: Bundle) -> Iterator[str]:
    known = {node.get("operationId") for _, _, node in bundle.operations()}
    if name not in known:
        yield f"{where} polls {name}, which is no operation; mend the name"


def _waiter(where: str, waiter: Node, bundle: Bundle) -> Iterator[str]:
    yield from check_keys(where, "x-coze-waiter", waiter, WAITER_KEYS)
    here = f"{where}: x-coze-waiter"
    cancel = waiter.get("cancel") or {}
    for name in (waiter.get("operation"), waiter.get("then"), cancel.get("operation")):
        if name is not None:
            yield from _operation(here, name, bundle)
    if "operation" not in waiter:
        yield from _operation(here, None, bundle)
    if "poll" not in waiter and "wait" not in waiter:
        yield f"{here} makes no method; give poll or wait"
    for key in ("poll", "wait"):
        if key in waiter:
            yield from check_keys(where, f"x-coze-waiter {key}", waiter[key], TEXT_KEYS)
    classes = bundle.document.get(ERROR_CLASSES) or {}
    for state, failure in (waiter.get("failures") or {}).items():
        if set(failure) != {"error", "text"} or failure["error"] not in classes:
            yield f"{here}: failure {state} needs an error out of {ERROR_CLASSES}, and a text"
        if state not in (waiter.get("failure") or ()):
            yield f"{here}: failures names state {state}, which is not in failure"


def _helper(where: str, about: Node, bundle: Bundle) -> Iterator[str]:
    yield from check_keys(where, "helper", about, HELPER_KEYS)
    known = bundle.document.get("x-coze-parameters") or {}
    for name in about.get("parameters") or ():
        if name not in known:
            yield f"{where}: parameter {name} is not in x-coze-parameters of spec/shared.yaml"
    for name in about.get("takes") or ():
        if name not in TAKES:
            yield f"{where}: takes has unknown {name}; use {', '.join(TAKES)}"
