"""Names that would meet in the generated package: the later one would replace the earlier one in
silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ..yaml_files import DescriptionError
from .methods import STREAM_OPTIONS, method_names
from .operations import Operation
from .render import Tag

# What the templates use in the scope of a method, and of a `build` function.
_METHOD = {"extra_headers", "extra_query", "extra_body", "timeout", "operation", "options"}
_BUILD = {"check", "comma_separated", "omit_none", "part", "path_segment"}


def check_names(operations: list[Operation], tags: list[Tag]) -> None:
    """Looks for names that meet.

    Raises:
        DescriptionError: Two things would have the same name, or one the name of a part of the
            package.
    """
    clashes = [*_modules(tags), *_methods(operations, tags), *_arguments(operations)]
    if clashes:
        raise DescriptionError("\n".join(clashes))


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)


def _modules(tags: list[Tag]) -> Iterator[str]:
    for module in _repeated(tag.module for tag in tags):
        names = " and ".join(tag.name for tag in tags if tag.module == module)
        yield f"tags {names} are both the module {module}; rename one"


def _methods(operations: list[Operation], tags: list[Tag]) -> Iterator[str]:
    for tag in tags:
        own = [operation for operation in operations if operation.tag == tag.name]
        names = [name for operation in own for name in method_names(operation)]
        names += [child.attribute for child in tags if child.parent == tag.name]
        for name in _repeated(names):
            yield f"tag {tag.name}: two methods or resources are called {name}; rename one"


def _arguments(operations: list[Operation]) -> Iterator[str]:
    for operation in operations:
        reserved = _METHOD | _BUILD
        reserved |= {"arguments", "fetch"} if operation.pager else set()
        reserved |= {*STREAM_OPTIONS, "on_gap"} if operation.stream else set()
        reserved |= {"warn"} if operation.successor else set()
        for parameter in operation.parameters:
            if parameter.python in reserved:
                yield (
                    f"{operation.id}({parameter.wire}): the generated method needs this name "
                    "itself; rename its own variable in generator/templates"
                )
