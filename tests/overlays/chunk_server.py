"""A scripted HTTP/1.1 server on loopback, for everything that depends on how and when the bytes of
an answer arrive.

    with ChunkServer([Head(), Send(b"event:done\\n"), Send(b"data:{}\\n\\n")]) as server:
        httpx.get(server.url + "/v3/chat")
        assert server.requests[0].target == "/v3/chat"

A *script* is a list of steps, run in order for one request:

    Head(status, headers, framing, length)   status line and headers; event stream in chunks when
    nothing else is said Send(data)                               a piece of the body, wrapped as
    one chunk when the framing is `chunked` Raw(data)                                bytes exactly
    as they are: broken heads, half a chunk, garbage Endless(data)
    `Send(data)` again and again until the client goes away Wait(event)
    goes on when the test has set the `threading.Event` Signal(event)
    sets it: tells the test that the server has come this far Read()
    goes on when the client has read everything so far KeepOpen()
    sends nothing more, until the client closes Close()                                  closes at
    once (FIN), whatever the framing promised: a cut stream Abort()
    closes at once with a reset (RST)

At the end of a script the body is finished as its framing wants it, and the connection waits for
the next request (`chunked`, `length`) or is closed (`close`, or when no head was sent). `stream()`
and `reply()` make the two usual scripts.

`ChunkServer(first, second, …)` gives the n-th request the n-th script, and the last script to all
that follow. In place of a script a function may stand that takes the `Request` and returns one.

Nothing sleeps. One `Send` is one `sendall`; the client may still see several as one piece, or one
as several. Where the border matters, put a `Read` between them.

The server counts (`connections`, `open_connections`, `requests`), and `wait_for` waits until a
count is reached. Leaving the `with` block sets every event that a script still waits for, ends all
threads, and raises what went wrong in one of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import http
import json
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

CHUNKED = "chunked"
LENGTH = "length"
CLOSE = "close"
LOGID = "20260101000000TESTLOGID"
PATIENCE = 30.0
"""Seconds after which anything in here that waits gives up, so that a broken test ends with a
reason and does not hang.
"""


class Gone(Exception):
    """The client has closed, or the script has: nothing more can be sent."""


@dataclass
class Request:
    """What came in: `headers` with names in lower case (the last of several counts), `connection`
    numbered from 0.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    finished: bool = field(default=False, compare=False)
    """Whether every step of the script was run."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Step(Protocol):
    def run(self, answer: Answer) -> None: ...


Script = Sequence[Step] | Callable[[Request], Sequence[Step]]


class Answer:
    """One connection while a script runs on it."""

    def __init__(self, server: ChunkServer, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.framing: str | None = None

    def write(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def send(self, data: bytes) -> None:
        if self.framing == CHUNKED:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        self.write(data)

    def finish(self) -> None:
        if self.framing == CHUNKED:
            self.write(b"0\r\n\r\n")
        elif self.framing != LENGTH:
            raise Gone


@dataclass(frozen=True)
class Head:
    """`headers` are laid over the usual ones (event stream, log id); a value of `None` takes one
    away.
    """

    status: int = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    framing: str = CHUNKED
    length: int | None = None

    def run(self, answer: Answer) -> None:
        answer.framing = self.framing
        headers: dict[str, str | None] = {"content-type": "text/event-stream", "x-tt-logid": LOGID}
        match self.framing:
            case "chunked":
                headers["transfer-encoding"] = "chunked"
            case "length":
                headers["content-length"] = str(self.length)
            case "close":
                headers["connection"] = "close"
            case _:
                raise ValueError(f"unknown framing {self.framing!r}")
        headers |= {name.lower(): value for name, value in self.headers.items()}
        known = {status.value: status.phrase for status in http.HTTPStatus}
        lines = [
            f"HTTP/1.1 {self.status} {known.get(self.status, '')}",
            *(f"{k}: {v}" for k, v in headers.items() if v is not None),
        ]
        answer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))


@dataclass(frozen=True)
class Send:
    data: bytes

    def run(self, answer: Answer) -> None:
        answer.send(self.data)


@dataclass(frozen=True)
class Raw:
    data: bytes

    def run(self, answer: Answer) -> None:
        answer.write(self.data)


@dataclass(frozen=True)
class Endless:
    data: bytes

    def run(self, answer: Answer) -> None:
        while not answer.server.stopping:
            answer.send(self.data)
        raise Gone


@dataclass(frozen=True)
class Wait:
    event: threading.Event

    def run(self, answer: Answer) -> None:
        answer.server.wait_on(self.event)


@dataclass(frozen=True)
class Signal:
    event: threading.Event

    def run(self, answer: Answer) -> None:
        self.event.set()


@dataclass(frozen=True)
class Read:
    def run(self, answer: Answer) -> None:
        until_read(answer.sock)


@dataclass(frozen=True)
class KeepOpen:
    def run(self, answer: Answer) -> None:
        with contextlib.suppress(OSError):
            while answer.sock.recv(65536):
                pass
        raise Gone


@dataclass(frozen=True)
class Close:
    def run(self, answer: Answer) -> None:
        raise Gone


@dataclass(frozen=True)
class Abort:
    def run(self, answer: Answer) -> None:
        answer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        answer.sock.close()
        raise Gone


def stream(
    *pieces: bytes, headers: Mapping[str, str | None] | None = None, framing: str = CHUNKED
) -> list[Step]:
    """The script of a complete event stream in these pieces."""
    length = sum(len(piece) for piece in pieces)
    return [
        Head(headers=headers or {}, framing=framing, length=length),
        *(Send(piece) for piece in pieces),
    ]


def reply(
    body: object, status: int = 200, headers: Mapping[str, str | None] | None = None
) -> list[Step]:
    """The script of a plain answer: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return [
        Head(status, {"content-type": "application/json", **(headers or {})}, LENGTH, len(content)),
        Send(content),
    ]


