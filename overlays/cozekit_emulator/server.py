"""Runs the emulator: in a thread for tests and demos, in the foreground for the command line."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import uvicorn

from . import oauth_apps
from .app import LocalCoze, SeenRequest
from .callback_state import CallbackState, Delivery
from .clock import Clock
from .oauth_apps import App, AppDetails, Kind
from .oauth_state import OAuthState
from .person import Person
from .publishing import deleted_bot
from .sockets import SeenFrame

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, Unpack

TOKEN = "pat_local_emulator"  # noqa: S105 -- a well-known value for a server that only this machine reaches
_LOG = logging.getLogger("uvicorn.error")
_START_TIMEOUT = 20.0
_STOP_TIMEOUT = 10.0


class _Server(uvicorn.Server):
    """Says when it listens, and in which loop."""

    def __init__(self, local: LocalCoze) -> None:
        super().__init__(_config(local))
        self._local = local
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._local.dispatcher.bind(asyncio.get_running_loop())
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._local.dispatcher.bind(None)
        await super().shutdown(sockets)


class Emulator:
    """A local Coze on a port of its own; not Coze, and never claiming to be.

        with Emulator() as local:
            client = Client(local.token, base_url=local.base_url)

    It listens on loopback, in a thread; leaving the block ends it, open streams included. May be
    started once.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, token: str = TOKEN) -> None:
        """Nothing is opened before `start`.

        Args:
            host: Address to listen on.
            port: Port; 0 takes a free one.
            token: The access token that is accepted; every other one is refused.
        """
        self.host = host
        self.port = port
        self.token = token
        self.local = LocalCoze(token)
        self._log_level = logging.NOTSET
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """Address for the client; the port is known once it is started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def requests(self) -> list[SeenRequest]:
        """The last 1,000 requests, oldest first."""
        return list(self.local.seen)

    @property
    def frames(self) -> list[SeenFrame]:
        """The last 10,000 events of voice sockets in both directions, oldest first."""
        return list(self.local.frames)

    @property
    def clock(self) -> Clock:
        """The clock by which tokens end and callbacks are repeated; `clock.advance(seconds)` moves
        it.
        """
        return self.local.clock

    @property
    def oauth(self) -> OAuthState:
        """The memory of the authorization server, with what a test may set (`spelling`,
        `waiting_status`, `leeway`).
        """
        return self.local.world.oauth

    @property
    def callbacks(self) -> CallbackState:
        """What a test may set about callbacks (`retry_after`, `patience`)."""
        return self.local.world.callbacks

    @property
    def person(self) -> Person:
        """Plays the person in front of the browser."""
        return Person(self.base_url)

    def reset(self) -> None:
        """Forgets resources, requests and failures; the samples are as at the start."""
        self.local.reset()

    def emulate(self, rule: str, operation: str = "") -> None:
        """Lets the next matching call fail; the rules are those of the header `X-Emulate` (module
        `failures`).

        Args:
            rule: For example `status=503;times=2`.
            operation: Id of the operation (`chat_create`); any when empty.

        Raises:
            ValueError: The rule has an unknown directive.
        """
        self.local.switch.arm(rule, operation)

    def register_app(self, kind: Kind, **details: Unpack[AppDetails]) -> App:
        """Registers an OAuth app, as a person does in the console; `reset` forgets it. Sample apps
        are in `oauth_apps`.

        Args:
            kind: `web`, `pkce`, `device` or `jwt`.
            details: Fields of `oauth_apps.AppDetails`: `client_id`, `client_secret`,
                `redirect_uris`, `public_keys`, `name`, `connector_id`, `accounts`, `enterprises`,
                `enabled`. What is not given is made up.

        Raises:
            ValueError: The kind is unknown.
            ImportError: A JWT app without keys, and PyJWT is not installed.
        """
        app = oauth_apps.new_app(kind, **details)
        self.oauth.apps[app.client_id] = app
        return app

    def app(self, client_id: str) -> App:
        """A registered app, for example `oauth_apps.JWT_APP`; errors as in `register_app`, and
        KeyError for an unknown one.
        """
        return oauth_apps.with_key(self.oauth.apps[client_id])

    def say(self, *texts: str) -> None:
        """What the next users of voice sockets say, one text per utterance; without it, always the
        same sentence.
        """
        self.local.world.voice.transcripts.extend(texts)

    def delete_bot(self, bot_id: str) -> None:
        """Deletes a bot, as a person does in the editor (there is no operation for it), and tells
        the callback applications.

        Raises:
            Refusal: It is unknown.
            RuntimeError: The emulator does not run.
        """
        bots = self.local.world.collection("bots")
        bot = bots.get(bot_id)
        bots.remove(bot)
        self.deliver(
            "bot.deleted", deleted_bot(bot), connector_ids=sorted(bot.get("_channels", ()))
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
            connector_ids: Channels whose applications get it too.

        Raises:
            KeyError: The type is unknown and no data is given.
            RuntimeError: The emulator does not run.
        """
        if event is None:
            table = self.local.description.document["x-coze-events"]["callbacks"]["events"]
            event = self.local.world.examples.of(table[event_type]["schema"])["event"]
        work = self.local.dispatcher.publish_to(event_type, {**(event or {})}, list(connector_ids))
        self.local.dispatcher.call(work)

    def deliveries(self) -> list[Delivery]:
        """The callbacks so far, oldest first, checks of addresses included; waits until none is
        under way.

        Raises:
            RuntimeError: The emulator does not run.
        """
        found: list[Delivery] = self.local.dispatcher.call(self.local.dispatcher.settled())
        return found

    def start(self) -> Self:
        """Listens; returns when requests are answered.

        Raises:
            OSError: The port is taken.
            RuntimeError: It did not come up.
        """
        listener = self._listen()
        self._server = _Server(self.local)
        # Cut answers and abandoned streams are what the emulator is for; the server would log each
        # as an error.
        self._log_level = _LOG.level
        _LOG.setLevel(logging.CRITICAL)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="cozekit-emulator", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(_START_TIMEOUT):
            listener.close()
            raise RuntimeError("the local emulator did not start")
        return self

    def stop(self) -> None:
        """Ends it; open streams are cut. May be called twice."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT)
        _LOG.setLevel(self._log_level)
        self._server = self._thread = None

    def run(self, announce: Callable[[], None]) -> None:
        """Runs in the foreground until interrupted; for the command line.

        Args:
            announce: Called when the port is known, before the first request is answered.

        Raises:
            OSError: The port is taken.
        """
        with self._listen() as listener:
            announce()
            _Server(self.local).run([listener])

    def _listen(self) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        )[0]
        # With the protocol named, asyncio switches Nagle's algorithm off; else every answer takes
        # 40 ms.
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        return listener

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _config(local: LocalCoze) -> uvicorn.Config:
    return uvicorn.Config(
        local.application(),
        log_config=None,
        access_log=False,
        server_header=False,  # ours names the emulator
        lifespan="off",
        loop="asyncio",
        http="h11",
        date_header=False,  # ours goes by the clock of the emulator
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )
