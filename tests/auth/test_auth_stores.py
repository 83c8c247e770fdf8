"""Where tokens are kept: nobody else may read them, two processes refresh once, and a crash costs
nothing that the server still honours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from cozekit import AsyncCoze, Coze, OAuthError
from cozekit.auth import (
    AsyncTokenStore,
    DeviceOAuth,
    FileStore,
    KeyringStore,
    MemoryStore,
    Token,
    TokenStore,
)
from cozekit.auth._concurrency import BlockingStore
from cozekit.auth._stores import file_lock
from tests.auth.conftest import Caller
from tests.auth.server import OAuthServer

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
sys.path[:0] = {paths!r}
from cozekit import Coze
from cozekit.auth import Clock, DeviceOAuth, FileStore

class Then(Clock):
    def time(self):
        return {now!r}

class Dying(FileStore):
    def save(self, token):
        import os
        os._exit(9)

app = DeviceOAuth({client_id!r}, base_url={url!r}, clock=Then())
store = {store}({path!r})
print("ready", flush=True)
sys.stdin.readline()
with Coze(auth=app.auth(store), base_url={url!r}) as coze:
    print(coze.users.me().user_name, flush=True)
"""


@pytest.fixture
def token(server: OAuthServer, device: DeviceOAuth) -> Token:
    found = device.login(show=lambda login: None)
    server.asked.clear()
    return found


@pytest.fixture
def store(tmp_path: Path, token: Token) -> FileStore:
    store = FileStore(tmp_path / "folder" / "token.json")
    store.save(token)
    return store


@contextlib.contextmanager
def child(
    server: OAuthServer, store: FileStore, kind: str = "FileStore"
) -> Iterator[subprocess.Popen[str]]:
    paths = [str(ROOT / "generated"), str(ROOT / "overlays")]
    code = CHILD.format(
        paths=paths,
        now=server.clock.now,
        client_id=server.DEVICE,
        url=server.url,
        path=str(store.path),
        store=kind,
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process


def test_a_file_store_keeps_the_token(store: FileStore, token: Token) -> None:
    assert FileStore(store.path).load() == token
    store.clear()
    assert store.load() is None
    store.clear()


def test_only_the_user_may_read_the_file(store: FileStore, token: Token) -> None:
    assert (
        stat.S_IMODE(store.path.stat().st_mode) == 0o600
        and stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    )
    store.path.chmod(0o644)
    store.save(token)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    with store.lock():
        assert {stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()} == {
            0o600
        }


def test_a_write_that_fails_leaves_the_old_token_and_no_rubbish(
    store: FileStore, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(Token(access_token="other"))
    assert store.load() == token and [path.name for path in store.path.parent.iterdir()] == [
        "token.json"
    ]


def test_a_token_in_a_store_is_refreshed_and_stored_before_it_is_used(
    server: OAuthServer, device: DeviceOAuth, store: FileStore, token: Token, call: Caller
) -> None:
    server.clock.now += 890
    seen: list[Token | None] = []
    answer = server._me
    server._me = lambda asked: (seen.append(store.load()), answer(asked))[1]  # type: ignore[method-assign, func-returns-value]
    assert call.me(device.auth(store), server.url) == "Ada"
    kept = store.load()
    assert seen == [kept] and kept is not None and kept.refresh_token != token.refresh_token
    assert call.me(device.auth(store), server.url) == "Ada" and len(server.token_requests) == 1


def test_two_processes_with_one_file_refresh_once(server: OAuthServer, store: FileStore) -> None:
    server.clock.now += 890
    server.hold = threading.Event()
    with child(server, store) as one, child(server, store) as other:
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        server.wait_for_token_request()
        server.hold.set()
        for process in (one, other):
            assert process.stdout is not None and process.stdout.readline() == "Ada\n"
    assert len(server.token_requests) == 1


@pytest.mark.parametrize(
    "grace", [True, False], ids=["the server forgives", "the server is strict"]
)
def test_a_refresh_killed_before_the_write_loses_no_session_that_the_server_honours(
    server: OAuthServer, device: DeviceOAuth, store: FileStore, token: Token, grace: bool
) -> None:
    server.grace = grace
    server.clock.now += 890
    with child(server, store, "Dying") as process:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait(30) == 9
    assert store.load() == token and len(server.token_requests) == 1
    auth = device.auth(store)
    with Coze(auth=auth, base_url=server.url) as coze:
        if grace:
            assert coze.users.me().user_name == "Ada" and store.load() != token
        else:
            with pytest.raises(OAuthError, match="sign in again"):
                coze.users.me()


def test_a_token_that_could_not_be_stored_is_not_used_and_not_lost(
    server: OAuthServer, device: DeviceOAuth, token: Token, call: Caller
) -> None:
    class Full(MemoryStore):
        def save(self, token: Token) -> None:
            if not fixed:
                raise OSError(28, "No space left on device")
            super().save(token)

    fixed: list[bool] = []
    server.clock.now += 890
    store = Full(token)
    auth = device.auth(store)
    for _ in range(3):
        with pytest.raises(
            OAuthError, match=r"could not save \(OSError: No space left on device\)"
        ) as caught:
            call.me(auth, server.url)
        assert caught.value.error == "token_store" and server.api_requests == []
    fixed.append(True)
    assert call.me(auth, server.url) == "Ada" and len(server.token_requests) == 1
    kept = store.load()
    assert kept is not None and kept.refresh_token != token.refresh_token


def test_a_token_that_another_process_stored_without_the_lock_is_found_after_a_refusal(
    server: OAuthServer, device: DeviceOAuth, token: Token, call: Caller
) -> None:
    server.clock.now += 890
    others = device.refresh(token)
    server.asked.clear()

    class Raced(MemoryStore):
        loads = 0

        def load(self) -> Token | None:
            self.loads += 1
            return token if self.loads == 1 else others

    server.next_answers.append(server._refusal(_refused()))
    assert call.me(device.auth(Raced()), server.url) == "Ada" and len(server.token_requests) == 1


def _refused() -> Any:
    from tests.auth.server import Refused

    return Refused("invalid_request", "invalid request: refresh_token")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"access_token": 5}', '"text"', "\udcff"]
)
def test_a_damaged_file_is_a_typed_error_without_its_content(
    server: OAuthServer, device: DeviceOAuth, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "token.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with (
        Coze(auth=device.auth(FileStore(path)), base_url=server.url) as coze,
        pytest.raises(OAuthError, match="sign in again") as caught,
    ):
        coze.users.me()
    assert caught.value.error == "token_store" and caught.value.__context__ is None


