"""One test for both clients: `Either` calls the sync client as it is, and the async client in an
event loop of its own.

@pytest.fixture
def coze(each_client): ...

result = coze.chat.run(…)          # awaited when there is something to await
for event in coze.chat.stream(…):  # `async for` when it is an async stream
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio.from_thread
import pytest

from coze_runtime.calls.retries import RetryPolicy
from cozekit import AsyncCoze, Coze
from cozekit_emulator import Emulator

KINDS = ["sync", "asyncio", "trio"]
each_kind = pytest.mark.parametrize("kind", KINDS)
NOW = RetryPolicy(first_delay=0)
"""The usual repetitions, without waiting."""


class Either:
    """A client, resource or stream of either kind, used as if it were sync."""

    def __init__(self, target: Any, portal: Any) -> None:
        self._target = target
        self._portal = portal

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if inspect.ismethod(value):
            return partial(self._call, value)
        return self._wrapped(value)

    def _call(self, method: Callable[..., Any], *args: Any, **named: Any) -> Any:
        if self._portal is None:
            return method(*args, **named)

        async def call() -> Any:
            result = method(*args, **named)
            return await result if inspect.isawaitable(result) else result

        return self._wrapped(self._portal.call(call))

    def _wrapped(self, value: Any) -> Any:
        inner = (
            hasattr(value, "_client") or hasattr(value, "__anext__") or hasattr(value, "__aiter__")
        )
        return Either(value, self._portal) if inner and self._portal is not None else value

    def __iter__(self) -> Iterator[Any]:
        if self._portal is None:
            yield from self._target
            return
        source = self._target.__aiter__()
        while True:
            try:
                yield self._call(source.__anext__)
            except StopAsyncIteration:
                return


@contextmanager
def client(kind: str, base_url: str, token: str = "pat_test", **settings: Any) -> Iterator[Any]:
    """A client of one kind: `sync`, or async on `asyncio` or `trio`."""
    settings.setdefault("max_retries", NOW)
    if kind == "sync":
        with Coze(token, base_url=base_url, **settings) as coze:
            yield coze
        return
    with anyio.from_thread.start_blocking_portal(kind) as portal:
        coze = Either(AsyncCoze(token, base_url=base_url, **settings), portal)
        try:
            yield coze
        finally:
            coze.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Emulator]:
    """One local Coze for the whole session."""
    with Emulator() as local:
        yield local


@pytest.fixture
def local(server: Emulator) -> Emulator:
    """The local Coze with a fresh memory."""
    server.reset()
    return server


@pytest.fixture(params=KINDS)
def coze(request: pytest.FixtureRequest, local: Emulator) -> Iterator[Any]:
    """A client of each kind at the local Coze."""
    with client(request.param, local.base_url, local.token) as found:
        yield found


def ways(name: str) -> Any:
    """A function in both forms, for what the async client takes in both: plain and async."""
    return pytest.mark.parametrize(name, ["plain", "async"])


def sent_to(local: Emulator, operation: str) -> int:
    """How many requests of an operation came."""
    return sum(seen.operation == operation for seen in local.requests)
