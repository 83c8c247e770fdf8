"""Mistakes in the description are errors, each with file, line and fix: a fixed sample of them;
`make lint-mutants` makes them all.
"""

from __future__ import annotations

import random

import pytest

from tests.generator import mutants

SAMPLE = random.Random(18).sample(mutants.mutants(), 300)


@pytest.mark.parametrize("part", range(6))
def test_the_linter_notices_every_mistake(part: int) -> None:
    made = SAMPLE[part * 50 : part * 50 + 50]
    unnoticed = [str(mutant) for mutant in made if not mutants.is_noticed(mutants.findings(mutant))]
    assert unnoticed == []


def test_every_kind_of_mistake_is_in_the_sample() -> None:
    assert {mutant.kind for mutant in SAMPLE} == {"keyword", "type", "reference"}
