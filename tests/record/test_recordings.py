"""The recordings of real servers: the client gives what the table beside this file says, for every
exchange, from the cassette and from a socket.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from coze_runtime.types import Drift
from tests.contract.replay import KINDS, cassette, replaying
from tests.each import Problems
from tests.overlays.chunk_server import ChunkServer, stream
from tests.record.recorder import RECORDED
from tests.record.replay import Recording, Replayed, base_url, recordings

COZE_STUDIO = RECORDED / "coze_studio"
TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("coze_studio.yaml").read_text(encoding="utf-8")
)

with_cassettes = pytest.mark.parametrize("name", TABLE)


def rows_of(name: str) -> list[tuple[str, Recording, dict[str, Any]]]:
    """Each exchange of a cassette with its name and its row of the table."""
    listed = recordings(COZE_STUDIO / f"{name}.yaml")
    assert [it.data["scenario"] for it in listed] == [row["scenario"] for row in TABLE[name]]
    return [
        (f"{name} {number} {row['scenario']}", recording, row)
        for number, (recording, row) in enumerate(zip(listed, TABLE[name], strict=True))
    ]


def test_every_cassette_is_in_the_table() -> None:
    assert {path.stem for path in COZE_STUDIO.iterdir()} == set(TABLE)


PENDING = {
    "bots_list",
    "chat_cancel",
    "chat_create",
    "chat_messages_list",
    "chat_retrieve",
    "conversations_retrieve",
    "files_upload",
    "undocumented",
    "users_me",
    "variables_retrieve",
    "workflows_runs_run_histories_retrieve",
    "workspaces_list",
}
with_cassettes = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(name in PENDING, reason="pending", strict=True))
        for name in TABLE
    ],
)


@with_cassettes
@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_exchange_gives_what_the_table_says(name: str, kind: str) -> None:
    rows = rows_of(name)
    problems = Problems()
    drifts: list[Drift] = []
    url = base_url([recording for _, recording, _ in rows])
    with (
        cassette(COZE_STUDIO / f"{name}.yaml"),
        replaying(kind, url, on_drift=drifts.append) as coze,
    ):
        for subject, recording, row in rows:
            with problems.of(subject):
                Replayed(recording, coze).check(row)
    problems.must_be_none()
    assert drifts == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.xfail(reason="pending", strict=True)
def test_a_recorded_stream_in_its_pieces_gives_the_same(kind: str) -> None:
    rows = [row for name in TABLE for row in rows_of(name) if row[1].answer["kind"] == "sse"]
    problems = Problems()
    scripts = [
        stream(*recording.pieces, headers={"x-tt-logid": None, "x-log-id": recording.logid})
        for _, recording, _ in rows
    ]
    with ChunkServer(*scripts) as server, replaying(kind, server.url) as coze:
        for subject, recording, row in rows:
            with problems.of(subject):
                Replayed(recording, coze).check(row)
    problems.must_be_none()
