"""Where a public class says that it lives: users import `cozekit`, not what holds the code."""

from __future__ import annotations

from typing import Any, ForwardRef


def publish(namespace: dict[str, Any], module: str, *names: str, evaluate: bool = True) -> None:
    """Lets the public classes of a module print, and be pickled, as members of another one.

    Called at the end of a module. Annotations are evaluated here, since `typing.get_type_hints`
    looks for their names in the module that a class says it lives in.

    Args:
        namespace: `globals()` of the module.
        module: The module that users import these classes from.
        names: The public ones; all without an underscore when left out.
        evaluate: False where annotations name what is loaded later; the other module then has to
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
    for name, found in annotations.items():
        # Named tuples keep theirs as references.
        text = found.__forward_arg__ if isinstance(found, ForwardRef) else found
        if isinstance(text, str):
            annotations[name] = eval(text, namespace, vars(cls))  # noqa: S307  # our own text
