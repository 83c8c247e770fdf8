"""A callback server with prepared answers, which keeps the requests that it gets."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

Answer = tuple[int, bytes]


class ReceivedRequest(NamedTuple):
    """One request."""

    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class CallbackServer:
    """Answers with what `answers` holds, one for each request; then challenges with themselves and
    all else with `{}`.
    """

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []
        self.answers: deque[Answer | Callable[[], Answer]] = deque()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = ReceivedRequest(
                    {name.lower(): value for name, value in self.headers.items()}, body
                )
                listener.requests.append(request)
                status, content = listener.answer(request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                return

        return Handler

    def answer(self, request: ReceivedRequest) -> Answer:
        if self.answers:
            found = self.answers.popleft()
            return found() if callable(found) else found
        if request.data["header"]["event_type"] == "url_verification":
            return 200, json.dumps(request.data["event"]).encode()
        return 200, b"{}"

    def events(self, event_type: str) -> list[ReceivedRequest]:
        return [
            request
            for request in self.requests
            if request.data["header"]["event_type"] == event_type
        ]

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
