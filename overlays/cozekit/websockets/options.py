"""Settings of a voice socket."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import ArgumentError

# Close codes after which another connection would meet the same end: normal, protocol error, wrong
# data, policy, too big, extension.
_FINAL = frozenset({1000, 1002, 1003, 1007, 1008, 1009, 1010})


class Reconnect(NamedTuple):
    """Whether and how a lost connection is made anew.

    The server forgets a session with its connection: the last `….update` is sent again, events that
    were queued and not sent follow, and the program gets a `Reconnected` event, since sound and
    text that were under way are lost. A connection that the server closes on purpose (codes 1000,
    1002, 1003, 1007–1010) is not made anew.
    """

    attempts: int = 5
    """Attempts for each loss, and for the first connection."""
    delay: float = 0.5
    """Seconds before the second attempt; doubled before each later one."""
    max_delay: float = 8.0
    """Longest pause in seconds."""

    def pause(self, attempt: int) -> float:
        """Seconds before an attempt; there is none before the first."""
        return (
            0.0 if attempt <= 1 else min(self.max_delay, self.delay * 2.0 ** min(attempt - 2, 30))
        )

    def after(self, code: int | None) -> bool:
        """Whether a connection that ended with this code is made anew."""
        return code not in _FINAL


class SocketOptions(NamedTuple):
    """Settings of the connection; the defaults fit voices. `None` switches a limit off."""

    open_timeout: float | None = 10.0
    """Seconds for TCP, TLS and handshake together."""
    ping_interval: float | None = 20.0
    """Seconds of silence of the server after which it is pinged."""
    ping_timeout: float | None = 20.0
    """Seconds for its answer; then the connection counts as lost."""
    send_timeout: float | None = 20.0
    """Seconds that the network may take no data; then the connection counts as lost."""
    idle_timeout: float | None = 600.0
    """Seconds that an iteration, or a wait without a time of its own, waits for an event."""
    max_size: int | None = 16 * 1024 * 1024
    """Bytes of the largest event that is accepted; a larger one ends the connection with code 1009.
    """
    max_events: int = 1024
    """Events that are kept for a program that does not take them; see `max_bytes`."""
    max_bytes: int = 8 * 1024 * 1024
    """Bytes of events that are kept, as they came. Beyond this or `max_events` nothing more is
    read, so that the server has to wait; when nobody iterates, but handlers or waits are there, the
    oldest events are dropped instead.
    """
    max_queue: int = 256
    """Events that wait to be sent; `send` waits while there are so many."""
    reconnect: Reconnect | None = None
    """What happens when the connection is lost; by default it stays lost."""
    base_url: str | None = None
    """Where the sockets are: an http, https, ws or wss address. By default derived from the base
    URL of the client.
    """

    def checked(self) -> SocketOptions:
        """These options.

        Raises:
            ArgumentError: A limit is not above zero.
        """
        for name in (
            "open_timeout",
            "ping_interval",
            "ping_timeout",
            "send_timeout",
            "idle_timeout",
            "max_size",
        ):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ArgumentError(f"{name} must be above 0; None switches it off", argument=name)
        for name in ("max_events", "max_bytes", "max_queue"):
            if getattr(self, name) < 1:
                raise ArgumentError(f"{name} must be at least 1", argument=name)
        return self
