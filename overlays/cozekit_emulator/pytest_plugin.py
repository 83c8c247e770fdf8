"""Fixtures for tests against the local Coze.

pytest_plugins = ["cozekit_emulator.pytest_plugin"]

def test_answer(coze_emulator):
    coze = Coze(coze_emulator.token, base_url=coze_emulator.base_url)
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator import Emulator


@pytest.fixture(scope="session")
def coze_emulator_server() -> Iterator[Emulator]:
    """One server for the whole session."""
    with Emulator() as local:
        yield local


@pytest.fixture
def coze_emulator(coze_emulator_server: Emulator) -> Emulator:
    """The server with a fresh state: `base_url`, `token`, `requests`, `emulate`, `reset`."""
    coze_emulator_server.reset()
    return coze_emulator_server
