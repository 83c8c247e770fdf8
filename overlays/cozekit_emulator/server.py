"""The web server: the application on a socket, in a thread or in the foreground."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

import uvicorn

from .app import application
from .local_coze import LocalCoze

_LOGGER = logging.getLogger("uvicorn.error")
_START_TIMEOUT = 20.0
_STOP_TIMEOUT = 10.0


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: Address to listen on.
        port: Port; 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """
    address_info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, socket_type, protocol, _, address = address_info[0]
    # With the protocol named, asyncio switches Nagle's algorithm off; else every response takes
    # 40 ms.
    listener = socket.socket(family, socket_type, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


class Server(uvicorn.Server):
    """Serves a local Coze, once.

    Args:
        local: The local Coze.
    """

    def __init__(self, local: LocalCoze) -> None:
        config = uvicorn.Config(
            application(local),
            log_config=None,
            access_log=False,
            server_header=False,  # responses name the emulator
            lifespan="off",
            loop="asyncio",
            http="h11",
            date_header=False,  # responses have the time of the emulator
            ws="websockets-sansio",
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._local = local
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._log_level = logging.NOTSET

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to accept connections; called by uvicorn."""
        await super().startup(sockets)
        self._local.dispatcher.bind(asyncio.get_running_loop())
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes all connections; called by uvicorn."""
        self._local.dispatcher.bind(None)
        await super().shutdown(sockets)

    def start_thread(self, listener: socket.socket) -> None:
        """Serves in a thread; returns when requests are answered.

        Args:
            listener: A socket that listens.

        Raises:
            RuntimeError: The server did not start in time.
        """
        # The emulator is for cut responses and abandoned streams; uvicorn would log each as an
        # error.
        self._log_level = _LOGGER.level
        _LOGGER.setLevel(logging.CRITICAL)
        self._thread = threading.Thread(
            target=self.run, args=([listener],), name="cozekit-emulator", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT):
            listener.close()
            raise RuntimeError("the local emulator did not start")

    def stop_thread(self) -> None:
        """Stops the server and cuts open streams; stopping twice is fine."""
        if self._thread is None:
            return
        self.should_exit = True
        self._thread.join(_STOP_TIMEOUT)
        _LOGGER.setLevel(self._log_level)
        self._thread = None
