"""The device flow: a program without a browser shows a code, and its user agrees on another device.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_device_code, RFC 8628
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import APIConnectionError, OAuthError
from .app import OAuthApp
from .failures import is_passing, no_answer, succeeded
from .model import DeviceLogin

if TYPE_CHECKING:
    from coze_openapi import AsyncClient, Client
    from coze_openapi.types import Request, Response

    from .model import Token

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

# Seconds: what holds when the server does not say, and by how much `slow_down` lengthens the interval (RFC 8628, 3.5).
_INTERVAL = 5.0
_EXPIRES_IN = 300.0
_SLOWER = 5.0
_FAILURES = 3


def print_code(login: DeviceLogin) -> None:
    """Prints what the user has to do."""
    print(f"To sign in, open {login.verification_uri} and enter the code {login.user_code}", flush=True)


class DeviceOAuth(OAuthApp):
    """An app of the type "TV or limited input device". Tokens of its users live 15 minutes and are refreshed for 30 days.

    ```python
    app = DeviceOAuth(client_id)
    coze = Coze(auth=app.auth(app.login()))
    ```

    Arguments as in `OAuthApp`.
    """

    def start(self, *, workspace_id: str | None = None, client: Client | None = None) -> DeviceLogin:
        """Begins a sign-in: show the user `user_code` and `verification_uri`, then `wait`.

        Args:
            workspace_id: Restricts the token to one workspace (collaboration, enterprise plans); such a token has no permissions of
                the account, so it cannot create conversations, for instance.
            client: Client whose connections are used.

        Raises:
            OAuthError: The app is unknown, disabled or of another type.
            APIConnectionError: No answer came.
        """
        request = self._start_request(workspace_id)
        return self._ask(request, lambda answer: self._started(request, answer), client)

    async def start_async(self, *, workspace_id: str | None = None, client: AsyncClient | None = None) -> DeviceLogin:
        """The async form of `start`."""
        request = self._start_request(workspace_id)
        return await self._ask_async(request, lambda answer: self._started(request, answer), client)

    def poll(self, login: DeviceLogin, *, client: Client | None = None) -> Token:
        """Asks once, now, whether the user has agreed. Between two questions `login.interval` seconds have to pass.

        Raises:
            OAuthError: `authorization_pending` (ask again after the interval), `slow_down` (the same; `login.interval` has grown by
                5 seconds), `access_denied`, `expired_token`, or another reason.
            APIConnectionError: No answer came.
        """
        with self._asking(login):
            return self._token(self._poll_request(login), client)

    async def poll_async(self, login: DeviceLogin, *, client: AsyncClient | None = None) -> Token:
        """The async form of `poll`."""
        with self._asking(login):
            return await self._token_async(self._poll_request(login), client)

    def wait(self, login: DeviceLogin, *, client: Client | None = None) -> Token:
        """Asks at the server's interval until the user has decided or the code has ended.

        The interval counts from the last question, also one of `poll` or of another thread; before the first it counts from `start`.
        A question without an answer is repeated after twice the time, three times at most.

        Raises:
            OAuthError: `access_denied`, `expired_token`, or another reason.
            APIConnectionError: The server cannot be reached.
        """
        steps = self._waiting(login)
        error: Exception | None = None
        while True:
            if pause := steps.send(error):
                error = None
                self._clock.sleep(pause)
                continue
            try:
                return self.poll(login, client=client)
            except (OAuthError, APIConnectionError) as failed:
                error = failed

    async def wait_async(self, login: DeviceLogin, *, client: AsyncClient | None = None) -> Token:
        """The async form of `wait`; the event loop goes on meanwhile."""
        steps = self._waiting(login)
        error: Exception | None = None
        while True:
            if pause := steps.send(error):
                error = None
                await self._clock.sleep_async(pause)
                continue
            try:
                return await self.poll_async(login, client=client)
            except (OAuthError, APIConnectionError) as failed:
                error = failed

    def login(
        self, *, workspace_id: str | None = None, show: Callable[[DeviceLogin], object] = print_code, client: Client | None = None
    ) -> Token:
        """`start`, `show` and `wait` in one; raises what they raise.

        Args:
            workspace_id: As in `start`.
            show: Gets the codes; by default they are printed.
            client: Client whose connections are used.
        """
        started = self.start(workspace_id=workspace_id, client=client)
        show(started)
        return self.wait(started, client=client)

    async def login_async(
        self, *, workspace_id: str | None = None, show: Callable[[DeviceLogin], object] = print_code, client: AsyncClient | None = None
    ) -> Token:
        """The async form of `login`."""
        started = await self.start_async(workspace_id=workspace_id, client=client)
        show(started)
        return await self.wait_async(started, client=client)

    @contextmanager
    def _asking(self, login: DeviceLogin) -> Iterator[None]:
        """Keeps with the login what a question teaches about the pace."""
        login._pace.asked(self._clock.monotonic())
        try:
            yield
        except OAuthError as error:
            if error.error == "slow_down":
                login._pace.slow_down(_SLOWER)
            raise
        finally:
            # A question that took long on its way may have come in just before its answer, and the server counts from there.
            login._pace.asked(self._clock.monotonic())

    def _waiting(self, login: DeviceLogin) -> Generator[float, Exception | None, None]:
        """Yields the pauses before a question, then 0 for the question itself; is told how it failed, and raises when waiting
        has no more sense.
        """
        end, times, failures = login.started + login.expires_in, 1, 0
        while True:
            now = self._clock.monotonic()
            pause = login._pace.claim(now, login.started, times)
            if now + pause > end:
                raise OAuthError("nobody agreed before the device code ended; begin the sign-in anew", error="expired_token")
            error = yield pause
            if error is None:
                continue
            if isinstance(error, OAuthError) and error.error in ("authorization_pending", "slow_down"):
                failures = 0
            else:
                failures += 1
                if not is_passing(error) or failures > _FAILURES:
                    raise error
                times *= 2

    def _start_request(self, workspace_id: str | None) -> Request:
        from coze_openapi.api.oauth import device_code, device_code_workspace

        if workspace_id is None:
            return device_code.build(client_id=self.client_id)
        return device_code_workspace.build(workspace_id=workspace_id, client_id=self.client_id)

    def _poll_request(self, login: DeviceLogin) -> Request:
        from coze_openapi.api.oauth import token as operation

        return operation.build(grant_type=GRANT, client_id=self.client_id, device_code=login.device_code)

    def _started(self, request: Request, response: Response) -> DeviceLogin:
        data = succeeded(request, response, self._clock.time())
        texts = {}
        for name in ("device_code", "user_code", "verification_uri"):
            value = data.get(name)
            # One table says that user_code is a number; its example is text.
            if not isinstance(value, str | int) or isinstance(value, bool) or not str(value):
                raise no_answer(response, f"the answer holds no {name}")
            texts[name] = str(value)
        return DeviceLogin(
            **texts,
            expires_in=_seconds(data.get("expires_in"), _EXPIRES_IN),
            interval=_seconds(data.get("interval"), _INTERVAL),
            started=self._clock.monotonic(),
            logid=response.logid,
        )


def _seconds(value: Any, default: float) -> float:
    """A duration, unlike the `expires_in` of tokens."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if usable else default
