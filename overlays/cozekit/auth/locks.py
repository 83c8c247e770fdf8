"""A lock between processes: a file that one of them holds. Only the standard library; freed by the
system when its holder dies.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OAuthError

PATIENCE = 90.0
"""Seconds to wait for another process; longer than its token request takes."""


@contextmanager
def file_lock(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Holds the lock file, which is made when it is missing and never removed: a removed lock can
    be held twice.

    Raises:
        OAuthError: Another process has held it for too long.
        OSError: The file cannot be made.
    """
    handle = os.open(
        path,
        os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0),
        0o600,
    )
    try:
        _wait(handle, path, patience)
        try:
            yield
        finally:
            _unlock(handle)
    finally:
        os.close(handle)


def _wait(handle: int, path: Path, patience: float) -> None:
    end, pause = time.monotonic() + patience, 0.005
    while not _try_lock(handle):
        if time.monotonic() > end:
            raise OAuthError(
                f"another process has held {path} for {patience:.0f} s; if none is signing in, "
                "remove the file",
                error="token_store",
                description="the lock of the token store is taken",
            )
        time.sleep(pause)
        pause = min(0.1, pause * 2)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
