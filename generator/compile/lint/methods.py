"""Rules for what makes further methods of an operation: waits, helpers, and calls that may come too
late.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..bundle import ERROR_CLASSES, Bundle, Node
from .keys import Keys, check_keys

WAITER_KEYS: Keys = (
    {"operation", "arguments", "state", "success", "failure", "interval", "returns"},
    {
        *("pause", "poll", "wait", "starts", "code", "msg", "code_fails", "failures", "keep"),
        *("reasons", "waits", "unless", "pick", "then", "cancel", "result", "switch"),
    },
)
ENDED_KEYS: Keys = ({"codes", "operation", "state", "states"}, set())
HELPER_KEYS: Keys = (
    {"function", "summary", "description", "parameters", "result", "returns"},
    {"takes", "without", "example", "page", "raises"},
)
TEXT_KEYS: Keys = ({"method", "summary", "description"}, {"page", "arguments", "positional"})
TAKES = ("client", "result_type", "stream_spec", "waiter")


def lint_methods(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    """Messages for the waiter, the helpers and the too-late codes of an operation."""
    if "x-coze-waiter" in node:
        yield from _waiter(f"{where}: x-coze-waiter", node["x-coze-waiter"], bundle)
    if "x-coze-ended" in node:
        ended = node["x-coze-ended"]
        yield from check_keys(f"{where}: x-coze-ended", ended, ENDED_KEYS)
        yield from _operation(f"{where}: x-coze-ended", ended.get("operation"), bundle)
    for name, about in (node.get("x-coze-helpers") or {}).items():
        yield from _helper(f"{where}: x-coze-helpers {name}", about, bundle)


def _operation(where: str, name: Any, bundle: Bundle) -> Iterator[str]:
    if name not in bundle.calls:
        yield f"{where} polls {name}, which is not an operation; fix the name"


def _waiter(where: str, waiter: Node, bundle: Bundle) -> Iterator[str]:
    yield from check_keys(where, waiter, WAITER_KEYS)
    yield from _operation(where, waiter.get("operation"), bundle)
    for name in (waiter.get("then"), (waiter.get("cancel") or {}).get("operation")):
        if name is not None:
            yield from _operation(where, name, bundle)
    methods = [key for key in ("poll", "wait") if key in waiter]
    if not methods:
        yield f"{where} makes no method; give poll or wait"
    for key in methods:
        yield from check_keys(f"{where} {key}", waiter[key], TEXT_KEYS)
    yield from _failures(where, waiter, bundle)


def _failures(where: str, waiter: Node, bundle: Bundle) -> Iterator[str]:
    for state, failure in (waiter.get("failures") or {}).items():
        if set(failure) != {"error", "text"} or failure["error"] not in bundle.error_classes:
            yield f"{where}: failure {state} needs an error out of {ERROR_CLASSES}, and a text"
        if state not in (waiter.get("failure") or ()):
            yield f"{where}: failures names state {state}, which is not in failure"


def _helper(where: str, about: Node, bundle: Bundle) -> Iterator[str]:
    yield from check_keys(where, about, HELPER_KEYS)
    parameters = bundle.document.get("x-coze-parameters") or {}
    for name in about.get("parameters") or ():
        if name not in parameters:
            yield f"{where}: parameter {name} is not in x-coze-parameters of spec/shared.yaml"
    for name in about.get("takes") or ():
        if name not in TAKES:
            yield f"{where}: takes has unknown {name}; use {', '.join(TAKES)}"
