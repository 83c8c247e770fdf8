"""Replays exchanges, documented and recorded: a client of either kind asks, a cassette answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coze_runtime.operation import CallOptions
from tests.contract.catalogue import split_arguments
from tests.contract.exchanges import Exchange
from tests.contract.matching import recorder
from tests.overlays.either import client

TOKEN = "pat_replay_token_that_is_in_no_cassette"
KINDS = ("sync", "asyncio")


@contextmanager
def cassette(path: Path) -> Iterator[list[Any]]:
    """The cassette in place of the network; yields the requests that reach it. All of its exchanges
    have to be asked for.
    """
    asked: list[Any] = []
    loading = True

    def look(request: Any) -> Any:
        # vcrpy calls this for the requests of the cassette, too.
        if not loading:
            asked.append(request)
        return request

    with (
        recorder(before_record_request=look).use_cassette(str(path)) as tape,
        warnings.catch_warnings(action="ignore", category=DeprecationWarning),
    ):
        loading = False
        yield asked
    assert tape.all_played, f"played {tape.play_count} of {len(tape)} exchanges of {path.name}"


def replaying(
    kind: str, base_url: str = "https://api.coze.cn", token: str | None = TOKEN, **settings: Any
) -> Any:
    """A client that asks once."""
    return client(kind, base_url, token, max_retries=0, **settings)


def ask(exchange: Exchange, coze: Any, read: Callable[[Any], Any]) -> Any:
    """The result of the method that sends the request of an exchange.

    Args:
        exchange: The exchange.
        coze: The client, sync or `Either`.
        read: Reads an open stream to its end.
    """
    op = exchange.op
    if exchange.unswitched:
        request = op.module.build(**exchange.arguments())
        return coze.execute(request, op.module.parse, CallOptions())
    positional, named = split_arguments(op, exchange.arguments())
    result = op.method_of(coze, streaming=exchange.streaming)(*positional, **named)
    if not exchange.streaming:
        return result
    try:
        return read(result)
    finally:
        result.close()


def body(exchange: Exchange) -> Callable[[Any], bytes]:
    """Reads a stream as bytes, as it came."""

    def read(stream: Any) -> bytes:
        content = b"".join(stream.iter_bytes())
        assert stream.logid == exchange.logid
        return content

    return read
