"""Every file of the package out of its template."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from attrs import define
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..yaml_files import DescriptionError
from .bundle import Bundle
from .clashes import check_names
from .docstrings import DOCS
from .nodes import body_schema, reachable, results, schemas_below
from .operations import Operation, operations_of
from .output import dump_bundle, dump_json, formatted, manifest
from .render import FILTERS, Tag, model_imports, operation_context, resource_context, tags_of
from .schemas import Enum, Model, Types, enums_of, models_of, parse
from .senders import sender_names, sender_tables, senders_context
from .streams import (
    errors_context,
    events_context,
    kind_events,
    stream_context,
    stream_events_context,
    union_class,
)

ROOT = Path(__file__).resolve().parent.parent
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PACKAGE: str = CONFIG["package"]


@define
class Compiled:
    """Everything that the templates read."""

    bundle: Bundle
    models: list[Model]
    enums: list[Enum]
    operations: list[Operation]
    tags: list[Tag]


def compile_bundle(bundle: Bundle) -> Compiled:
    """From the joined document to plain data; operations in = operations out.

    Raises:
        DescriptionError: Anything was dropped, renamed or not understood on the way.
    """
    data = parse(bundle)
    bodies = frozenset(name for _, _, node in bundle.operations() if (name := body_schema(node)))
    decoded = _decoded(bundle)
    types = Types(bundle, decoded, results(bundle))
    models, enums = models_of(bundle, data, types, bodies - decoded), enums_of(bundle)
    operations = operations_of(bundle, data, types)
    if len(operations) != sum(1 for _ in bundle.operations()):
        raise DescriptionError("operations were lost on the way; this is a defect of the generator")
    tags = tags_of(bundle, operations)
    check_names(operations, tags)
    return Compiled(bundle, models, enums, operations, tags)


def _decoded(bundle: Bundle) -> frozenset[str]:
    """The schemas that responses and events hold."""
    holders: list[Any] = [bundle.document["components"].get("responses"), bundle.event_tables]
    for _, _, node in bundle.operations():
        holders += [node["responses"], node.get("x-coze-stream")]
    used_by_hand = [name for name, node in bundle.schemas.items() if node.get("x-coze-used-by")]
    return frozenset(reachable(bundle, [*schemas_below(holders), *used_by_hand]))


def make(template: str, **values: Any) -> str:
    """What a template writes for some values, before unused imports go and the layout is made."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    return environment


def render(compiled: Compiled) -> dict[str, bytes]:
    """Every generated file by its path below `generated/`, formatted."""
    document = compiled.bundle.document
    sources = {f"{PACKAGE}/{path}": text for path, text in _package(compiled)}
    with ThreadPoolExecutor(1) as pool:  # the formatter is another process
        formatting = pool.submit(formatted, sources)
        texts = {
            "openapi.yaml": dump_bundle(document),
            f"{PACKAGE}/openapi.json": dump_json(document),
            f"{PACKAGE}/py.typed": "",
        }
        texts |= formatting.result()
    files = {path: text.encode() for path, text in texts.items()}
    files["manifest.json"] = manifest(PACKAGE, compiled.bundle, compiled.operations, files)
    return files


Files = Iterator[tuple[str, str]]
"""Paths below the package, and what the templates write there."""


def _package(compiled: Compiled) -> Files:
    bundle = compiled.bundle
    roots = [tag for tag in compiled.tags if tag.parent is None]
    yield "errors.py", make("errors.py.jinja", **errors_context(bundle, DOCS))
    yield "client.py", make("client.py.jinja", roots=roots)
    yield from _models(compiled)
    yield from _operations(compiled)
    yield from _events(compiled)
    yield from _resources(compiled)
    yield from _lazy(compiled)


def _models(compiled: Compiled) -> Files:
    """The modules of models and enums: one for each file of the description."""
    for module, parts in _by_module(compiled).items():
        models = [part for part in parts if isinstance(part, Model)]
        enums = [part for part in parts if isinstance(part, Enum)]
        yield (
            f"models/{module}.py",
            make(
                "model.py.jinja",
                source=compiled.bundle.origin[parts[0].name],
                imports=model_imports(compiled.bundle, models, enums),
                models=models,
                enums=enums,
            ),
        )


