"""Writes the package: templates, lazy tables, bundle, manifest; and compares it with what is on
disk.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .bundle import ERROR_CLASSES, Bundle, DescriptionError
from .compiled import Compiled
from .docstrings import DOCS
from .lint_operations import body_schema
from .names import check_names
from .operations import operations
from .render import FILTERS, model_imports, operation_context, resource_context, tags
from .schemas import Enum, Model, Types, closure, collect, parse
from .senders import sender_names, sender_tables, senders_context
from .streams import (
    errors_context,
    events_context,
    kind_events,
    stream_context,
    stream_events_context,
    stream_kinds,
)

HERE = Path(__file__).parent
_IMPORTS = (
    "--config",
    'lint.isort = {known-third-party = ["coze_runtime"], combine-as-imports = true, '
    "split-on-trailing-comma = false}",
)
CONFIG = yaml.safe_load((HERE / "config.yaml").read_text(encoding="utf-8"))


def compile_bundle(bundle: Bundle) -> Compiled:
    """From the joined document to plain data; operations in = operations out.

    Raises:
        DescriptionError: Anything was dropped, renamed or not understood on the way.
    """
    data = parse(bundle)
    bodies = frozenset(name for _, _, node in bundle.operations() if (name := body_schema(node)))
    answers = [node["responses"] for _, _, node in bundle.operations()] + [
        node.get("x-coze-stream") for _, _, node in bundle.operations()
    ]
    used_by_hand = [name for name, node in bundle.schemas.items() if node.get("x-coze-used-by")]
    answers += [bundle.document.get("x-coze-events")]
    decoded = closure(
        bundle,
        [*_named(answers), *_named(bundle.document["components"].get("responses")), *used_by_hand],
    )
    types = Types(bundle, decoded)
    models, enums = collect(bundle, data, types, bodies - decoded)
    found = operations(bundle, data, types)
    if len(found) != sum(1 for _ in bundle.operations()):
        raise DescriptionError("operations were lost on the way; this is a defect of the generator")
    groups = tags(bundle, found)
    check_names(found, groups, models, enums)
    return Compiled(bundle, models, enums, found, groups)


def _named(node: Any) -> list[str]:
    from .bundle import references, schema_name

    return [name for target in references(node) if (name := schema_name({"$ref": target}))]


def make(template: str, **values: Any) -> str:
    """What a template writes for some values, before unused imports go and the layout is made."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    return environment


def render(compiled: Compiled) -> dict[str, bytes]:
    """Every generated file by its path below `generated/`, formatted."""
    sources = {f"{CONFIG['package']}/{path}": text for path, text in _package(compiled).items()}
    files = {path: text.encode() for path, text in _format(sources).items()}
    files["openapi.yaml"] = dump_bundle(compiled.bundle).encode()
    files[f"{CONFIG['package']}/openapi.json"] = (
        json.dumps(compiled.bundle.document, ensure_ascii=False, separators=(",", ":")) + "\n"
    ).encode()
    files[f"{CONFIG['package']}/py.typed"] = b""
    files["manifest.json"] = _manifest(compiled, files)
    return files


def _package(compiled: Compiled) -> dict[str, str]:
    roots = [tag for tag in compiled.tags if tag.parent is None]
    bundle = compiled.bundle
    files = {
        "errors.py": make("errors.py.jinja", **errors_context(bundle, DOCS)),
        "client.py": make("client.py.jinja", roots=roots, is_async=False),
        "async_client.py": make("client.py.jinja", roots=roots, is_async=True),
        "api/__init__.py": make(
            "lazy.py.jinja",
            source="spec/resources",
            text="Requests and answers, one module for each operation.",
            eager=[],
            table={},
        ),
    }
    for kind in stream_kinds(bundle):
        files[f"events/{kind}.py"] = make(
            "stream_events.py.jinja", **stream_events_context(bundle, kind)
        )
        files[f"streams/{kind}.py"] = make(
            f"stream_{kind}.py.jinja", **stream_context(bundle, kind)
        )
    files |= _models(compiled)
    for operation in compiled.operations:
        context = operation_context(compiled.bundle, operation) | {"package": CONFIG["package"]}
        files[f"api/{operation.module}/{operation.method}.py"] = make(
            "operation.py.jinja", **context
        )
    events = compiled.bundle.document.get("x-coze-events") or {}
    for stem, table in events.items():
        files[f"events/{stem}.py"] = make(
            "events.py.jinja", **events_context(compiled.bundle, stem, table)
        )
    for stem, table in sender_tables(bundle).items():
        files[f"senders/{stem}.py"] = make(
            "senders.py.jinja", **senders_context(bundle, compiled.models, stem, table)
        )
    for tag in compiled.tags:
        files[f"resources/{tag.module}.py"] = make(
            "resource.py.jinja", **resource_context(compiled, tag, is_async=False)
        )
        files[f"resources_async/{tag.module}.py"] = make(
            "resource.py.jinja", **resource_context(compiled, tag, is_async=True)
        )
        if not any(operation.tag == tag.name for operation in compiled.operations):
            continue
        about = f"Operations of `{tag.name}`."
        files[f"api/{tag.module}/__init__.py"] = make(
            "lazy.py.jinja", source=f"spec/{tag.source}", text=about, eager=[], table={}
        )
    return files | _lazy(compiled)


