"""What a sign-in works with: the token, sign-ins that have begun, the clock, the two sites of Coze.
None of them shows a secret or can be pickled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from attrs import define, field

from coze_openapi.errors import SERVICE
from coze_runtime._publish import publish
from coze_runtime.auth import NotPicklable


class Clock:
    """The clock of this machine. Tests replace it by a subclass that tells another time and skips
    waits.
    """

    def time(self) -> float:
        """Unix time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow, for deadlines."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits in this thread.

        Args:
            seconds: How long.
        """
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Waits without blocking the event loop.

        Args:
            seconds: How long.
        """
        import anyio

        await anyio.sleep(seconds)


SYSTEM = Clock()


def region_of(url: str) -> str | None:
    """`coze.cn` or `coze.com` for an address of one of the two sites; None for any other. A token
    of one site is worth nothing at the other.

    Args:
        url: The address.
    """
    host = (urlsplit(url).hostname or "").lower()
    sites = (server.rpartition("://api.")[2] for server in SERVICE.servers)
    return next((site for site in sites if f".{host}".endswith(f".{site}")), None)


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class Token(NotPicklable):
    """An access token, with what is needed to refresh it.

    `to_dict` and `from_dict` serve token stores; the text form shows when it expires and nothing
    else.
    """

    access_token: str
    refresh_token: str | None = None
    """Good for 30 days and for one use; None for tokens of a JWT, which are not refreshed but
    requested again.
    """
    expires_at: float | None = None
    """When the access token expires, in Unix seconds of the server's clock; None when the server
    did not say.
    """
    issued_at: float | None = None
    """When it came, in Unix seconds of this machine's clock."""
    clock_offset: float = 0.0
    """How far the server's clock was ahead of this machine's, in seconds; 0 when they agree or
    nobody knows.
    """
    logid: str | None = field(default=None, eq=False)
    """Log id of the call that brought it."""

    def remaining(self, now: float) -> float:
        """Seconds until the access token expires, by this machine's clock; infinite when the server
        did not say.

        Args:
            now: Unix time in seconds, by this machine's clock.
        """
        if self.expires_at is None:
            return float("inf")
        return self.expires_at - (now + self.clock_offset)

    def margin(self) -> float:
        """How many seconds before it expires the token is refreshed: a tenth of its life, at most a
        minute.
        """
        if self.expires_at is None or self.issued_at is None:
            return 60.0
        return max(0.0, min(60.0, 0.1 * self.remaining(self.issued_at)))

    def to_dict(self) -> dict[str, Any]:
        """The token as plain JSON data, secrets included, for a store."""
        names = ("access_token", "refresh_token", *_NUMBERS)
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The token that `to_dict` wrote.

        Args:
            data: Plain JSON data; unknown keys are ignored.

        Raises:
            ValueError: There is no access token, or a field has the wrong type.
        """
        access, refresh = data.get("access_token"), data.get("refresh_token")
        numbers = {name: value for name in _NUMBERS if (value := data.get(name)) is not None}
        if not isinstance(access, str) or not access or not isinstance(refresh, str | None):
            raise ValueError("no token data")
        if any(type(value) not in (int, float) for value in numbers.values()):
            raise ValueError("no token data")
        return cls(access_token=access, refresh_token=refresh, **numbers)

    def __repr__(self) -> str:
        end = ""
        if self.expires_at is not None:
            end = f" until {datetime.fromtimestamp(self.expires_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"<Token{end}{', refreshable' if self.refresh_token else ''}>"


_NUMBERS = ("expires_at", "issued_at", "clock_offset")


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class Authorization(NotPicklable):
    """A sign-in that has begun: send the browser to `url`, and keep `state` and `verifier` until it
    comes back.
    """

    url: str
    """Address of the consent page."""
    state: str
    """Comes back with the browser; a different one means that the response belongs to another
    sign-in.
    """
    redirect_uri: str
    verifier: str | None = None
    """Secret of the PKCE flow; None in the web flow. Keep it on the server, or in a signed and
    encrypted session.
    """

    def __repr__(self) -> str:
        return f"<Authorization for {self.redirect_uri}>"


class PollPacer:
    """How often a device may poll, for all threads and tasks that poll with its code. Seconds of
    the monotonic clock.
    """

    __slots__ = ("_last_poll", "_lock", "interval")

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._last_poll: float | None = None
        self._lock = threading.Lock()

    def claim(self, now: float, started: float, intervals: int) -> float:
        """Seconds until the next poll, which comes a number of intervals after the last one or, if
        there was none, after the start. With 0 the caller may poll, and everybody else waits.

        Args:
            now: The time.
            started: When the sign-in began.
            intervals: How many intervals to wait.
        """
        with self._lock:
            last = started if self._last_poll is None else self._last_poll
            pause = last + intervals * self.interval - now
            # Sums of floats do not meet exactly; less than this is not worth a wait.
            if pause > 1e-6:
                return pause
            self._last_poll = now
            return 0.0

    def polled(self, now: float) -> None:
        """Notes that a poll was sent, or that its response has come.

        Args:
            now: The time.
        """
        with self._lock:
            self._last_poll = now if self._last_poll is None else max(self._last_poll, now)

    def slow_down(self, seconds: float) -> None:
        """Lengthens the interval for good.

        Args:
            seconds: By how much.
        """
        with self._lock:
            self.interval += seconds


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class DeviceLogin(NotPicklable):
    """A device that waits for its user. Show `user_code` and `verification_uri`, or the complete
    address as a QR code.
    """

    device_code: str
    """Secret with which the device requests its token."""
    user_code: str
    """What the user enters."""
    verification_uri: str
    """Where the user enters it."""
    expires_in: float
    """Seconds for which both codes work, from `started`."""
    pacer: PollPacer = field(alias="interval", converter=PollPacer, eq=False)
    """Paces the polls of everybody who waits for this sign-in."""
    started: float = 0.0
    """Reading of the monotonic clock when the codes came."""
    logid: str | None = None

    @property
    def interval(self) -> float:
        """Shortest pause between two polls, in seconds; grows by 5 after every `slow_down`
        (RFC 8628, 3.5).
        """
        return self.pacer.interval

    @property
    def verification_uri_complete(self) -> str:
        """The address with the code in it."""
        separator = "&" if "?" in self.verification_uri else "?"
        return f"{self.verification_uri}{separator}{urlencode({'user_code': self.user_code})}"

    def __repr__(self) -> str:
        return f"<DeviceLogin {self.user_code} at {self.verification_uri}>"


publish(globals(), "cozekit.auth", "Authorization", "Clock", "DeviceLogin", "Token")
