"""How fast a device asks (RFC 8628, 3.5): the interval belongs to the login, whoever asks
with it.
"""

from __future__ import annotations

import threading

import anyio
import pytest

from cozekit import APIConnectionError, OAuthError
from cozekit.auth import Clock, DeviceLogin, DeviceOAuth
from tests.auth.conftest import Caller
from tests.auth.server import DROP, MovableClock, OAuthServer, json_answer
from tests.overlays.chunk_server import ChunkServer, reply


def told(call: Caller, device: DeviceOAuth, login: DeviceLogin, method: str = "poll") -> str:
    """The word with which a question ends."""
    with pytest.raises(OAuthError) as caught:
        call(device, method, login)
    return caught.value.error


def test_a_wait_keeps_the_interval_that_grew_while_the_program_asked_itself(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    server.device_polls.extend(["slow_down", "authorization_pending", "slow_down"])
    login = device.start()
    assert login.interval == 5
    assert told(call, device, login) == "slow_down" and login.interval == 10
    assert call(device, "wait", login).refresh_token
    assert server.clock.waits == [10, 10, 15] and login.interval == 15


def test_a_second_wait_keeps_the_interval_of_the_first(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    """What passing failures add is no wish of the server and goes with the first wait."""
    login = device.start()
    server.device_polls.append("slow_down")
    server.next_answers.extend(
        [
            json_answer({}, 502),
            json_answer({}, 502),
            json_answer({"error_code": "invalid_request"}, 400),
        ]
    )
    assert told(call, device, login, "wait") == "invalid_request"
    assert server.clock.waits == [5, 10, 20] and login.interval == 5
    server.clock.waits.clear()
    assert call(device, "wait", login).refresh_token
    assert server.clock.waits == [5, 10] and login.interval == 10


def test_intervals_of_two_logins_are_apart(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    slow, other = device.start(), device.start()
    server.device_polls.append("slow_down")
    assert told(call, device, slow) == "slow_down"
    assert call(device, "wait", other).refresh_token
    assert server.clock.waits == [5] and (slow.interval, other.interval) == (10, 5)


@pytest.mark.parametrize(("passed", "waits"), [(0, [5]), (3, [2]), (5, []), (60, [])])
def test_a_wait_counts_from_the_last_question(
    server: OAuthServer, device: DeviceOAuth, call: Caller, passed: float, waits: list[float]
) -> None:
    login = device.start()
    server.clock.now += 100
    server.device_polls.append("authorization_pending")
    assert told(call, device, login) == "authorization_pending"
    server.clock.now += passed
    assert call(device, "wait", login).refresh_token
    assert server.clock.waits == waits


def test_a_wait_counts_from_a_question_that_got_no_answer(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    login = device.start()
    server.clock.now += 100
    server.next_answers.append(DROP)
    with pytest.raises(APIConnectionError):
        call(device, "poll", login)
    assert call(device, "wait", login).refresh_token
    assert server.clock.waits == [5]


def test_the_first_question_comes_one_interval_after_the_start(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    login = device.start()
    server.clock.now += 1.5
    assert call(device, "wait", login).refresh_token
    assert server.clock.waits == [3.5]


def test_a_wait_that_begins_after_the_end_asks_nothing(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    login = device.start()
    server.clock.now += 301
    assert told(call, device, login, "wait") == "expired_token"
    assert server.clock.waits == [] and server.token_requests == []


class ReleasingClock(MovableClock):
    """Lets the question that the server holds back be answered during the first wait."""

    def __init__(self, server: OAuthServer) -> None:
        super().__init__(server.clock.now)
        self.hold = threading.Event()
        self.asking: threading.Thread | None = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.hold.set()
        if self.asking is not None:
            self.asking.join(30)


def test_a_wait_counts_from_the_answer_to_the_question_of_another_thread(
    server: OAuthServer, call: Caller
) -> None:
    """The server counts from a request's arrival, which may be as late as its answer."""
    clock = server.clock = ReleasingClock(server)
    device = DeviceOAuth(server.DEVICE, base_url=server.url, clock=clock)
    login = device.start()
    clock.now += 100
    server.device_polls.append("slow_down")
    server.hold = clock.hold
    words: list[str] = []
    clock.asking = threading.Thread(target=lambda: words.append(told(call, device, login)))
    clock.asking.start()
    server.wait_for_token_request()
    assert call(device, "wait", login).refresh_token
    assert words == ["slow_down"]
    assert clock.waits == [5, 10], (
        "5 s from the question; then its answer had come, and wanted 10 s from there"
    )


def test_of_two_waits_one_asks_at_a_time(server: OAuthServer, call: Caller) -> None:
    clock = server.clock = ReleasingClock(server)
    device = DeviceOAuth(server.DEVICE, base_url=server.url, clock=clock)
    login = device.start()
    clock.now += 100
    server.device_polls.append("access_denied")
    server.hold = clock.hold
    words: list[str] = []
    clock.asking = threading.Thread(target=lambda: words.append(told(call, device, login, "wait")))
    clock.asking.start()
    server.wait_for_token_request()
    assert call(device, "wait", login).refresh_token
    assert words == ["access_denied"] and clock.waits == [5, 5]


class OnlyAsyncWaits(Clock):
    """A clock whose wait ends when another task of the same event loop says so."""

    def __init__(self) -> None:
        self.waiting, self.go_on = anyio.Event(), anyio.Event()
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        raise AssertionError("this wait holds up the event loop")

    async def sleep_async(self, seconds: float) -> None:
        self.waiting.set()
        await self.go_on.wait()
        self.now += seconds


async def test_waiting_for_the_user_of_a_device_leaves_the_event_loop_free() -> None:
    begun = {
        "device_code": "d",
        "user_code": "u",
        "verification_uri": "https://x/device",
        "interval": 5,
        "expires_in": 300,
    }
    found = {
        "access_token": "czu_1",
        "refresh_token": "r",
        "expires_in": 1800000900,
        "token_type": "Bearer",
    }
    clock, tokens = OnlyAsyncWaits(), []
    with ChunkServer(reply(begun), reply(found)) as server:
        device = DeviceOAuth("app", base_url=server.url, clock=clock)
        login = await device.start_async()

        async def wait() -> None:
            tokens.append(await device.wait_async(login))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await clock.waiting.wait()
                clock.go_on.set()
    assert [token.access_token for token in tokens] == ["czu_1"]
