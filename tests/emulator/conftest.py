from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from coze_openapi import Client
from cozekit_emulator import Emulator
from cozekit_emulator.pytest_plugin import coze_emulator, coze_emulator_server

__all__ = ["coze_emulator", "coze_emulator_server"]


@pytest.fixture
def anyio_backend() -> str:
    """The emulator does not care which loop its callers run."""
    return "asyncio"


@pytest.fixture(scope="session")
def http(coze_emulator_server: Emulator) -> Iterator[httpx.Client]:
    """A plain HTTP client, for what the typed one hides: bytes, headers, wrong requests."""
    headers = {"Authorization": f"Bearer {coze_emulator_server.token}"}
    with httpx.Client(
        base_url=coze_emulator_server.base_url, headers=headers, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def client(coze_emulator: Emulator) -> Iterator[Client]:
    with Client(coze_emulator.token, base_url=coze_emulator.base_url, max_retries=0) as client:
        yield client
