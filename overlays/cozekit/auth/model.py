"""What a sign-in yields: tokens and the things on the way to them. None of them shows a secret or
lets itself be pickled.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, Self, SupportsIndex

from attrs import define, field


class Guarded:
    """Base of objects that hold a secret: they are not pickled by accident, in a cache or a task
    queue for instance.
    """

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds secrets and is not pickled; take out what you need by "
            "name"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class Token(Guarded):
    """An access token, with what is needed to renew it.

    `to_dict` and `from_dict` serve token stores; the text form shows when it ends and nothing else.
    """

    access_token: str
    refresh_token: str | None = None
    """Good for 30 days and for one use; None for tokens of a JWT, which are not refreshed but asked
    for anew.
    """
    expires_at: float | None = None
    """When the access token ends, in Unix seconds of the server's clock; None when the server did
    not say.
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
        return (
            float("inf") if self.expires_at is None else self.expires_at - (now + self.clock_offset)
        )

    def margin(self) -> float:
        """How many seconds before its end the token is renewed: a tenth of its life, at most a
        minute.
        """
        if self.expires_at is None or self.issued_at is None:
            return 60.0
        return max(0.0, min(60.0, 0.1 * self.remaining(self.issued_at)))

    def to_dict(self) -> dict[str, Any]:
        """The token as plain JSON data, secrets included, for a store."""
        names = ("access_token", "refresh_token", "expires_at", "issued_at", "clock_offset")
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
        if not isinstance(access, str) or not access or not isinstance(refresh, str | None):
            raise ValueError("no token data")
        numbers = {
            name: data[name]
            for name in ("expires_at", "issued_at", "clock_offset")
            if data.get(name) is not None
        }
        if any(
            isinstance(value, bool) or not isinstance(value, int | float)
            for value in numbers.values()
        ):
            raise ValueError("no token data")
        return cls(access_token=access, refresh_token=refresh, **numbers)

    def __repr__(self) -> str:
        end = (
            ""
            if self.expires_at is None
            else f" until {datetime.fromtimestamp(self.expires_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        )
        return f"<Token{end}{', refreshable' if self.refresh_token else ''}>"


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class Authorization(Guarded):
    """A sign-in that has begun: send the browser to `url`, and keep `state` and `verifier` until it
    comes back.
    """

    url: str
    """Address of the consent page."""
    state: str
    """Comes back with the browser; another one means that the answer belongs to another sign-in."""
    redirect_uri: str
    verifier: str | None = None
    """Secret of the PKCE flow; None in the web flow. Keep it on the server, or in a signed and
    encrypted session.
    """

    def __repr__(self) -> str:
        return f"<Authorization for {self.redirect_uri}>"


class Pace:
    """How fast a device may ask, for all threads and tasks that ask with its code. Seconds of the
    monotonic clock.
    """

    __slots__ = ("_asked", "_lock", "interval")

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._asked: float | None = None
        self._lock = threading.Lock()

    def claim(self, now: float, started: float, times: int) -> float:
        """Seconds until a question may be asked, so many intervals after the last one or, if there
        was none, after the start.

        With 0 the caller has its turn, and everybody else waits from now on.
        """
        with self._lock:
            left = (started if self._asked is None else self._asked) + times * self.interval - now
            # Sums of floats do not meet exactly; less than this is not worth a wait.
            if left > 1e-6:
                return left
            self._asked = now
            return 0.0

    def asked(self, now: float) -> None:
        """A question is asked, or its answer has come."""
        with self._lock:
            self._asked = now if self._asked is None else max(self._asked, now)

    def slow_down(self, seconds: float) -> None:
        """Lengthens the interval for good."""
        with self._lock:
            self.interval += seconds


@define(frozen=True, kw_only=True, repr=False, weakref_slot=False, getstate_setstate=False)
class DeviceLogin(Guarded):
    """A device that waits for its user. Show `user_code` and `verification_uri`, or the complete
    address as a QR code.
    """

    device_code: str
    """Secret with which the device asks for its token."""
    user_code: str
    """What the user enters."""
    verification_uri: str
    """Where the user enters it."""
    expires_in: float
    """Seconds for which both codes work, from `started`."""
    _pace: Pace = field(alias="interval", converter=Pace, eq=False)
    started: float = 0.0
    """Reading of the monotonic clock when the codes came."""
    logid: str | None = None

    @property
    def interval(self) -> float:
        """Least pause between two questions, in seconds; 5 more after every `slow_down` (RFC 8628,
        3.5).
        """
        return self._pace.interval

    @property
    def verification_uri_complete(self) -> str:
        """The address with the code in it."""
        from urllib.parse import urlencode

        joint = "&" if "?" in self.verification_uri else "?"
        return f"{self.verification_uri}{joint}{urlencode({'user_code': self.user_code})}"

    def __repr__(self) -> str:
        return f"<DeviceLogin {self.user_code} at {self.verification_uri}>"
