"""The time of the emulator: that of this machine, until a test moves it."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Tells the time. What ends (codes, tokens) and what is repeated (callbacks) goes by it."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._watchers: list[Callable[[], None]] = []

    def time(self) -> float:
        """Unix seconds."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Moves the time on; returns when everything that is due by then was done.

        Args:
            seconds: How far; not negative, as nothing comes back that has ended.

        Raises:
            ValueError: It is negative.
        """
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self._ahead += seconds
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Calls the watcher after each `advance`, in the thread that advances."""
        self._watchers.append(watcher)

    def reset(self) -> None:
        """Back to the time of this machine."""
        self._ahead = 0.0
