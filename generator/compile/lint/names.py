"""The names that a format of `shape.yaml` stands for, out of the whole description."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..bundle import Bundle
from .shape import Known

_GENERATOR = Path(__file__).resolve().parents[2]
_OVERLAYS = _GENERATOR.parent / "overlays"
_PLAIN_TYPES = ("SpeechStream", "ResultList", "ResultDict", "dict", "list", "str", "int", "Any")


def known_names(bundle: Bundle, pages: Collection[str] | None) -> Known:
    """Tests by format.

    Args:
        bundle: The description.
        pages: Slugs of the ledger; None accepts every slug.
    """
    document = bundle.document
    errors = {*bundle.error_classes, *_classes(_OVERLAYS / "coze_runtime/errors.py")}
    results = _results()
    types = {*_PLAIN_TYPES, *(f"streams.{name}" for name in results)}
    types |= {f"models.{name}" for name in bundle.schemas}
    names: dict[str, Collection[str]] = {
        "tag": {tag["name"] for tag in document["tags"]},
        "security scheme": document["components"]["securitySchemes"],
        "operation": bundle.calls,
        "error class": errors,
        "kind of streams": bundle.stream_kinds,
        "server": document.get("x-coze-servers") or {},
        "parameter": document.get("x-coze-parameters") or {},
        "result of a stream": results,
        "part of a result": _parts(),
    }
    known: dict[str, Any] = {name: frozenset(values).__contains__ for name, values in names.items()}
    known["page"] = pages.__contains__ if pages is not None else lambda _: True
    known["result"] = lambda text: {*re.findall(r"[\w.]+", text)} <= types
    return {**known, "function": _is_function, "module": _is_module}


def _classes(path: Path) -> list[str]:
    return re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)


@cache
def _results() -> frozenset[str]:
    config = yaml.safe_load((_GENERATOR / "config.yaml").read_text(encoding="utf-8"))
    return frozenset(name for names in config["streams"].values() for name in names)


@cache
def _parts() -> frozenset[str]:
    """Fields of the classes that combine events."""
    paths = _OVERLAYS.glob("coze_runtime/streams/*.py")
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return frozenset(re.findall(r"^    (\w+): ", "\n".join(texts), re.MULTILINE))


@cache
def _is_function(name: str) -> bool:
    module, _, function = name.partition(".")
    path = _OVERLAYS / f"coze_runtime/loops/{module}.py"
    defined = path.is_file() and f"\ndef {function}(" in path.read_text(encoding="utf-8")
    return name == "speech" or defined


@cache
def _is_module(text: str) -> bool:
    """Whether a text begins with a module of the client."""
    target = _OVERLAYS.joinpath(*re.findall(r"\w+", text.split(maxsplit=1)[0]))
    return target.joinpath("__init__.py").is_file() or target.with_suffix(".py").is_file()
