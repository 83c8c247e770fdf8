"""Plays a recorded cassette: the client asks the same and has to read the same. It never
records.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from coze_openapi import AsyncClient, Client
from coze_runtime.types import Drift
from tests.contract.bodies import form_fields
from tests.contract.catalogue import operations, split_arguments
from tests.contract.exchanges import Exchange
from tests.contract.matching import recorder
from tests.contract.test_exchanges import check_result
from tests.record.scrubbing import content_type

KINDS = {"text/event-stream": "sse", "application/json": "json"}
TOKEN = "replay"


class Recording(Exchange):
    """A recorded exchange; its arguments are read from the request."""

    def arguments(self) -> dict[str, Any]:
        files = {
            name: value for name, value in self.data["form"].items() if isinstance(value, tuple)
        }
        return {
            **super().arguments(),
            **{
                name: (file_name, content, kind)
                for name, (file_name, kind, content) in files.items()
            },
        }

    @property
    def logid(self) -> str:
        return str(self.data["logid"])


def recordings(path: Path) -> list[Recording]:
    """The exchanges of a cassette, whose name is the operation."""
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]
    return [
        Recording(operations()[path.stem], number, exchange(interaction))
        for number, interaction in enumerate(loaded)
    ]


def exchange(interaction: dict[str, Any]) -> dict[str, Any]:
    request, response = interaction["request"], interaction["response"]
    body, kind = request["body"] or "", content_type(request)
    form = (
        form_fields(kind, body if isinstance(body, bytes) else body.encode())
        if kind.startswith("multipart")
        else {}
    )
    asked: dict[str, Any] = {"method": request["method"], "url": request["uri"]}
    if form:
        asked["form"] = {
            name: "<file>" if isinstance(value, tuple) else value.decode()
            for name, value in form.items()
        }
    elif body:
        asked["body"] = json.loads(body)
    return {
        "request": asked,
        "form": form,
        "answer": answer(response),
        "logid": response["headers"].get("x-tt-logid", [""])[0],
    }


def answer(response: dict[str, Any]) -> dict[str, Any]:
    text = response["body"]["string"]
    if response["status"]["code"] in (301, 302, 303, 307):
        return {"kind": "redirect", "text": response["headers"]["location"][0]}
    kind = KINDS.get(content_type(response).partition(";")[0], "bytes")
    if kind == "json":
        return {"kind": "json", "value": json.loads(text)}
    return {"kind": kind, "text": text.decode("latin-1") if isinstance(text, bytes) else text}


@contextmanager
def played(path: Path) -> Iterator[None]:
    """The cassette instead of the network; every exchange of it has to be asked for."""
    with (
        recorder().use_cassette(str(path)) as tape,
        warnings.catch_warnings(action="ignore", category=DeprecationWarning),
    ):
        yield
    assert tape.all_played, f"played {tape.play_count} of {len(tape)} exchanges of {path.name}"


def base_url(listed: list[Recording]) -> str:
    parts = urlsplit(listed[0].request["url"])
    return f"{parts.scheme}://{parts.netloc}".replace("www.", "api.")


def compare(recording: Recording, result: Any) -> None:
    if recording.answer["kind"] == "bytes":
        assert result == recording.answer["text"].encode("latin-1")
    else:
        check_result(recording, result)


def replay(path: Path, on_drift: Any = None) -> None:
    """Calls what was recorded, and compares the results with the recorded answers."""
    listed = recordings(path)
    with (
        played(path),
        Client(TOKEN, base_url=base_url(listed), max_retries=0, on_drift=on_drift) as client,
    ):
        for recording in listed:
            positional, named = split_arguments(recording.op, recording.arguments())
            result = recording.op.method_of(client, streaming=recording.streaming)(
                *positional, **named
            )
            if recording.streaming:
                with result:
                    result = b"".join(result.iter_bytes())
            compare(recording, result)


async def replay_async(path: Path, on_drift: Any = None) -> None:
    """The same with the async client."""
    listed = recordings(path)
    with played(path):
        async with AsyncClient(
            TOKEN, base_url=base_url(listed), max_retries=0, on_drift=on_drift
        ) as client:
            for recording in listed:
                positional, named = split_arguments(recording.op, recording.arguments())
                result = recording.op.method_of(client, streaming=recording.streaming)(
                    *positional, **named
                )
                if recording.streaming:
                    async with result:
                        result = b"".join([piece async for piece in result.iter_bytes()])
                else:
                    result = await result
                compare(recording, result)


__all__ = ["Drift", "Recording", "recordings", "replay", "replay_async"]
