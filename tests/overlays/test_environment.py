"""What the environment, the settings and the caller's own HTTP client can break: the call returns
what the server answered, or raises one of our errors, which names the setting.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cozekit import (
    APIConnectionError,
    APIError,
    ArgumentError,
    AsyncCoze,
    Coze,
    CozeError,
    NotFoundError,
    Timeout,
)
from cozekit.auth import TokenCallback
from tests.each import each
from tests.overlays.chunk_server import LOGID, ChunkServer, Request, Step, reply
from tests.overlays.test_errors_everywhere import WAYS, Way
from tests.overlays.test_transports import program
from tests.overlays.wire import BOT, TOKEN, async_coze, coze, each_transport

CANARY = "canary0secret"


def without_proxies() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Only these variables of proxies and certificates."""
    with mock.patch.dict(os.environ, {**without_proxies(), **variables}, clear=True):
        yield


UNREADABLE = """
    import asyncio, os, pathlib, sys
    from cozekit import ArgumentError, AsyncCoze, Coze
    url, folder = sys.argv[1:]

    def check(name, path):
        os.environ[name] = path
        for call in (sync, lambda: asyncio.run(parallel("httpx")), lambda: asyncio.run(parallel("aiohttp"))):
            try:
                call()
            except ArgumentError as error:
                assert error.argument == name and f"{name}={path!r}" in str(error), error
                assert error.__cause__ is not None
            else:
                raise AssertionError(path)
        del os.environ[name]

    def sync():
        with Coze("t", base_url=url) as client:
            client.bots.retrieve("b1")

    async def parallel(transport):
        async with AsyncCoze("t", base_url=url, transport=transport) as client:
            await client.bots.retrieve("b1")

    garbage = os.path.join(folder, "garbage.pem")
    pathlib.Path(garbage).write_text("no certificate")
    for path in ("/nowhere/cert.pem", folder, garbage, os.devnull):
        check("SSL_CERT_FILE", path)
    check("SSLKEYLOGFILE", folder)
    os.environ["SSL_CERT_DIR"] = "/nowhere"     # a folder is searched when a certificate is needed
    sync()
"""  # noqa: E501


