"""Public names that are loaded when they are first used, so that importing is cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy(
    namespace: dict[str, Any], homes: Mapping[str, Iterable[str]], submodules: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """The `__getattr__`, `__dir__` and `__all__` of a module.

    Called in the `else` of `if TYPE_CHECKING`, so that type checkers see the imports alone and
    know every name that is not there.

    Args:
        namespace: `globals()` of the module.
        homes: Module → the names that it holds; relative to the package of the module.
        submodules: Modules of the package that can be used without importing them. They are not
            in `__all__`.
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
