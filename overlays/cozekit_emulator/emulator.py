"""The class that tests, demos and the command line use: it starts a local Coze and controls it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, get_args

from .local_coze import LocalCoze, SeenFrame, SeenRequest
from .oauth.browser import Browser
from .operations.bots import deletion_event
from .server import Server, listen
from .state import oauth_apps
from .state.clock import Clock
from .state.deliveries import CallbackState, Delivery
from .state.oauth import OAuthState
from .state.oauth_apps import App, ClientType

TOKEN = "pat_local_emulator"  # noqa: S105 -- only this machine reaches the server


class Emulator:
    """A local Coze on its own port; not Coze, and never claiming to be.

        with Emulator() as local:
            coze = Coze(local.token, base_url=local.base_url)

    It listens on loopback, in a thread, from `start` to `stop`, or in the `with` block. Stopping it
    cuts open streams. It can be started once.

    Args:
        host: Address to listen on.
        port: Port; 0 takes a free one.
        token: The access token that reaches everything.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, token: str = TOKEN) -> None:
        self.host = host
        self.port = port
        self.token = token
        self.local = LocalCoze(token)
        self._server = Server(self.local)

    @property
    def base_url(self) -> str:
        """Address for the client; the port is known once the emulator runs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def requests(self) -> list[SeenRequest]:
        """The last 1,000 requests, oldest first."""
        return list(self.local.requests)

    @property
    def frames(self) -> list[SeenFrame]:
        """The last 10,000 events of voice sockets in both directions, oldest first."""
        return list(self.local.frames)

    @property
    def clock(self) -> Clock:
        """The clock by which tokens expire and callbacks are retried; `clock.advance(seconds)`
        advances it.
        """
        return self.local.clock

    @property
    def oauth(self) -> OAuthState:
        """The memory of the authorization server, with what a test may set: `error_field`,
        `polling_status`, `leeway`.
        """
        return self.local.state.oauth

    @property
    def callbacks(self) -> CallbackState:
        """What a test may set about callbacks: `retry_after`, `timeouts`."""
        return self.local.state.callbacks

    @property
    def browser(self) -> Browser:
        """A browser with a user in front of it."""
        return Browser(self.base_url)

    def reset(self) -> None:
        """Forgets everything; the sample resources are as at the start."""
        self.local.reset()

    def emulate(self, rule: str, operation: str = "") -> None:
        """Makes the next matching request fail; rules are those of the header `X-Emulate`
        (`cozekit_emulator.http.failures`).

        Args:
            rule: For example `status=503;times=2`.
            operation: Id of the operation (`chat_create`); any when empty.

        Raises:
            ValueError: The rule has an unknown directive.
        """
        self.local.failures.prepare(rule, operation)

    def register_app(
        self,
        client_type: ClientType,
        *,
        client_id: str = "",
        client_secret: str = "",
        redirect_uris: Iterable[str] = oauth_apps.REDIRECT_URIS,
        public_keys: Mapping[str, str] | None = None,
        name: str = "",
        connector_id: str = "",
        accounts: Iterable[str] = (),
        enterprises: Iterable[str] = (),
        enabled: bool = True,
    ) -> App:
        """Registers an OAuth app, as a user does in the console; `reset` forgets it. Sample apps
        are in `oauth_apps`.

        Args:
            client_type: `web`, `pkce`, `device` or `jwt`.
            client_id: Its id; made up by default.
            client_secret: Secret of a web app; made up by default.
            redirect_uris: Where browsers may be sent by a web or PKCE app. An http address of this
                machine without a port allows every port.
            public_keys: Key id → public key in PEM form, of a JWT app; by default those of the
                sample apps.
            name: Shown on the consent page.
            connector_id: Channel of a channel app.
            accounts: Other accounts that have granted access to the app.
            enterprises: Enterprises that the app may manage.
            enabled: Whether it works; `app.enabled` changes it later, for its tokens too.

        Raises:
            ValueError: The type is unknown.
            ImportError: A JWT app without keys, and PyJWT is not installed.
        """
        if client_type not in get_args(ClientType):
            known = ", ".join(get_args(ClientType))
            raise ValueError(f"client_type is one of {known}, not {client_type!r}")
        number = str(7 * 10**12 + secrets.randbelow(10**12))
        secret = client_secret or secrets.token_urlsafe(24)
        app = App(
            client_type,
            client_id or (number if client_type == "jwt" else f"{number}.app.coze"),
            name or f"{client_type} app",
            client_secret=secret if client_type == "web" else "",
            redirect_uris=tuple(redirect_uris) if client_type in ("web", "pkce") else (),
            public_keys=dict(public_keys or {}),
            connector_id=connector_id,
            accounts=tuple(accounts),
            enterprises=tuple(enterprises),
            enabled=enabled,
        )
        self.oauth.apps[app.client_id] = oauth_apps.with_key(app)
        return app

    def app(self, client_id: str) -> App:
        """A registered OAuth app.

        Args:
            client_id: Its id, such as `oauth_apps.JWT_APP`.

        Raises:
            KeyError: It is unknown.
            ImportError: It is a JWT app without keys, and PyJWT is not installed.
        """
        return oauth_apps.with_key(self.oauth.apps[client_id])

    def say(self, *texts: str) -> None:
        """Sets what the next users of voice sockets say; without it, always the same sentence.

        Args:
            texts: One text per utterance.
        """
        self.local.state.transcripts.queue.extend(texts)

    def delete_bot(self, bot_id: str) -> None:
        """Deletes a bot, as a user does in the editor (there is no operation for it), and tells the
        callback applications.

        Args:
            bot_id: Id of the bot.

        Raises:
            ApiError: It is unknown.
            RuntimeError: The emulator does not run.
        """
        bots = self.local.state.collection("bots")
        bot = bots.get(bot_id)
        bots.remove(bot)
        self.deliver(
            "bot.deleted", deletion_event(bot), connector_ids=sorted(bot.get("_channels", ()))
        )

    def deliver(
        self,
        event_type: str,
        event: Mapping[str, Any] | None = None,
        *,
        connector_ids: Iterable[str] = (),
    ) -> None:
        """Delivers an event of any type to the applications that are subscribed to it.

        Args:
            event_type: For example `benefit.usage`.
            event: Its data; by default the example of the description.
            connector_ids: Channels whose applications get it, too.

        Raises:
            KeyError: The type is unknown and no data is given.
            RuntimeError: The emulator does not run.
        """
        if event is None:
            table = self.local.description.document["x-coze-events"]["callbacks"]["events"]
            event = self.local.state.examples.of(table[event_type]["schema"])["event"]
        dispatcher = self.local.dispatcher
        dispatcher.run(dispatcher.publish(event_type, dict(event or {}), list(connector_ids)))

    def deliveries(self) -> list[Delivery]:
        """The callbacks so far, oldest first, checks of addresses included; waits until none is
        being sent.

        Raises:
            RuntimeError: The emulator does not run.
        """
        dispatcher = self.local.dispatcher
        deliveries: list[Delivery] = dispatcher.run(dispatcher.all_deliveries())
        return deliveries

    def start(self) -> Self:
        """Starts to listen; returns when requests are answered.

        Raises:
            OSError: The port is taken.
            RuntimeError: It did not start in time.
        """
        self._server.start_thread(self._listen())
        return self

    def stop(self) -> None:
        """Stops the emulator and cuts open streams; stopping twice is fine."""
        self._server.stop_thread()

    def run(self, announce: Callable[[], None]) -> None:
        """Runs in the foreground until interrupted; for the command line.

        Args:
            announce: Called when the port is known, before the first request is answered.

        Raises:
            OSError: The port is taken.
        """
        with self._listen() as listener:
            announce()
            self._server.run([listener])

    def _listen(self) -> socket.socket:
        listener = listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        return listener

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
