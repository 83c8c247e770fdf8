"""The clock of the emulator: the time of this machine, until a test advances it."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """The time by which codes and tokens expire and callbacks are retried."""

    def __init__(self) -> None:
        self._advanced = 0.0
        self._watchers: list[Callable[[], None]] = []

    def time(self) -> float:
        """Unix seconds."""
        return time.time() + self._advanced

    def advance(self, seconds: float) -> None:
        """Advances the time; returns when everything that is due by then is done.

        Args:
            seconds: How far; not negative, as nothing that has expired comes back.

        Raises:
            ValueError: It is negative.
        """
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self._advanced += seconds
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Calls a function after each `advance`.

        Args:
            watcher: The function; it runs in the thread that advances.
        """
        self._watchers.append(watcher)

    def reset(self) -> None:
        """Returns to the time of this machine."""
        self._advanced = 0.0
