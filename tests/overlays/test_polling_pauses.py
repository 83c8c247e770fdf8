"""What a wait keeps to: the timeout of each poll, the clock, the pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from inspect import signature
from typing import Any

import httpx
import pytest

from coze_runtime.calls.deadlines import StreamLimits
from coze_runtime.polling.wait import GRACE, Wait
from cozekit import PollTimeout, RetryPolicy, Timeout
from tests.overlays.chunk_server import LOGID, ChunkServer, KeepOpen, reply
from tests.overlays.either import client, each_kind
from tests.overlays.wire import ASK, CHAT_ID, CONVERSATION_ID, at_once, chat


def data(found: object, logid: str | None = LOGID) -> Any:
    return reply({"code": 0, "data": found}, headers={"x-tt-logid": logid})


# ---- the timeout of each poll


class Watched:
    """An HTTP client of a kind that notes the read timeout of each request."""

    def __init__(self, kind: str) -> None:
        self.reads: list[float] = []

        async def note(request: httpx.Request) -> None:
            self._note(request)

        if kind == "sync":
            self.http: Any = httpx.Client(event_hooks={"request": [self._note]})
        else:
            self.http = httpx.AsyncClient(event_hooks={"request": [note]})

    def _note(self, request: httpx.Request) -> None:
        self.reads.append(request.extensions["timeout"]["read"])


def read_timeouts(
    kind: str, call: Callable[[Any], Any], *scripts: Any, **settings: Any
) -> list[float]:
    """The read timeout of each request that a call sends; pauses take no time."""
    watched = Watched(kind)
    policy, _ = at_once()
    with (
        ChunkServer(*scripts) as server,
        client(kind, server.url, http_client=watched.http, max_retries=policy, **settings) as coze,
    ):
        with pytest.raises(PollTimeout):
            call(coze)
        if kind == "sync":
            watched.http.close()
        else:
            coze._portal.call(watched.http.aclose)
    return watched.reads


@each_kind
def test_no_poll_may_take_longer_than_what_is_left_and_a_grace(kind: str) -> None:
    def call(coze: Any) -> Any:
        return coze.chat.create_and_poll(**ASK, poll_timeout=40, poll_interval=10)

    first, *polls = read_timeouts(kind, call, data(chat("in_progress")), timeout=900)
    assert first == 900
    assert polls[:3] == pytest.approx([30, 20, 10], abs=4)
    assert polls[-1] == GRACE
    assert polls == sorted(polls, reverse=True)


@each_kind
def test_the_timeout_of_the_first_call_holds_for_the_polls(kind: str) -> None:
    def call(coze: Any) -> Any:
        return coze.chat.create_and_poll(**ASK, poll_timeout=40, poll_interval=10, timeout=7)

    first, *polls = read_timeouts(kind, call, data(chat("in_progress")), timeout=900)
    assert first == 7
    assert polls[:3] == [7, 7, 7]


@each_kind
def test_polls_have_no_longer_timeout_than_the_client_when_the_call_names_none(kind: str) -> None:
    def call(coze: Any) -> Any:
        return coze.chat.wait(
            chat_id=CHAT_ID, conversation_id=CONVERSATION_ID, poll_timeout=40, poll_interval=10
        )

    polls = read_timeouts(kind, call, data(chat("in_progress")), timeout=Timeout(read=6))
    assert polls[:4] == [6, 6, 6, 6]


@each_kind
def test_a_poll_without_an_answer_ends_with_the_wait(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coze_runtime.polling.wait.GRACE", 0.1)
    scripts = [data(chat("created")), [KeepOpen()]]
    begun = time.monotonic()
    with (
        ChunkServer(*scripts) as server,
        client(kind, server.url, timeout=20) as coze,
        pytest.raises(PollTimeout) as caught,
    ):
        coze.chat.create_and_poll(**ASK, poll_timeout=0.3, poll_interval=0.05)
    assert time.monotonic() - begun < 10
    assert (caught.value.state, caught.value.ids["chat_id"]) == ("created", CHAT_ID)


# ---- clock and sleep


@pytest.mark.parametrize("kind", [Wait, StreamLimits])
def test_the_clock_of_limits_is_monotonic(kind: type) -> None:
    assert signature(kind).parameters["clock"].default is time.monotonic


@each_kind
@pytest.mark.parametrize("jump", [1e9, -1e9])
def test_a_jump_of_the_clock_on_the_wall_does_not_matter(
    kind: str, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        monkeypatch.setattr(time, "time", lambda: real() + jump)

    async def sleep_async(seconds: float) -> None:
        sleep(seconds)

    policy = RetryPolicy(sleep=sleep, sleep_async=sleep_async)
    scripts = [data(chat("created")), data(chat("in_progress")), data(chat("completed")), data([])]
    with ChunkServer(*scripts) as server, client(kind, server.url, max_retries=policy) as coze:
        result = coze.chat.create_and_poll(**ASK, poll_timeout=30)
    assert result.chat.status == "completed"
    assert slept == [1, 1.5]


@each_kind
def test_the_sleep_of_the_retry_policy_is_that_of_polls_so_that_programs_test_without_waiting(
    kind: str,
) -> None:
    policy, slept = at_once()
    scripts = [
        data(chat("created")),
        *[data(chat("in_progress"))] * 3,
        data(chat("completed")),
        data([]),
    ]
    begun = time.monotonic()
    with ChunkServer(*scripts) as server, client(kind, server.url, max_retries=policy) as coze:
        coze.chat.create_and_poll(**ASK, poll_interval=3)
    assert slept == [3, 4.5, 5, 5]
    assert time.monotonic() - begun < 10


@each_kind
def test_a_pause_that_takes_no_time_counts_in_full_so_that_the_deadline_comes(kind: str) -> None:
    policy, slept = at_once()
    late = pytest.raises(PollTimeout, match="no outcome within 3600 s")
    with (
        ChunkServer(data(chat("created"))) as server,
        client(kind, server.url, max_retries=policy) as coze,
        late,
    ):
        coze.chat.create_and_poll(**ASK, poll_timeout=3600, poll_interval=900)
    assert slept == [900, 900, 900, pytest.approx(900, abs=30)]


@pytest.mark.parametrize("late", [0.0, 0.25])
def test_a_pause_that_lasts_longer_than_wanted_counts_as_long_as_it_was(late: float) -> None:
    from coze_openapi.api.chat.create import WAITER

    now = 0.0
    wait: Wait[Any] = Wait(WAITER, timeout=100, interval=10, ids={}, clock=lambda: now)
    steps = wait.steps(lambda: "polled")
    assert next(steps).seconds == 10
    now += 10 + late
    assert next(steps) == "polled"
    assert wait.remaining() == 90 - late
