"""The device flow: a program without a browser shows a code that its user enters on another
device.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_device_code, RFC 8628
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from coze_runtime import publish
from coze_runtime.auth import AsyncTokenClient, SyncTokenClient
from coze_runtime.operation import Request, Response
from coze_runtime.steps import Pause, Steps, run_steps, run_steps_async

from ..errors import APIConnectionError, OAuthError
from ._app import OAuthApp
from ._token_response import invalid_response, is_transient, read_success, read_token
from ._values import DeviceLogin, Token

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

# Seconds; used when the server sends none.
_DEFAULT_INTERVAL = 5.0
_DEFAULT_EXPIRES_IN = 300.0
# Seconds that `slow_down` adds to the interval (RFC 8628, 3.5).
_SLOW_DOWN = 5.0
_MAX_FAILURES = 3


def print_code(login: DeviceLogin) -> None:
    """Prints where to sign in and with which code."""
    print(
        f"To sign in, open {login.verification_uri} and enter the code {login.user_code}",
        flush=True,
    )


class DeviceOAuth(OAuthApp):
    """An app of the type "TV or limited input device". Tokens of its users are valid for 15
    minutes and can be refreshed for 30 days.

    ```python
    app = DeviceOAuth(client_id)
    coze = Coze(auth=app.auth(app.login()))
    ```
    """

    def start(
        self, *, workspace_id: str | None = None, client: SyncTokenClient | None = None
    ) -> DeviceLogin:
        """Starts a sign-in: show the user `user_code` and `verification_uri`, then call `wait`.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The app is unknown, disabled or of another type.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return self._send(self._start_request(workspace_id), self._read_login, client)

    async def start_async(
        self, *, workspace_id: str | None = None, client: AsyncTokenClient | None = None
    ) -> DeviceLogin:
        """Starts a sign-in: show the user `user_code` and `verification_uri`, then await
        `wait_async`.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The app is unknown, disabled or of another type.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return await self._send_async(self._start_request(workspace_id), self._read_login, client)

    def poll(self, login: DeviceLogin, *, client: SyncTokenClient | None = None) -> Token:
        """Polls once, immediately, for the token. Leave `login.interval` seconds between two polls.

        Args:
            login: The sign-in, from `start`.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: `authorization_pending` (poll again after the interval), `slow_down` (the
                same; `login.interval` is now 5 seconds longer), `access_denied`, `expired_token`,
                or another reason.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        with self._pacing(login):
            return self._send(self._poll_request(login), read_token, client)

    async def poll_async(
        self, login: DeviceLogin, *, client: AsyncTokenClient | None = None
    ) -> Token:
        """Polls once, immediately, for the token. Leave `login.interval` seconds between two polls.

        Args:
            login: The sign-in, from `start_async`.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: `authorization_pending` (poll again after the interval), `slow_down` (the
                same; `login.interval` is now 5 seconds longer), `access_denied`, `expired_token`,
                or another reason.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        with self._pacing(login):
            return await self._send_async(self._poll_request(login), read_token, client)

    def wait(self, login: DeviceLogin, *, client: SyncTokenClient | None = None) -> Token:
        """Polls at the server's interval until the user has decided or the code has expired.

        The interval starts at the last poll, including those by `poll` or by another thread; before
        the first poll it starts at `start`. After a temporary failure the next poll waits twice as
        long, at most three times in a row.

        Args:
            login: The sign-in, from `start`.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: `access_denied`, `expired_token`, or another reason.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        poll = partial(self.poll, login, client=client)
        return run_steps(self._wait(login, poll), self._clock.sleep)

    async def wait_async(
        self, login: DeviceLogin, *, client: AsyncTokenClient | None = None
    ) -> Token:
        """Polls at the server's interval until the user has decided or the code has expired,
        without blocking the event loop.

        The interval starts at the last poll, including those by `poll_async` or by another task;
        before the first poll it starts at `start_async`. After a temporary failure the next poll
        waits twice as long, at most three times in a row.

        Args:
            login: The sign-in, from `start_async`.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: `access_denied`, `expired_token`, or another reason.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        poll = partial(self.poll_async, login, client=client)
        return await run_steps_async(self._wait(login, poll), self._clock.sleep_async)

    def login(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[DeviceLogin], object] = print_code,
        client: SyncTokenClient | None = None,
    ) -> Token:
        """`start`, `show` and `wait` in one.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            show: Called with the `DeviceLogin` to show its code and address to the user; by default
                both are printed.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The app cannot sign in this way, or `access_denied`, `expired_token`, or
                another reason.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        started = self.start(workspace_id=workspace_id, client=client)
        show(started)
        return self.wait(started, client=client)

    async def login_async(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[DeviceLogin], object] = print_code,
        client: AsyncTokenClient | None = None,
    ) -> Token:
        """`start_async`, `show` and `wait_async` in one.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            show: Plain function called with the `DeviceLogin` to show its code and address to the
                user; by default both are printed.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The app cannot sign in this way, or `access_denied`, `expired_token`, or
                another reason.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        started = await self.start_async(workspace_id=workspace_id, client=client)
        show(started)
        return await self.wait_async(started, client=client)

    @contextmanager
    def _pacing(self, login: DeviceLogin) -> Iterator[None]:
        """Records the time of a poll, and applies `slow_down` to the interval."""
        login.pacer.polled(self._clock.monotonic())
        try:
            yield
        except OAuthError as error:
            if error.error == "slow_down":
                login.pacer.slow_down(_SLOW_DOWN)
            raise
        finally:
            # A slow request may reach the server just before its response is sent, and the server
            # counts the interval from its arrival.
            login.pacer.polled(self._clock.monotonic())

    def _wait(self, login: DeviceLogin, poll: Callable[[], Any]) -> Steps[Token]:
        end, intervals, failures = login.started + login.expires_in, 1, 0
        while True:
            now = self._clock.monotonic()
            pause = login.pacer.claim(now, login.started, intervals)
            if now + pause > end:
                raise OAuthError(
                    "the device code expired before the user agreed; start the sign-in again",
                    error="expired_token",
                )
            if pause:
                yield Pause(pause)
                continue
            try:
                token: Token = yield poll()
                return token
            except (OAuthError, APIConnectionError) as error:
                if getattr(error, "error", "") in ("authorization_pending", "slow_down"):
                    failures = 0
                    continue
                failures, intervals = failures + 1, intervals * 2
                if failures > _MAX_FAILURES or not is_transient(error):
                    raise

    def _start_request(self, workspace_id: str | None) -> Request:
        from coze_openapi.api.oauth import device_code, device_code_workspace

        if workspace_id is None:
            return device_code.build(client_id=self.client_id)
        return device_code_workspace.build(workspace_id=workspace_id, client_id=self.client_id)

    def _poll_request(self, login: DeviceLogin) -> Request:
        from coze_openapi.api.oauth import token as operation

        return operation.build(
            grant_type=GRANT, client_id=self.client_id, device_code=login.device_code
        )

    def _read_login(self, request: Request, response: Response, now: float) -> DeviceLogin:
        data = read_success(request, response, now)
        fields = {}
        for name in ("device_code", "user_code", "verification_uri"):
            value = data.get(name)
            # One table documents user_code as a number, but its example is a string.
            if not isinstance(value, str | int) or isinstance(value, bool) or not str(value):
                raise invalid_response(response, f"the response has no {name}")
            fields[name] = str(value)
        return DeviceLogin(
            **fields,
            expires_in=_seconds(data.get("expires_in"), _DEFAULT_EXPIRES_IN),
            interval=_seconds(data.get("interval"), _DEFAULT_INTERVAL),
            started=self._clock.monotonic(),
            logid=response.logid,
        )


def _seconds(value: Any, default: float) -> float:
    """A duration in seconds; unlike the `expires_in` of tokens, never a point in time."""
    return float(value) if type(value) in (int, float) and value > 0 else default


publish(globals(), "cozekit.auth", "DeviceOAuth")
