"""Scripted servers, and each test for both kinds of sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from scripted_sockets import Peer, Script, SyncOrAsync

from cozekit_emulator.pytest_plugin import coze_emulator, coze_emulator_server

__all__ = ["coze_emulator", "coze_emulator_server"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def peers() -> Iterator[Callable[..., Peer]]:
    """Makes scripted servers."""
    made: list[Peer] = []

    def make(script: Script, **settings: object) -> Peer:
        made.append(Peer(script, **settings))
        return made[-1]

    yield make
    for peer in made:
        peer.stop()


@pytest.fixture(params=["sync", "async"])
def sync_or_async(request: pytest.FixtureRequest) -> SyncOrAsync:
    return SyncOrAsync(request.param)
