"""Where a token is kept between two refreshes, and between two runs of a program.

A refresh token works once: whoever refreshes holds the lock of the store from reading the old token
until the new one is written, so that two processes with one store refresh once.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from coze_runtime._publish import publish
from coze_runtime.auth import NotPicklable

from ..errors import OAuthError
from ._token_response import OAuthSetupError, required
from ._values import Token

LOCK_PATIENCE = 90.0
"""Seconds to wait for another process; longer than its token request takes."""


@runtime_checkable
class TokenStore(Protocol):
    """A store of your own: one object for one signed-in user.

    The methods may block; under AsyncCoze they run in worker threads. The lock is released by
    another thread than it was taken by, so a `threading.RLock` does not serve. Errors that they
    raise reach the caller as an OAuthError.
    """

    def load(self) -> Token | None:
        """The token that was saved last; None when nobody has signed in."""

    def save(self, token: Token) -> None:
        """Keeps the token in place of the last one, completely or not at all. Returns when it is
        safe.

        Args:
            token: The token to keep.
        """

    def lock(self) -> AbstractContextManager[object]:
        """Keeps other processes and threads from loading and saving meanwhile."""
        ...


@runtime_checkable
class AsyncTokenStore(Protocol):
    """The form of `TokenStore` for coroutines; works with AsyncCoze. A store may have both
    forms.
    """

    async def load_async(self) -> Token | None:
        """The token that was saved last; None when nobody has signed in."""

    async def save_async(self, token: Token) -> None:
        """Keeps the token in place of the last one, completely or not at all. Returns when it is
        safe.

        Args:
            token: The token to keep.
        """

    def lock_async(self) -> AbstractAsyncContextManager[object]:
        """Keeps other processes and tasks from loading and saving meanwhile."""
        ...


AnyStore: TypeAlias = TokenStore | AsyncTokenStore


class MemoryStore(NotPicklable):
    """Keeps the token in this process."""

    def __init__(self, token: Token | None = None) -> None:
        """A store that holds this token.

        Args:
            token: The token of a user who has signed in; None when nobody has.
        """
        self._token = token
        self._lock = ForkSafeLock()

    def load(self) -> Token | None:
        """The token that was saved last."""
        return self._token

    def save(self, token: Token) -> None:
        """Keeps the token.

        Args:
            token: The token to keep.
        """
        self._token = token

    def clear(self) -> None:
        """Forgets the token."""
        self._token = None

    def lock(self) -> AbstractContextManager[object]:
        """A lock between threads."""
        return self._lock

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class FileStore:
    """Keeps the token in a file that only this user may read (0600), written beside and moved into
    place.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """A store in this file; nothing is read or written yet.

        Args:
            path: The file; one for each signed-in user. `~` is expanded. Its folder is made when it
                is missing.
        """
        self.path = Path(path).expanduser()

    def load(self) -> Token | None:
        """The token in the file; None when there is no file.

        Raises:
            OAuthError: The file holds something else.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        return _parsed(content, f"the token file {self.path}")

    def save(self, token: Token) -> None:
        """Replaces the file at once; after a crash it holds the old token or the new one, never a
        part.

        Args:
            token: The token to keep.
        """
        _make_folder(self.path)
        # 0600 from the start.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(token.to_dict(), file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def clear(self) -> None:
        """Removes the file: signed out on this machine."""
        self.path.unlink(missing_ok=True)

    def lock(self) -> AbstractContextManager[object]:
        """A lock between processes, on a file with `.lock` behind its name."""
        return file_lock(self.path.with_name(f"{self.path.name}.lock"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"


class KeyringStore:
    """Keeps the token in the keyring of the desktop (Keychain, Credential Locker, Secret Service);
    needs the package `keyring`.
    """

    def __init__(self, account: str = "default", *, service: str = "cozekit") -> None:
        """A store in this entry of the keyring; nothing is read or written yet.

        Args:
            account: Name of the signed-in user within the service.
            service: Name under which the keyring lists the token.

        Raises:
            OAuthSetupError: A name is empty, or the package `keyring` is not installed.
        """
        self.account, self.service = required("account", account), required("service", service)
        try:
            import keyring
        except ImportError:
            raise OAuthSetupError(
                "KeyringStore needs the package keyring: pip install keyring", argument="store"
            ) from None
        self._keyring = keyring

    def load(self) -> Token | None:
        """The token in the keyring; None when there is none."""
        text = self._keyring.get_password(self.service, self.account)
        return _parsed(text, f"the keyring entry {self.service}/{self.account}") if text else None

    def save(self, token: Token) -> None:
        """Replaces the entry.

        Args:
            token: The token to keep.
        """
        self._keyring.set_password(self.service, self.account, json.dumps(token.to_dict()))

    def clear(self) -> None:
        """Removes the entry: signed out on this machine."""
        if self._keyring.get_password(self.service, self.account):
            self._keyring.delete_password(self.service, self.account)

    def lock(self) -> AbstractContextManager[object]:
        """A lock between processes of this user; keyrings have none, so it is a file without
        content.
        """
        name = hashlib.sha256(f"{self.service}\0{self.account}".encode()).hexdigest()[:16]
        user = getattr(os, "getuid", lambda: "user")()
        return file_lock(Path(tempfile.gettempdir()) / f"cozekit-{user}-{name}.lock")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.service}/{self.account}>"


def _make_folder(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _parsed(content: str | bytes, where: str) -> Token:
    try:
        return Token.from_dict(json.loads(content))
    except (ValueError, TypeError, AttributeError):
        pass  # the error of the parser holds the whole text
    raise store_error(f"{where} holds no token; remove it and sign in again")


def store_error(problem: str) -> OAuthError:
    """The error for a token that cannot be read or kept."""
    return OAuthError(problem, error="token_store", description=problem)


@contextmanager
def file_lock(path: Path, patience: float = LOCK_PATIENCE) -> Iterator[None]:
    """A lock between processes; the system releases it when its holder dies. The file stays where
    it is.

    Raises:
        OAuthError: Another process has held it for too long.
        OSError: The file cannot be made, or is a link.
    """
    from filelock import FileLock, Timeout

    _make_folder(path)
    # Before 3.20.1 the library follows links; once the file is there, nobody else can lay one.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, 0o600))
    # A task may release the lock in another worker thread than it was acquired in.
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise store_error(
            f"another process has held {path} for {patience:.0f} s; if none is signing in, "
            "remove the file"
        ) from None
    try:
        yield
    finally:
        lock.release()


class ForkSafeLock:
    """A lock between threads that is free in a child process, where the thread that held it does
    not run.
    """

    def __init__(self) -> None:
        self.reset()
        _locks.add(self)

    def reset(self) -> None:
        """Replaces the lock, in a child process."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


_locks: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _after_fork() -> None:
    for lock in list(_locks):
        lock.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


publish(
    globals(),
    "cozekit.auth",
    "AsyncTokenStore",
    "FileStore",
    "KeyringStore",
    "MemoryStore",
    "TokenStore",
)
