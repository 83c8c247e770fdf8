"""A part of the description, and what messages call it."""

from __future__ import annotations

from attrs import frozen

from ...yaml_files import Step, YamlFile
from ..bundle import parts_of

_SHOWN = {"properties": "", "allOf": "", "items": "[]", "additionalProperties": "{}"}


@frozen
class Place:
    """A part of a file: `Place(file) / "components" / "schemas"`."""

    file: YamlFile
    pointer: tuple[Step, ...] = ()

    def __truediv__(self, step: Step) -> Place:
        return Place(self.file, (*self.pointer, step))

    def below(self, *steps: Step) -> Place:
        """A part of this part."""
        return Place(self.file, (*self.pointer, *steps))

    def says(self, text: str, *at: Step) -> str:
        """A message: file, line, name of the part, what is wrong and how to fix it.

        Args:
            text: What is wrong, and how to fix it.
            at: The part of this part whose line is told.
        """
        label, line = self.label(), self.file.line((*self.pointer, *at))
        return f"{self.file.name}:{line}: {label}{': ' * bool(label)}{text}"

    def label(self) -> str:
        """A schema by its name, an operation by its operationId, whatever is in it by its path."""
        steps, name = self.pointer, ""
        if steps[:1] == ("paths",) and len(steps) > 2:
            name, steps = self._operation(str(steps[1]), str(steps[2])), steps[3:]
        in_schema = "schema" in steps or steps[:2] == ("components", "schemas")
        steps = steps[2:] if steps[:2] == ("components", "schemas") else steps
        for index, step in enumerate(steps, len(self.pointer) - len(steps)):
            parameter = self._parameter(index)
            if parameter:
                name = f"{name.removesuffix('.parameters')}({parameter})"
            elif in_schema and step in _SHOWN and name:
                name += _SHOWN[str(step)]
            else:
                name += f"[{step}]" if isinstance(step, int) else f".{step}"
        return name.removeprefix(".")

    def _operation(self, path: str, method: str) -> str:
        item = self.file.content["paths"][path]
        node = item.get(method) if isinstance(item, dict) else None
        operation_id = node.get("operationId") if isinstance(node, dict) else None
        return str(operation_id or f"{method.upper()} {path}")

    def _parameter(self, index: int) -> str:
        """The name of the parameter to which the pointer leads with its step of this index."""
        if self.pointer[index - 1 : index] != ("parameters",):
            return ""
        node = self.file.content
        for step in self.pointer[: index + 1]:
            node = dict(parts_of(node)).get(step)
        return str(node.get("name", "")) if isinstance(node, dict) else ""
