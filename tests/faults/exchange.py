"""A recorded exchange, played back with one fault at one byte.

    with Player(recorded(stream(*CHAT))) as player:
        player.fault = Fault("cut", 200)
        …one call…

Faults of the answer: `cut` (FIN), `reset` (RST), `stall` (silence, connection open), `pause`
(silence until the client has read everything so far), `flip` (one byte with its lowest bit turned).
With `of="request"` the fault comes after so many bytes of the request have been read.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple, Self

from tests.overlays.chunk_server import ChunkServer, Script, until_read

FULL = os.environ.get("FAULTS") == "full"
"""Whether every fault is tried at every byte (`make test-faults`), or cuts at every byte and the
other faults at some.
"""

PATIENCE = 30.0


class Fault(NamedTuple):
    kind: str
    at: int
    of: str = "answer"


NONE = Fault("none", 0)


def recorded(script: Script) -> bytes:
    """The bytes with which the scripted server answers, head and framing included."""
    with (
        ChunkServer(script) as server,
        socket.create_connection(("127.0.0.1", server.port)) as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


class Player:
    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.fault = NONE
        self.requests = 0
        self.largest = 0
        """Bytes of the largest request."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Condition()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):
            socket.create_connection(self._listener.getsockname()).close()
        self._acceptor.join(PATIENCE)
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def settle(self) -> None:
        """After a fault that ends the connection: returns when it has, so that the next call cannot
        meet its end.
        """
        if self.fault.kind in ("cut", "reset", "flip"):
            with self._lock:
                assert self._lock.wait_for(lambda: not self._open, PATIENCE)

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopping:
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(sock)
                self._threads = [thread for thread in self._threads if thread.is_alive()]
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            while self._request(sock) and self._reply(sock):
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                sock.close()
                self._open.discard(sock)
                self._lock.notify_all()

    def _request(self, sock: socket.socket) -> bool:
        """Reads a request; False when there is none, or when the fault came first."""
        fault = self.fault
        got, wanted = b"", None
        while wanted is None or len(got) < wanted:
            if got and fault.of == "request" and len(got) >= fault.at:
                return self._strike(sock, fault.kind)
            most = 65536 if fault.of == "answer" or not fault.at else max(1, fault.at - len(got))
            piece = sock.recv(most)
            if not piece:
                return False
            fault = self.fault if not got else fault
            got += piece
            wanted = wanted or _length(got)
        self.requests += 1
        self.largest = max(self.largest, len(got))
        return True

    def _reply(self, sock: socket.socket) -> bool:
        """Sends the answer; False when the fault ended the connection."""
        fault = self.fault
        if fault.of == "request" or fault.kind == "none":
            sock.sendall(self.answer)
            return True
        before, rest = self.answer[: fault.at], self.answer[fault.at :]
        if fault.kind == "flip":
            sock.sendall(before + bytes([rest[0] ^ 1]) + rest[1:])
            # What the flip makes of the length may let the client wait for more.
            sock.shutdown(socket.SHUT_WR)
            return False
        sock.sendall(before)
        if fault.kind == "pause":
            until_read(sock)
            sock.sendall(rest)
            return True
        return self._strike(sock, fault.kind)

    def _strike(self, sock: socket.socket, kind: str) -> bool:
        if kind == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif kind == "stall":
            while sock.recv(65536):
                pass
        return False


def _length(got: bytes) -> int | None:
    """Bytes of the whole request; None while its head has not come."""
    head, end, _ = got.partition(b"\r\n\r\n")
    if not end:
        return None
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(head) + 4 + int(line.partition(b":")[2])
    return len(head) + 4


def every(size: int, step: int) -> Iterator[int]:
    """Each position of the full form; in the short form each `step`-th, and the last."""
    yield from range(0, size, 1 if FULL else step)
    if not FULL and (size - 1) % step:
        yield size - 1
