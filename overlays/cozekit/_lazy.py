"""Loads public names on first use, so that imports are fast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy(
    namespace: dict[str, Any], homes: Mapping[str, Iterable[str]], submodules: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Returns the `__getattr__`, `__dir__` and `__all__` of a module.

    Call it in the `else` of `if TYPE_CHECKING`, so that type checkers see only the imports and
    report missing names.

    Args:
        namespace: `globals()` of the module.
        homes: Module → its public names; relative to the package of the module.
        submodules: Modules of the package that are imported on first use. Not in `__all__`.
    """
    package, module = namespace["__package__"], namespace["__name__"]
    home_of = {name: home for home, names in homes.items() for name in names}
    public = sorted(home_of)

    def load(name: str) -> object:
        if name in submodules:
            return import_module(f".{name}", package)
        if name not in home_of:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(home_of[name], package), name)
        return value

    def names() -> list[str]:
        return sorted({*public, *submodules, *(name for name in namespace if name[:2] == "__")})

    return load, names, public