def _by_module(compiled: Compiled) -> dict[str, list[Model | Enum]]:
    modules: dict[str, list[Model | Enum]] = {}
    everything: list[Model | Enum] = [*compiled.models, *compiled.enums]
    for part in everything:
        modules.setdefault(part.module, []).append(part)
    return dict(sorted(modules.items()))


def _operations(compiled: Compiled) -> Files:
    """Requests and responses: one module for each operation, one folder for each tag."""
    text = "One module for each operation: builds its request and parses its response."
    yield "api/__init__.py", _lazy_module(text)
    for tag in compiled.tags:
        operations = [operation for operation in compiled.operations if operation.tag == tag.name]
        for operation in operations:
            context = operation_context(compiled.bundle, operation)
            text = make("operation.py.jinja", package=PACKAGE, **context)
            yield f"api/{operation.module}/{operation.method}.py", text
        if operations:
            text = f"Builds the requests of `coze.{tag.name}` and parses their responses."
            yield f"api/{tag.module}/__init__.py", _lazy_module(text, source=f"spec/{tag.source}")


def _events(compiled: Compiled) -> Files:
    """Events and streams of operations; tables of events, and the senders of those."""
    bundle = compiled.bundle
    for kind in bundle.stream_kinds:
        events, stream = stream_events_context(bundle, kind), stream_context(bundle, kind)
        yield f"events/{kind}.py", make("stream_events.py.jinja", **events)
        yield f"streams/{kind}.py", make(f"stream_{kind}.py.jinja", **stream)
    for stem, table in bundle.event_tables.items():
        context = events_context(bundle, stem, table)
        yield f"events/{stem}.py", make("events.py.jinja", **context)
    for stem, table in sender_tables(bundle).items():
        context = senders_context(bundle, compiled.models, stem, table)
        yield f"senders/{stem}.py", make("senders.py.jinja", **context)


def _resources(compiled: Compiled) -> Files:
    operations = {operation.id: operation for operation in compiled.operations}
    for tag in compiled.tags:
        for folder, is_async in (("resources", False), ("resources_async", True)):
            context = resource_context(
                compiled.bundle, operations, compiled.tags, tag, is_async=is_async
            )
            yield f"{folder}/{tag.module}.py", make("resource.py.jinja", package=PACKAGE, **context)


def _lazy(compiled: Compiled) -> Files:
    """The `__init__` modules that load a name when it is first used."""
    bundle = compiled.bundle
    models = {
        module: sorted(part.name for part in parts)
        for module, parts in _by_module(compiled).items()
    }
    events = {
        kind: [*(event.cls for event in kind_events(bundle, kind)), union_class(kind)]
        for kind in bundle.stream_kinds
    }
    streams = {kind: CONFIG["streams"][kind] for kind in bundle.stream_kinds}
    sync = {tag.module: [tag.cls] for tag in compiled.tags}
    asynchronous = {tag.module: [f"Async{tag.cls}"] for tag in compiled.tags}
    top = {"client": ["AsyncClient", "Client"]}
    top |= {"errors": sorted(bundle.error_classes)} if bundle.error_classes else {}
    events_text = "Events of streams, by name; tables of the other events by module."
    yield "__init__.py", _lazy_module("Typed low-level client of the Coze Open API.", top)
    yield "models/__init__.py", _lazy_module("Models and enums, by name.", models)
    yield "events/__init__.py", _lazy_module(events_text, events)
    yield "streams/__init__.py", _lazy_module("Streams of chats and workflow runs.", streams)
    yield "resources/__init__.py", _lazy_module("Sync resource classes, by name.", sync)
    yield "resources_async/__init__.py", _lazy_module("Async resource classes.", asynchronous)
    if sender_tables(bundle):
        text = "Senders of events: classes of sockets by name, functions by module."
        yield "senders/__init__.py", _lazy_module(text, sender_names(bundle))


def _lazy_module(
    text: str, table: dict[str, list[str]] | None = None, source: str = "spec/"
) -> str:
    return make("lazy.py.jinja", source=source, text=text, table=table or {})
