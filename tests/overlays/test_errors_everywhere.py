"""Every way to fail × every way to call: the same typed error, whatever the call returns when it
goes well.
"""

from __future__ import annotations

import copy
import pickle
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from coze_runtime._http.aiohttp_transport import AiohttpTransport
from cozekit import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ArgumentError,
    AuthenticationError,
    ConflictError,
    CozeError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ResponseError,
    ServerError,
    Timeout,
    TokenExpiredError,
)
from tests.each import each
from tests.overlays.chunk_server import (
    CLOSE,
    LENGTH,
    LOGID,
    Abort,
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Raw,
    Script,
    Send,
    Step,
    reply,
)
from tests.overlays.either import client as client_of
from tests.overlays.either import each_kind
from tests.overlays.wire import ASK, BOT, TOKEN, async_coze, coze

UPLOAD = ("picture.png", bytes(range(256)) * 40)
SPEECH = {"input": "hi", "voice_id": "v1"}


def all_of(found: Any) -> Any:
    return list(found)


async def all_of_async(found: Any) -> Any:
    return [item async for item in found]


async def read_async(opened: Any) -> Any:
    async with opened as body:
        return [piece async for piece in body.iter_bytes()]


def read(opened: Any) -> Any:
    with opened as body:
        return list(body.iter_bytes())


# Way to call → (what errors call it, sync, async).
Way = tuple[str, Callable[[Any], Any], Callable[[Any], Any]]
WAYS: dict[str, Way] = {
    "plain": (
        "coze.bots.retrieve",
        lambda c: c.bots.retrieve("b1"),
        lambda c: c.bots.retrieve("b1"),
    ),
    "pager": (
        "coze.bots.list",
        lambda c: all_of(c.bots.list(workspace_id="w")),
        lambda c: all_of_async(c.bots.list(workspace_id="w")),
    ),
    "stream": (
        "coze.chat.create",
        lambda c: all_of(c.chat.stream(**ASK)),
        lambda c: all_of_async(c.chat.stream(**ASK)),
    ),
    "upload": (
        "coze.files.upload",
        lambda c: c.files.upload(file=UPLOAD),
        lambda c: c.files.upload(file=UPLOAD),
    ),
    "download": (
        "coze.audio.speech.create",
        lambda c: c.audio.speech.create(**SPEECH),
        lambda c: c.audio.speech.create(**SPEECH),
    ),
    "open download": (
        "coze.audio.speech.create",
        lambda c: read(c.with_streaming_response(c.audio.speech.create)(**SPEECH)),
        lambda c: read_async(c.with_streaming_response(c.audio.speech.create)(**SPEECH)),
    ),
    "own request": (
        "GET /v9/new",
        lambda c: c.request("GET", "/v9/new"),
        lambda c: c.request("GET", "/v9/new"),
    ),
}
TRANSPORTS = [("asyncio", None), ("asyncio", "httpx"), ("asyncio", "aiohttp"), ("trio", "httpx")]
on_every_way = each("way", WAYS)
on_every_transport = pytest.mark.parametrize(
    ("anyio_backend", "transport"), TRANSPORTS, ids=["sync", "httpx", "aiohttp", "trio"]
)


async def failure(url: str, way: Way, transport: str | None, **settings: Any) -> CozeError:
    settings = {"max_retries": 0, **settings}
    with pytest.raises(CozeError) as caught:
        if transport is None:
            with coze(url, **settings) as client:
                way[1](client)
        else:
            async with async_coze(url, transport, **settings) as other:
                await way[2](other)
    error = caught.value
    assert TOKEN not in f"{error!s}{error!r}{vars(error)}"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again).keys()) == (
        type(error),
        str(error),
        vars(error).keys(),
    )
    assert str(copy.copy(error)) == str(error)
    return error


def everywhere(by_id: dict[str, Any], forms: tuple[str, ...]) -> Any:
    """All of these to the sync client; some, one of each form, over the other transports too: how a
    body is read depends on what carries it, what it says does not.
    """
    cases = {
        f"{transport or 'sync'}-{backend}-{name}": (backend, transport, value)
        for backend, transport in TRANSPORTS
        for name, value in by_id.items()
        if transport is None or name in forms
    }
    names = ("anyio_backend", "transport", "answer")
    return pytest.mark.parametrize(names, cases.values(), ids=cases)


JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}
# What came → (script, class, code, part of the message, log id).
ANSWERS: dict[str, tuple[Script, type[APIError], int | None, str, str]] = {
    "200 with a code": (
        reply({"code": 4000, "msg": "bad field"}),
        InvalidRequestError,
        4000,
        "bad field",
        LOGID,
    ),
    "200 with a negative code": (reply({"code": -1, "msg": "odd"}), APIError, -1, "odd", LOGID),
    "200 with the code as text": (
        reply({"code": "720702204", "msg": "odd"}),
        NotFoundError,
        720702204,
        "odd",
        LOGID,
    ),
    "200 with an unknown code": (
        reply({"code": 987654, "msg": "new"}),
        APIError,
        987654,
        "new",
        LOGID,
    ),
    "log id in detail": (
        reply({"code": 4200, "msg": "x", "detail": {"logid": "IN"}}),
        NotFoundError,
        4200,
        "x",
        "IN",
    ),
    "log id in error": (
        reply({"code": 4200, "msg": "x", "error": {"logid": "IN"}}),
        NotFoundError,
        4200,
        "x",
        "IN",
    ),
    "400 with the envelope": (
        reply({"code": 4300, "msg": "empty"}, 400),
        InvalidRequestError,
        4300,
        "empty",
        LOGID,
    ),
    "401": (
        reply({"code": 700012006, "msg": "access token invalid"}, 401),
        AuthenticationError,
        700012006,
        "invalid",
        LOGID,
    ),
    "401 expired": (
        reply({"code": 4100, "msg": "token has expired"}, 401),
        TokenExpiredError,
        4100,
        "expired",
        LOGID,
    ),
    "401 without a body": (
        reply(b"", 401),
        AuthenticationError,
        None,
        "HTTP 401, empty body",
        LOGID,
    ),
    "403": (reply({"code": 4101, "msg": "no"}, 403), PermissionDeniedError, 4101, "no", LOGID),
    "404 in HTML": (
        reply(b"<h1>Not Found</h1>", 404, HTML),
        NotFoundError,
        None,
        "HTTP 404 with text/html: Not Found; is the base URL that of the API?",
        LOGID,
    ),
    "409": (reply({"code": 4016, "msg": "running"}), ConflictError, 4016, "running", LOGID),
    "quota": (reply({"code": 4011, "msg": "balance"}), QuotaExceededError, 4011, "balance", LOGID),
    "429": (reply({"message": "slow down"}, 429), RateLimitError, None, "slow down", LOGID),
    "message for msg": (
        reply({"code": 4000, "message": "bad"}, 400),
        InvalidRequestError,
        4000,
        "bad",
        LOGID,
    ),
    "error_code": (
        reply({"error_code": "access_denied", "error_message": "no"}, 400),
        InvalidRequestError,
        None,
        "no",
        LOGID,
    ),
    "error as a word": (
        reply({"error": "invalid_grant"}, 400),
        InvalidRequestError,
        None,
        "invalid_grant",
        LOGID,
    ),
    "500 with code 0": (
        reply({"code": 0, "msg": "success"}, 500),
        ServerError,
        0,
        "success",
        LOGID,
    ),
    "500 with a detail": (
        reply({"detail": "Internal error"}, 500),
        ServerError,
        None,
        "HTTP 500",
        LOGID,
    ),
    "500 with a list": (reply([1, 2], 500), ServerError, None, "HTTP 500", LOGID),
    "500 with null": (reply(b"null", 500), ServerError, None, "HTTP 500", LOGID),
    "500 as audio": (
        reply(b"\x00\xff", 500, {"content-type": "audio/mpeg"}),
        ServerError,
        None,
        "HTTP 500",
        LOGID,
    ),
    "500 with broken JSON": (reply(b'{"code": 5', 500), ServerError, None, '{"code": 5', LOGID),
    "502 in HTML": (
        reply(b"<html>Bad Gateway</html>", 502, HTML),
        ServerError,
        None,
        "Bad Gateway",
        LOGID,
    ),
    "499": (reply(b"", 499), APIError, None, "HTTP 499", LOGID),
    "520": (reply(b"error code: 520", 520, HTML), ServerError, None, "520", LOGID),
    "302 to a sign-in page": (
        reply(b"", 302, {"location": "https://www.coze.cn/sign"}),
        APIError,
        None,
        "HTTP 302",
        LOGID,
    ),
}


FORMS = (
    "200 with a code",
    "400 with the envelope",
    "401 without a body",
    "500 as audio",
    "502 in HTML",
    "302 to a sign-in page",
)


