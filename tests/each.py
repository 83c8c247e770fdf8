"""One question about many subjects, asked in one test: the failure names every subject that has a
problem.

    every_model = each("name", MODELS)

    @every_model
    def test_a_model_can_be_pickled(name: str) -> None: ...

`each` is for cheap questions that one mechanism answers for all its subjects, where a case for each
would cost more than the question. `ONE_BY_ONE=1 pytest …` makes a case of each subject, with its
own traceback.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

ONE_BY_ONE = os.environ.get("ONE_BY_ONE") == "1"


class Problems:
    """What went wrong, by subject."""

    def __init__(self) -> None:
        self._asked = 0
        self._texts: dict[str, str] = {}

    @contextmanager
    def of(self, subject: str) -> Iterator[None]:
        """Keeps what fails inside as the problem of this subject; what follows still runs."""
        self._asked += 1
        try:
            yield
        # `pytest.raises` and `pytest.fail` raise no Exception.
        except (Exception, pytest.fail.Exception) as error:
            self._texts[subject] = f"{type(error).__name__}: {error}"

    def must_be_none(self) -> None:
        assert self._asked, "nothing was asked"
        lines = [f"{subject}: {text}" for subject, text in self._texts.items()]
        assert not lines, "\n".join([f"{len(lines)} of {self._asked} have a problem", *lines])


def each(
    names: str, subjects: Mapping[str, Any] | Iterable[str]
) -> Callable[[Callable[..., Any]], Any]:
    """Like `pytest.mark.parametrize`, with the values by id, but all of them make one case.

    The other arguments are fixtures, which all subjects share; those with a `reset` are reset
    before each subject.
    """
    by_id = subjects if isinstance(subjects, Mapping) else {name: name for name in subjects}
    if ONE_BY_ONE:
        return pytest.mark.parametrize(names, by_id.values(), ids=by_id.keys())
    arguments = [name.strip() for name in names.split(",")]
    calls = {
        subject: dict(zip(arguments, values if len(arguments) > 1 else [values], strict=True))
        for subject, values in by_id.items()
    }
    return functools.partial(_as_one_test, arguments, calls)


def _as_one_test(
    arguments: list[str], calls: dict[str, dict[str, Any]], test: Callable[..., Any]
) -> Callable[..., Any]:
    def ask_all(**fixtures: Any) -> None:
        problems = Problems()
        for subject, values in calls.items():
            _reset(fixtures)
            with problems.of(subject):
                test(**values, **fixtures)
        problems.must_be_none()

    async def ask_all_async(**fixtures: Any) -> None:
        problems = Problems()
        for subject, values in calls.items():
            _reset(fixtures)
            with problems.of(subject):
                await test(**values, **fixtures)
        problems.must_be_none()

    one_test = functools.wraps(test)(
        ask_all_async if inspect.iscoroutinefunction(test) else ask_all
    )
    signature = inspect.signature(test)
    fixtures = [p for name, p in signature.parameters.items() if name not in arguments]
    one_test.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
    return one_test


def _reset(fixtures: dict[str, Any]) -> None:
    for fixture in fixtures.values():
        if hasattr(fixture, "reset"):
            fixture.reset()
