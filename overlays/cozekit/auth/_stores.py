"""Token stores: keep a token between refreshes and between runs of a program.

A refresh token works once. A refresh holds the lock of the store from loading the old token until
the new one is saved, so that processes that share a store refresh only once.
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

from coze_runtime import publish
from coze_runtime.auth import NotPicklable

from ..errors import OAuthError
from ._token_response import OAuthSetupError, required
from ._values import Token

LOCK_TIMEOUT = 90.0
"""Seconds to wait for another process; longer than a token request takes."""


@runtime_checkable
class TokenStore(Protocol):
    """Interface of token stores: one object for one signed-in user.

    The methods may block; under AsyncCoze they run in worker threads. The lock may be released by
    another thread than the one that acquired it, so `threading.RLock` does not work. Exceptions of
    the methods reach the caller as an OAuthError.
    """

    def load(self) -> Token | None:
        """Returns the token saved last, or None if no user has signed in."""

    def save(self, token: Token) -> None:
        """Replaces the saved token, completely or not at all. Returns when it is stored durably.

        Args:
            token: The token to save.
        """

    def lock(self) -> AbstractContextManager[object]:
        """Keeps other processes and threads from loading and saving."""
        ...


@runtime_checkable
class AsyncTokenStore(Protocol):
    """Async form of `TokenStore`, for AsyncCoze only. One store may implement both."""

    async def load_async(self) -> Token | None:
        """Returns the token saved last, or None if no user has signed in."""

    async def save_async(self, token: Token) -> None:
        """Replaces the saved token, completely or not at all. Returns when it is stored durably.

        Args:
            token: The token to save.
        """

    def lock_async(self) -> AbstractAsyncContextManager[object]:
        """Keeps other processes and tasks from loading and saving."""
        ...


AnyStore: TypeAlias = TokenStore | AsyncTokenStore


class MemoryStore(NotPicklable):
    """Keeps the token in this process."""

    def __init__(self, token: Token | None = None) -> None:
        """Creates a store that holds this token.

        Args:
            token: The token of a signed-in user; None if no user has signed in.
        """
        self._token = token
        self._lock = ForkSafeLock()

    def load(self) -> Token | None:
        """Returns the token saved last."""
        return self._token

    def save(self, token: Token) -> None:
        """Saves the token.

        Args:
            token: The token to save.
        """
        self._token = token

    def clear(self) -> None:
        """Forgets the token."""
        self._token = None

    def lock(self) -> AbstractContextManager[object]:
        """Returns a lock between threads."""
        return self._lock

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class FileStore:
    """Keeps the token in a file that only this user may read (0600). Each save replaces the file
    atomically.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Stores the path; nothing is read or written yet.

        Args:
            path: The file; one for each signed-in user. `~` is expanded. A missing folder is
                created.
        """
        self.path = Path(path).expanduser()

    def load(self) -> Token | None:
        """Returns the token in the file, or None if the file does not exist.

        Raises:
            OAuthError: The file does not contain a token.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        return _parse(content, f"the token file {self.path}")

    def save(self, token: Token) -> None:
        """Replaces the file atomically: after a crash it holds the old token or the new one.

        Args:
            token: The token to save.
        """
        _create_folder(self.path)
        # mkstemp creates the file with mode 0600.
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
        """Removes the file: signs the user out on this machine."""
        self.path.unlink(missing_ok=True)

    def lock(self) -> AbstractContextManager[object]:
        """Returns a lock between processes, on a file with `.lock` appended to the name."""
        return file_lock(self.path.with_name(f"{self.path.name}.lock"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"


class KeyringStore:
    """Keeps the token in the keyring of the desktop (Keychain, Credential Locker, Secret Service);
    needs the package `keyring`.
    """

    def __init__(self, account: str = "default", *, service: str = "cozekit") -> None:
        """Stores the names; nothing is read or written yet.

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
        """Returns the token in the keyring, or None if there is none."""
        text = self._keyring.get_password(self.service, self.account)
        return _parse(text, f"the keyring entry {self.service}/{self.account}") if text else None

    def save(self, token: Token) -> None:
        """Replaces the entry.

        Args:
            token: The token to save.
        """
        self._keyring.set_password(self.service, self.account, json.dumps(token.to_dict()))

    def clear(self) -> None:
        """Removes the entry: signs the user out on this machine."""
        if self._keyring.get_password(self.service, self.account):
            self._keyring.delete_password(self.service, self.account)

    def lock(self) -> AbstractContextManager[object]:
        """Returns a lock between processes of this user: an empty file, since keyrings have no
        locks.
        """
        name = hashlib.sha256(f"{self.service}\0{self.account}".encode()).hexdigest()[:16]
        user = getattr(os, "getuid", lambda: "user")()
        return file_lock(Path(tempfile.gettempdir()) / f"cozekit-{user}-{name}.lock")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.service}/{self.account}>"


def _create_folder(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _parse(content: str | bytes, where: str) -> Token:
    try:
        return Token.from_dict(json.loads(content))
    except (ValueError, TypeError, AttributeError):
        pass  # drop the error of the parser: it quotes the whole text
    raise store_error(f"{where} does not contain a token; remove it and sign in again")


def store_error(problem: str) -> OAuthError:
    """The error for a token that cannot be loaded or saved."""
    return OAuthError(problem, error="token_store", description=problem)


@contextmanager
def file_lock(path: Path, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Locks a file between processes; the system releases the lock when its holder exits. The file
    is not removed.

    Raises:
        OAuthError: Another process holds the lock for too long.
        OSError: The file cannot be created, or is a symbolic link.
    """
    from filelock import FileLock, Timeout

    _create_folder(path)
    # filelock before 3.20.1 follows symbolic links; creating the file first rules one out.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, 0o600))
    # A task may release the lock in another worker thread than the one that acquired it.
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        raise store_error(
            f"another process has held {path} for {timeout:.0f} s; if none is signing in, "
            "remove the file"
        ) from None
    try:
        yield
    finally:
        lock.release()


class ForkSafeLock:
    """A lock between threads that is unlocked in a forked child, where the thread that held it does
    not exist.
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