def test_a_lock_that_is_never_given_back_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        file_lock(path),
        pytest.raises(OAuthError, match="another process has held") as caught,
        file_lock(path, timeout=0),
    ):
        raise AssertionError("two hold one lock")
    assert caught.value.error == "token_store"
    with file_lock(path, timeout=0):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "and a lock file is never removed"


def test_a_lock_does_not_follow_a_link_that_somebody_laid(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError), file_lock(tmp_path / "lock"):
        raise AssertionError("the link was followed")
    assert not (tmp_path / "victim").exists()


class FakeKeyring:
    """What `keyring` offers, in memory."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, account: str) -> str | None:
        return self.entries.get((service, account))

    def set_password(self, service: str, account: str, password: str) -> None:
        self.entries[service, account] = password

    def delete_password(self, service: str, account: str) -> None:
        del self.entries[service, account]


def test_a_keyring_keeps_the_token(
    server: OAuthServer,
    device: DeviceOAuth,
    token: Token,
    call: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring = FakeKeyring()
    monkeypatch.setitem(sys.modules, "keyring", ring)
    store = KeyringStore("ada", service="cozekit-tests")
    assert store.load() is None
    store.save(token)
    server.clock.now += 890
    assert call.me(device.auth(store), server.url) == "Ada"
    assert json.loads(ring.entries["cozekit-tests", "ada"])["refresh_token"] != token.refresh_token
    store.clear()
    store.clear()
    assert ring.entries == {}


def test_a_missing_keyring_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(OAuthError, match="pip install keyring"):
        KeyringStore()


class Rows:
    """An async store, such as a row of a database."""

    def __init__(self, token: Token) -> None:
        self.row = token.to_dict()
        self._lock = anyio.Lock()

    async def load_async(self) -> Token | None:
        await anyio.sleep(0)
        return Token.from_dict(self.row)

    async def save_async(self, token: Token) -> None:
        await anyio.sleep(0)
        self.row = token.to_dict()

    @contextlib.asynccontextmanager
    async def lock_async(self) -> AsyncIterator[None]:
        async with self._lock:
            yield


async def test_an_async_store_of_ones_own_works_with_the_async_client(
    server: OAuthServer, device: DeviceOAuth, token: Token
) -> None:
    server.clock.now += 890
    rows = Rows(token)
    async with AsyncCoze(auth=device.auth(rows), base_url=server.url) as coze:
        assert (await coze.users.me()).user_name == "Ada"
    assert rows.row["refresh_token"] != token.refresh_token


def test_an_async_store_is_refused_by_the_sync_client(
    server: OAuthServer, device: DeviceOAuth, token: Token
) -> None:
    with (
        Coze(auth=device.auth(Rows(token)), base_url=server.url) as coze,
        pytest.raises(OAuthError, match="only with AsyncCoze"),
    ):
        coze.users.me()


def test_a_store_that_loads_something_else_is_told_so(
    server: OAuthServer, device: DeviceOAuth, call: Caller
) -> None:
    class Wrong(MemoryStore):
        def load(self) -> Token | None:
            return {"access_token": "secret"}  # type: ignore[return-value]

    with pytest.raises(OAuthError, match="loaded dict in place of a Token"):
        call.me(device.auth(Wrong()), server.url)


def test_a_token_is_saved_and_the_lock_freed_although_asyncio_cancels(token: Token) -> None:
    """As at the end of `asyncio.run`, which cancels what is left."""
    store = MemoryStore()

    async def refresh() -> None:
        form = BlockingStore(store)
        task = asyncio.current_task()
        assert task is not None
        async with form.lock_async():
            task.cancel()
            await form.save_async(token)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(refresh())
    assert store.load() == token
    with ThreadPoolExecutor(1) as pool:
        pool.submit(store.lock().__enter__).result(5)


def test_a_lock_that_comes_when_nobody_wants_it_any_more_is_freed(token: Token) -> None:
    class Watched(MemoryStore):
        @contextlib.contextmanager
        def lock(self) -> Iterator[None]:
            waiting.set()
            with self._lock:
                yield
            freed.set()

    waiting, freed = threading.Event(), threading.Event()
    store = Watched(token)

    async def main() -> None:
        async def hold() -> None:
            async with BlockingStore(store).lock_async():
                raise AssertionError("somebody else has it")

        with store._lock:
            task = asyncio.create_task(hold())
            while not waiting.is_set():
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert freed.wait(10)


def test_the_stores_have_the_form_of_the_protocol(tmp_path: Path) -> None:
    for store in (MemoryStore(), FileStore(tmp_path / "x")):
        assert isinstance(store, TokenStore) and not isinstance(store, AsyncTokenStore)
