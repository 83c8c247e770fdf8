"""Calls an operation on a live server and keeps the exchange as a cassette without ids and
secrets.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import vcr
import yaml
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.record_mode import RecordMode

from coze_openapi import Client
from tests.contract.catalogue import Op, split_arguments
from tests.contract.make_cassettes import CASSETTES, dump
from tests.record.samples import arguments
from tests.record.scrubbing import Scrubber

RECORDED = CASSETTES.parent / "recorded"


class SecretFound(Exception):
    """A cassette was not written; the text says where something secret still stands, and never
    what.
    """


class _Memory:
    """Keeps what was recorded: the raw exchange never touches the disk."""

    def __init__(self) -> None:
        self.interactions: list[dict[str, Any]] = []

    def load_cassette(self, path: str, serializer: Any) -> Any:
        raise CassetteNotFoundError(path)

    def save_cassette(self, path: str, content: dict[str, Any], serializer: Any) -> None:
        pairs = zip(content["requests"], content["responses"], strict=True)
        self.interactions = [
            {"request": request._to_dict(), "response": response} for request, response in pairs
        ]


def record(
    op: Op, client: Client, token: str, given: Mapping[str, Any], folder: Path = RECORDED
) -> Path:
    """Calls an operation, by each of its methods, and writes its cassette.

    Args:
        op: What to call.
        client: Talks to the live server.
        token: The token of the client, which must not be kept.
        given: Arguments besides the examples; see `samples.read`.
        folder: Where to write.

    Raises:
        CozeError: The server refused the call; nothing is written.
        SecretFound: Something secret is left in the cassette; nothing is written.
    """
    memory = _Memory()
    player = vcr.VCR(record_mode=RecordMode.ALL, decode_compressed_response=True)
    player.register_persister(memory)
    values = arguments(op, given)
    with (
        player.use_cassette(op.id),
        warnings.catch_warnings(action="ignore", category=DeprecationWarning),
    ):
        for streaming in methods(op):
            call(op, client, values, streaming=streaming)
    urls = (client.base_url, client.www_url)
    return write(op, memory.interactions, Scrubber(token, urls), folder)


def methods(op: Op) -> list[bool]:
    """Whether to call it streaming: some operations have a method for each."""
    return [op.only_streams] if op.stream is None or op.only_streams else [False, True]


def call(op: Op, client: Client, values: dict[str, Any], *, streaming: bool) -> None:
    positional, named = split_arguments(op, values)
    result = op.method_of(client, streaming=streaming)(*positional, **named)
    if streaming:
        with result:
            for _ in result.iter_bytes():
                pass


def write(op: Op, interactions: list[dict[str, Any]], scrubber: Scrubber, folder: Path) -> Path:
    """Scrubs, looks for what is left, and writes; an older cassette stays when it is refused."""
    for interaction in interactions:
        scrubber.learn(op, interaction)
    text = dump([scrubber.scrubbed(op, interaction) for interaction in interactions])
    # What is looked at is what a reader of the file gets.
    left = scrubber.left_in(yaml.safe_load(text))
    if left:
        raise SecretFound(
            f"{op.id} is not written, something secret is left:\n"
            + "\n".join(f"  {line}" for line in left)
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{op.id}.yaml"
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    return unfinished.replace(path)
