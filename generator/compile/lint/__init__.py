"""The rules of docs/description.md, executable.

shape.yaml  what a file may say: every key, and the type of every value
shape       messages for what departs from it
names       the names that it refers to: tags, operations, errors, pages, …
gaps        texts of drafts that somebody has still to write
place       a part of a file, and what messages call it
values      examples, defaults and fixed values fit their schemas
schemas     schemas, known values, conditions
limits      limits of schemas, parameters and senders
operations  names, parameters, bodies, paging, what a method returns
methods     waits, helpers, calls that may come too late
streams     event streams, kinds of streams, errors that carry models
tables      tables of events, and how they are sent
whole       how the files fit together
openapi     what openapi-spec-validator says, which knows nothing of our rules

Each rule is a function that yields messages: `file:line: part: what is wrong; how to fix it`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...yaml_files import DescriptionError, YamlFile
from ..bundle import ERROR_CLASSES, EVENT_TABLES, STREAM_KIND, Bundle, join, operations_of
from .gaps import lint_gaps
from .names import known_names
from .operations import lint_operation
from .place import Place
from .schemas import lint_schema
from .shape import Shape
from .streams import lint_error, lint_kind, lint_stream
from .tables import lint_table
from .values import Values
from .whole import lint_file, lint_whole

PLAIN = Shape()


def lint(
    files: Mapping[str, YamlFile],
    pages: Collection[str] | None = None,
    only: Collection[str] | None = None,
) -> list[str]:
    """Every departure from the rules, in the order of the files; empty when the description is
    sound.

    Args:
        files: The description, as `bundle.read` reads it.
        pages: Slugs of the ledger; None accepts every slug.
        only: The files whose parts are judged; by default all of them, and how they fit together.
    """
    names = list(files if only is None else only)
    try:
        messages = [*_written(files, names)] or [*_joined(join(files), pages, names, only is None)]
    except DescriptionError as error:
        messages = [str(error)]
    return sorted(set(messages), key=_natural)


def _written(files: Mapping[str, YamlFile], names: list[str]) -> Iterator[str]:
    """Messages for the files as they are written."""
    for name in names:
        yield from PLAIN.problems(name, files[name])
        yield from lint_gaps(files[name])


def _joined(
    bundle: Bundle, pages: Collection[str] | None, names: list[str], whole: bool
) -> Iterator[str]:
    """Messages for what the files name, and if that exists, for everything else."""
    shape = Shape(known_names(bundle, pages))
    unknown = [m for name in names for m in shape.problems(name, bundle.files[name])]
    yield from unknown
    if not unknown:
        values = Values(bundle)
        for name in names:
            yield from _parts(name, values)
        yield from lint_whole(bundle) if whole else ()


def _natural(message: str) -> list[Any]:
    """Numbers in a text by their size, so that line 9 comes before line 10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", message)]


def _parts(name: str, values: Values) -> Iterator[str]:
    """Messages for everything that a file describes."""
    bundle = values.bundle
    file, document = bundle.files[name], bundle.document
    yield from lint_file(name, bundle)
    for method, path, _ in operations_of(file.content):
        node, place = document["paths"][path][method], Place(file, ("paths", path, method))
        yield from lint_operation(place, path, node, values)
        yield from lint_stream(place, node, bundle)
    for schema in (file.content.get("components") or {}).get("schemas") or ():
        place = Place(file, ("components", "schemas", schema))
        yield from lint_schema(place, schema, bundle.schemas[schema], values)
    for key in EVENT_TABLES:
        if key in file.content:
            stem = name.rpartition("/")[2].removesuffix(".yaml")
            yield from lint_table(Place(file, (key,)), bundle.event_tables[stem], values)
    yield from _kinds_and_errors(file, bundle)


def _kinds_and_errors(file: YamlFile, bundle: Bundle) -> Iterator[str]:
    kind = file.content.get(STREAM_KIND)
    if kind:
        about = bundle.stream_kinds[kind["kind"]]
        yield from lint_kind(Place(file, (STREAM_KIND,)), kind["kind"], about, bundle)
    for error in file.content.get(ERROR_CLASSES) or ():
        yield from lint_error(Place(file, (ERROR_CLASSES, error)), error, bundle)
