"""Runs the emulator: in a thread for tests and demos, in the foreground for the command line."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from .app import LocalCoze, SeenRequest

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

TOKEN = "pat_local_emulator"  # noqa: S105 -- a well-known value for a server that only this machine reaches
_LOG = logging.getLogger("uvicorn.error")
_START_TIMEOUT = 20.0
_STOP_TIMEOUT = 10.0


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Emulator:
    """A local Coze on a port of its own; not Coze, and never claiming to be.

        with Emulator() as local:
            client = Client(local.token, base_url=local.base_url)

    It listens on loopback, in a thread; leaving the block ends it, open streams included. May be started once.
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

    def reset(self) -> None:
        """Forgets resources, requests and failures; the samples are as at the start."""
        self.local.reset()

    def emulate(self, rule: str, operation: str = "") -> None:
        """Lets the next matching call fail; the rules are those of the header `X-Emulate` (module `failures`).

        Args:
            rule: For example `status=503;times=2`.
            operation: Id of the operation (`chat_create`); any when empty.

        Raises:
            ValueError: The rule has an unknown directive.
        """
        self.local.switch.arm(rule, operation)

    def start(self) -> Self:
        """Listens; returns when requests are answered.

        Raises:
            OSError: The port is taken.
            RuntimeError: It did not come up.
        """
        listener = self._listen()
        self._server = _Server(_config(self.local))
        # Cut answers and abandoned streams are what the emulator is for; the server would log each as an error.
        self._log_level = _LOG.level
        _LOG.setLevel(logging.CRITICAL)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="cozekit-emulator", daemon=True)
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
            uvicorn.Server(_config(self.local)).run([listener])

    def _listen(self) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
        # With the protocol named, asyncio switches Nagle's algorithm off; else every answer takes 40 ms.
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

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
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
        ws="none",
        timeout_graceful_shutdown=1,
    )
