"""Mistakes in the description, one at a time: what a person could get wrong in `spec/resources/`.

`python -m tests.generator.mutants` makes all of them and tells which the linter does not notice.

keyword     a key of OpenAPI or of `x-coze-*` is misspelt (not the names of schemas, properties,
            events, nor what is in examples)
type        a value has another type
reference   a name or a path leads nowhere
"""

from __future__ import annotations

import gc
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from generator.compile.bundle import read
from generator.compile.lint import lint
from generator.pages.ledger import pages_to_name
from generator.yaml_files import DescriptionError, YamlFile, parse_yaml

SPEC = Path(__file__).resolve().parents[2] / "spec"
# Keys whose value has names of our own for keys.
NAMES = set(
    "paths properties schemas responses headers content x-known-values x-coze-error-classes "
    "x-coze-helpers events send receive senders arguments fixed limits failures raises aliases "
    "when allowed".split()
)
# Of these, the names that refer to something.
REFERRING = {"senders", "fixed", "limits", "failures", "raises", "when", "allowed"}
# Keys whose value, or the items of whose value, refers to something.
REFERENCES = set(
    "$ref operation then state success failure pause code msg items total has_more next "
    "next_before next_after id page size before after x-coze-unwrap x-coze-replaced-by "
    "x-coze-errors x-coze-page "
    "tags required kind switch error failed tool_failed base parameters function takes without "
    "keep path states answered asked names last pick settings terminal field settled waiting "
    "tool_calls x-coze-used-by send_page pages codes positional aliases end delta message "
    "interrupt heartbeat answer follow_up in".split()
)
FORM = re.compile(r"spec/[\w/.]+:\d+: .+; .+", re.DOTALL)
"""File, line, what is wrong, how to fix it."""


class Mutant(NamedTuple):
    """A file with one mistake."""

    name: str
    line: int
    kind: str
    what: str
    start: int
    end: int
    replacement: str

    @property
    def text(self) -> str:
        """The file with the mistake."""
        text = source(self.name)
        return text[: self.start] + self.replacement + text[self.end :]

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.kind}: {self.what} → {self.replacement.strip()}"


@cache
def files() -> dict[str, YamlFile]:
    """The description as it is."""
    return read(SPEC)


@cache
def pages() -> frozenset[str] | None:
    """Slugs of the ledger."""
    return pages_to_name(SPEC)


@cache
def source(name: str) -> str:
    """The text of a file."""
    return (SPEC / name).read_text(encoding="utf-8")


def mutants() -> list[Mutant]:
    """Every mistake in every resource file."""
    names = [name for name in files() if name.startswith("resources/")]
    return [mutant for name in names for mutant in _File(name).mutants()]


class _File:
    """Makes the mistakes in one file."""

    def __init__(self, name: str) -> None:
        self.name = name

    def mutants(self) -> Iterator[Mutant]:
        root = files()[self.name].root
        assert isinstance(root, yaml.MappingNode)
        yield from self.mapping(root, "", named=False)

    def mapping(self, node: yaml.MappingNode, above: str, *, named: bool) -> Iterator[Mutant]:
        for key_node, value in node.value:
            key = str(key_node.value)
            if not named:
                misspelt = key[:-1] if key.endswith("s") else f"{key}s"
                yield self.mutant(key_node, "keyword", misspelt)
            elif above in REFERRING:
                yield self.mutant(key_node, "reference", f"{key}_x")
            yield from self.value(value, above if named else key, named=not named and key in NAMES)

    def value(self, node: yaml.Node, key: str, *, named: bool) -> Iterator[Mutant]:
        yield self.mutant(node, "type", _other_type(node))
        if key in ("example", "default", "x-coze-constant"):
            return
        if isinstance(node, yaml.MappingNode):
            yield from self.mapping(node, key, named=named)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from self.value(item, key, named=False)
        elif key in REFERENCES and _may_refer(node):
            text = f"x{node.value}" if key == "x-coze-used-by" else f"{node.value}x"
            broken = f'"{text}"' if node.tag.endswith(":str") else f"{node.value}9"
            yield self.mutant(node, "reference", broken)

    def mutant(self, node: yaml.Node, kind: str, replacement: str) -> Mutant:
        start, end = node.start_mark.index, node.end_mark.index
        old = source(self.name)[start:end]
        replacement += old[len(old.rstrip()) :]
        what = " ".join(old.split())[:60]
        return Mutant(self.name, node.start_mark.line + 1, kind, what, start, end, replacement)


def _may_refer(node: yaml.Node) -> bool:
    """Whether a scalar can refer to something: an address of the wire refers to nothing here."""
    text = str(node.value)
    return bool(text) and text[0] != "/" and node.tag.endswith((":str", ":int"))


def _other_type(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return "7"
    return "[]" if node.tag.endswith(":str") else '"no"'


def findings(mutant: Mutant) -> list[str]:
    """What the linter says: of the file alone, or of everything when it finds nothing there."""
    try:
        file = parse_yaml(mutant.text, f"spec/{mutant.name}")
    except DescriptionError as error:
        return [str(error)]
    changed = {**files(), mutant.name: file}
    return lint(changed, pages(), only=[mutant.name]) or lint(changed, pages())


def is_noticed(found: list[str]) -> bool:
    """Whether there are messages, all with file, line and fix."""
    return bool(found) and all(map(FORM.fullmatch, found))


def main() -> int:
    """Makes every mistake; 1 when one is not noticed."""
    gc.disable()
    unnoticed: list[Mutant] = []
    made, exact = Counter[str](), Counter[str]()
    for mutant in mutants():
        found = findings(mutant)
        made[mutant.kind] += 1
        place = f"spec/{mutant.name}:{mutant.line}:"
        exact[mutant.kind] += any(message.startswith(place) for message in found)
        if not is_noticed(found):
            unnoticed.append(mutant)
            print(mutant, *found, sep="\n    ")
    for kind, count in made.items():
        missed = sum(mutant.kind == kind for mutant in unnoticed)
        print(f"{kind}: {count} made, {count - missed} noticed, {exact[kind]} at their line")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