def test_a_certificate_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    with ChunkServer(reply(BOT)) as server:
        done = program(UNREADABLE, server.url, str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


@each_transport
@each(
    "entry, direct",
    {
        entry: (entry, direct)
        for entry, direct in {
            "127.0.0.0/8": True,
            "127.0.0.1/32": True,
            "10.0.0.0/8": False,
            "::1/128": False,
            "fd00:1234::/64": False,
            "[::1]:8080": False,
            "127.0.0.1": True,
            "http://[": False,
            "a b": False,
            "*.example.com": False,
        }.items()
    },
)
async def test_networks_of_no_proxy_are_honoured_and_odd_entries_stop_no_call(
    entry: str, direct: bool, transport: str
) -> None:
    with (
        ChunkServer(reply(BOT)) as server,
        environment(HTTP_PROXY="http://127.0.0.1:9", NO_PROXY=f"other.test, {entry}"),
    ):
        found: list[Any] = []
        try:
            with coze(server, max_retries=0) as client:
                found.append(client.bots.retrieve("b1").name)
        except APIConnectionError as error:
            found.append(error)
        try:
            async with async_coze(server, transport, max_retries=0) as other:
                found.append((await other.bots.retrieve("b1")).name)
        except APIConnectionError as error:
            found.append(error)
    if direct:
        assert found == ["Otter", "Otter"]
    else:
        assert all("the proxy http://127.0.0.1:9 refused" in str(error) for error in found), found


def test_subdomains_with_a_star_are_reached_directly() -> None:
    with environment(HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="*.coze.test"):
        from coze_runtime._http.environment import environment_proxies

        assert environment_proxies()["all://*.coze.test"] is None


@pytest.mark.parametrize(
    "url",
    [
        f"https://alice:{CANARY}@api.coze.cn",
        f"https://api.coze.cn?token={CANARY}",
        f"api.coze.cn#{CANARY}",
        "https://api .coze.cn",
        "https://api.coze.cn\n",
    ],
)
def test_a_base_url_that_no_call_could_use_is_refused_and_shows_no_secret(url: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Coze(TOKEN, base_url=url)
    assert caught.value.argument == "base_url"
    assert CANARY not in repr(caught.value)


LONE = "a\ud800"


@each(
    "call",
    {
        "a query field": lambda client: client.bots.retrieve("b1", extra_query={"q": LONE}),
        "a path": lambda client: client.bots.retrieve(LONE),
        "a form": lambda client: client.request("POST", "/x", body={"a": LONE}, files={"f": b""}),
        "a header": lambda client: client.bots.retrieve("b1", extra_headers={"x-a": LONE}),
        "a timeout of a month": lambda client: client.bots.retrieve("b1", timeout=2_592_000),
        "a timeout without end": lambda client: client.bots.retrieve("b1", timeout=float("inf")),
    },
)
def test_a_value_that_cannot_be_sent_is_an_argument_error(call: Callable[[Any], Any]) -> None:
    with ChunkServer(reply(BOT)) as server, coze(server) as client:
        with pytest.raises(ArgumentError):
            call(client)
        assert not server.requests


@each_transport
async def test_a_header_of_a_hook_that_cannot_be_sent_is_an_argument_error(transport: str) -> None:
    def break_line(request: Any) -> None:
        request.headers["x-trace"] = f"{CANARY}\r\nx-more: 1"

    with ChunkServer(reply(BOT)) as server:
        with (
            coze(server, on_request=break_line) as client,
            pytest.raises(ArgumentError, match="'x-trace'") as sync,
        ):
            client.bots.retrieve("b1")
        async with async_coze(server, transport, on_request=break_line) as other:
            with pytest.raises(ArgumentError, match="'x-trace'"):
                await other.bots.retrieve("b1")
        assert not server.requests
    assert CANARY not in repr(sync.value)


def raise_for_status(response: httpx.Response) -> None:
    response.raise_for_status()


async def raise_for_status_async(response: httpx.Response) -> None:
    response.raise_for_status()


def sync_client(*hooks: Callable[..., Any], **more: Any) -> httpx.Client:
    return httpx.Client(event_hooks={"response": list(hooks)}, trust_env=False, **more)


def async_client(*hooks: Callable[..., Any], **more: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(event_hooks={"response": list(hooks)}, trust_env=False, **more)


@each("way", WAYS)
async def test_a_hook_that_raises_for_the_status_leaves_the_error_of_the_api(way: Way) -> None:
    refusal = reply({"code": 4200, "msg": "gone"}, 404)
    with ChunkServer(refusal) as server:
        with sync_client(raise_for_status) as own, pytest.raises(NotFoundError) as sync:
            way[1](coze(server, http_client=own))
        async with async_client(raise_for_status_async) as other:
            with pytest.raises(NotFoundError) as parallel:
                await way[2](async_coze(server, http_client=other))
    for error in (sync.value, parallel.value):
        assert (error.code, error.msg, error.logid) == (4200, "gone", LOGID)
    assert len(server.requests) == 2, "a refusal is no lost connection"


async def test_a_hook_that_raises_for_the_status_does_not_keep_a_token_from_being_renewed() -> None:
    def answer(request: Request) -> list[Step]:
        old = request.headers["authorization"] == "Bearer old"
        return reply({"code": 4100, "msg": "invalid"}, 401) if old else reply(BOT)

    def source() -> TokenCallback:
        tokens = iter(["old", "new", "new"])
        return TokenCallback(lambda: next(tokens))

    with ChunkServer(answer) as server, sync_client(raise_for_status) as own:
        client = Coze(auth=source(), base_url=server.url, http_client=own)
        assert client.bots.retrieve("b1").name == "Otter"
        async with async_client(raise_for_status_async) as parallel:
            other = AsyncCoze(auth=source(), base_url=server.url, http_client=parallel)
            assert (await other.bots.retrieve("b1")).name == "Otter"
        assert own.event_hooks["response"] == [raise_for_status], "hooks of the caller stay theirs"


def test_what_a_token_source_raises_is_our_error_with_its_cause() -> None:
    def vault() -> str:
        raise KeyError(CANARY)

    async def parallel() -> None:
        async with AsyncCoze(auth=TokenCallback(vault), base_url="http://coze.test") as other:
            await other.bots.retrieve("b1")

    with pytest.raises(CozeError, match="auth: KeyError was raised in TokenCallback") as sync:
        Coze(auth=TokenCallback(vault), base_url="http://coze.test").bots.retrieve("b1")
    with pytest.raises(CozeError, match="auth: KeyError"):
        asyncio.run(parallel())
    assert isinstance(sync.value.__cause__, KeyError)
    assert CANARY not in repr(sync.value)


async def test_a_hook_that_raises_for_another_request_is_named_as_a_failure_of_the_client() -> None:
    def ask_another(response: httpx.Response) -> None:
        request = httpx.Request("GET", f"http://other.test/{CANARY}")
        httpx.Response(500, request=request).raise_for_status()

    with (
        ChunkServer(reply(BOT)) as server,
        sync_client(ask_another) as own,
        pytest.raises(APIConnectionError, match="http_client, transport and their hooks") as it,
    ):
        coze(server, http_client=own).bots.retrieve("b1")
    assert CANARY not in repr(it.value)
    assert len(server.requests) == 1


class Odd(Exception):
    pass


PROBLEMS = [
    Odd(CANARY),
    KeyError(CANARY),
    ValueError(CANARY),
    RuntimeError(CANARY),
    UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY),
    ExceptionGroup(CANARY, [Odd(CANARY)]),
    NotImplementedError(),
]


class Broken(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that fails when it sends, or when its answer is read."""

    def __init__(self, problem: Exception, *, in_body: bool) -> None:
        self._problem = problem
        self._in_body = in_body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._in_body:
            return httpx.Response(200, stream=BrokenBody(self._problem))
        raise self._problem

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class BrokenBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    def __iter__(self) -> Iterator[bytes]:
        yield b"{"
        raise self._problem

    async def __aiter__(self) -> Any:
        yield b"{"
        raise self._problem


@each("problem", {repr(problem): problem for problem in PROBLEMS})
@each("way", WAYS)
async def test_whatever_a_hook_or_a_transport_raises_is_our_error_with_its_cause(
    way: Way, problem: Exception
) -> None:
    def fail(*_: object) -> None:
        raise problem

    async def fail_async(*_: object) -> None:
        raise problem

    with ChunkServer(reply(BOT)) as server:
        clients = [
            sync_client(fail),
            httpx.Client(event_hooks={"request": [fail]}),
            httpx.Client(transport=Broken(problem, in_body=False)),
            httpx.Client(transport=Broken(problem, in_body=True)),
        ]
        for own in clients:
            with own, pytest.raises(CozeError) as caught:
                way[1](coze(server, http_client=own))
            is_ours(caught.value, problem)
        others = [
            async_client(fail_async),
            httpx.AsyncClient(event_hooks={"request": [fail_async]}),
            httpx.AsyncClient(transport=Broken(problem, in_body=False)),
            httpx.AsyncClient(transport=Broken(problem, in_body=True)),
        ]
        for other in others:
            async with other:
                with pytest.raises(CozeError) as caught:
                    await way[2](async_coze(server, http_client=other))
            is_ours(caught.value, problem)


def is_ours(error: CozeError, problem: Exception) -> None:
    assert CANARY not in f"{error!s}{error!r}"
    assert error.__cause__ is problem or isinstance(error, APIError), repr(error.__cause__)


PROXY = st.sampled_from(["", "http://", "https://", "socks5://", "ftp://", "://"]).flatmap(
    lambda scheme: st.builds(
        "{}{}{}{}".format,
        st.just(scheme),
        st.sampled_from(["", f"alice:{CANARY}@", f"线:{CANARY}@", f"{CANARY}@"]),
        st.sampled_from(["127.0.0.1", "[::1]", "[::1", "", "127.0.0.1 ", "%00", "a" * 300]),
        st.sampled_from(["", ":9", ":port", ":99999", ":-1", "/path?x=1"]),
    )
)
NO_PROXY = st.lists(
    st.one_of(
        st.sampled_from(["*", "127.0.0.1/8", "::1/128", "[::1]:80", "localhost", ".", "*.", "/"]),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    ),
    max_size=4,
).map(",".join)
TEXT = st.text(max_size=6)
VARIABLES = st.fixed_dictionaries(
    {},
    optional={"HTTP_PROXY": PROXY, "ALL_PROXY": PROXY, "NO_PROXY": NO_PROXY},
)
TIMEOUTS = st.one_of(
    st.none(), st.floats(min_value=1e-9), st.just(Timeout(0.5, 0.5, None, 1e-9)), st.integers()
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "extra_headers": st.dictionaries(TEXT, TEXT, max_size=2),
        "extra_query": st.dictionaries(TEXT, st.one_of(TEXT, st.floats(), st.none()), max_size=2),
        "timeout": TIMEOUTS,
    },
)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(variables=VARIABLES, options=OPTIONS, transport=st.sampled_from([None, "httpx", "aiohttp"]))
def test_any_environment_and_any_option_gives_a_result_or_our_error(
    variables: dict[str, str], options: dict[str, Any], transport: str | None
) -> None:
    async def call(url: str) -> None:
        async with async_coze(url, transport, max_retries=0) as other:
            await other.bots.retrieve("b1", **options)

    with ChunkServer(reply(BOT)) as server, environment(**variables):
        try:
            if transport is None:
                with coze(server, max_retries=0) as client:
                    client.bots.retrieve("b1", **options)
            else:
                asyncio.run(call(server.url))
        except CozeError as error:
            assert CANARY not in f"{error!s}{error!r}"
