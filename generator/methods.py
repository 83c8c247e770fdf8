"""The methods of a resource: what each operation becomes for users, with signature and docstring.

An operation is a plain method, and, where the description says so, a stream, one that polls for the
outcome, one that waits for work that runs already, and helpers with a body of their own.
"""

from __future__ import annotations

from typing import Any, Literal

from attrs import define, evolve, field

from .bundle import Bundle, Node
from .operations import Operation, Parameter

Kind = Literal["plain", "pager", "stream", "poll", "wait", "helper"]
CALL_OPTIONS = ("extra_headers", "extra_query", "extra_body", "timeout")
LIMITS = ("idle_timeout", "deadline")


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
    found: list[Method] = []
    if not op.streams_only:
        found.append(_plain(bundle, op))
    if op.stream:
        found.append(_stream(bundle, op))
    waiter = op.waiter
    if waiter and "poll" in waiter:
        found.append(_poll(bundle, op, waiter, operations[waiter["operation"]]))
    if waiter and "wait" in waiter:
        found.append(_wait(bundle, op, waiter, operations[waiter["operation"]]))
    helpers: Node = op.node.get("x-coze-helpers") or {}
    return found + [_helper(bundle, op, name, about) for name, about in helpers.items()]


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
    text = " ".join(str(about["description"]).split())
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
    positional = [_of_parameter(p) for p in op.positional]
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


def _stream(bundle: Bundle, op: Operation) -> Method:
    assert op.stream is not None
    cls = f"{op.stream['kind'].capitalize()}Stream"
    about = {
        **op.node,
        "summary": f"{op.node['summary']}{'' if op.streams_only else ', as an event stream'}",
        "returns": "The open stream; use it in a `with` block. It ends at its last event.",
        "raises": {"StreamTimeout": "A limit passed before the response came."},
    }
    return Method(
        "stream",
        op,
        str(op.stream["method"]),
        **_signature(bundle, op, list(LIMITS)),
        returns=cls,
        about=about,
        data={"cls": cls, "kind": op.stream["kind"]},
    )


def _polled(waiter: Node, polled: Operation) -> dict[str, Any]:
    """What the methods that poll have in common: the type of the outcome, and its texts."""
    result = waiter.get("result")
    if result:
        returns = f"streams.{result['type']}"
    else:
        returns = polled.returns
        if polled.pager and not waiter.get("pick"):
            returns = f"ResultList[{returns}]"
    raises = {
        failure["error"]: f"{failure['text']}."
        for failure in (waiter.get("failures") or {}).values()
    }
    raises = {name: text[0].upper() + text[1:] for name, text in raises.items()}
    if not raises:
        raises = {"TaskFailed": "It failed; `ids`, `state` and `last` say what and how."}
    raises["PollTimeout"] = "It did not end in time; the error holds its ids."
    return {"returns": returns, "raises": raises, "result": result}


def _poll(bundle: Bundle, op: Operation, waiter: Node, polled: Operation) -> Method:
    common = _polled(waiter, polled)
    own = ["poll_timeout", "poll_interval", *(["cancel_on_timeout"] if "cancel" in waiter else [])]
    text = waiter["poll"]
    about = {**op.node, **text, "returns": waiter["returns"], "raises": common["raises"]}
    return Method(
        "poll",
        op,
        text["method"],
        **_signature(bundle, op, own, values={"interval": f"{waiter['interval']:g}"}),
        returns=common["returns"],
        about=about,
        own=own,
        data={"result": common["result"]},
    )


def _wait(bundle: Bundle, op: Operation, waiter: Node, polled: Operation) -> Method:
    common = _polled(waiter, polled)
    text = waiter["wait"]
    own = ["poll_timeout", "poll_interval", *(["cancel_on_timeout"] if "cancel" in waiter else [])]
    values = {"interval": f"{waiter['interval']:g}"}
    sources: Node = text.get("arguments") or {name: name for name in waiter["arguments"]}
    first = [_wait_argument(polled, op, name, source) for name, source in sources.items()]
    positional = [a for a in first if a.python in (text.get("positional") or ())]
    keywords = [a for a in first if a not in positional]
    options = [own_argument(bundle, key, values) for key in (*own, "extra_headers", "timeout")]
    about = {
        "summary": text["summary"],
        "description": text["description"],
        "x-coze-page": text.get("page") or op.node.get("x-coze-page"),
        "x-coze-permission": polled.node.get("x-coze-permission"),
        "returns": waiter["returns"],
        "raises": common["raises"],
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
        keywords=keywords + options,
        returns=common["returns"],
        about=about,
        own=own,
        data={"result": common["result"], "start": op, "ids": ids},
    )


def _wait_argument(polled: Operation, op: Operation, name: str, source: Any) -> Argument:
    """An argument of the polled operation, as the method that waits takes it."""
    found = next(p for p in polled.parameters if p.python == name)
    if isinstance(source, list):
        annotation = (
            found.annotation.removeprefix("list[").removeprefix("Sequence[").removesuffix("]")
        )
        return Argument(source[0], annotation, None, "Id of the work that was started.")
    return Argument(found.python, found.annotation, None, found.description)


def _helper(bundle: Bundle, op: Operation, name: str, about: Node) -> Method:
    own = list(about["parameters"])
    without = tuple(about.get("without") or ())
    module, _, function = str(about["function"]).partition(".")
    interval = f"{(op.waiter or {}).get('interval', 1):g}"
    text = {**op.node, **about, "x-coze-page": about.get("page") or op.node.get("x-coze-page")}
    return Method(
        "helper",
        op,
        name,
        **_signature(bundle, op, own, without=without, values={"interval": interval}),
        returns=str(about["result"]),
        about=text,
        own=[bundle.document["x-coze-parameters"][key].get("name", key) for key in own],
        data={"module": module, "function": function, "takes": about.get("takes") or []},
    )


def with_types(method: Method, change: Any) -> Method:
    """The method with other texts for its types."""

    def changed(arguments: list[Argument]) -> list[Argument]:
        return [evolve(a, annotation=change(a.annotation)) for a in arguments]

    return evolve(
        method,
        positional=changed(method.positional),
        keywords=changed(method.keywords),
        returns=change(method.returns),
    )