@everywhere(ANSWERS, FORMS)
@on_every_way
async def test_an_answer_that_says_no_is_an_api_error(
    answer: tuple[Script, type[APIError], int | None, str, str], way: Way, transport: str | None
) -> None:
    script, kind, code, msg, logid = answer
    with ChunkServer(script) as server:
        error = await failure(server.url, way, transport)
    assert type(error) is kind
    assert isinstance(error, APIError)
    assert (error.code, error.logid) == (code, logid)
    assert msg in error.msg
    assert error.request is not None
    assert error.request.call == way[0]
    assert error.request.operation == way[0].removeprefix("coze.").replace(".", "_")
    for part in (way[0], msg, logid, server.url):
        assert part in str(error)
    assert len(server.requests) == 1


SHAPES: dict[str, Script] = {
    "HTML": reply(b"<html>welcome</html>", 200, HTML),
    "HTML that calls itself JSON": reply(b"<html>welcome</html>"),
    "empty": reply(b""),
    "a list": reply([1]),
    "null": reply(b"null"),
    "a number": reply(b"7"),
    "half a document": reply(b'{"code":0,"data":{"bot_'),
    "not UTF-8": reply(b'{"code":0,"msg":"\xff\xfe","data":{}}'),
    "deep": reply(b"[" * 50_000),
}


@everywhere(SHAPES, ("HTML", "empty"))
@on_every_way
async def test_a_success_of_another_shape_is_a_response_error(
    answer: Script, way: Way, transport: str | None
) -> None:
    if way[0].startswith("GET") and answer in (
        SHAPES["a list"],
        SHAPES["null"],
        SHAPES["a number"],
    ):
        return  # plain JSON is all that an endpoint of which nothing is known can promise
    with ChunkServer(answer) as server:
        error = await failure(server.url, way, transport)
    assert type(error) is ResponseError
    assert error.logid == LOGID
    assert error.http_status == 200
    for part in (way[0], LOGID, server.url):
        assert part in str(error)


CUTS: dict[str, Script] = {
    "before the head": [Close()],
    "within the head": [Raw(b"HTTP/1.1 200 OK\r\ncontent-ty"), Close()],
    "no HTTP": [Raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), Close()],
    "reset before the head": [Abort()],
    "within the length": [Head(200, JSON, LENGTH, 1000), Send(b'{"code":0,"data":{'), Close()],
    "within a chunk": [Head(200, JSON), Raw(b'20\r\n{"code":0,'), Close()],
    "no last chunk": [Head(200, JSON), Send(b'{"code":0,"data":{"bot_id":"b"}}'), Close()],
}


@on_every_transport
@pytest.mark.parametrize("script", CUTS.values(), ids=CUTS)
@on_every_way
async def test_an_answer_that_does_not_come_whole_is_a_connection_error(
    script: Script, way: Way, transport: str | None
) -> None:
    with ChunkServer(script) as server:
        error = await failure(server.url, way, transport)
    assert isinstance(error, APIConnectionError)
    assert not isinstance(error, APITimeoutError)
    assert error.sent is True
    assert way[0] in str(error)
    assert server.url in str(error)


# httpx leaves its own generators half-read when it cannot decompress; trio warns of that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@on_every_transport
@on_every_way
async def test_a_body_that_cannot_be_decompressed_is_a_connection_error(
    way: Way, transport: str | None
) -> None:
    with ChunkServer(
        [Head(200, {**JSON, "content-encoding": "gzip"}, LENGTH, 9), Send(b"not gzip!")]
    ) as server:
        assert isinstance(await failure(server.url, way, transport), APIConnectionError)


@on_every_transport
async def test_an_answer_without_length_that_ends_early_does_not_pass_for_complete(
    transport: str | None,
) -> None:
    with ChunkServer([Head(200, JSON, CLOSE), Send(b'{"code":0,"data":{"bot_id":')]) as server:
        assert type(await failure(server.url, WAYS["plain"], transport)) is ResponseError


@on_every_transport
@on_every_way
async def test_nobody_listening_is_a_connection_error(way: Way, transport: str | None) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    error = await failure(url, way, transport)
    assert type(error) is APIConnectionError
    assert error.sent is False
    assert way[0] in str(error)
    assert url in str(error)


