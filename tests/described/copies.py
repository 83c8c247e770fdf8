"""The real description compiled once, copies of it that a test may spoil, and modules made of them
in memory.
"""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from coze_runtime.limits import Limit, Limits
from coze_runtime.senders import Sender
from generator.compile.bundle import Bundle, bundle
from generator.compile.emit import Compiled, compile_bundle, make
from generator.compile.senders import sender_tables, senders_context

ROOT = Path(__file__).resolve().parents[2]


@cache
def compiled() -> Compiled:
    return compile_bundle(bundle(ROOT / "spec"))


@cache
def tables() -> dict[str, Any]:
    """The tables that have senders, as they are described."""
    return sender_tables(compiled().bundle)


def spoiled(mutate: Callable[[Bundle], object]) -> Bundle:
    """A copy of the description, changed."""
    original = compiled().bundle
    found = Bundle(copy.deepcopy(original.document), original.files, original.origin)
    mutate(found)
    return found


def sender_module(stem: str, description: Bundle | None = None) -> types.ModuleType:
    """The generated module of a table, made in memory."""
    joined = description or compiled().bundle
    table = joined.document["x-coze-events"][stem]
    context = senders_context(joined, compiled().models, stem, table)
    text = make("senders.py.jinja", **context)
    module = types.ModuleType("coze_openapi.senders.in_memory")
    module.__package__ = "coze_openapi.senders"
    exec(compile(text, f"<{stem}>", "exec"), module.__dict__)
    return module


class Recorder:
    """Keeps what a sender sends."""

    def __init__(self, cls: type[Sender[Any]]) -> None:
        self.sent: list[Any] = []
        recorder = self

        class Recording(cls):  # type: ignore[misc, valid-type]
            def send(self, event: Any) -> None:
                recorder.sent.append(event)

        self.sender: Any = Recording()


def senders_of(module: types.ModuleType) -> dict[str, Callable[..., Any]]:
    """Everything in a module that sends, by name; each gives the event."""
    classes = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Sender)]
    own = [cls for cls in classes if cls is not Sender]
    if not own:
        return {
            name: value
            for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
        }
    recorder = Recorder(own[0])

    def sending(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            getattr(recorder.sender, name)(*args, **kwargs)
            return recorder.sent[-1]

        return call

    return {name: sending(name) for name in vars(own[0]) if not name.startswith("_")}


def callables_of(module: types.ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions themselves, for their signatures."""
    classes = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Sender)]
    owner = next((cls for cls in classes if cls is not Sender), None)
    if owner is None:
        return senders_of(module)
    return {n: f for n, f in vars(owner).items() if inspect.isfunction(f) and n[0] != "_"}


def generated_limits() -> Iterator[tuple[str, Callable[..., Any], Limits]]:
    """Everything generated that checks limits: its name, the function, the limits."""
    for op in compiled().operations:
        if op.limited:
            module = import_module(f"coze_openapi.api.{op.module}.{op.method}")
            yield op.id, module.build, module.LIMITS
    for stem in tables():
        module = import_module(f"coze_openapi.senders.{stem}")
        for name, send in senders_of(module).items():
            if hasattr(module, f"{name.upper()}_LIMITS"):
                yield f"{stem}.{name}", send, getattr(module, f"{name.upper()}_LIMITS")


Sample = tuple[str, Any, Any]
"""What is limited, a value at the limit, and one beyond it."""


def samples(limit: Limit) -> Iterator[Sample]:
    """Values for every limit in a tree, as deep as it goes."""
    yield from _numbers(limit)
    yield from _sizes(limit)
    if limit.allowed:
        odd = "no such value" if isinstance(limit.allowed[0], str) else 7
        yield "allowed", limit.allowed[0], odd
    for name, inner in limit.fields.items():
        for what, good, bad in samples(inner):
            yield f"{name}.{what}", {name: good}, {name: bad}
    if limit.each is not None:
        wrap = (lambda value: {"k": value}) if limit.max_pairs else (lambda value: [value])
        for what, good, bad in samples(limit.each):
            yield f"each.{what}", wrap(good), wrap(bad)
    if limit.keys is not None:
        for what, good, bad in samples(limit.keys):
            yield f"keys.{what}", {good: "x"}, {bad: "x"}
    for condition in limit.conditions:
        yield from _conditional(condition)


def _numbers(limit: Limit) -> Iterator[Sample]:
    if limit.minimum is not None:
        yield "minimum", limit.minimum, limit.minimum - 1
    if limit.maximum is not None:
        yield "maximum", limit.maximum, limit.maximum + 1


def _sizes(limit: Limit) -> Iterator[Sample]:
    makers: dict[str, Callable[[int], Any]] = {
        "length": lambda size: "好" * size,
        "bytes": lambda size: "x" * size,
        "items": lambda size: [None] * size,
        "pairs": lambda size: {str(number): "x" for number in range(size)},
    }
    for unit, maker in makers.items():
        low, high = getattr(limit, f"min_{unit}", None), getattr(limit, f"max_{unit}")
        if low:
            yield f"min_{unit}", maker(low), maker(low - 1)
        if high is not None:
            yield f"max_{unit}", maker(high), maker(high + 1)


def _conditional(condition: Any) -> Iterator[Sample]:
    trigger = {condition.field: condition.values[0] if condition.values else {"any": 1}}
    sound: dict[str, Any] = dict(trigger)
    for path in condition.required:
        sound[path] = (condition.allowed.get(path) or (1,))[0]
    if condition.required:
        yield f"when {condition.field}", sound, trigger
    for path in condition.allowed:
        head, _, rest = path.partition(".")
        good, bad = condition.allowed[path][0], 7
        yield (
            f"when {condition.field}: {path}",
            {**sound, head: {rest: good} if rest else good},
            {**sound, head: {rest: bad} if rest else bad},
        )
