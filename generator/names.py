"""Names that would meet in the generated package: the later one would replace the earlier one in
silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .bundle import DescriptionError
from .compiled import Tag
from .methods import method_names
from .operations import Operation
from .schemas import Enum, Model

# What the templates use in the scope of a method, of a `build` function, and of a module of models.
_METHOD = {"extra_headers", "extra_query", "extra_body", "timeout", "operation", "options"}
_STREAM = {"idle_timeout", "deadline"}
_BUILD = {"check", "comma_separated", "omit_none", "part", "path_segment"}
_MODULE = set(
    "Any Arguments AsyncPager AsyncResource CallOptions Empty FileInput Mapping Model OpenIntEnum "
    "OpenStrEnum Operation Page PageData Pager Request Required Response Sequence SyncResource "
    "TimeoutInput TypedDict Waiter".split()
)
_MODEL = {"to_dict", "from_dict"}


def check_names(
    operations: list[Operation], tags: list[Tag], models: list[Model], enums: list[Enum]
) -> None:
    """Looks for names that meet.

    Raises:
        DescriptionError: Two things would have the same name, or one the name of a part of the
            package.
    """
    found = [
        *_tags(tags),
        *_methods(operations, tags),
        *_arguments(operations),
        *_schemas(models, enums),
    ]
    if found:
        raise DescriptionError("\n".join(found))


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return sorted({name for name in names if name in seen or seen.add(name)})  # type: ignore[func-returns-value]


def _tags(tags: list[Tag]) -> Iterator[str]:
    for module in _twice(tag.module for tag in tags):
        names = " and ".join(tag.name for tag in tags if tag.module == module)
        yield f"tags {names} are both the module {module}; rename one"


def _methods(operations: list[Operation], tags: list[Tag]) -> Iterator[str]:
    for tag in tags:
        own = [operation for operation in operations if operation.tag == tag.name]
        names = [name for operation in own for name in method_names(operation)]
        names += [child.attribute for child in tags if child.parent == tag.name]
        for name in _twice(names):
            yield f"tag {tag.name}: two methods or resources are called {name}; rename one"


def _arguments(operations: list[Operation]) -> Iterator[str]:
    for operation in operations:
        taken = _METHOD | _BUILD | ({"arguments", "fetch"} if operation.pager else set())
        taken |= _STREAM if operation.stream else set()
        taken |= {"warn"} if operation.node.get("deprecated") else set()
        for parameter in operation.parameters:
            if parameter.python in taken:
                yield (
                    f"{operation.id}({parameter.wire}): the generated method has this "
                    "name for itself; rename it in generator/templates"
                )


def _schemas(models: list[Model], enums: list[Enum]) -> Iterator[str]:
    for name in sorted({model.name for model in models} | {enum.name for enum in enums}):
        if name in _MODULE:
            yield (
                f"schema {name}: the generated package has this name for itself; rename the schema"
            )
    for model in models:
        for field in model.fields:
            if field.name in _MODEL or field.name.startswith("_"):
                yield (
                    f"{model.name}.{field.name}: models have this name for themselves; a "
                    "field cannot have it"
                )
