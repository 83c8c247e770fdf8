"""Timeouts, proxies, keep-alive probes and the choice of the transport; what both async transports
have in common.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest

from coze_runtime._http.clients import wants_aiohttp
from coze_runtime._http.environment import environment_proxies
from cozekit import (
    DEFAULT,
    APIConnectionError,
    APIError,
    ArgumentError,
    AsyncCoze,
    Coze,
    CozeError,
    Timeout,
)
from tests.overlays.chunk_server import (
    LENGTH,
    Answer,
    ChunkServer,
    Gone,
    Head,
    KeepOpen,
    Raw,
    Request,
    Send,
    Signal,
    Step,
    Wait,
    reply,
    stream,
)
from tests.overlays.test_errors_everywhere import certificate, tls_front
from tests.overlays.wire import ASK, BOT, CHAT, TOKEN, async_coze, coze, each_transport


class Recorder(httpx.BaseTransport):
    def __init__(self) -> None:
        self.timeouts: list[dict[str, float | None]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.timeouts.append(request.extensions["timeout"])
        return httpx.Response(200, json=BOT)


def limits(
    connect: float | None, read: float | None, write: float | None, pool: float | None
) -> dict[str, float | None]:
    return {"connect": connect, "read": read, "write": write, "pool": pool}


NEVER = limits(None, None, None, None)
OWN = Timeout(1, 2, 3, 4)
# Of the client, of the call → what a quick call gets, what a chat gets.
TIMEOUTS: list[tuple[Any, Any, dict[str, float | None], dict[str, float | None]]] = [
    (DEFAULT, DEFAULT, limits(5, 60, 60, 60), limits(5, 600, 60, 60)),
    (7, DEFAULT, limits(5, 7, 7, 7), limits(5, 7, 7, 7)),
    (2.5, DEFAULT, limits(2.5, 2.5, 2.5, 2.5), limits(2.5, 2.5, 2.5, 2.5)),
    (OWN, DEFAULT, limits(1, 2, 3, 4), limits(1, 2, 3, 4)),
    (None, DEFAULT, NEVER, NEVER),
    (7, 9, limits(5, 9, 9, 9), limits(5, 9, 9, 9)),
    (7, OWN, limits(1, 2, 3, 4), limits(1, 2, 3, 4)),
    (7, None, NEVER, NEVER),
    (None, 7, limits(5, 7, 7, 7), limits(5, 7, 7, 7)),
    (Timeout(read=None), DEFAULT, limits(5, None, 60, 60), limits(5, None, 60, 60)),
]


@pytest.mark.parametrize(("of_client", "of_call", "quick", "slow"), TIMEOUTS)
def test_timeouts_are_set_per_client_and_per_call(
    of_client: Any, of_call: Any, quick: Any, slow: Any
) -> None:
    seen = Recorder()
    with Coze(TOKEN, timeout=of_client, transport=seen) as client:
        client.bots.retrieve("b1", timeout=of_call)
        with suppress(CozeError):
            client.chat.create(**ASK, timeout=of_call)
        assert seen.timeouts == [quick, slow]
        seen.timeouts.clear()
        client.with_options(timeout=of_call).bots.retrieve("b1")
    assert seen.timeouts == [quick]


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), "5", True, Timeout(read=0)])
def test_a_timeout_that_would_let_no_call_succeed_is_refused(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="timeout"):
        Coze(TOKEN, timeout=wrong)
    client = Coze(TOKEN)
    with pytest.raises(ArgumentError, match="timeout"):
        client.with_options(timeout=wrong)
    with pytest.raises(ArgumentError, match="timeout"):
        client.bots.retrieve("b1", timeout=wrong)


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def probes_of(stream: Any) -> tuple[int, ...]:
    sock = stream._opened.http_response.extensions["network_stream"].get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *(
        sock.getsockopt(socket.IPPROTO_TCP, name) for name in names
    )


@each_transport
@pytest.mark.parametrize("through", ["directly", "a proxy"])
async def test_the_system_probes_silent_connections_and_proxies_of_the_environment_count_too(
    through: str, transport: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChunkServer([Head(), Send(CHAT[0]), KeepOpen()]) as server:
        url = server.url
        if through == "a proxy":
            monkeypatch.setenv(
                "HTTP_PROXY", server.url.replace("http://", "http://user:pass%20word@")
            )
            url = "http://coze.test:8080/base"
        with coze(url) as client, client.chat.stream(**ASK) as sync:
            assert probes_of(sync) == (1, 60, 30, 5)
        async with async_coze(url, transport) as other, other.chat.stream(**ASK) as parallel:
            assert probes_of(parallel) == (1, 60, 30, 5)
    for request in server.requests:
        if through == "a proxy":
            assert request.target == "http://coze.test:8080/base/v3/chat"
            assert request.headers["host"] == "coze.test:8080"
            assert request.headers["proxy-authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="
        assert request.headers["authorization"] == f"Bearer {TOKEN}"


@each_transport
async def test_hosts_of_no_proxy_are_reached_directly(
    transport: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "other.example,127.0.0.1")
    with ChunkServer(reply(BOT)) as server:
        with coze(server) as client:
            client.bots.retrieve("b1")
        async with async_coze(server, transport) as other:
            await other.bots.retrieve("b1")
    assert [request.target for request in server.requests] == ["/v1/bots/b1"] * 2


@each_transport
async def test_a_client_of_the_callers_keeps_its_own_proxies(
    transport: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with (
        ChunkServer(reply(BOT)) as server,
        httpx.Client(trust_env=False, headers={"x-own": "1"}) as own,
    ):
        coze(server, http_client=own).bots.retrieve("b1")
        async with httpx.AsyncClient(trust_env=False, headers={"x-own": "1"}) as parallel:
            await async_coze(server, http_client=parallel).bots.retrieve("b1")
    assert [request.headers["x-own"] for request in server.requests] == ["1", "1"]


async def test_a_client_of_the_callers_keeps_its_own_headers_parameters_and_cookies(
    no_proxies: None,
) -> None:
    """Beside those of the call, and whatever `Coze` itself sends."""
    own: dict[str, Any] = {
        "headers": {"x-own": "1"},
        "params": {"own": "2"},
        "cookies": {"own": "3"},
        "trust_env": False,
    }
    with ChunkServer(reply(BOT)) as server:
        with httpx.Client(**own) as http_client:
            coze(server, http_client=http_client).bots.retrieve("b1")
            coze(server, http_client=http_client).chat.create(**ASK)
            coze(server, http_client=http_client).bots.retrieve(
                "b1", extra_query={"a": "x,y z", "b": ["1", "2"]}
            )
        async with httpx.AsyncClient(**own) as parallel:
            await async_coze(server, http_client=parallel).bots.retrieve("b1")
            await async_coze(server, http_client=parallel).chat.create(**ASK)
            await async_coze(server, http_client=parallel).bots.retrieve(
                "b1", extra_query={"a": "x,y z", "b": ["1", "2"]}
            )
    asked = [
        (urlsplit(request.target).path, parse_qs(urlsplit(request.target).query))
        for request in server.requests
    ]
    own_only = {"own": ["2"]}
    assert (
        asked
        == [
            ("/v1/bots/b1", own_only),
            ("/v3/chat", own_only),
            ("/v1/bots/b1", {**own_only, "a": ["x,y z"], "b": ["1", "2"]}),
        ]
        * 2
    )
    for request in server.requests:
        assert (request.headers["x-own"], request.headers["cookie"]) == ("1", "own=3")
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert "gzip" in request.headers["accept-encoding"]


PROXIES: dict[str, tuple[dict[str, str], dict[str, str | None]]] = {
    "none": ({}, {}),
    "one for each scheme": (
        {"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"},
        {"http://": "http://a:1", "https://": "http://b:2"},
    ),
    "without a scheme": ({"ALL_PROXY": "a:1"}, {"all://": "http://a:1"}),
    "small letters win": (
        {"http_proxy": "http://a:1", "HTTP_PROXY": "http://b:2"},
        {"http://": "http://a:1"},
    ),
    "exceptions": (
        {
            "ALL_PROXY": "http://a:1",
            "NO_PROXY": "localhost, .example.com,10.0.0.1,::1,http://x.test",
        },
        {
            "all://": "http://a:1",
            "all://localhost": None,
            "all://*.example.com": None,
            "all://10.0.0.1": None,
            "all://[::1]": None,
            "http://x.test": None,
        },
    ),
    "nothing at all": ({"ALL_PROXY": "http://a:1", "NO_PROXY": "*"}, {}),
}


@pytest.mark.parametrize(("variables", "expected"), PROXIES.values(), ids=PROXIES)
def test_proxy_variables_are_read_as_the_http_library_reads_them(
    variables: dict[str, str],
    expected: dict[str, str | None],
    no_proxies: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from httpx._utils import get_environment_proxies

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxies() == expected == get_environment_proxies()


# Address of a proxy → why it cannot be used.
UNUSABLE = {
    "socks5://127.0.0.1:9": "SOCKS needs the package socksio",
    "ftp://127.0.0.1:9": "must be a URL with a host and http, https, socks5 or socks5h",
    "http://alice:s3cret@127.0.0.1:port": "must be a URL with a host",
    "http://": "must be a URL with a host",
}


@each_transport
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_a_proxy_that_cannot_be_used_is_refused_alike_and_named_by_its_variable(
    variable: str, transport: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, reason in UNUSABLE.items():
        monkeypatch.setenv(variable, address)
        text = f"the proxy of {variable} cannot be used: .*{reason}"
        with coze("http://coze.test") as client, pytest.raises(ArgumentError, match=text) as sync:
            client.bots.retrieve("b1")
        async with async_coze("http://coze.test", transport) as other:
            with pytest.raises(ArgumentError, match=text) as parallel:
                await other.bots.retrieve("b1")
        assert sync.value.argument == parallel.value.argument == variable
        assert "s3cret" not in f"{sync.value!r}{parallel.value!r}"


class Tunnel:
    """The answer of a proxy to CONNECT: everything goes to a port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    def run(self, answer: Answer) -> None:
        answer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.port)) as there:
            back = threading.Thread(target=_pump, args=(there, answer.sock))
            back.start()
            _pump(answer.sock, there)
            back.join(30)
        raise Gone


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for sock in (source, target):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


