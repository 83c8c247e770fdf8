"""Builders of filters and rows, for `coze.databases.records`.

```python
coze.databases.records.insert("7612…", insert_rows=[databases.row({"name": "amy", "age": 18})])
adults = databases.all_of(databases.where("age", ">=", 18), databases.where("name", "like", "a%"))
for row in coze.databases.records.query("7612…", filter=adults):
    print(row["name"])
```

The service takes all values as text; these functions write them.

Source: https://www.coze.cn/open/docs/developer_guides/query
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from coze_openapi.models.databases_records import (
    RecordChange,
    RecordCondition,
    RecordFilter,
    RecordFilterLogic,
    RecordOperator,
)

from .errors import ArgumentError

__all__ = ["Operator", "Value", "all_of", "any_of", "changes", "row", "where"]

Value: TypeAlias = str | int | float | bool
"""A value of a column. Times are text."""
Operator: TypeAlias = Literal[
    "=",
    "!=",
    ">",
    "<",
    ">=",
    "<=",
    "in",
    "not in",
    "like",
    "not like",
    "is null",
    "is not null",
]

_OPERATORS: dict[str, RecordOperator] = {
    "=": RecordOperator.EQUAL,
    "!=": RecordOperator.NOT_EQUAL,
    ">": RecordOperator.GREATER_THAN,
    "<": RecordOperator.LESS_THAN,
    ">=": RecordOperator.GREATER_EQUAL,
    "<=": RecordOperator.LESS_EQUAL,
    "in": RecordOperator.IS_IN,
    "not in": RecordOperator.NOT_IN,
    "like": RecordOperator.LIKE,
    "not like": RecordOperator.NOT_LIKE,
    "is null": RecordOperator.IS_NULL,
    "is not null": RecordOperator.IS_NOT_NULL,
}


def where(column: str, operator: Operator, value: Value | None = None) -> RecordFilter:
    """A filter with one condition.

    Args:
        column: Name of the column.
        operator: How to compare.
        value: Value to compare with; none for `is null` and `is not null`. How the service wants
            several values (`in`) is not documented: give the text that it is to get.

    Raises:
        ArgumentError: The operator is unknown, or the value is missing, superfluous or of a type
            that the service does not take.
    """
    if operator not in _OPERATORS:
        known = ", ".join(_OPERATORS)
        raise ArgumentError(f"{operator!r} is not one of {known}", argument="operator")
    if (value is None) != operator.endswith("null"):
        needs = "takes no value" if operator.endswith("null") else "needs a value"
        raise ArgumentError(f"{operator!r} {needs}", argument="value")
    right = None if value is None else _text(column, value)
    condition = RecordCondition(left=column, operation=_OPERATORS[operator], right=right)
    return RecordFilter(logic=RecordFilterLogic.ALL_OF, conditions=[condition])


def all_of(*filters: RecordFilter) -> RecordFilter:
    """A filter for rows that meet all conditions.

    Args:
        filters: Results of `where` or `all_of`.

    Raises:
        ArgumentError: There is none, or one is a result of `any_of`; the service knows no nesting.
    """
    return _joined(RecordFilterLogic.ALL_OF, filters)


def any_of(*filters: RecordFilter) -> RecordFilter:
    """A filter for rows that meet at least one condition.

    Args:
        filters: Results of `where` or `any_of`.

    Raises:
        ArgumentError: There is none, or one is a result of `all_of`; the service knows no nesting.
    """
    return _joined(RecordFilterLogic.ANY_OF, filters)


def row(values: Mapping[str, Value]) -> dict[str, str]:
    """A row to insert.

    Args:
        values: Column → value.

    Raises:
        ArgumentError: A value is of a type that the service does not take.
    """
    return {column: _text(column, value) for column, value in values.items()}


def changes(values: Mapping[str, Value]) -> list[RecordChange]:
    """New values, for the `update_fields` of an update.

    Args:
        values: Column → new value.

    Raises:
        ArgumentError: A value is of a type that the service does not take.
    """
    return [RecordChange(field_name=column, value=text) for column, text in row(values).items()]


def _joined(logic: RecordFilterLogic, filters: tuple[RecordFilter, ...]) -> RecordFilter:
    conditions: list[RecordCondition] = []
    for part in filters:
        own = part.conditions or []
        if len(own) > 1 and part.logic != logic:
            raise ArgumentError("conditions of the two kinds cannot be nested", argument="filters")
        conditions += own
    if not conditions:
        raise ArgumentError("a filter needs a condition", argument="filters")
    return RecordFilter(logic=logic, conditions=conditions)


def _text(column: str, value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ArgumentError(
        f"{column}: {type(value).__name__} is not str, int, float or bool; pass the text",
        argument=column,
    )
