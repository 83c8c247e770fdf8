"""The device flow: a program without a browser shows a code, and its user agrees on another device.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_device_code, RFC 8628
"""

from __future__ import annotations

from collections.abc import Callable, Generator
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
        """Asks once whether the user has agreed.

        Raises:
            OAuthError: `authorization_pending` (ask again after the interval), `slow_down` (lengthen it), `access_denied`,
                `expired_token`, or another reason.
            APIConnectionError: No answer came.
        """
        return self._token(self._poll_request(login), client)

    async def poll_async(self, login: DeviceLogin, *, client: AsyncClient | None = None) -> Token:
        """The async form of `poll`."""
        return await self._token_async(self._poll_request(login), client)

    def wait(self, login: DeviceLogin, *, client: Client | None = None) -> Token:
        """Asks at the server's interval until the user has decided or the code has ended.

        A question without an answer is repeated after twice the time, three times at most.

        Raises:
            OAuthError: `access_denied`, `expired_token`, or another reason.
            APIConnectionError: The server cannot be reached.
        """
        steps = self._waiting(login)
        pause = next(steps)
        while True:
            self._clock.sleep(pause)
            try:
                return self.poll(login, client=client)
            except (OAuthError, APIConnectionError) as error:
                pause = steps.send(error)

    async def wait_async(self, login: DeviceLogin, *, client: AsyncClient | None = None) -> Token:
        """The async form of `wait`; the event loop goes on meanwhile."""
        steps = self._waiting(login)
        pause = next(steps)
        while True:
            await self._clock.sleep_async(pause)
            try:
                return await self.poll_async(login, client=client)
            except (OAuthError, APIConnectionError) as error:
                pause = steps.send(error)

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

    def _waiting(self, login: DeviceLogin) -> Generator[float, Exception, None]:
        """Pure: the pause before each question; is told how the question failed, and raises when waiting has no more sense."""
        end, interval, failures = login.started + login.expires_in, login.interval, 0
        while True:
            if self._clock.monotonic() + interval > end:
                raise OAuthError("nobody agreed before the device code ended; begin the sign-in anew", error="expired_token")
            error = yield interval
            kind = error.error if isinstance(error, OAuthError) else ""
            if kind in ("authorization_pending", "slow_down"):
                failures = 0
                interval += _SLOWER if kind == "slow_down" else 0.0
            else:
                failures += 1
                if not is_passing(error) or failures > _FAILURES:
                    raise error
                interval *= 2

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
