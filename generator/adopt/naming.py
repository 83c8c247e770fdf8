"""Names that a draft gives: tag, operationId, schemas. A person may rename them."""

from __future__ import annotations

import re

from ..compile.bundle import Bundle
from ..compile.lint.operations import VERBS

_VERSION = re.compile(r"v\d+|open_api")
_ORDINARY = {"GET": "retrieve", "POST": "create", "PUT": "update", "PATCH": "update"}


def camel(*words: str) -> str:
    """Words as the name of a class."""
    parts = re.findall(r"[A-Za-z0-9]+", " ".join(words).replace("_", " "))
    return "".join(part[:1].upper() + part[1:] for part in parts)


def singular(word: str) -> str:
    """The singular of a word in a path."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def plural(word: str) -> str:
    """The plural of a word in a path."""
    if word.endswith("s"):
        return word
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def names_of(joined: Bundle, method: str, path: str) -> tuple[str, str]:
    """Tag and operationId: those of the collection that other operations of the path belong to, or
    of its words.
    """
    steps = [step for step in path.strip("/").split("/") if not _VERSION.fullmatch(step)]
    verb = steps.pop() if len(steps) > 1 and steps[-1] in VERBS else ""
    words = [step for step in steps if not step.startswith("{")]
    is_item = bool(steps) and steps[-1].startswith("{")
    tag = _tag_of(joined, words) or ".".join(map(plural, words))
    verb = verb or ("delete" if method == "DELETE" else _ORDINARY.get(method, "create"))
    if verb == "retrieve" and not is_item:
        verb = "list"
    return tag, f"{tag.replace('.', '_')}_{verb}"


def _tag_of(joined: Bundle, words: list[str]) -> str:
    """The tag of the description that has these words, or the last of them, singular or plural."""
    wanted = list(map(plural, words))
    tags = [str(tag["name"]) for tag in joined.document.get("tags", ())]
    alike = [tag for tag in tags if list(map(plural, tag.split("."))) == wanted]
    ends = [tag for tag in tags if list(map(plural, tag.split(".")))[-len(wanted) :] == wanted]
    return next(iter(alike or ends), "")


def free_name(joined: Bundle, taken: set[str], *candidates: str) -> str:
    """The first candidate that no schema has."""
    known = joined.schemas.keys() | taken
    for name in candidates:
        if name not in known:
            return name
    number = next(n for n in range(2, 100) if f"{candidates[-1]}{n}" not in known)
    return f"{candidates[-1]}{number}"
