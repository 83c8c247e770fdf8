"""An HTTP server on loopback that answers what a test tells it, and keeps what it received."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl


class Received(NamedTuple):
    """A request as it came over the socket."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        """The path as it was sent, still quoted."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(
            self.target.partition("?")[2],
            keep_blank_values=True,
            strict_parsing=bool(self.target.partition("?")[2]),
        )

    def json(self) -> Any:
        return json.loads(self.body)


class Reply(NamedTuple):
    """What to answer. `headers` replace the defaults of the same name; a `None` leaves the default
    out.
    """

    body: bytes = b'{"code":0,"msg":""}'
    status: int = 200
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = MappingProxyType({})
    chunks: Iterable[bytes] | None = None
    """Pieces to send one by one in chunked encoding, in place of `body`."""


def json_reply(data: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON answer; `x_tt_logid="…"` becomes the header `x-tt-logid`."""
    body = json.dumps(data, ensure_ascii=False).encode()
    return Reply(
        body, status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


Answer = Callable[[Received], Reply]


class LoopbackServer:
    """Runs in threads of this process from `__enter__` to `__exit__`; safe to share by a whole
    session.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answer: Answer = lambda _: Reply()
        self._received: list[Received] = []
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, *replies: Reply | Answer) -> None:
        """Answers with these, one request after the other; the last one also answers all later
        requests.
        """
        with self._lock:
            queue = list(replies)

            def next_reply(request: Received) -> Reply:
                with self._lock:
                    reply = queue.pop(0) if len(queue) > 1 else queue[0]
                return reply if isinstance(reply, Reply) else reply(request)

            self._answer = next_reply

    @property
    def received(self) -> list[Received]:
        with self._lock:
            return list(self._received)

    def only_request(self) -> Received:
        """The one request since the last call of this method or of `reset`."""
        with self._lock:
            received, self._received = self._received, []
        assert len(received) == 1, (
            f"{len(received)} requests came: {[(r.method, r.target) for r in received]}"
        )
        return received[0]

    def reset(self) -> None:
        with self._lock:
            self._received = []
            self._answer = lambda _: Reply()

    def handle(self, request: Received) -> Reply:
        with self._lock:
            self._received.append(request)
            answer = self._answer
        return answer(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: LoopbackServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet for head and body: with two, each answer waits 40 ms for a delayed acknowledgement.
    wbufsize = 65536
    disable_nagle_algorithm = True
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self._read_body()
        self._send(self.server.owner.handle(Received(self.command, self.path, self.headers, body)))
        self.wfile.flush()

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, reply: Reply) -> None:
        headers = dict(reply.headers)
        if reply.content_type is not None:
            headers.setdefault("content-type", reply.content_type)
        if reply.chunks is None:
            headers.setdefault("content-length", str(len(reply.body)))
        else:
            headers["transfer-encoding"] = "chunked"
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.chunks is None:
            self.wfile.write(reply.body)
            return
        for chunk in reply.chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
