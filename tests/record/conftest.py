from __future__ import annotations

from collections.abc import Iterator

import pytest

from cozekit_emulator import Emulator
from tests.contract.conftest import running_server, server

__all__ = ["running_server", "server"]


@pytest.fixture
def anyio_backend() -> str:
    """Cassettes hold no timing; one event loop is enough."""
    return "asyncio"


@pytest.fixture(scope="session")
def local_coze() -> Iterator[Emulator]:
    with Emulator(token="pat_ThisTokenOfTheLocalCozeIsSecret") as local:
        yield local