def _models(compiled: Compiled) -> dict[str, str]:
    """The modules of models and enums: one for each file of the description."""
    files: dict[str, str] = {}
    parts: list[Model | Enum] = [*compiled.models, *compiled.enums]
    for name in sorted({part.module for part in parts}):
        models = [model for model in compiled.models if model.module == name]
        enums = [enum for enum in compiled.enums if enum.module == name]
        source = next(compiled.bundle.origin[part.name] for part in parts if part.module == name)
        imports = model_imports(compiled.bundle, models, enums)
        files[f"models/{name}.py"] = make(
            "model.py.jinja", source=source, imports=imports, models=models, enums=enums
        )
    return files


def _lazy(compiled: Compiled) -> dict[str, str]:
    """The `__init__` modules that load a name when it is first used."""
    models: dict[str, list[str]] = {}
    parts: list[Model | Enum] = [*compiled.models, *compiled.enums]
    for part in parts:
        models.setdefault(part.module, []).append(part.name)
    models = {module: sorted(names) for module, names in sorted(models.items())}
    sync = {tag.module: [tag.cls] for tag in compiled.tags}
    asynchronous = {tag.module: [f"Async{tag.cls}"] for tag in compiled.tags}
    kinds = {
        kind: [event.cls for event in kind_events(compiled.bundle, kind)]
        + [f"{kind.capitalize()}Event"]
        for kind in stream_kinds(compiled.bundle)
    }
    streams = {kind: CONFIG["streams"][kind] for kind in kinds}
    pages = {
        "": ("Typed low-level client of the Coze Open API.", _exports(compiled.bundle)),
        "models": ("Models and enums, by name.", models),
        "events": ("Events of streams, by name; tables of the other events by module.", kinds),
        "streams": ("Streams of chats and workflow runs, by name.", streams),
        "resources": ("Sync resource classes, by name.", sync),
        "resources_async": ("Async resource classes, by name.", asynchronous),
    }
    if sender_tables(compiled.bundle):
        pages["senders"] = (
            "Senders of events: classes of sockets by name, functions by module.",
            sender_names(compiled.bundle),
        )
    return {
        f"{folder}/__init__.py".lstrip("/"): make(
            "lazy.py.jinja", source="spec/", text=text, eager=[], table=table
        )
        for folder, (text, table) in pages.items()
    }


def _exports(bundle: Bundle) -> dict[str, list[str]]:
    classes = sorted(bundle.document.get(ERROR_CLASSES) or {})
    return {"async_client": ["AsyncClient"], "client": ["Client"]} | (
        {"errors": classes} if classes else {}
    )


def dump_bundle(bundle: Bundle) -> str:
    """The joined document as YAML, in the order of the description."""

    class Plain(yaml.CSafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    head = "# Generated by `python -m generator` from spec/. Do not edit.\n"
    return head + yaml.dump(
        bundle.document, Dumper=Plain, sort_keys=False, allow_unicode=True, width=120
    )


def _format(sources: dict[str, str]) -> dict[str, str]:
    """The sources in the one layout of the pinned formatter, whatever is configured on this
    machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        for path, text in sources.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        shared = ["--isolated", "--no-cache", "--quiet", "--target-version", "py311"]
        shared += ["--line-length", "100", folder]
        # Templates import all that they may need: unused imports go, then the layout is made.
        _ruff(folder, "check", "--fix", "--select", "F401,I001,TC005", *_IMPORTS, *shared)
        _ruff(folder, "format", *shared)
        return {path: Path(folder, path).read_text(encoding="utf-8") for path in sources}


def _ruff(folder: str, *arguments: str) -> None:
    done = subprocess.run([_tool("ruff"), *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        text = (done.stderr + done.stdout).replace(folder, "")
        raise DescriptionError(f"the formatter refuses what the templates made: {text}")


def _tool(name: str) -> str:
    """The tool beside this interpreter, so that an environment need not be activated."""
    import sys

    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def _manifest(compiled: Compiled, files: dict[str, bytes]) -> bytes:
    """What the machine owns: operations, hashes, versions."""
    content = {
        "package": CONFIG["package"],
        "version": package_version(),
        "description": compiled.bundle.document["info"]["version"],
        "generator": {name: version(name) for name in ("openapi-python-client", "ruff")},
        "operations": {
            operation.id: {
                "method": operation.http_method,
                "path": operation.path,
                "tag": operation.tag,
                "page": operation.pages,
                "source": f"spec/{compiled.bundle.origin[operation.id]}",
            }
            for operation in compiled.operations
        },
        "files": {
            path: hashlib.sha256(data).hexdigest()[:16] for path, data in sorted(files.items())
        },
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def package_version() -> str:
    """The version of the distribution, which is written down in `coze_runtime` alone."""
    text = (HERE.parent / "overlays/coze_runtime/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def write(files: dict[str, bytes], target: Path) -> None:
    """Replaces the generated folder; what is no longer made is gone."""
    if target.exists():
        shutil.rmtree(target)
    for path, data in files.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def compare(files: dict[str, bytes], target: Path) -> list[str]:
    """How the folder departs from the files: changed, missing, and files that nobody makes."""
    present = {
        path.relative_to(target).as_posix(): path
        for path in target.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = [f"{path}: missing" for path in files if path not in present]
    found += [f"{path}: nothing generates it" for path in present if path not in files]
    found += [
        f"{path}: differs"
        for path, data in files.items()
        if path in present and present[path].read_bytes() != data
    ]
    return sorted(found)
