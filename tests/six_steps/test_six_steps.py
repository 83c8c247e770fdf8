"""The six steps of CONTRIBUTING.md suffice for an operation with an id in its path and a query
parameter that is a word of Python.
"""

from __future__ import annotations

from pathlib import Path

from tests.six_steps.trial import CALL, NAME, Project, describe


def test_an_endpoint_that_was_added_by_six_steps_is_called_on_the_local_coze(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path / "project")
    describe(project)
    assert project.run("-c", CALL) == f"120 ['红楼梦'] {NAME}\n"
