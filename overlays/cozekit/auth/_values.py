"""Values of a sign-in: tokens, pending sign-ins, the clock, the two sites of Coze. Their text form
shows no secret, and they cannot be pickled.
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
from coze_runtime import publish
from coze_runtime.auth import NotPicklable


class Clock:
    """The clock of this machine. Tests replace it with a subclass that controls the time."""

    def time(self) -> float:
        """Unix time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Monotonic time in seconds, for deadlines."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Blocks this thread.

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
    of one site is not valid on the other.

    Args:
        url: The address.
    """
    host = (urlsplit(url).hostname or "").lower()
    sites = (server.rpartition("://api.")[2] for server in SERVICE.servers)
    return next((site for site in sites if f".{host}".endswith(f".{site}")), None)


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class Token(NotPicklable):
    """An access token and what is needed to refresh it.

    `to_dict` and `from_dict` are for token stores. The text form shows only when it expires.
    """

    access_token: str
    refresh_token: str | None = None
    """Valid for 30 days and for one use. None for tokens of a JWT, which are requested again
    instead.
    """
    expires_at: float | None = None
    """When the access token expires, in Unix seconds of the server's clock; None if the server
    did not state it.
    """
    issued_at: float | None = None
    """When it was received, in Unix seconds of this machine's clock."""
    clock_offset: float = 0.0
    """Seconds by which the server's clock was ahead of this machine's; 0 if they agree or the
    difference is unknown.
    """
    logid: str | None = field(default=None, eq=False)
    """Log id of the call that returned it."""

    def remaining(self, now: float) -> float:
        """Seconds until the access token expires, by this machine's clock; infinite if the server
        did not state it.

        Args:
            now: Unix time in seconds, by this machine's clock.
        """
        if self.expires_at is None:
            return float("inf")
        return self.expires_at - (now + self.clock_offset)

    def margin(self) -> float:
        """Seconds before expiry at which the token is refreshed: a tenth of its lifetime, at most a
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
        """Creates a token from the result of `to_dict`.

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
    """A pending sign-in: send the browser to `url`, and keep `state` and `verifier` until it comes
    back.
    """

    url: str
    """Address of the consent page."""
    state: str
    """Returned by the redirect; a different value means that it belongs to another sign-in."""
    redirect_uri: str
    verifier: str | None = None
    """Secret of the PKCE flow; None in the web flow. Keep it on the server, or in a signed and
    encrypted session.
    """

    def __repr__(self) -> str:
        return f"<Authorization for {self.redirect_uri}>"


class PollPacer:
    """Limits how often a device polls, across all threads and tasks that use its code. Times are
    seconds of the monotonic clock.
    """

    __slots__ = ("_last_poll", "_lock", "interval")

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._last_poll: float | None = None
        self._lock = threading.Lock()

    def claim(self, now: float, started: float, intervals: int) -> float:
        """Returns the seconds to wait before the next poll. With 0 the caller may poll now, and all
        others have to wait.

        Args:
            now: The current time.
            started: When the sign-in started; counts as the last poll if there was none.
            intervals: Number of intervals to wait after the last poll.
        """
        with self._lock:
            last = started if self._last_poll is None else self._last_poll
            pause = last + intervals * self.interval - now
            # Ignore rounding errors of float sums.
            if pause > 1e-6:
                return pause
            self._last_poll = now
            return 0.0

    def polled(self, now: float) -> None:
        """Records that a poll was sent, or that its response arrived.

        Args:
            now: The current time.
        """
        with self._lock:
            self._last_poll = now if self._last_poll is None else max(self._last_poll, now)

    def slow_down(self, seconds: float) -> None:
        """Lengthens the interval permanently.

        Args:
            seconds: Seconds to add.
        """
        with self._lock:
            self.interval += seconds


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class DeviceLogin(NotPicklable):
    """A pending device sign-in. Show `user_code` and `verification_uri` to the user, or
    `verification_uri_complete` as a QR code.
    """

    device_code: str
    """Secret that the device exchanges for its token."""
    user_code: str
    """What the user enters."""
    verification_uri: str
    """Where the user enters it."""
    expires_in: float
    """Seconds for which both codes work, from `started`."""
    pacer: PollPacer = field(alias="interval", converter=PollPacer, eq=False)
    """Limits the polls of all threads and tasks that wait for this sign-in."""
    started: float = 0.0
    """When the codes were received, in seconds of the monotonic clock."""
    logid: str | None = None

    @property
    def interval(self) -> float:
        """Minimum pause between two polls in seconds; each `slow_down` adds 5 (RFC 8628, 3.5)."""
        return self.pacer.interval

    @property
    def verification_uri_complete(self) -> str:
        """The address with the code in it."""
        separator = "&" if "?" in self.verification_uri else "?"
        return f"{self.verification_uri}{separator}{urlencode({'user_code': self.user_code})}"

    def __repr__(self) -> str:
        return f"<DeviceLogin {self.user_code} at {self.verification_uri}>"


publish(globals(), "cozekit.auth", "Authorization", "Clock", "DeviceLogin", "Token")
