"""Documentation of generated methods: summary, wire, description, arguments, result, errors, permission, source."""

from __future__ import annotations

import textwrap

from .bundle import Node
from .operations import Operation

WIDTH = 110
DOCS = "https://www.coze.cn/open/docs/developer_guides/"


def docstring(text: str, indent: int) -> str:
    """A docstring for the text at the indent; paragraphs and indented lines are kept."""
    text = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    pad = " " * indent
    lines: list[str] = []
    for line in text.split("\n"):
        own = line[: len(line) - len(line.lstrip())]
        hang = own + ("    " if own else "")
        wrapped = textwrap.wrap(
            line.strip(), WIDTH - indent, initial_indent=own, subsequent_indent=hang, break_on_hyphens=False, break_long_words=False
        )
        lines += wrapped or [""]
    if len(lines) == 1 and len(lines[0]) + indent < WIDTH - 6:
        quote = " " if lines[0].endswith('"') else ""
        return f'"""{lines[0]}{quote}"""'
    return f'"""{lines[0]}\n' + "\n".join(pad + line if line else "" for line in lines[1:]) + ("\n" if lines[1:] else "") + f'{pad}"""'


def returned(op: Operation, is_async: bool, streams: bool) -> str:
    """Return type of a method."""
    if streams:
        return "AsyncByteStream" if is_async else "ByteStream"
    if op.pager:
        return f"AsyncPager[{op.returns}]" if is_async else f"Page[{op.returns}]"
    return op.returns


def method_text(op: Operation, streams: bool) -> str:
    """Docstring of a method: summary, wire, description, arguments, result, errors, permission, source."""
    node = op.node
    parts = [f"{node['summary']}{', as an event stream' if streams and not op.streams_only else ''}.", "", f"`{op.http_method} {op.path}`"]
    parts += ["", " ".join(str(node["description"]).split())]
    if node.get("deprecated"):
        parts += ["", f"Deprecated: use `{node['x-coze-replaced-by']}`."]
    parts += ["", "Args:", *(f"    {p.python}: {p.description}" for p in [*op.positional, *op.keywords])]
    parts += ["    extra_headers, extra_query, extra_body, timeout: Options of this call; see `CallOptions`."]
    parts += ["", "Returns:", f"    {_returns_text(op, streams)}"]
    parts += ["", "Raises:", *_raises(op)]
    permission = ", ".join(f"`{name}`" for name in node.get("x-coze-permission") or ()) or "none documented"
    parts += ["", f"Permission: {permission}"]
    if node.get("x-coze-rate-limit"):
        parts += [f"Rate limit: {node['x-coze-rate-limit']}"]
    parts += ["Source: " + (", ".join(DOCS + page for page in op.pages) or "not documented; see the deviation in the description")]
    return "\n".join(parts)


def _returns_text(op: Operation, streams: bool) -> str:
    if streams:
        return "The open stream; close it, or use it in a `with` block."
    if op.pager:
        return f"The first page of `{op.returns}`; iterating goes through the items of all pages."
    answer: Node = next((r for code, r in op.node["responses"].items() if str(code)[0] in "23"), {})
    text = " ".join(str(answer.get("description") or "").split()).rstrip(".")
    return f"{text}." if op.unwrap != "nothing" else "Nothing but the log id."


def _raises(op: Operation) -> list[str]:
    lines = [f"    {name}: Code {code}: {meaning}." for name, code, meaning in op.errors]
    lines.append(f"    APIError: The API refused the call{' for another reason' if lines else ''}.")
    if op.positional:
        lines.append("    ArgumentError: An id is empty.")
    return [*lines, "    APIConnectionError: No answer came.", "    ResponseError: The answer has not the promised shape."]
