"""Names of the wire as names in Python."""

from __future__ import annotations

import keyword
import re
from typing import Any


def member_name(value: Any, about: Any) -> str:
    """Python name of a known value."""
    name = about.get("name") if isinstance(about, dict) else None
    return re.sub(r"\W+", "_", str(name or value)).strip("_").upper()


def python_name(name: str) -> str:
    """Python name of a field or parameter: the wire name where Python allows it."""
    found = re.sub(r"\W", "_", name)
    if found[:1].isdigit():
        found = f"_{found}"
    if found[:1].isupper():
        found = found.lower()
    return f"{found}_" if keyword.iskeyword(found) or found == "self" else found