SECURE = """
    import asyncio, socket, sys
    from cozekit import AsyncCoze, Coze
    url, ask = sys.argv[1], {"bot_id": "b1", "user_id": "u1"}
    def check(stream):
        sock = stream._opened.http_response.extensions["network_stream"].get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    with Coze("t", base_url=url) as client:
        with client.chat.stream(**ask) as stream:
            check(stream)
            assert stream.until_done().answer == "Hello"
        stream = client.chat.stream(**ask)
        next(iter(stream)); stream.close()
    async def main(transport):
        async with AsyncCoze("t", base_url=url, transport=transport) as other:
            async with other.chat.stream(**ask) as stream:
                if transport == "httpx":    # aiohttp may have the whole answer by now, and shows no connection then
                    check(stream)
                assert (await stream.until_done()).answer == "Hello"
            async for _ in other.chat.stream(**ask):
                break
    asyncio.run(main("httpx")); asyncio.run(main("aiohttp"))
"""  # noqa: E501


@contextmanager
def secure(folder: Path) -> Iterator[tuple[ChunkServer, str, dict[str, str]]]:
    """A server behind TLS, its address, and the variable that makes its certificate known."""
    files = certificate(folder)
    with ChunkServer(stream(*CHAT)) as server, tls_front(server, files) as url:
        yield server, url, {"SSL_CERT_FILE": str(files[0])}


