"""Documentation of generated methods: summary, wire, description, arguments, result, errors,
permission, source.
"""

from __future__ import annotations

import textwrap

from .bundle import Node
from .methods import Method

WIDTH = 100
DOCS = "https://www.coze.cn/open/docs/developer_guides/"


def docstring(text: str, indent: int) -> str:
    """A docstring for the text at the indent; paragraphs and indented lines are kept."""
    text = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    pad = " " * indent
    lines: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fenced = fenced != line.startswith("```")
        if fenced or (line.startswith("`") and line.endswith("`")):
            lines.append(line)  # method and path: one piece to search for
            continue
        own = line[: len(line) - len(line.lstrip())]
        hang = own + ("    " if own else "")
        wrapped = textwrap.wrap(
            line.strip(),
            WIDTH - indent,
            initial_indent=own,
            subsequent_indent=hang,
            break_on_hyphens=False,
            break_long_words=False,
        )
        lines += wrapped or [""]
    if len(lines) == 1 and len(lines[0]) + indent < WIDTH - 6:
        quote = " " if lines[0].endswith('"') else ""
        return f'"""{lines[0]}{quote}"""'
    return (
        f'"""{lines[0]}\n'
        + "\n".join(pad + line if line else "" for line in lines[1:])
        + ("\n" if lines[1:] else "")
        + f'{pad}"""'
    )


def returned(method: Method, is_async: bool) -> str:
    """Return type of a method."""
    found = method.returns
    if method.kind == "pager":
        return f"AsyncPager[{found}]" if is_async else f"Page[{found}]"
    if method.kind == "stream":
        return f"streams.{'Async' if is_async else ''}{found}"
    if found == "SpeechStream":
        return f"base.{'Async' if is_async else ''}{found}"
    return found


def method_text(method: Method) -> str:
    """Docstring of a method: summary, wire, description, arguments, result, errors, permission,
    source.
    """
    op, about = method.op, method.about
    parts = [f"{str(about['summary']).rstrip('.')}.", ""]
    parts += [f"`{op.http_method} {op.path}`", "", " ".join(str(about["description"]).split())]
    if about.get("example"):
        parts += ["", "```python", *str(about["example"]).rstrip().split("\n"), "```"]
    if op.node.get("deprecated"):
        parts += ["", f"Deprecated: use `{op.node['x-coze-replaced-by']}`."]
    parts += ["", "Args:"]
    parts += [f"    {a.python}: {a.description}" for a in method.arguments]
    parts += ["", "Returns:", f"    {_returns_text(method)}"]
    parts += ["", "Raises:", *_raises(method)]
    permission = ", ".join(f"`{name}`" for name in about.get("x-coze-permission") or ())
    parts += ["", f"Permission: {permission or 'none documented'}"]
    if about.get("x-coze-rate-limit"):
        parts += [f"Rate limit: {about['x-coze-rate-limit']}"]
    pages = about.get("page") or about.get("x-coze-page") or []
    links = ", ".join(f"{DOCS}{page}" for page in ([pages] if isinstance(pages, str) else pages))
    parts += [f"Source: {links or 'undocumented'}"]
    return "\n".join(parts)


def _returns_text(method: Method) -> str:
    op, about = method.op, method.about
    if isinstance(about.get("returns"), str):
        return str(about["returns"])
    if method.kind == "pager":
        return f"The first page of `{op.returns}`; iterating goes through the items of all pages."
    if op.unwrap == "nothing":
        return "Nothing but the log id."
    answer: Node = next((r for code, r in op.node["responses"].items() if str(code)[0] in "23"), {})
    return " ".join(str(answer.get("description") or "").split()).rstrip(".") + "."


def _raises(method: Method) -> list[str]:
    op, given = method.op, method.about.get("raises") or {}
    lines = [f"    {name}: {text}" for name, text in given.items()]
    lines += [f"    {name}: Code {code}: {meaning}." for name, code, meaning in op.errors]
    other = " of another kind" if op.errors or given else ""
    lines.append(f"    APIError: The API returned an error{other}.")
    beyond = any(method.takes(parameter.python) for parameter in op.limited)
    if op.positional or beyond:
        reasons = ["an id is empty"] * bool(op.positional) + [
            "a value is beyond its limits"
        ] * beyond
        text = ", or ".join(reasons)
        lines.append(f"    ArgumentError: {text[:1].upper()}{text[1:]}.")
    return [
        *lines,
        "    APIConnectionError: The server could not be reached or did not respond in time.",
        "    ResponseError: The response does not match the documented schema.",
    ]
