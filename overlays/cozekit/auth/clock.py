"""The time, in one place, so that tests can move it."""

from __future__ import annotations

import time


class Clock:
    """The clock of this machine. A subclass may tell another time and pass over waits."""

    def time(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow, for deadlines."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits in this thread."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Waits without holding up the event loop."""
        import anyio

        await anyio.sleep(seconds)


SYSTEM = Clock()
