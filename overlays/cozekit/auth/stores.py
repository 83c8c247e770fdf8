"""Where a token is kept between two refreshes, and between two runs of a program.

A refresh token works once: whoever refreshes holds the lock of the store from reading the old token
until the new one is written, so that two processes with one store refresh once.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol, TypeAlias, runtime_checkable

from ..errors import OAuthError
from .failures import OAuthSetupError, needed
from .model import Guarded, Token


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


class MemoryStore(Guarded):
    """Keeps the token in this process."""

    def __init__(self, token: Token | None = None) -> None:
        """A store that holds this token.

        Args:
            token: The token of a user who has signed in; None when nobody has.
        """
        self._token = token
        self._lock = threading.Lock()

    def load(self) -> Token | None:
        """The token that was saved last."""
        return self._token

    def save(self, token: Token) -> None:
        """Keeps the token."""
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
        """
        self._folder()
        handle, name = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.name}."
        )  # 0600 from the start
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

    @contextmanager
    def lock(self) -> Iterator[None]:
        """A lock between processes, on a file with `.lock` behind its name."""
        from .locks import file_lock

        self._folder()
        with file_lock(self.path.with_name(f"{self.path.name}.lock")):
            yield

    def _folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

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
        self.account, self.service = needed("account", account), needed("service", service)
        self._keyring = _keyring()

    def load(self) -> Token | None:
        """The token in the keyring; None when there is none."""
        text = self._keyring.get_password(self.service, self.account)
        return _parsed(text, f"the keyring entry {self.service}/{self.account}") if text else None

    def save(self, token: Token) -> None:
        """Replaces the entry."""
        self._keyring.set_password(self.service, self.account, json.dumps(token.to_dict()))

    def clear(self) -> None:
        """Removes the entry: signed out on this machine."""
        if self._keyring.get_password(self.service, self.account):
            self._keyring.delete_password(self.service, self.account)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """A lock between processes of this user; keyrings have none, so it is a file without
        content.
        """
        import hashlib

        from .locks import file_lock

        name = hashlib.sha256(f"{self.service}\0{self.account}".encode()).hexdigest()[:16]
        user = getattr(os, "getuid", lambda: "user")()
        with file_lock(Path(tempfile.gettempdir()) / f"cozekit-{user}-{name}.lock"):
            yield

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.service}/{self.account}>"


def _keyring() -> ModuleType:
    try:
        return import_module("keyring")
    except ImportError:
        raise OAuthSetupError(
            "KeyringStore needs the package keyring: pip install keyring", argument="store"
        ) from None


def _parsed(content: str | bytes, where: str) -> Token:
    try:
        return Token.from_dict(json.loads(content))
    except (ValueError, TypeError, AttributeError):
        pass  # the error of the parser holds the whole text
    raise store_error(f"{where} holds no token; remove it and sign in anew")


def store_error(problem: str) -> OAuthError:
    """The error for a token that cannot be read or kept."""
    return OAuthError(problem, error="token_store", description=problem)