def until_read(sock: socket.socket) -> None:
    """Returns when the client, which has to be in this process, has read everything so far: what is
    sent next comes to it by itself.
    """
    end = time.monotonic() + PATIENCE
    client = _other_end(sock)
    while time.monotonic() < end:
        try:
            on_the_way = _queued(sock.fileno(), termios.TIOCOUTQ)
            if not on_the_way and not _queued(client, termios.FIONREAD):
                return
        except OSError:
            return  # the client has closed
        time.sleep(0)
    raise TimeoutError("the client does not read what the chunk server has sent")


def _other_end(sock: socket.socket) -> int:
    """The descriptor that the client has of a connection; -1 when it has closed."""
    names = sock.getpeername(), sock.getsockname()
    for fd in [int(path.name) for path in Path("/dev/fd").iterdir()]:
        with contextlib.suppress(OSError):
            other = socket.socket(fileno=fd)
            try:
                if (other.getsockname(), other.getpeername()) == names:
                    return fd
            finally:
                other.detach()
    return -1


def _queued(fd: int, request: int) -> int:
    """Bytes in a queue of a socket."""
    return int(struct.unpack("i", fcntl.ioctl(fd, request, b"\0" * 4))[0])


class ChunkServer:
    """See the top of the module."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts: Sequence[Script] = scripts or [[]]
        self.requests: list[Request] = []
        self.connections = 0
        self.open_connections = 0
        self.stopping = False
        self._changed = threading.Condition()
        self._errors: list[BaseException] = []
        self._awaited: set[threading.Event] = set()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        with self._changed:
            self.stopping = True
            for event in self._awaited:
                event.set()
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()  # wakes `accept`
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()
        if any(thread.is_alive() for thread in self._threads):
            self._errors.append(RuntimeError("a thread of the chunk server does not end"))
        if self._errors and error is None:
            raise self._errors[0]

    def wait_for(self, condition: Callable[[ChunkServer], bool]) -> None:
        """Returns when the condition holds; it is asked again whenever a count of the server
        changes.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), PATIENCE):
                counts = (
                    f"{self.connections} connections ({self.open_connections} open), "
                    f"{len(self.requests)} requests"
                )
                raise TimeoutError(
                    f"the chunk server does not come to what the test waits for: {counts}"
                )

    def wait_on(self, event: threading.Event) -> None:
        """Waits for an event of the test, also ended by the end of the server."""
        with self._changed:
            self._awaited.add(event)
            if self.stopping:
                raise Gone
        if not event.wait(PATIENCE):
            raise TimeoutError("a script of the chunk server waits for an event that nobody sets")
        if self.stopping:
            raise Gone

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            with self._changed:
                if self.stopping:
                    sock.close()
                    return
                self._sockets.add(sock)
                number = self.connections
                self.connections += 1
                self.open_connections += 1
                self._changed.notify_all()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            with sock.makefile("rb") as incoming:
                while request := _read(incoming, number):
                    self._answer(request, Answer(self, sock))
        except (Gone, ConnectionError):
            pass
        except BaseException as error:  # shown to the test by `__exit__`
            self._errors.append(error)
        finally:
            sock.close()
            with self._changed:
                self._sockets.discard(sock)
                self.open_connections -= 1
                self._changed.notify_all()

    def _answer(self, request: Request, answer: Answer) -> None:
        with self._changed:
            self.requests.append(request)
            script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
            self._changed.notify_all()
        for step in script(request) if callable(script) else script:
            step.run(answer)
        request.finished = True
        answer.finish()


def _read(incoming: Any, number: int) -> Request | None:
    """One request; `None` when the client has closed."""
    head = list(_lines(incoming))
    if not head:
        return None
    method, target, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:])
    }
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(incoming))
    else:
        body = incoming.read(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body, number)


def _lines(incoming: Any) -> Iterable[str]:
    while line := incoming.readline().decode("latin-1").rstrip("\r\n"):
        yield line


def _chunks(incoming: Any) -> Iterable[bytes]:
    while size := int(incoming.readline() or _gone(), 16):
        yield incoming.read(size)
        incoming.readline()
    incoming.readline()


def _gone() -> bytes:
    raise Gone
