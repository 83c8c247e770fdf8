"""The table of `docs/errors.md`: each failure is brought about on every transport, while secrets
are in the address of the proxy, in the query, the headers and the bodies of request and response.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest

import cozekit
from coze_runtime._http.aiohttp_transport import AiohttpTransport
from cozekit import CozeError, Timeout
from tests.overlays.chunk_server import (
    CHUNKED,
    LENGTH,
    Abort,
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Raw,
    Script,
    Send,
    reply,
)
from tests.overlays.test_environment import environment
from tests.overlays.test_errors_everywhere import (
    TRANSPORTS,
    Failing,
    certificate,
    deaf,
    tls_front,
    unknown,
)
from tests.overlays.wire import CREATED, async_coze, coze

CANARY = "canary0secret"
HEADERS = {"x-tt-logid": None, "set-cookie": CANARY}
JSON = {**HEADERS, "content-type": "application/json"}
HTML = {**HEADERS, "content-type": "text/html"}
QUICK = Timeout(5, 0.05, 5, 5)


class Row(NamedTuple):
    kind: type[CozeError]
    sent: bool | None
    retryable: bool | None
    text: re.Pattern[str]


def rows() -> dict[str, Row]:
    text = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    flags = {"yes": True, "no": False, "": None}
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and hasattr(cozekit, cells[1]):
            pattern = ".*".join(re.escape(part) for part in cells[4].split("…"))
            row = Row(
                getattr(cozekit, cells[1]),
                flags[cells[2]],
                flags[cells[3]],
                re.compile(rf"^\S+: {pattern}(?: \(.*\))?$"),
            )
            found[cells[0]] = row
    return found


ROWS = rows()


class Setup(NamedTuple):
    """How to bring a failure about."""

    url: str
    settings: Mapping[str, Any] = MappingProxyType({})
    """For the client."""
    context: ssl.SSLContext | None = None
    """What the client trusts."""
    problem: Exception | None = None
    """What its transport raises."""


Scene = Callable[[ExitStack, Path, pytest.MonkeyPatch], Setup]


def answers(script: Script, **settings: Any) -> Scene:
    return lambda stack, *_: Setup(stack.enter_context(ChunkServer(script)).url, settings)


def of_proxy(script: Script, **settings: Any) -> Scene:
    def scene(stack: ExitStack, _: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
        proxy = stack.enter_context(ChunkServer(script))
        through(stack, proxy.url)
        return Setup("https://coze.test", settings)

    return scene


def through(stack: ExitStack, proxy: str) -> None:
    address = proxy.replace("http://", f"http://alice:{CANARY}@")
    stack.enter_context(environment(HTTPS_PROXY=address, HTTP_PROXY=address))


def unused_url() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def nobody(stack: ExitStack, *_: object) -> Setup:
    return Setup(unused_url())


def unknown_host(stack: ExitStack, _: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    return Setup("http://nonexistent.invalid")


def dead_proxy(stack: ExitStack, *_: object) -> Setup:
    through(stack, unused_url())
    return Setup("https://coze.test")


def tls(stack: ExitStack, files: tuple[Path, Path]) -> str:
    return stack.enter_context(tls_front(stack.enter_context(ChunkServer(reply({}))), files))


def untrusted(stack: ExitStack, folder: Path, _: object) -> Setup:
    return Setup(tls(stack, certificate(folder)))


def other_host(stack: ExitStack, folder: Path, _: object) -> Setup:
    files = certificate(folder)
    url = tls(stack, files).replace("127.0.0.1", "localhost")
    return Setup(url, context=ssl.create_default_context(cafile=str(files[0])))


def plain_port(stack: ExitStack, *_: object) -> Setup:
    return Setup(speaking(stack, b"HTTP/1.1 400 Bad Request\r\n\r\n"))


def hanging_up(stack: ExitStack, *_: object) -> Setup:
    return Setup(speaking(stack, b""))


def speaking(stack: ExitStack, answer: bytes) -> str:
    """An https URL of a server that answers the TLS handshake with these bytes and hangs up."""
    import threading

    listener = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    stack.callback(thread.join, 30)
    return f"https://127.0.0.1:{listener.getsockname()[1]}"


def raising(problem: Exception) -> Scene:
    return lambda *_: Setup("http://coze.test", problem=problem)


BEGUN: list[Any] = [Head(200, HEADERS), Send(CREATED)]
PAGE = b"<html><head><style>x</style></head><body><h1>%b</h1></body></html>"
MOVED = f"https://{CANARY}:{CANARY}@login.test/sign-in?code={CANARY}"
SCENES: dict[str, Scene] = {
    "nobody listens": nobody,
    "the host name is unknown": unknown_host,
    "connecting takes too long": lambda stack, *_: Setup(
        stack.enter_context(deaf()), {"timeout": Timeout(0.05, 5, 5, 5)}
    ),
    "no connection becomes free": raising(httpx.PoolTimeout(CANARY)),
    "the certificate is not trusted": untrusted,
    "the certificate is for another host": other_host,
    "TLS is spoken to a plain port": plain_port,
    "the server hangs up during the TLS handshake": hanging_up,
    "the proxy is dead": dead_proxy,
    "the proxy refuses the password": of_proxy([Head(407, {**HEADERS}, LENGTH, 0)]),
    "the proxy refuses the host": of_proxy([Head(403, {**HEADERS}, LENGTH, 0)]),
    "the proxy cannot reach the host": of_proxy([Head(502, {**HEADERS}, LENGTH, 0)]),
    "the proxy hangs up": of_proxy([Close()]),
    "the proxy is silent": of_proxy([KeepOpen()], timeout=QUICK),
    "the server hangs up without an answer": answers([Close()]),
    "the server resets the connection": answers([Abort()]),
    "the answer is not HTTP": answers([Raw(b'{"data": "%b"}\r\n\r\n' % CANARY.encode()), Close()]),
    "the answer is cut": answers([Head(200, JSON, LENGTH, 999), Send(CANARY.encode()), Close()]),
    "the answer is cut within a chunk": answers(
        [Head(200, JSON, CHUNKED), Raw(b"40\r\n" + CANARY.encode()), Close()]
    ),
    "the answer does not come": answers([KeepOpen()], timeout=QUICK),
    "the answer cannot be decompressed": answers(
        [Head(200, {**JSON, "content-encoding": "gzip"}, LENGTH, 13), Send(CANARY.encode())]
    ),
    "a hook or transport of the caller fails": raising(KeyError(CANARY)),
    "a web page instead of JSON": answers(reply(PAGE % b"Welcome to the portal", 200, HTML)),
    "a web page with HTTP 404": answers(reply(PAGE % b"Not Found", 404, HTML)),
    "a web page of a gateway": answers(reply(PAGE % b"Bad Gateway", 502, HTML)),
    "a redirect": answers(reply(b"", 302, {**JSON, "location": MOVED})),
    "an answer that is not JSON": answers(
        reply(b'{"code": 0, "data": "%b' % CANARY.encode(), 200, JSON)
    ),
    "an error of the API without a log id": answers(
        reply({"code": 4000, "msg": "bad field", "data": CANARY}, 200, JSON)
    ),
    "the server dies in a stream": answers([*BEGUN, Raw(b"40\r\n" + CANARY.encode()), Close()]),
    "a stream falls silent": answers([*BEGUN, KeepOpen()], timeout=Timeout(5, 0.3, 5, 5)),
}
on_every_transport = pytest.mark.parametrize(
    ("anyio_backend", "transport"), TRANSPORTS, ids=["sync", "httpx", "aiohttp", "trio"]
)


def test_the_table_has_every_failure_and_each_of_its_rows_is_tested() -> None:
    assert list(ROWS) == list(SCENES)


def own_client(setup: Setup, transport: str | None) -> dict[str, Any]:
    """The setting that lets a client trust a certificate, or fail as its transport does."""
    if setup.problem is not None:
        return {"transport": Failing(setup.problem)}
    if setup.context is None:
        return {"transport": transport} if transport else {}
    if transport == "aiohttp":
        return {"transport": AiohttpTransport(tls=setup.context)}
    kind = httpx.AsyncHTTPTransport if transport else httpx.HTTPTransport
    return {"transport": kind(verify=setup.context)}


# httpx leaves its own generators half-read when it cannot decompress; trio warns of that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@on_every_transport
@pytest.mark.parametrize("failure", SCENES)
async def test_a_failure_is_told_as_the_table_says_and_shows_no_secret(
    failure: str,
    transport: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    ask: dict[str, Any] = {
        "bot_id": "b1",
        "user_id": CANARY,
        "extra_query": {"q": CANARY},
        "extra_headers": {"x-canary-token": CANARY},
    }
    with ExitStack() as stack, pytest.raises(CozeError) as caught:
        stack.enter_context(environment())
        setup = SCENES[failure](stack, tmp_path, monkeypatch)
        settings = {"max_retries": 0, **setup.settings, **own_client(setup, transport)}
        if transport is None:
            with coze(setup.url, **settings) as client:
                if "stream" in failure:
                    client.chat.stream(**ask).until_done()
                client.chat.create(**ask)
        else:
            async with async_coze(setup.url, **settings) as other:
                if "stream" in failure:
                    await other.chat.stream(**ask).until_done()
                await other.chat.create(**ask)
    error, row = caught.value, ROWS[failure]
    assert type(error) is row.kind, repr(error)
    assert row.text.match(str(error)), str(error)
    assert getattr(error, "sent", None) is row.sent
    assert getattr(error, "retryable", None) is row.retryable
    assert "()" not in str(error)
    assert "None" not in str(error)
    assert CANARY not in f"{error!s}{error!r}{error.request!r}"
    logged = "\n".join(f"{record.name}: {record.getMessage()}" for record in caplog.records)
    assert CANARY not in logged