@on_every_transport
@on_every_way
async def test_a_name_that_nobody_knows_is_a_connection_error(
    way: Way, transport: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await failure("http://nonexistent.invalid", way, transport)
    assert type(error) is APIConnectionError
    assert error.sent is False
    assert "nonexistent.invalid" in str(error)


def unknown(host: object, *_: object, **__: object) -> Any:
    """The system's resolver for a machine without a network; asking the true one would leave this
    machine.
    """
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@on_every_transport
@on_every_way
async def test_silence_is_a_read_timeout(way: Way, transport: str | None) -> None:
    with ChunkServer([KeepOpen()]) as server:
        error = await failure(server.url, way, transport, timeout=Timeout(5, 0.05, 5, 5))
        server.wait_for(lambda it: it.open_connections == 0)
    assert isinstance(error, APITimeoutError)
    assert error.sent is True
    assert "timed out while waiting for the response" in str(error)


@on_every_transport
async def test_silence_within_a_body_is_a_read_timeout(transport: str | None) -> None:
    with ChunkServer([Head(200, JSON, LENGTH, 1000), Send(b'{"code"'), KeepOpen()]) as server:
        error = await failure(server.url, WAYS["plain"], transport, timeout=Timeout(5, 0.05, 5, 5))
    assert isinstance(error, APITimeoutError)


@contextmanager
def deaf() -> Iterator[str]:
    """A server whose queue of connections is full, so that connecting to it takes for ever."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(address)
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for sock in waiting:
                sock.close()


@on_every_transport
@on_every_way
async def test_a_connection_that_does_not_come_is_a_connect_timeout(
    way: Way, transport: str | None
) -> None:
    with deaf() as url:
        error = await failure(url, way, transport, timeout=Timeout(0.05, 5, 5, 5))
    assert type(error) is APITimeoutError
    assert error.sent is False
    assert "timed out while connecting" in str(error)


@contextmanager
def swallowing_nothing() -> Iterator[str]:
    """A server that takes a connection and never reads from it."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken: list[socket.socket] = []

        def accept() -> None:
            taken.append(listener.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(30)
            for sock in taken:
                sock.close()


@on_every_transport
async def test_an_upload_that_nobody_reads_is_a_write_timeout(transport: str | None) -> None:
    big = ("film.mp4", bytes(64 << 20))
    way: Way = (
        "coze.files.upload",
        lambda c: c.files.upload(file=big),
        lambda c: c.files.upload(file=big),
    )
    with swallowing_nothing() as url:
        error = await failure(url, way, transport, timeout=Timeout(5, 5, 0.2, 5))
    assert isinstance(error, APITimeoutError)
    assert "timed out while sending" in str(error)


@on_every_transport
async def test_a_full_pool_is_a_timeout_of_a_request_that_was_not_sent(
    transport: str | None,
) -> None:
    one = httpx.Limits(max_connections=1)
    limit = Timeout(5, 30, 5, 0.05)
    asked = threading.Event()
    with ChunkServer([Head(), Send(b": begun\n\n"), KeepOpen()]) as server:
        asked.set()
        if transport is None:
            with httpx.Client(limits=one) as own:
                client = coze(server, http_client=own, max_retries=0, timeout=limit)
                with client.chat.stream(**ASK), pytest.raises(APITimeoutError) as caught:
                    client.bots.retrieve("b1")
        else:
            slow = (
                AiohttpTransport(limits=one)
                if transport == "aiohttp"
                else httpx.AsyncHTTPTransport(limits=one)
            )
            async with httpx.AsyncClient(transport=slow) as parallel:
                other = async_coze(server, http_client=parallel, max_retries=0, timeout=limit)
                async with other.chat.stream(**ASK):
                    with pytest.raises(APITimeoutError) as caught:
                        await other.bots.retrieve("b1")
    assert caught.value.sent is False
    assert len(server.requests) == 1


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    private.write_bytes(key.private_bytes(*form))
    return public, private


@contextmanager
def tls_front(server: ChunkServer, files: tuple[Path, Path]) -> Iterator[str]:
    """TLS before the scripted server; connections that fail their handshake are closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    stopping = threading.Event()

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for sock in (source, target):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def serve(raw: socket.socket) -> None:
        try:
            with (
                context.wrap_socket(raw, server_side=True) as safe,
                socket.create_connection(("127.0.0.1", server.port)) as plain,
            ):
                back = threading.Thread(target=pump, args=(plain, safe))
                back.start()
                pump(safe, plain)
                back.join(30)
        except OSError:
            raw.close()

    def accept() -> None:
        while not stopping.is_set():
            sock, _ = listener.accept()
            threads.append(threading.Thread(target=serve, args=(sock,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopping.set()
        socket.create_connection(listener.getsockname()).close()
        acceptor.join(30)
        listener.close()
        for thread in threads:
            thread.join(30)


@on_every_transport
@on_every_way
async def test_a_certificate_that_nobody_vouches_for_is_a_connection_error(
    way: Way, transport: str | None, tmp_path: Path
) -> None:
    with ChunkServer(reply(BOT)) as server, tls_front(server, certificate(tmp_path)) as url:
        error = await failure(url, way, transport)
        assert not server.requests
    assert type(error) is APIConnectionError
    assert error.sent is False
    assert "certificate" in str(error).lower()
    assert url in str(error)


@on_every_transport
async def test_a_certificate_that_is_known_is_good(transport: str | None, tmp_path: Path) -> None:
    files = certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(files[0]))
    with ChunkServer(reply(BOT)) as server, tls_front(server, files) as url:
        if transport is None:
            with httpx.Client(verify=context) as own, coze(url, http_client=own) as client:
                assert client.bots.retrieve("b1").name == "Otter"
        else:
            fast = (
                AiohttpTransport(tls=context)
                if transport == "aiohttp"
                else httpx.AsyncHTTPTransport(verify=context)
            )
            async with async_coze(url, fast) as other:
                assert (await other.bots.retrieve("b1")).name == "Otter"


@on_every_transport
async def test_plain_http_to_a_tls_port_is_a_connection_error(
    transport: str | None, tmp_path: Path
) -> None:
    with ChunkServer(reply(BOT)) as server, tls_front(server, certificate(tmp_path)) as url:
        assert isinstance(
            await failure(url.replace("https", "http"), WAYS["plain"], transport),
            APIConnectionError,
        )
        assert not server.requests


@on_every_transport
@pytest.mark.parametrize("value", ["线", "a\r\nX-Injected: 1", 7])
async def test_a_header_that_cannot_be_sent_is_an_argument_error(
    value: Any, transport: str | None
) -> None:
    def call(client: Any) -> Any:
        return client.bots.retrieve("b1", extra_headers={"x-note": value})

    with ChunkServer(reply(BOT)) as server:
        error = await failure(server.url, ("coze.bots.retrieve", call, call), transport)
        assert not server.requests
    assert isinstance(error, ArgumentError)
    assert "x-note" in str(error)


class Failing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport of the caller's that has a way of its own to fail."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise self.problem

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self.problem


# What a transport raises → whether the request may have been sent.
PROBLEMS: list[tuple[Exception, bool]] = [
    (ConnectionResetError("gone"), True),
    (ssl.SSLError("gone"), True),
    (httpx.StreamClosed(), True),
    (httpx.ReadError("gone"), True),
    (httpx.RemoteProtocolError("gone"), True),
    (httpx.LocalProtocolError("gone"), False),
    (httpx.UnsupportedProtocol("gone"), False),
    (httpx.ProxyError("gone"), False),
    (httpx.InvalidURL("gone"), False),
]


@pytest.mark.parametrize("kind", ["sync", "async"])
@each("problem, sent", {type(problem).__name__: (problem, sent) for problem, sent in PROBLEMS})
@on_every_way
async def test_whatever_a_transport_raises_is_a_connection_error(
    problem: Exception, sent: bool, kind: str, way: Way
) -> None:
    with pytest.raises(APIConnectionError) as caught:
        if kind == "sync":
            with coze("http://coze.test", transport=Failing(problem), max_retries=0) as client:
                way[1](client)
        else:
            async with async_coze("http://coze.test", Failing(problem), max_retries=0) as other:
                await way[2](other)
    # An upload whose end was not read was not accepted.
    assert (type(caught.value), caught.value.sent) == (
        APIConnectionError,
        sent and way[0] != "coze.files.upload",
    )
    assert caught.value.__cause__ is problem


@each_kind
@pytest.mark.parametrize("way", ["plain", "stream"])
def test_a_failure_whose_body_is_cut_is_a_typed_error(kind: str, way: str) -> None:
    script: list[Step] = [Head(500, JSON, LENGTH, 1000), Send(b'{"code": 5000, "msg": "'), Close()]
    with (
        ChunkServer(script) as server,
        client_of(kind, server.url, max_retries=0) as client,
        pytest.raises(CozeError) as caught,
    ):
        if way == "plain":
            client.bots.retrieve("b1")
        else:
            list(client.chat.stream(**ASK))
    assert server.url in str(caught.value)
