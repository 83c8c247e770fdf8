"""A token is renewed before it ends, once for everybody, and replaced once when the service refuses
it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trio

from cozekit import (
    APIConnectionError,
    ArgumentError,
    AsyncCoze,
    AuthenticationError,
    Coze,
    CozeError,
    OAuthError,
)
from cozekit.auth import (
    AsyncTokenCallback,
    Auth,
    DeviceOAuth,
    JWTOAuth,
    MemoryStore,
    Token,
    TokenCallback,
)
from tests.auth.conftest import KEY_ID, Caller
from tests.auth.server import DROP, OAuthServer, json_answer

ROOT = Path(__file__).parents[2]
FORKING = """
import os, signal, sys, threading, warnings
sys.path[:0] = {paths!r}
from cozekit import Coze
from cozekit.auth import Clock, FileStore, JWTOAuth

class Then(Clock):
    def time(self):
        return {now!r}

warnings.simplefilter("ignore", DeprecationWarning)
auth = JWTOAuth({client_id!r}, sys.stdin.readline(), {key_id!r}, store={store}, clock=Then())
coze = Coze(auth=auth, base_url={url!r})
thread = threading.Thread(target=coze.users.me)
thread.start()
sys.stdin.readline()
child = os.fork()
if child == 0:
    signal.alarm(30)
    print("forked", flush=True)
    os._exit(coze.users.me().user_name != "Ada")
