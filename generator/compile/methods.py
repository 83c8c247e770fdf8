"""The methods of a resource: what each operation becomes for users, with signature and docstring.

An operation is a plain method, and, where the description says so, a stream, one that polls for the
outcome, one that waits for work that runs already, and helpers with a body of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from attrs import define, evolve, field

from .bundle import Bundle, Node
from .nodes import one_line
from .operations import Operation, Parameter

Kind = Literal["plain", "pager", "stream", "poll", "wait", "helper"]
CALL_OPTIONS = ("extra_headers", "extra_query", "extra_body", "timeout")
STREAM_OPTIONS = ("idle_timeout", "deadline", "keep_events")


@define
class Argument:
    """One argument of a method."""

    python: str
    annotation: str
    default: str | None
    """In Python; None when it has to be given."""
    description: str


@define
class Method:
    """One method."""

    kind: Kind
    op: Operation
    name: str
    positional: list[Argument]
    keywords: list[Argument]
    returns: str
    about: Node
    """Texts: summary, description, returns, raises, example, page."""
    own: list[str] = field(factory=list)
    """Arguments that are not those of the operation."""
    data: dict[str, Any] = field(factory=dict)
    """What the body needs to know."""

    @property
    def is_coroutine(self) -> bool:
        """Whether its async form is awaited; streams and lists are opened later."""
        return self.kind not in ("pager", "stream") and not self.returns.endswith("SpeechStream")

    def takes(self, name: str) -> bool:
        """Whether it has an argument of this name."""
        return any(argument.python == name for argument in self.arguments)

    @property
    def arguments(self) -> list[Argument]:
        """All of them, in the order of the docstring."""
        return [*self.positional, *self.keywords]


def methods_of(bundle: Bundle, op: Operation, operations: dict[str, Operation]) -> list[Method]:
    """Everything that an operation becomes."""
    methods: list[Method] = []
    if not op.streams_only:
        methods.append(_plain(bundle, op))
    if op.stream:
        methods.append(_stream(bundle, op, op.stream, operations))
    waiter = op.waiter or {}
    if "poll" in waiter:
        methods.append(_poll(bundle, op, waiter, operations[waiter["operation"]]))
    if "wait" in waiter:
        methods.append(_wait(bundle, op, waiter, operations[waiter["operation"]]))
    helpers: Node = op.node.get("x-coze-helpers") or {}
    return methods + [_helper(bundle, op, name, about) for name, about in helpers.items()]


def method_names(op: Operation) -> list[str]:
    """The names of all methods of an operation."""
    names = [] if op.streams_only else [op.method]
    names += [str(op.stream["method"])] if op.stream else []
    waiter = op.waiter or {}
    names += [str(waiter[key]["method"]) for key in ("poll", "wait") if key in waiter]
    return names + list(op.node.get("x-coze-helpers") or {})


def own_argument(bundle: Bundle, key: str, values: dict[str, str] | None = None) -> Argument:
    """An argument out of `x-coze-parameters`."""
    about = bundle.document["x-coze-parameters"][key]
    text = one_line(about["description"])
    for name, value in (values or {}).items():
        text = text.replace(f"{{{name}}}", value)
    default = about.get("default")
    return Argument(
        about.get("name", key), about["type"], None if default is None else str(default), text
    )


def _of_parameter(parameter: Parameter) -> Argument:
    annotation = parameter.annotation if parameter.required else f"{parameter.annotation} | None"
    default = None if parameter.required else "None"
    return Argument(parameter.python, annotation, default, parameter.description)


def _signature(
    bundle: Bundle,
    op: Operation,
    own: list[str],
    *,
    without: tuple[str, ...] = (),
    values: dict[str, str] | None = None,
) -> dict[str, Any]:
    positional = [_of_parameter(p) for p in op.positional if p.python not in without]
    given = [_of_parameter(p) for p in op.keywords if p.python not in without]
    added = [own_argument(bundle, key, values) for key in (*own, *CALL_OPTIONS)]
    required = [argument for argument in (*given, *added) if argument.default is None]
    optional = [argument for argument in (*given, *added) if argument.default is not None]
    return {"positional": positional, "keywords": required + optional}


def _plain(bundle: Bundle, op: Operation) -> Method:
    files = [p for p in op.parameters if p.place == "file"]
    own = ["on_progress"] if len(files) == 1 else []
    return Method(
        "pager" if op.pager else "plain",
        op,
        op.method,
        **_signature(bundle, op, own),
        returns=op.returns,
        about=op.node,
        own=own,
        data={"file": files[0].python if own else ""},
    )


def _stream(
    bundle: Bundle, op: Operation, stream: Node, operations: dict[str, Operation]
) -> Method:
    cls = f"{stream['kind'].capitalize()}Stream"
    numbered = bundle.stream_kinds[stream["kind"]].get("numbered", False)
    own = [*STREAM_OPTIONS, *(["on_gap"] if numbered else [])]
    about = {
        **op.node,
        "summary": f"{op.node['summary']}{'' if op.streams_only else ', as an event stream'}",
        "returns": "The open stream; use it in a `with` block. It ends at its last event.",
        "raises": {"StreamTimeout": "The response did not begin within the limits."},
    }
    return Method(
        "stream",
        op,
        str(stream["method"]),
        **_signature(bundle, op, own),
        returns=cls,
        about=about,
        own=own,
        data={
            "cls": cls,
            "kind": stream["kind"],
            "recovery": operations.get(stream.get("recover", "")),
        },
    )


def _poll(bundle: Bundle, op: Operation, waiter: Node, polled: Operation) -> Method:
    own, text = _poll_arguments(waiter), waiter["poll"]
    about = {**op.node, **text, "returns": waiter["returns"], "raises": _poll_errors(waiter)}
    return Method(
        "poll",
        op,
        text["method"],
        **_signature(bundle, op, own, without=(op.poll_switch,), values=_interval(waiter)),
        returns=_outcome(waiter, polled),
        about=about,
        own=own,
        data={"result": waiter.get("result"), "switch": op.poll_switch},
    )


def _wait(bundle: Bundle, op: Operation, waiter: Node, polled: Operation) -> Method:
    own, text = _poll_arguments(waiter), waiter["wait"]
    sources: Node = text.get("arguments") or {name: name for name in waiter["arguments"]}
    arguments = [_wait_argument(polled, name, source) for name, source in sources.items()]
    positional = [a for a in arguments if a.python in (text.get("positional") or ())]
    options = [
        own_argument(bundle, key, _interval(waiter)) for key in (*own, "extra_headers", "timeout")
    ]
    about = {
        "summary": text["summary"],
        "description": text["description"],
        "x-coze-page": text.get("page") or op.node.get("x-coze-page"),
        "x-coze-permission": polled.node.get("x-coze-permission"),
        "returns": waiter["returns"],
        "raises": _poll_errors(waiter),
    }
    ids = {
        name: f"[{source[0]}]" if isinstance(source, list) else source
        for name, source in sources.items()
    }
    return Method(
        "wait",
        polled,
        text["method"],
        positional=positional,
        keywords=[a for a in arguments if a not in positional] + options,
        returns=_outcome(waiter, polled),
        about=about,
        own=own,
        data={"result": waiter.get("result"), "start": op, "ids": ids},
    )


def _poll_arguments(waiter: Node) -> list[str]:
    own = ["poll_timeout", "poll_interval"]
    return [*own, "cancel_on_timeout"] if "cancel" in waiter else own


def _interval(waiter: Node) -> dict[str, str]:
    return {"interval": f"{waiter.get('interval', 1):g}"}


def _outcome(waiter: Node, polled: Operation) -> str:
    """The type of what a method that polls returns."""
    if waiter.get("result"):
        return f"streams.{waiter['result']['type']}"
    whole_list = polled.pager and not waiter.get("pick")
    return f"ResultList[{polled.returns}]" if whole_list else polled.returns


def _poll_errors(waiter: Node) -> dict[str, str]:
    """The errors of a method that polls, with their texts."""
    errors = {
        failure["error"]: f"{failure['text'][0].upper()}{failure['text'][1:]}."
        for failure in (waiter.get("failures") or {}).values()
    }
    if not errors:
        errors["TaskFailed"] = "The task failed; `ids`, `state` and `last` hold the details."
    return {**errors, "PollTimeout": "It did not end in time; the error holds its ids."}


def _wait_argument(polled: Operation, name: str, source: Any) -> Argument:
    """An argument of the polled operation, as the method that waits takes it."""
    parameter = next(p for p in polled.parameters if p.python == name)
    if isinstance(source, list):
        item = parameter.annotation.removeprefix("list[").removeprefix("Sequence[")
        return Argument(source[0], item.removesuffix("]"), None, "Id of the task to wait for.")
    return Argument(parameter.python, parameter.annotation, None, parameter.description)


def _helper(bundle: Bundle, op: Operation, name: str, about: Node) -> Method:
    own, without = list(about["parameters"]), tuple(about.get("without") or ())
    module, _, function = str(about["function"]).partition(".")
    text = {**op.node, **about, "x-coze-page": about.get("page") or op.node.get("x-coze-page")}
    return Method(
        "helper",
        op,
        name,
        **_signature(bundle, op, own, without=without, values=_interval(op.waiter or {})),
        returns=str(about["result"]),
        about=text,
        own=[bundle.document["x-coze-parameters"][key].get("name", key) for key in own],
        data={"module": module, "function": function, "takes": about.get("takes") or []},
    )


def with_types(method: Method, change: Callable[[str], str]) -> Method:
    """The method with other texts for its types."""

    def changed(arguments: list[Argument]) -> list[Argument]:
        return [evolve(a, annotation=change(a.annotation)) for a in arguments]

    return evolve(
        method,
        positional=changed(method.positional),
        keywords=changed(method.keywords),
        returns=change(method.returns),
    )
