from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from coze_openapi import AsyncClient, Client
from tests.contract.server import LoopbackServer

TOKEN = "pat_contract_token_that_must_never_be_shown"


@pytest.fixture
def anyio_backend() -> str:
    """These tests look at what is sent and decoded, which does not depend on the event loop; the
    transports have tests of their own.
    """
    return "asyncio"


@pytest.fixture(scope="session")
def running_server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def server(running_server: LoopbackServer) -> LoopbackServer:
    running_server.reset()
    return running_server


@pytest.fixture(scope="session")
def client(running_server: LoopbackServer) -> Iterator[Client]:
    with Client(TOKEN, base_url=running_server.url, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: LoopbackServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(TOKEN, base_url=server.url, max_retries=0) as client:
        yield client