def program(text: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(text), *arguments]
    import os

    clean = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**clean, **variables}
    )


def test_streams_work_over_tls_on_every_transport(tmp_path: Path) -> None:
    with secure(tmp_path) as (server, url, variables):
        done = program(SECURE, url, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(server.requests) == 6


HALF_READ = """
    import asyncio, logging, sys
    from cozekit import AsyncCoze
    logging.getLogger("asyncio").setLevel(logging.ERROR)    # on a busy machine it tells of slow steps

    async def main():
        async with AsyncCoze("t", base_url=sys.argv[1], transport=sys.argv[2]) as client:
            async with client.chat.stream(bot_id="b1", user_id="u1") as opened:
                print((await anext(opened)).event)

    asyncio.run(main())
"""  # noqa: E501


@contextmanager
def impolite(files: tuple[Path, Path]) -> Iterator[str]:
    """The address of a TLS server that sends the beginning of a stream, and never answers when its
    client takes leave.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    over = threading.Event()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"

    def serve(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        with plain, context.wrap_socket(plain, server_side=True) as sock:
            sock.recv(65536)
            sock.sendall(head + CHAT[0])
            over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join(60)


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_a_stream_over_tls_that_is_left_half_read_leaves_no_connection_behind(
    transport: str, tmp_path: Path
) -> None:
    files = certificate(tmp_path)
    with impolite(files) as url:
        done = program(HALF_READ, url, transport, SSL_CERT_FILE=str(files[0]), PYTHONDEVMODE="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "conversation.chat.created\n", "")


SHARED = """
    import asyncio, ssl, sys, warnings
    import httpx
    warnings.simplefilter("ignore", ResourceWarning)    # how connections end is the matter of other tests
    made, make, used = [], httpx.create_ssl_context, []
    httpx.create_ssl_context = lambda *args, **named: made.append(1) or make(*args, **named)
    for name in ("wrap_bio", "wrap_socket"):
        def wrap(self, *args, wrapped=getattr(ssl.SSLContext, name), **named):
            used.append(self)
            return wrapped(self, *args, **named)
        setattr(ssl.SSLContext, name, wrap)
    import coze_openapi
    from cozekit import AsyncCoze, Coze

    async def main(*clients):
        for client in clients:
            async with client:
                assert (await client.bots.retrieve("b1")).name == "Otter"

    url = sys.argv[1]
    assert not made
    for client in (Coze("t", base_url=url), Coze("t", base_url=url), coze_openapi.Client("t", base_url=url)):
        with client:
            assert client.bots.retrieve("b1").name == "Otter"
    for transport in ("httpx", "aiohttp"):
        asyncio.run(main(*(AsyncCoze("t", base_url=url, transport=transport) for _ in range(2))))
    asyncio.run(main(coze_openapi.AsyncClient("t", base_url=url)))
    assert len(used) == 8
    assert len({id(context) for context in used}) == 1, used
    assert len(made) == 1, made
"""  # noqa: E501


def test_all_clients_of_a_process_share_one_tls_context(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with ChunkServer(reply(BOT)) as server, tls_front(server, files) as url:
        done = program(SHARED, url, SSL_CERT_FILE=str(files[0]))
    assert (done.returncode, done.stderr) == (0, "")
    assert server.connections == 8


def test_streams_work_over_tls_through_a_proxy_on_every_transport(tmp_path: Path) -> None:
    with secure(tmp_path) as (server, url, variables):
        port = int(url.rpartition(":")[2])

        def connect(_: Request) -> list[Step]:
            return [Tunnel(port)]

        with ChunkServer(connect) as proxy:
            done = program(SECURE, url, HTTPS_PROXY=proxy.url, **variables)
            assert (done.returncode, done.stderr) == (0, "")
            assert {(request.method, request.target) for request in proxy.requests} == {
                ("CONNECT", f"127.0.0.1:{port}")
            }
        assert len(server.requests) == 6


@each_transport
async def test_a_proxy_that_refuses_the_tunnel_is_an_error_of_an_unsent_request(
    transport: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChunkServer([Head(407, {"content-type": None}, LENGTH, 0)]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            coze("https://coze.test", max_retries=0) as client,
            pytest.raises(APIConnectionError) as sync,
        ):
            client.chat.create(**ASK)
        async with async_coze("https://coze.test", transport, max_retries=0) as other:
            with pytest.raises(APIConnectionError) as parallel:
                await other.chat.create(**ASK)
    assert (sync.value.sent, parallel.value.sent) == (False, False)
    assert all("authorization" not in request.headers for request in proxy.requests), (
        "the token is for the tunnel alone"
    )


def name_of(client: AsyncCoze) -> str:
    return type(client._connections.get()._transport).__name__


async def test_aiohttp_carries_the_bytes_only_when_it_is_asked_for(anyio_backend: str) -> None:
    for default in (None, "httpx"):
        async with AsyncCoze(TOKEN, transport=default) as client:  # type: ignore[arg-type]
            assert name_of(client) == "AsyncHTTPTransport"
    async with AsyncCoze(TOKEN, transport="aiohttp") as client:
        if anyio_backend == "asyncio":
            assert name_of(client) == "AiohttpTransport"
        else:
            with pytest.raises(ArgumentError, match="needs asyncio"):
                await client.bots.retrieve("b1")
    own = httpx.AsyncHTTPTransport()
    async with AsyncCoze(TOKEN, transport=own) as client:
        assert client._connections.get()._transport is own
    async with (
        httpx.AsyncClient() as http_client,
        AsyncCoze(TOKEN, http_client=http_client) as client,
    ):
        assert client._connections.get() is http_client


async def test_a_transport_that_nobody_knows_is_refused() -> None:
    async with AsyncCoze(TOKEN, transport="requests") as client:  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="'httpx', 'aiohttp'"):
            await client.bots.retrieve("b1")


BARE = """
    import asyncio, sys
    sys.modules["aiohttp"] = None
    from cozekit import ArgumentError, AsyncCoze
    async def main():
        async with AsyncCoze("t", base_url=sys.argv[1]) as client:
            assert (await client.bots.retrieve("b1")).name == "Otter"
        async with AsyncCoze("t", base_url=sys.argv[1], transport="aiohttp") as client:
            try:
                await client.bots.retrieve("b1")
            except ArgumentError as error:
                assert "cozekit[fast]" in str(error)
            else:
                raise AssertionError
    asyncio.run(main())
"""


def test_without_aiohttp_everything_works_on_httpx() -> None:
    with ChunkServer(reply(BOT)) as server:
        done = program(BARE, server.url)
    assert (done.returncode, done.stderr) == (0, "")


@each_transport
async def test_a_path_stays_quoted_as_it_is_and_queries_keep_their_text(transport: str) -> None:
    with ChunkServer(reply(BOT)) as server:
        async with async_coze(server, transport) as client:
            await client.bots.retrieve(
                "a/b 线?#%", extra_query={"q": "线 &+%2F/:@", "list": ["a", "b"]}
            )
        with coze(server) as sync:
            sync.bots.retrieve("a/b 线?#%", extra_query={"q": "线 &+%2F/:@", "list": ["a", "b"]})
    assert server.requests[0].target == server.requests[1].target
    assert server.requests[0].target.startswith("/v1/bots/a%2Fb%20%E7%BA%BF%3F%23%25?")


@each_transport
async def test_both_transports_send_the_same_headers(transport: str) -> None:
    with ChunkServer(reply(BOT)) as server:
        async with async_coze(server, transport) as client:
            await client.bots.retrieve("b1")
            await client.chat.create(**ASK, extra_headers={"x-note": "a"})
            with suppress(APIError, CozeError):
                await client.files.upload(file=("a.png", b"x"))
        with coze(server) as sync:
            sync.bots.retrieve("b1")
            sync.chat.create(**ASK, extra_headers={"x-note": "a"})
            with suppress(APIError, CozeError):
                sync.files.upload(file=("a.png", b"x"))

    def plain(request: Request) -> dict[str, str]:
        return {
            **request.headers,
            "content-type": request.headers.get("content-type", "").partition("boundary")[0],
        }

    assert [plain(request) for request in server.requests[:3]] == [
        plain(request) for request in server.requests[3:]
    ]
    assert "gzip" in server.requests[0].headers["accept-encoding"]


@each_transport
async def test_compressed_answers_are_decompressed_once(transport: str) -> None:
    import json

    body = gzip.compress(json.dumps(BOT).encode())
    events = gzip.compress(b"".join(CHAT))
    packed = {"content-encoding": "gzip"}
    with ChunkServer(
        reply(body, 200, packed), stream(events[:40], events[40:], headers=packed)
    ) as server:
        async with async_coze(server, transport) as client:
            assert (await client.bots.retrieve("b1")).name == "Otter"
            assert (await client.chat.stream(**ASK).until_done()).answer == "Hello"


@each_transport
async def test_redirects_are_not_followed_and_cookies_do_not_stick(transport: str) -> None:
    with ChunkServer(
        reply(b"", 302, {"location": "/elsewhere", "set-cookie": "a=b"}), reply(BOT)
    ) as server:
        async with async_coze(server, transport) as client:
            with pytest.raises(APIError):
                await client.bots.retrieve("b1")
            await client.bots.retrieve("b1")
    assert [request.target for request in server.requests] == ["/v1/bots/b1"] * 2


@each_transport
async def test_an_answer_of_twenty_megabytes_and_long_headers_come_whole(transport: str) -> None:
    name = "x" * 20_000_000
    headers = {"x-long": "y" * 30_000}
    with ChunkServer(
        reply({"code": 0, "data": {"bot_id": "b", "name": name}}, 200, headers)
    ) as server:
        async with async_coze(server, transport) as client:
            answer = await client.with_raw_response(client.bots.retrieve)("b1")
    assert answer.parsed.name == name
    assert len(answer.headers["x-long"]) == 30_000


@each_transport
async def test_a_hundred_calls_at_once_share_few_connections_afterwards(transport: str) -> None:
    with ChunkServer(reply(BOT)) as server:
        async with async_coze(server, transport) as client:
            async with anyio.create_task_group() as group:
                for number in range(100):
                    group.start_soon(client.bots.retrieve, f"b{number}")
            used = server.connections
            assert used <= 100
            for _ in range(5):
                await client.bots.retrieve("b1")
            assert server.connections == used
    assert len(server.requests) == 105


@each_transport
async def test_cancelling_a_call_gives_its_connection_back_and_the_next_call_works(
    transport: str,
) -> None:
    asked = threading.Event()
    with ChunkServer([Signal(asked), KeepOpen()], reply(BOT)) as server:
        async with async_coze(server, transport, timeout=30) as client:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(client.bots.retrieve, "b1")
                    await anyio.to_thread.run_sync(asked.wait, 30)
                    scope.cancel()
            assert (await client.bots.retrieve("b1")).name == "Otter"
            await anyio.to_thread.run_sync(server.wait_for, lambda it: it.open_connections == 1)


@each_transport
async def test_a_server_that_hangs_up_between_calls_costs_nothing(transport: str) -> None:
    with ChunkServer([*reply(BOT), Send(b""), Raw(b"")], reply(BOT)) as server:
        async with async_coze(server, transport, max_retries=0) as client:
            await client.chat.create(**ASK)
            for sock in list(server._sockets):
                sock.shutdown(socket.SHUT_RDWR)
            await anyio.to_thread.run_sync(server.wait_for, lambda it: it.open_connections == 0)
            await client.chat.create(**ASK)
    assert server.connections == 2


@each_transport
async def test_a_cookie_of_an_answer_is_not_sent_with_the_next_call(transport: str) -> None:
    with ChunkServer(reply(BOT, 200, {"set-cookie": "session=1; Path=/"})) as server:
        url = server.url.replace("127.0.0.1", "localhost")  # some jars take no cookies of numbers
        with coze(url) as client:
            for _ in range(2):
                client.bots.retrieve("b1")
        async with async_coze(url, transport) as other:
            for _ in range(2):
                await other.bots.retrieve("b1")
    assert [request.headers.get("cookie") for request in server.requests] == [None] * 4


@each_transport
async def test_the_write_timeout_is_over_with_the_last_piece(transport: str) -> None:
    go = threading.Event()
    with ChunkServer([Wait(go), *reply({"code": 0, "data": {"id": "f1"}})]) as server:
        async with async_coze(
            server, transport, timeout=Timeout(5, 30, 0.1, 5), max_retries=0
        ) as client:
            late = threading.Timer(0.3, go.set)
            late.start()
            assert (await client.files.upload(file=("a.png", bytes(1000)))).id == "f1"
            late.join()


@each_transport
async def test_a_connection_that_was_closed_while_the_loop_was_busy_is_not_used(
    transport: str,
) -> None:
    with ChunkServer(reply(BOT)) as server:
        async with async_coze(server, transport, max_retries=0) as client:
            await client.chat.create(**ASK)
            for sock in list(server._sockets):
                sock.shutdown(socket.SHUT_RDWR)
            server.wait_for(
                lambda it: it.open_connections == 0
            )  # in the loop, which learns of nothing meanwhile
            await client.chat.create(**ASK)
    assert server.connections == 2


@pytest.mark.parametrize("version", ["3.13.5", "3.9.0", "2.3.10"])
def test_an_aiohttp_that_is_too_old_is_refused(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not wants_aiohttp(None)
    monkeypatch.setattr("aiohttp.__version__", version)
    with pytest.raises(ArgumentError, match=r"needs aiohttp 3\.14 or newer"):
        wants_aiohttp("aiohttp")
    monkeypatch.setattr("aiohttp.__version__", "4.0.0a1")
    assert wants_aiohttp("aiohttp")


def test_a_client_or_transport_of_the_wrong_kind_is_refused_by_the_constructor() -> None:
    own, other = httpx.Client(), httpx.AsyncClient()
    with own, pytest.raises(ArgumentError, match=r"must be an httpx\.AsyncClient"):
        AsyncCoze(TOKEN, http_client=own)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"must be an httpx\.Client, not httpx\.AsyncClient"):
        Coze(TOKEN, http_client=other)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="handle_request"):
        Coze(TOKEN, transport=httpx.AsyncHTTPTransport())  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="handle_async_request"):
        AsyncCoze(TOKEN, transport=httpx.HTTPTransport())  # type: ignore[arg-type]


@pytest.mark.parametrize("url", [5, None, "", "https://api.coze.cn?x=1", "https://api.coze.cn#x"])
def test_a_base_url_that_is_none_is_refused(url: Any) -> None:
    with pytest.raises(ArgumentError, match="is not an http or https URL"):
        Coze(TOKEN, base_url="https://api.coze.cn").with_base_url(url)
