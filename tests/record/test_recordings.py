"""The recordings of real servers: the client gives what the table beside this file says, for every
exchange, from the cassette and from a socket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from coze_runtime.types import Drift
from cozekit.auth import TokenCallback
from cozekit.errors import ChatCanceled, NotFoundError, ResponseError
from cozekit.models import ChatStatus
from tests.contract.catalogue import description, operations
from tests.contract.replay import KINDS, cassette, replaying
from tests.each import Problems, each
from tests.overlays.chunk_server import ChunkServer, KeepOpen, Request, Step, reply, stream
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_chat_ends_at_its_last_event_although_the_connection_stays_open(kind: str) -> None:
    _, recording, row = rows_of("chat_create")[0]
    script = [*stream(*recording.pieces, headers={"x-log-id": recording.logid}), KeepOpen()]
    with ChunkServer(script) as server, replaying(kind, server.url, timeout=1) as coze:
        chat = coze.chat.stream(bot_id="7", user_id="u1")
        assert chat.until_done().answer == row["text"]


@contextmanager
def scenario(name: str, kind: str) -> Iterator[Any]:
    """A client whose server answers each path with what was recorded for it in a scenario, in its
    order.
    """
    answers: dict[str, list[Recording]] = {}
    for cassette_name in TABLE:
        for _, recording, _ in rows_of(cassette_name):
            if recording.data["scenario"] == name:
                path = urlsplit(recording.request["url"]).path
                answers.setdefault(path, []).append(recording)

    def script(request: Request) -> Sequence[Step]:
        recording = answers[urlsplit(request.target).path].pop(0)
        headers = {"x-tt-logid": None, "x-log-id": recording.logid}
        return reply(recording.answer["value"], recording.data["status"], headers)

    with ChunkServer(script) as server, replaying(kind, server.url) as coze:
        yield coze


ASK = {"bot_id": "7713130725259608064", "user_id": "u1", "poll_interval": 0}
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_a_chat_that_is_polled_has_its_answer(kind: str) -> None:
    with scenario("s05_poll", kind) as coze:
        result = coze.chat.create_and_poll(**ASK)
    assert result.answer == "你好，👩‍👩‍👧我是测试模型。第1轮"
    assert result.usage.token_count == 12
    assert result.problem is None


@each_kind
def test_a_polled_chat_that_failed_without_saying_so_is_not_an_answer(kind: str) -> None:
    with scenario("s36_poll_failed", kind) as coze:
        result = coze.chat.create_and_poll(**ASK)
    assert result.answer == ""
    assert result.problem == (
        "the chat is completed without an answer and without usage; the server gives no reason"
    )


@each_kind
def test_a_wait_ends_when_the_chat_is_cancelled(kind: str) -> None:
    with scenario("s37_poll_canceled", kind) as coze, pytest.raises(ChatCanceled) as caught:
        coze.chat.create_and_poll(**ASK)
    assert caught.value.chat is not None
    assert caught.value.chat.status is ChatStatus.CANCELED
    assert caught.value.logid


def tolerances() -> dict[str, Any]:
    """Every entry of the description that names a recording, by its place."""
    nodes = {
        **{op.id: op.node.get("x-coze-tolerance", []) for op in operations().values()},
        **{
            name: schema.get("x-coze-tolerance", [])
            for name, schema in description()["components"]["schemas"].items()
        },
        "x-coze-servers": description()["x-coze-servers"].values(),
    }
    return {
        f"{name} {number}": entry
        for name, entries in nodes.items()
        for number, entry in enumerate(entries)
    }


@each("entry", tolerances())
def test_every_tolerance_names_a_recording(entry: dict[str, Any]) -> None:
    name, scenario_name = entry["recording"].split()
    assert scenario_name in {row["scenario"] for row in TABLE[name]}


BOT = rows_of("bots_retrieve")[0][1].answer["value"]["data"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@each_kind
def test_a_bot_without_an_envelope_is_read(kind: str) -> None:
    """Seen with a connector_id; the recorded answer of `bots.retrieve` has the same bot."""
    with ChunkServer(reply(BOT)) as server, replaying(kind, server.url) as coze:
        assert coze.bots.retrieve_published(bot_id="7").name == "plain"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_envelope_without_data_is_not_taken_for_a_result() -> None:
    empty = {"code": 0, "msg": "", "BaseResp": None}
    with (
        ChunkServer(reply(empty)) as server,
        replaying("sync", server.url) as coze,
        pytest.raises(ResponseError),
    ):
        coze.bots.retrieve_published(bot_id="7")


def test_the_documented_place_comes_first() -> None:
    both = {"code": 0, "data": [], "Messages": [{"id": "7"}]}
    with ChunkServer(reply(both)) as server, replaying("sync", server.url) as coze:
        assert coze.chat.messages.list(chat_id="7", conversation_id="7") == []


@each_kind
@pytest.mark.parametrize("status, code", [(401, 401), (200, 700012006)])
def test_a_call_that_the_server_lacks_does_not_renew_the_token(
    kind: str, status: int, code: int
) -> None:
    """Older versions say the same with another status and code."""
    refused = {"code": code, "msg": "authentication failed: missing session_key in cookie"}
    renewed: list[bool] = []

    def token() -> str:
        renewed.append(True)
        return "pat_test"

    with (
        ChunkServer(reply(refused, status)) as server,
        replaying(kind, server.url, token=None, auth=TokenCallback(token)) as coze,
        pytest.raises(NotFoundError, match="Coze Studio does not seem to have this operation"),
    ):
        coze.users.me()
    assert len(server.requests) == 1
    assert len(renewed) == 1
