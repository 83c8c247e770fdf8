"""Reads YAML strictly, and knows the line of every part of a file.

A key given twice, a merge key and a scalar that YAML 1.1 and 1.2 read differently (`yes`, `010`,
`1_000`, `1e3`) are errors: nobody should have to know which of the two reads the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from attrs import define, field

Step = str | int
"""A key of a map, or an index of a list."""
_TAG = "tag:yaml.org,2002:"
_CONSTRUCTORS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "bool": (re.compile(r"true|false"), lambda text: text == "true"),
    "int": (re.compile(r"-?(0|[1-9][0-9]*)"), int),
    "float": (re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+"), float),
    "null": (re.compile(r"null|"), lambda _: None),
}
"""Scalars that are not text, as every version of YAML writes them."""
_LOOKS_LIKE_A_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.?[0-9]*)([eE][-+]?[0-9]+)?|0o[0-7]+")


class DescriptionError(Exception):
    """The description cannot be used; the text says where and how to fix it."""


@define
class YamlFile:
    """The content of a file, and where its parts are."""

    name: str
    content: Any
    root: yaml.Node | None = field(default=None, repr=False, eq=False)

    def line(self, pointer: tuple[Step, ...]) -> int:
        """The line of the part that a pointer leads to, or of the last part on the way there."""
        node, line = self.root, 1
        for step in pointer:
            key = None
            if isinstance(node, yaml.MappingNode):
                pairs = (pair for pair in node.value if pair[0].value == str(step))
                key, node = next(pairs, (None, None))
            elif isinstance(node, yaml.SequenceNode) and int(step) < len(node.value):
                key = node = node.value[int(step)]
            if key is None:
                break
            line = key.start_mark.line + 1
        return line


def read_yaml(path: Path, name: str | None = None) -> YamlFile:
    """Reads a file.

    Args:
        path: Where it is.
        name: What messages call it.

    Raises:
        DescriptionError: It is missing, not YAML, or says something that is not accepted.
    """
    name = str(name or path)
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptionError(f"{name}: cannot be read ({error})") from error


def parse_yaml(text: str, name: str) -> YamlFile:
    """Parses the text of a file.

    Raises:
        DescriptionError: As for `read_yaml`.
    """
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise DescriptionError(f"{name}{line}: not valid YAML: {problem}; fix it") from error
    return YamlFile(name, _Constructor(name).value(root) if root else None, root)


@define
class _Constructor:
    """Python values of the nodes of one file."""

    name: str
    around: set[int] = field(factory=set)
    """The nodes that hold the present one."""

    def value(self, node: yaml.Node) -> Any:
        """The value of a node."""
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self.around:
            raise self.error(node, "an alias of what it is in; point to a schema by `$ref`")
        self.around.add(id(node))
        sequence = isinstance(node, yaml.SequenceNode)
        value = [self.value(item) for item in node.value] if sequence else self.mapping(node)
        self.around.discard(id(node))
        return value

    def mapping(self, node: yaml.Node) -> dict[Any, Any]:
        """A map, whose keys are scalars and different."""
        pairs: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.error(key_node, "a key that is not a word; fix it")
            if key_node.tag == f"{_TAG}merge":
                raise self.error(key_node, "a merge key; write out what it would merge")
            key = self.scalar(key_node)
            if key in pairs:
                raise self.error(key_node, f"key {key!r} is given twice; keep one of them")
            pairs[key] = self.value(value_node)
        return pairs

    def scalar(self, node: yaml.ScalarNode) -> Any:
        """A text, a number, a truth value or null. Dates stay text."""
        text, kind = str(node.value), node.tag.removeprefix(_TAG)
        if kind in _CONSTRUCTORS:
            pattern, construct = _CONSTRUCTORS[kind]
            if pattern.fullmatch(text):
                return construct(text)
        elif kind == "timestamp" or (
            kind == "str" and (node.style or not _LOOKS_LIKE_A_NUMBER.fullmatch(text))
        ):
            return text
        raise self.error(
            node, f"`{text}` is read differently by versions of YAML; quote it, or rewrite it"
        )

    def error(self, node: yaml.Node, what: str) -> DescriptionError:
        """An error at a node."""
        return DescriptionError(f"{self.name}:{node.start_mark.line + 1}: {what}")


def text_keys(node: Any) -> Any:
    """The same with texts for keys, as in JSON."""
    if isinstance(node, list):
        return [text_keys(item) for item in node]
    if isinstance(node, dict):
        return {str(key): text_keys(value) for key, value in node.items()}
    return node
