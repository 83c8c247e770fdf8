"""Documentation of generated methods: summary, HTTP call, description, arguments, result, errors,
permission, source.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import cache

from .bundle import Node
from .methods import Method
from .nodes import one_line

WIDTH = 100
DOCS = "https://www.coze.cn/open/docs/developer_guides/"


@cache
def docstring(text: str, indent: int) -> str:
    """A docstring for the text at the indent; paragraphs and indented lines are kept."""
    lines = list(_wrapped(text.replace("\\", "\\\\").replace('"""', "'''").strip(), indent))
    first, rest = lines[0], lines[1:]
    if not rest and len(first) + indent < WIDTH - 6:
        return f'"""{first} """' if first.endswith('"') else f'"""{first}"""'
    pad = " " * indent
    body = "".join(f"{pad}{line}\n" if line else "\n" for line in rest)
    return f'"""{first}\n{body}{pad}"""'


def _wrapped(text: str, indent: int) -> Iterator[str]:
    fenced = False
    for line in text.split("\n"):
        fenced = fenced != line.startswith("```")
        if fenced or (line.startswith("`") and line.endswith("`")):
            yield line  # method and path: one piece to search for
            continue
        own = line[: len(line) - len(line.lstrip())]
        yield from textwrap.wrap(
            line.strip(),
            WIDTH - indent,
            initial_indent=own,
            subsequent_indent=f"{own}    " if own else "",
            break_on_hyphens=False,
            break_long_words=False,
        ) or [""]


def returned(method: Method, is_async: bool) -> str:
    """Return type of a method."""
    prefix = "Async" if is_async else ""
    if method.kind == "pager":
        return f"{prefix}{'Pager' if is_async else 'Page'}[{method.returns}]"
    if method.kind == "stream":
        return f"streams.{prefix}{method.returns}"
    if method.returns == "SpeechStream":
        return f"base.{prefix}{method.returns}"
    return method.returns


def method_text(method: Method) -> str:
    """Docstring of a method: summary, HTTP call, description, arguments, result, errors,
    permission, source.
    """
    op, about = method.op, method.about
    lines = [f"{str(about['summary']).rstrip('.')}.", "", f"`{op.http_method} {op.path}`", ""]
    lines.append(one_line(about["description"]))
    if about.get("example"):
        lines += ["", "```python", *str(about["example"]).rstrip().split("\n"), "```"]
    if op.successor:
        lines += ["", f"Deprecated: use `{op.successor}`."]
    lines += ["", "Args:", *(f"    {a.python}: {a.description}" for a in method.arguments)]
    lines += ["", "Returns:", f"    {_returns_text(method)}"]
    lines += ["", "Raises:", *(f"    {name}: {reason}" for name, reason in _raises(method))]
    permission = ", ".join(f"`{name}`" for name in about.get("x-coze-permission") or ())
    lines += ["", f"Permission: {permission or 'none documented'}"]
    if about.get("x-coze-rate-limit"):
        lines.append(f"Rate limit: {about['x-coze-rate-limit']}")
    return "\n".join([*lines, f"Source: {_links(about)}"])


def _links(about: Node) -> str:
    pages = about.get("page") or about.get("x-coze-page") or []
    slugs = [pages] if isinstance(pages, str) else pages
    return ", ".join(f"{DOCS}{slug}" for slug in slugs) or "undocumented"


def _returns_text(method: Method) -> str:
    op, about = method.op, method.about
    if isinstance(about.get("returns"), str):
        return str(about["returns"])
    if method.kind == "pager":
        return f"The first page of `{op.returns}`; iterating goes through the items of all pages."
    if op.unwrap == "nothing":
        return "An empty result that carries the log id."
    responses: Node = op.node["responses"]
    texts = [node.get("description") for code, node in responses.items() if str(code)[0] in "23"]
    return one_line(texts[0]).rstrip(".") + "."


def _raises(method: Method) -> Iterator[tuple[str, str]]:
    """Classes of errors and when they are raised."""
    op, own = method.op, method.about.get("raises") or {}
    yield from own.items()
    for name, code, meaning in op.errors:
        yield name, f"Code {code}: {meaning}."
    other = " of another kind" if op.errors or own else ""
    yield "APIError", f"The API returned an error{other}."
    reasons = ["an id is empty"] if op.positional else []
    if any(method.takes(parameter.python) for parameter in op.limited):
        reasons.append("a value is beyond its limits")
    if reasons:
        yield "ArgumentError", f"{', or '.join(reasons).capitalize()}."
    yield "APIConnectionError", "The server could not be reached or did not respond in time."
    yield "ResponseError", "The response does not match the documented schema."
