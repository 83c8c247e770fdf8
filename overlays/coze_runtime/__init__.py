"""The runtime under the generated package: everything about a call that no description states.

| Module | Contents |
|---|---|
| `client`, `base_client` | the base classes of the clients |
| `operation`, `types`, `models`, `errors`, `auth` | value types and base classes |
| `serialization` | bytes to models and back; uploads; the errors that responses stand for |
| `limits` | checks arguments against the limits in the description |
| `senders` | base class and helpers of the generated event senders |
| `calls` | executes a call: settings, retries, hooks, raw responses, custom requests |
| `_http` | the only code that touches the HTTP library |
| `paging`, `page_walk` | lists that come in pages |
| `streams` | event streams: SSE decoding, typed events, results of chats and runs |
| `polling` | waits for the outcome of work |
| `loops` | helpers that make several calls: running tools, resuming interrupted runs |
| `steps` | lets one generator serve the sync and the async client |

Nothing here imports the generated package or `cozekit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ForwardRef

__version__ = "0.1.0"


def publish(namespace: dict[str, Any], module: str, *names: str, evaluate: bool = True) -> None:
    """Sets `__module__` of public classes, so that they print and pickle as members of `module`,
    which users import, wherever their code is.

    Call it at the end of a module. Annotations are evaluated first, because
    `typing.get_type_hints` would resolve them in `module`, which may lack the names.

    Args:
        namespace: `globals()` of the module.
        module: The module that users import these classes from.
        names: Names of the classes; by default every class without a leading underscore.
        evaluate: False when annotations name classes that are loaded later; `module` must then
            have those names.
    """
    for name, value in list(namespace.items()):
        if (
            isinstance(value, type)
            and (name in names if names else not name.startswith("_"))
            and value.__module__ == namespace["__name__"]
        ):
            if evaluate:
                _evaluate(value, namespace)
            value.__module__ = module


def _evaluate(cls: type, namespace: dict[str, Any]) -> None:
    annotations = vars(cls).get("__annotations__", {})
    for name, annotation in annotations.items():
        # Named tuples store annotations as forward references.
        text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
        if isinstance(text, str):
            annotations[name] = eval(text, namespace, vars(cls))  # noqa: S307  # our own text


def lazy(
    namespace: dict[str, Any], homes: Mapping[str, str], submodules: str = ""
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Returns the `__getattr__` and `__dir__` of a module whose names are loaded on first use; its
    `__all__` is one of them.

    Call it in the `else` of `if TYPE_CHECKING`, so that type checkers see only the imports and
    report missing names.

    Args:
        namespace: `globals()` of the module.
        homes: Module, absolute or relative to the package → its public names, separated by spaces;
            `*` for all of its `__all__`.
        submodules: Modules of the package that are imported on first use. Not in `__all__`.
    """
    package, modules = namespace["__package__"], submodules.split()
    home_of = {name: home for home, names in homes.items() for name in names.split()}
    home_of.pop("*", None)
    whole = [home for home, names in homes.items() if names == "*"]

    def exported(home: str) -> list[str]:
        names: list[str] = import_module(home, package).__all__
        return names

    def public() -> list[str]:
        return sorted({*home_of, *(name for home in whole for name in exported(home))})

    def load(name: str) -> object:
        if name in modules:
            return import_module(f".{name}", package)
        home = home_of.get(name)
        if home is None and name[:1] != "_":
            home = next((home for home in whole if name in exported(home)), None)
        if home is not None:
            value = getattr(import_module(home, package), name)
        elif name == "__all__":
            value = public()
        else:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        namespace[name] = value
        return value

    def names() -> list[str]:
        return sorted({*public(), *modules, *(name for name in namespace if name[:2] == "__")})

    return load, names
