"""The package of the stock templates of openapi-python-client and ours, from one description, each
in a process of its own.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from generator.compile.bundle import bundle
from tests.generator.tiny import SPEC

_LOOP = """
import json, sys
for line in sys.stdin:
    names = {}
    try:
        exec(json.loads(line), names)
        answer = {"value": names.get("result")}
    except BaseException as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    print(json.dumps(answer), flush=True)
"""


class Raised(Exception):
    """The code raised an error."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


def environment() -> dict[str, str]:
    """The environment of this process without proxies, which would stand between a client and the
    loopback server.
    """
    return {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }


class Interpreter:
    """A Python process that stands in a folder of packages and runs pieces of code, each with fresh
    names.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "-c", _LOOP]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, code: str) -> Any:
        """The value of `result` after the code has run; what it raises is raised as `Raised`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise Raised(answer["error"], answer["text"])
        return answer["value"]

    def close(self) -> None:
        self._process.communicate()


def run_fresh(folder: Path, code: str) -> Any:
    """The value of `result` after the code has run in a process that has imported nothing
    before.
    """
    code = f"import json\n{code}\nprint(json.dumps(result))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


class Seen(NamedTuple):
    """A request that the loopback server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def form_fields(self) -> list[str]:
        """Names of the fields of a form upload, as a server reads them."""
        parts = message_from_bytes(
            f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode() + self.body
        ).get_payload()
        assert isinstance(parts, list)
        return [str(part.get_param("name", header="content-disposition")) for part in parts]  # type: ignore[union-attr]


class Server:
    """Answers every request on loopback with the last answer that was set."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.url = ""
        self._answer: tuple[int, str, bytes] = (200, "application/json", b"{}")

    def answer(self, body: Any, *, status: int = 200, kind: str = "application/json") -> None:
        self._answer = (
            status,
            kind,
            body if isinstance(body, bytes) else json.dumps(body).encode(),
        )

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.seen.append(Seen(handler.command, handler.path, headers, handler.rfile.read(length)))
        status, kind, body = self._answer
        handler.send_response(status, "Answer")
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.handle(self)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def stock_document() -> dict[str, Any]:
    """The tiny description in the form that openapi-python-client reads, and four things that it
    loses in silence.
    """
    document = copy.deepcopy(bundle(SPEC).document)
    schemas, paths = document["components"]["schemas"], document["paths"]
    for node in schemas.values():
        if "x-known-values" in node:
            node["enum"] = list(node["x-known-values"])
    # An operationId given twice.
    paths["/v2/gadget"] = copy.deepcopy(paths["/v1/gadget"])
    # Values that differ only in a character that Python does not allow in a name.
    schemas["Colour"] = {"type": "string", "enum": ["dark_red", "dark-red"]}
    schemas["Gadget"]["properties"]["colour"] = {"$ref": "#/components/schemas/Colour"}
    # An operation with a default that does not fit, and one with a reference to another file.
    spoilt = copy.deepcopy(paths["/v1/gadgets"]["get"])
    spoilt["operationId"] = "gadgets_search"
    spoilt["parameters"][-1]["schema"]["default"] = "many"
    paths["/v1/gadgets/search"] = {"get": spoilt}
    linked = copy.deepcopy(paths["/v1/gadget"]["delete"])
    linked["operationId"] = "gadgets_clear"
    linked["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] = (
        "shared.yaml#/components/schemas/Envelope"
    )
    paths["/v1/gadgets/clear"] = {"delete": linked}
    # A status that the document does not speak of.
    del paths["/v1/runs/{run_id}"]["get"]["responses"]["default"]
    return document


class StockRun(NamedTuple):
    """What a run of the command line of openapi-python-client left."""

    folder: Path
    exit_code: int
    output: str


def generate_stock(folder: Path) -> StockRun:
    """Runs openapi-python-client with its own templates; the package is `stock`."""
    (folder / "openapi.json").write_text(json.dumps(stock_document()), encoding="utf-8")
    (folder / "config.json").write_text('{"post_hooks": []}', encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--meta",
        "none",
        "--path",
        str(folder / "openapi.json"),
    ]
    command += ["--config", str(folder / "config.json"), "--output-path", str(folder / "stock")]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**environment(), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
    return StockRun(folder, done.returncode, done.stdout + done.stderr)