print(os.waitpid(child, 0)[1], flush=True)
thread.join()
"""


@pytest.fixture
def user(server: OAuthServer, device: DeviceOAuth) -> Auth:
    """A signed-in user; the sign-in itself is no longer counted."""
    auth = device.auth(device.login(show=lambda login: None))
    server.asked.clear()
    return auth


def at_once(count: int, function: Callable[[], Any], release: threading.Event) -> list[Any]:
    """The results of so many threads; the server answers only when all have begun."""
    begun = threading.Semaphore(0)

    def one(_: int) -> Any:
        begun.release()
        return function()

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(one, number) for number in range(count)]
        for _ in range(count):
            assert begun.acquire(timeout=30)
        release.set()
        return [future.result(30) for future in futures]


def test_a_hundred_threads_ask_once_at_cold_start(server: OAuthServer, service: JWTOAuth) -> None:
    server.hold = threading.Event()
    with Coze(auth=service, base_url=server.url) as coze:
        found = at_once(100, lambda: service.token(coze), server.hold)
    assert len(set(found)) == 1 and len(server.token_requests) == 1


def test_a_hundred_threads_refresh_once_at_expiry(server: OAuthServer, user: Auth) -> None:
    with Coze(auth=user, base_url=server.url) as coze:
        old = user.token(coze)
        server.clock.now += 890
        server.hold = threading.Event()
        found = at_once(100, lambda: user.token(coze), server.hold)
    assert len(set(found)) == 1 and found[0] != old and len(server.token_requests) == 1


@pytest.mark.parametrize("moment", ["cold start", "expiry"])
async def test_a_thousand_tasks_ask_once(
    server: OAuthServer, service: JWTOAuth, moment: str
) -> None:
    async with AsyncCoze(auth=service, base_url=server.url) as coze:
        if moment == "expiry":
            await service.token_async(coze)
            server.asked.clear()
            server.clock.now += 890
        server.hold = threading.Event()
        found: list[str] = []

        async def one() -> None:
            found.append(await service.token_async(coze))

        async with anyio.create_task_group() as group:
            for _ in range(1000):
                group.start_soon(one)
            await anyio.wait_all_tasks_blocked()
            server.hold.set()
    assert len(found) == 1000 and len(set(found)) == 1 and len(server.token_requests) == 1


def test_threads_and_two_event_loops_share_one_refresh(server: OAuthServer, user: Auth) -> None:
    server.clock.now += 890
    server.hold = threading.Event()
    begun = threading.Semaphore(0)
    found: list[str] = []

    async def in_loop() -> None:
        async with AsyncCoze(auth=user, base_url=server.url) as coze:

            async def one() -> None:
                begun.release()
                found.append(await user.token_async(coze))

            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(one)

    def in_thread() -> None:
        with Coze(auth=user, base_url=server.url) as coze:
            begun.release()
            found.append(user.token(coze))

    work: list[Callable[[], Any]] = [
        lambda: asyncio.run(in_loop()),
        lambda: trio.run(in_loop),
        *[in_thread] * 20,
    ]
    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(function) for function in work]
        for _ in range(60):
            assert begun.acquire(timeout=30)
        server.hold.set()
        for future in futures:
            future.result(30)
    assert len(found) == 60 and len(set(found)) == 1 and len(server.token_requests) == 1


def test_calls_of_many_threads_share_one_replacement_after_a_401(
    server: OAuthServer, user: Auth
) -> None:
    with Coze(auth=user, base_url=server.url, max_retries=0) as coze:
        server.withdraw(user.token(coze))
        server.hold = threading.Event()
        names = at_once(16, lambda: coze.users.me().user_name, server.hold)
    assert names == ["Ada"] * 16 and len(server.token_requests) == 1
    assert len(server.api_requests) <= 32


@pytest.mark.parametrize(("ttl", "early"), [(600, 60), (900, 60), (86399, 60), (100, 10)])
def test_a_token_is_renewed_shortly_before_its_end(
    server: OAuthServer, pem: str, call: Caller, ttl: int, early: int
) -> None:
    auth = JWTOAuth(server.JWT, pem, KEY_ID, duration_seconds=ttl, clock=server.clock)
    call.me(auth, server.url)
    server.clock.now += ttl - early - 1
    call.me(auth, server.url)
    assert len(server.token_requests) == 1, "not before"
    server.clock.now += 2
    call.me(auth, server.url)
    assert len(server.token_requests) == 2 and len(server.api_requests) == 3, (
        "in time, without a refused call"
    )


def test_a_refused_token_is_replaced_and_the_call_sent_once_more(
    server: OAuthServer, user: Auth, call: Caller
) -> None:
    with Coze(auth=user, base_url=server.url) as coze:
        server.withdraw(user.token(coze))
    assert call.me(user, server.url) == "Ada"
    assert [asked.path.rpartition("/")[2] for asked in server.asked] == ["me", "token", "me"]


def test_a_service_that_refuses_every_token_is_asked_twice_and_no_more(
    server: OAuthServer, service: JWTOAuth, call: Caller
) -> None:
    server.token_ttl = 900
    no = json_answer({"code": 4100, "msg": "authentication is invalid"}, 401)
    server._me = lambda asked: no  # type: ignore[method-assign]
    for calls in (1, 2):
        with pytest.raises(AuthenticationError):
            call.me(service, server.url)
        assert len(server.token_requests) == 2, (
            "the second call knows that a replacement does not help"
        )
        assert len(server.api_requests) == 1 + calls


def test_a_failed_renewal_is_no_failure_while_the_token_lasts(
    server: OAuthServer, user: Auth, call: Caller
) -> None:
    server.clock.now += 890
    server.next_answers.append(DROP)
    assert call.me(user, server.url, calls=3) == "Ada"
    assert len(server.token_requests) == 1, "and it is not tried again at once"
    server.clock.now += 6
    assert call.me(user, server.url) == "Ada" and len(server.token_requests) == 2


def test_a_failed_renewal_is_an_error_once_the_token_has_ended(
    server: OAuthServer, user: Auth, call: Caller
) -> None:
    server.clock.now += 900
    server.next_answers.append(DROP)
    with pytest.raises(APIConnectionError):
        call.me(user, server.url)
    assert call.me(user, server.url) == "Ada", "the refresh token is still there"


def test_a_spent_refresh_token_is_not_sent_again_and_again(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    token = device.login(show=lambda login: None)
    device.refresh(token)
    server.clock.now += 900
    server.asked.clear()
    auth = device.auth(token)
    for _ in range(3):
        with pytest.raises(OAuthError, match="sign in again"):
            call.me(auth, server.url)
    assert len(server.token_requests) == 1 and server.api_requests == []


def test_an_empty_store_says_that_nobody_has_signed_in(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    with pytest.raises(OAuthError, match="no user has signed in") as caught:
        call.me(device.auth(MemoryStore()), server.url)
    assert caught.value.error == "login_required" and server.asked == []


async def test_a_cancelled_caller_does_not_stop_the_refresh_of_the_others(
    server: OAuthServer, user: Auth
) -> None:
    server.clock.now += 900
    server.hold = threading.Event()
    found: list[str] = []
    async with (
        AsyncCoze(auth=user, base_url=server.url) as coze,
        anyio.create_task_group() as others,
    ):

        async def other() -> None:
            found.append(await user.token_async(coze))

        async with anyio.create_task_group() as first:
            first.start_soon(user.token_async, coze)
            await anyio.to_thread.run_sync(server.wait_for_token_request)
            others.start_soon(other)
            await anyio.wait_all_tasks_blocked()
            first.cancel_scope.cancel()
            server.hold.set()
    assert len(found) == 1 and len(server.token_requests) == 1


def test_a_refresh_outlives_asyncio_cancelling_its_caller(server: OAuthServer, user: Auth) -> None:
    server.clock.now += 900
    server.hold = threading.Event()

    async def main() -> str:
        async with AsyncCoze(auth=user, base_url=server.url) as coze:
            first = asyncio.create_task(user.token_async(coze))
            while not server.token_requests:
                await asyncio.sleep(0)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert server.hold is not None
            server.hold.set()
            return await user.token_async(coze)

    assert asyncio.run(main()).startswith("czu_")
    assert len(server.token_requests) == 1


def test_a_waiter_leads_when_the_loop_of_the_leader_ends(server: OAuthServer, user: Auth) -> None:
    server.clock.now += 900
    server.hold = threading.Event()
    found: list[str] = []

    def waiter() -> None:
        with Coze(auth=user, base_url=server.url) as coze:
            found.append(user.token(coze))

    async def leader() -> None:
        async with AsyncCoze(auth=user, base_url=server.url) as coze:
            task = asyncio.create_task(user.token_async(coze))
            while not server.token_requests:
                await asyncio.sleep(0)
            thread.start()
            task.cancel()

    thread = threading.Thread(target=waiter)
    server.grace = True  # the server has answered the leader, and its answer is lost
    asyncio.run(leader())
    server.hold.set()
    thread.join(30)
    assert len(found) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("kept", ["in memory", "in a file"])
def test_a_child_that_forks_during_a_token_request_gets_its_own_token(
    server: OAuthServer, pem: str, tmp_path: Path, kept: str
) -> None:
    code = FORKING.format(
        paths=[str(ROOT / "generated"), str(ROOT / "overlays")],
        url=server.url,
        client_id=server.JWT,
        key_id=KEY_ID,
        now=server.clock.now,
        store=f"FileStore({str(tmp_path / 'token.json')!r})" if kept == "in a file" else "None",
    )
    server.hold = threading.Event()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(pem.replace("\n", "\\n") + "\n")
        process.stdin.flush()
        server.wait_for_token_request()
        process.stdin.write("fork\n")
        process.stdin.flush()
        assert process.stdout.readline() == "forked\n"
        server.hold.set()
        assert process.stdout.read() == "0\n", "exit code of the child"


def test_an_interrupted_leader_leaves_no_waiter_behind(server: OAuthServer, pem: str) -> None:
    class Interrupted(BaseException):
        pass

    calls: list[int] = []

    def sign(message: bytes) -> bytes:
        calls.append(1)
        if len(calls) == 1:
            raise Interrupted
        return real(message)

    from cozekit.auth import key_signer

    real = key_signer(pem)
    auth = JWTOAuth(server.JWT, public_key_id=KEY_ID, signer=sign, clock=server.clock)
    with Coze(auth=auth, base_url=server.url) as coze:
        with pytest.raises(Interrupted):
            auth.token(coze)
        assert auth.token(coze).startswith("czs_")


def test_a_sync_call_inside_the_loop_that_refreshes_is_an_error_and_no_deadlock(
    server: OAuthServer, user: Auth
) -> None:
    server.clock.now += 900
    server.hold = threading.Event()

    async def main() -> None:
        async with AsyncCoze(auth=user, base_url=server.url) as coze:
            task = asyncio.create_task(user.token_async(coze))
            while not server.token_requests:
                await asyncio.sleep(0)
            with (
                Coze(auth=user, base_url=server.url) as blocking,
                pytest.raises(CozeError, match="use AsyncCoze there"),
            ):
                user.token(blocking)
            assert server.hold is not None
            server.hold.set()
            await task

    asyncio.run(main())


def test_one_source_works_over_three_event_loops(server: OAuthServer, service: JWTOAuth) -> None:
    async def once() -> str:
        async with AsyncCoze(auth=service, base_url=server.url) as coze:
            return str((await coze.users.me()).user_name)

    assert [asyncio.run(once()) for _ in range(3)] == ["Ada"] * 3
    assert len(server.token_requests) == 1


@pytest.mark.parametrize("skew", [300, -300])
def test_five_minutes_of_clock_skew_do_no_harm(
    server: OAuthServer, service: JWTOAuth, call: Caller, skew: int
) -> None:
    server.skew = skew
    call.me(service, server.url)
    server.clock.now += 820
    call.me(service, server.url)
    assert len(server.token_requests) == 1
    server.clock.now += 30
    call.me(service, server.url)
    assert len(server.token_requests) == 2 and len(server.api_requests) == 3, (
        "renewed in time by the server's clock"
    )


def test_a_clock_that_is_hours_off_is_named_in_the_error(
    server: OAuthServer, service: JWTOAuth, call: Caller
) -> None:
    server.skew = 7200
    with pytest.raises(OAuthError, match="the clock of this machine is 7200 s behind") as caught:
        call.me(service, server.url)
    assert caught.value.error == "invalid_client"


def test_a_token_is_not_sent_to_a_second_host(
    server: OAuthServer, service: JWTOAuth, call: Caller
) -> None:
    call.me(service, server.url)
    with pytest.raises(ArgumentError, match="create one for each"):
        call.me(service, server.url.replace("127.0.0.1", "localhost"))


class Stall:
    """The longest time in which an asyncio loop did nothing else, measured by a callback that runs
    in every turn.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._last: float | None = None
        self.running = True

    def tick(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._last is not None:
            self.longest = max(self.longest, now - self._last)
        self._last = now
        if self.running:
            asyncio.get_running_loop().call_soon(self.tick)


def test_an_async_refresh_does_not_stall_the_loop(
    server: OAuthServer, pem: str, record_property: Callable[[str, object], None]
) -> None:
    """The best of five refreshes, because other programs stall the loop too. `--junitxml` keeps the
    figure (budget 5 ms).
    """
    slow = threading.Event()

    def slow_signer(message: bytes) -> bytes:
        slow.wait(0.1)  # a device that takes its time; inside the loop, it would be the stall
        return real(message)

    from cozekit.auth import key_signer

    real = key_signer(pem)

    async def main() -> list[float]:
        auth = JWTOAuth(server.JWT, public_key_id=KEY_ID, signer=slow_signer, clock=server.clock)
        found = []
        async with AsyncCoze(auth=auth, base_url=server.url) as coze:
            await coze.users.me()  # modules and connections are loaded by now
            for _ in range(5):
                server.clock.now += 890
                stall = Stall()
                stall.tick()
                await auth.token_async(coze)
                stall.running = False
                found.append(stall.longest)
        return found

    stalls = sorted(asyncio.run(main()))
    record_property("loop_stall_ms", round(stalls[0] * 1000, 2))
    print("longest stalls of the loop in ms:", *(f"{stall * 1000:.2f}" for stall in stalls))
    assert stalls[0] < 0.05 and len(server.token_requests) == 6


async def test_a_plain_function_that_blocks_runs_outside_of_the_loop(
    server: OAuthServer, service: JWTOAuth
) -> None:
    with Coze(auth=service, base_url=server.url) as coze:
        token = service.token(coze)
    threads: list[str] = []

    def fetch() -> str:
        threads.append(threading.current_thread().name)
        return token

    async with AsyncCoze(auth=TokenCallback(fetch), base_url=server.url) as coze_async:
        assert (await coze_async.users.me()).user_name == "Ada"
    assert threads and threading.main_thread().name not in threads


async def test_a_coroutine_function_supplies_the_token(
    server: OAuthServer, service: JWTOAuth
) -> None:
    async with AsyncCoze(auth=service, base_url=server.url) as coze:
        tokens = ["czs_old", await service.token_async(coze)]

    async def fetch() -> str:
        return tokens.pop(0) if len(tokens) > 1 else tokens[0]

    async with AsyncCoze(auth=AsyncTokenCallback(fetch), base_url=server.url) as coze:
        assert (await coze.users.me()).user_name == "Ada"
    assert len(server.api_requests) == 2, "refused once, sent once more with the next token"


def test_a_coroutine_function_is_refused_where_it_cannot_work() -> None:
    async def fetch() -> str:
        raise AssertionError("never called")

    with pytest.raises(ArgumentError, match="AsyncTokenCallback"):
        TokenCallback(fetch)  # type: ignore[arg-type]
    with (
        Coze(auth=AsyncTokenCallback(fetch)) as coze,
        pytest.raises(ArgumentError, match="works only with AsyncCoze"),
    ):
        coze.users.me()


def test_token_data_goes_to_plain_json_and_back() -> None:
    token = Token(
        access_token="a", refresh_token="r", expires_at=1.5, issued_at=1.0, clock_offset=-20.0
    )
    assert Token.from_dict(token.to_dict()) == token
    assert Token.from_dict({"access_token": "a", "later": 1}) == Token(access_token="a")
    for broken in (
        {},
        {"access_token": ""},
        {"access_token": 1},
        {"access_token": "a", "expires_at": "soon"},
    ):
        with pytest.raises(ValueError, match="no token data"):
            Token.from_dict(broken)


@pytest.mark.parametrize("problem", [asyncio.CancelledError, pytest.fail.Exception], ids=str)
def test_a_token_request_that_is_abandoned_is_not_made_again_and_again(
    problem: type[BaseException],
) -> None:
    requests = []

    async def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        raise problem

    async def main() -> None:
        auth = JWTOAuth("app", public_key_id="k", signer=lambda data: b"s")
        transport = httpx.MockTransport(answer)
        async with AsyncCoze(auth=auth, base_url="http://x.test", transport=transport) as client:
            with pytest.raises(CozeError, match="abandoned"):
                await client.users.me()

    asyncio.run(main())
    assert len(requests) == 1
