"""Hooks, the DEBUG log, raw and streaming answers, requests of one's own."""

from __future__ import annotations

import base64
import logging
import threading
from typing import Any

import httpx
import pytest

from coze_openapi.models.bots import Bot, BotSummary
from coze_runtime.calls.hooks import OutgoingRequest, ReceivedResponse, redacted
from coze_runtime.calls.raw import RawResponse
from coze_runtime.operation import CallOptions, Operation, Response
from coze_runtime.operation import Request as OutgoingCall
from cozekit import (
    APIConnectionError,
    ArgumentError,
    AsyncCoze,
    Coze,
    NotFoundError,
    RateLimitError,
    ResponseError,
    ServerError,
)
from cozekit.auth import AsyncTokenClient, Auth, SyncTokenClient
from tests.each import each
from tests.overlays.chunk_server import (
    LOGID,
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Request,
    Send,
    Step,
    Wait,
    reply,
    stream,
)
from tests.overlays.wire import ASK, BOT, CHAT, TOKEN, async_coze, coze, each_transport

SPEECH = {"input": "hi", "voice_id": "v1"}
AUDIO = bytes(range(256)) * 100
AUDIO_HEAD = {"content-type": "audio/mpeg"}


@each_transport
async def test_hooks_see_every_attempt_of_a_call(transport: str) -> None:
    sent: list[OutgoingRequest] = []
    received: list[ReceivedResponse] = []
    with ChunkServer(reply({"code": 5000, "msg": "x"}, 500), [Close()], reply(BOT)) as server:
        with coze(server, on_request=sent.append, on_response=received.append) as client:
            client.bots.retrieve("b1", extra_query={"q": "private"})
        sync = list(received)
    with ChunkServer(reply({"code": 5000, "msg": "x"}, 500), [Close()], reply(BOT)) as server:
        async with async_coze(
            server, transport, on_request=sent.append, on_response=received.append
        ) as other:
            await other.bots.retrieve("b1", extra_query={"q": "private"})
        parallel = received[len(sync) :]
        url = f"{server.url}/v1/bots/b1"
    assert [(item.operation, item.method, item.attempt) for item in sent] == [
        ("bots_retrieve", "GET", n) for n in (1, 2, 3)
    ] * 2
    assert sent[-1].url == url, "without its query"
    for seen in (sync, parallel):
        assert [(item.attempt, item.status, item.logid, type(item.error)) for item in seen] == [
            (1, 500, LOGID, ServerError),
            (2, None, None, APIConnectionError),
            (3, 200, LOGID, type(None)),
        ]
        assert all(0 <= item.seconds < 30 for item in seen)
        assert seen[2].headers["content-type"] == "application/json"


@each_transport
async def test_hooks_see_streams_begin_and_refusals_in_their_place(transport: str) -> None:
    received: list[ReceivedResponse] = []
    with ChunkServer(reply({"code": 4009, "msg": "busy"}), stream(*CHAT)) as server:
        async with async_coze(server, transport, on_response=received.append) as client:
            await client.chat.stream(**ASK).until_done()
    assert [(item.status, type(item.error), item.logid) for item in received] == [
        (200, RateLimitError, LOGID),
        (200, type(None), LOGID),
    ]


@each_transport
async def test_a_hook_may_add_headers_and_never_sees_the_token(transport: str) -> None:
    def trace(request: OutgoingRequest) -> None:
        assert TOKEN not in repr(request)
        request.headers["traceparent"] = f"00-attempt-{request.attempt}"

    async def trace_async(request: OutgoingRequest) -> None:
        trace(request)

    with ChunkServer(reply(b"", 503), reply(BOT)) as server:
        with coze(server, on_request=trace) as client:
            client.bots.retrieve("b1")
        async with async_coze(server, transport, on_request=trace_async) as other:
            await other.bots.retrieve("b1")
    assert [request.headers["traceparent"] for request in server.requests] == [
        "00-attempt-1",
        "00-attempt-2",
        "00-attempt-1",
    ]
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {TOKEN}"}


@each_transport
async def test_a_hook_that_fails_does_not_cost_the_call(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("mine")

    with ChunkServer(reply(BOT)) as server:
        with coze(server, on_request=broken, on_response=broken) as client:
            assert client.bots.retrieve("b1").name == "Otter"
        async with async_coze(server, transport, on_request=broken, on_response=broken) as other:
            assert (await other.bots.retrieve("b1")).name == "Otter"
    assert [record.message for record in caplog.records if record.name == "cozekit"] == [
        "a hook failed; the call continues"
    ] * 4


async def async_hook(_: object) -> None: ...


@pytest.mark.parametrize("name", ["on_request", "on_response", "on_drift"])
def test_an_async_hook_of_a_sync_client_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name} is an async function") as caught:
        Coze(TOKEN, **{name: async_hook})
    assert caught.value.argument == name
    with pytest.raises(ArgumentError, match=f"{name} is an async function"):
        Coze(TOKEN).with_options(**{name: async_hook})


def test_an_async_client_awaits_its_hooks_but_not_the_one_about_differences() -> None:
    AsyncCoze(TOKEN, on_request=async_hook, on_response=async_hook)
    with pytest.raises(ArgumentError, match="on_drift is an async function"):
        AsyncCoze(TOKEN, on_drift=async_hook)


def test_a_coroutine_that_a_hook_of_a_sync_client_returns_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        ChunkServer(reply(BOT)) as server,
        coze(server, on_request=lambda request: async_hook(request)) as client,
    ):
        assert client.bots.retrieve("b1").name == "Otter"
    assert "async_hook is async, and a sync call cannot await it" in caplog.text


def test_a_copy_has_hooks_of_its_own_or_those_of_the_first() -> None:
    first: list[OutgoingRequest] = []
    second: list[OutgoingRequest] = []
    with ChunkServer(reply(BOT)) as server, coze(server, on_request=first.append) as client:
        client.with_options(timeout=3).bots.retrieve("b1")
        client.with_options(on_request=second.append).bots.retrieve("b1")
    assert (len(first), len(second)) == (1, 1)


@each_transport
async def test_the_log_tells_each_attempt_and_no_secret(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret_header = {"x-api-key": "hidden0value", "x-plain": "shown"}
    answer = reply(BOT, 200, {"set-cookie": "session=hidden0value"})
    with ChunkServer(reply({"code": 5000, "msg": "x"}, 500), answer) as server:
        with coze(server) as client:
            client.bots.retrieve(
                "b1", extra_headers=secret_header, extra_query={"code": "hidden0value"}
            )
        async with async_coze(server, transport) as other:
            await other.chat.create(
                bot_id="hidden0value", user_id="u1", extra_headers=secret_header
            )
    said = [record for record in caplog.records if record.name == "cozekit"]
    # Where an answer departs from the description is told in the same log.
    own = [record.getMessage() for record in said if record.module == "hooks"]
    assert len(own) == 6
    assert [record.module for record in said[6:]] == ["convert"] * (len(said) - 6)
    for part in (
        "bots_retrieve: GET ",
        "/v1/bots/b1, attempt 1",
        "'x-plain': 'shown'",
        "'x-api-key': '***'",
    ):
        assert part in own[0]
    for part in ("attempt 1: HTTP 500, ServerError code 5000", LOGID):
        assert part in own[1]
    assert "HTTP 200, ok" in own[3]
    assert "'set-cookie': '***'" in own[3]
    everything = "\n".join(record.getMessage() for record in said)
    assert "hidden0value" not in everything
    assert TOKEN not in "\n".join(record.getMessage() for record in caplog.records), (
        "no library under us may show it either"
    )
    assert base64.b64encode(TOKEN.encode()).decode() not in everything


# Logger of a library, what it says → what is shown of it.
RECORDS: list[tuple[str, str, tuple[Any, ...], str]] = [
    ("hpack.hpack", "Encoding %s", ((b"authorization", b"hidden0value"),), ""),
    ("hpack.table", "Adding %s", (b"hidden0value",), ""),
    (
        "httpcore.socks",
        "setup_socks5_connection.started auth=('u', 'hidden0value')",
        (),
        "setup_socks5_connection.started",
    ),
    (
        "httpcore.http2",
        "receive_response_headers.complete return_value=[(b'set-cookie', b'hidden0value')]",
        (),
        "receive_response_headers.complete",
    ),
    (
        "httpcore.connection",
        "connect_tcp.started host='api.coze.cn' port=443",
        (),
        "connect_tcp.started host='api.coze.cn' port=443",
    ),
    (
        "httpx",
        "HTTP Request: %s %s",
        ("GET", httpx.URL("https://u:hidden0value@api.coze.cn/v1?q=hidden0value#x")),
        "HTTP Request: GET https://api.coze.cn/v1",
    ),
]


@each("name, text, arguments, shown", {row[1]: row for row in RECORDS})
def test_the_logs_of_the_libraries_below_show_no_secret(
    name: str, text: str, arguments: tuple[Any, ...], shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    logging.getLogger(name).debug(text, *arguments)
    assert [record.getMessage() for record in caplog.records] == ([shown] if shown else [])


def test_nothing_is_logged_above_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="cozekit")
    with ChunkServer(reply(b"", 503), reply(BOT)) as server, coze(server) as client:
        client.bots.retrieve("b1")
    assert not [record for record in caplog.records if record.name == "cozekit"]


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "cookie",
        "Set-Cookie",
        "X-Api-Key",
        "x-token",
        "X-Signature",
        "Proxy-Authorization",
    ],
)
def test_headers_that_may_be_secrets_are_replaced(name: str) -> None:
    assert redacted({name: "v", "accept": "x"}) == {name: "***", "accept": "x"}


@each_transport
async def test_the_raw_answer_comes_beside_what_the_method_returns(transport: str) -> None:
    with ChunkServer(reply({**BOT, "new_field": 1})) as server:
        with coze(server) as client:
            sync = client.with_raw_response(client.bots.retrieve)("b1")
        async with async_coze(server, transport) as other:
            parallel = await other.with_raw_response(other.bots.retrieve)("b1")
    for answer in (sync, parallel):
        assert isinstance(answer, RawResponse)
        assert isinstance(answer.parsed, Bot)
        assert (answer.parsed.name, answer.status, answer.logid) == ("Otter", 200, LOGID)
        assert answer.headers["Content-Type"] == "application/json"
        assert b'"new_field": 1' in answer.content
        assert LOGID in repr(answer)


@each_transport
async def test_the_raw_answer_works_for_pages_copies_and_calls_within_calls(transport: str) -> None:
    page = {"code": 0, "data": {"bots": [], "items": [{"id": "b1", "name": "Otter"}], "total": 1}}
    with ChunkServer(reply(page)) as server:
        with coze(server) as client:
            copied = client.with_options(timeout=3)
            sync = client.with_raw_response(copied.bots.list)(workspace_id="w1")
        async with async_coze(server, transport) as other:
            parallel = await other.with_raw_response(other.bots.list)(workspace_id="w1")
    assert sync.status == parallel.status == 200
    assert len(sync.parsed.items) == len(parallel.parsed.items)


@each_transport
async def test_an_answer_that_says_no_is_raised_in_raw_calls_too(transport: str) -> None:
    with ChunkServer(reply({"code": 4200, "msg": "gone"})) as server:
        with coze(server) as client, pytest.raises(NotFoundError):
            client.with_raw_response(client.bots.retrieve)("b1")
        async with async_coze(server, transport) as other:
            with pytest.raises(NotFoundError):
                await other.with_raw_response(other.bots.retrieve)("b1")


@each_transport
async def test_what_has_no_raw_response_is_refused_before_anything_is_sent(transport: str) -> None:
    with ChunkServer() as server:
        with coze(server) as client:
            with pytest.raises(ArgumentError, match="stream"):
                client.with_raw_response(client.chat.stream)(**ASK)
            with pytest.raises(ArgumentError, match="stream"):
                client.with_streaming_response(client.chat.stream)(**ASK)  # type: ignore[type-var]
            with pytest.raises(ArgumentError, match="bytes"):
                client.with_streaming_response(client.chat.create)(**ASK)  # type: ignore[type-var]
        async with async_coze(server, transport) as other:
            with pytest.raises(ArgumentError, match="stream"):
                await other.with_raw_response(other.chat.stream)(**ASK)  # type: ignore[type-var]
            with pytest.raises(ArgumentError, match="stream"):
                await other.with_streaming_response(other.chat.stream)(**ASK).open()  # type: ignore
            with pytest.raises(ArgumentError, match="bytes"):
                await other.with_streaming_response(other.chat.create)(**ASK).open()  # type: ignore
    assert server.requests == []


@each_transport
async def test_a_body_can_be_read_while_it_comes(transport: str) -> None:

    for use_async in (False, True):
        go = threading.Event()
        script = [Head(200, AUDIO_HEAD), Send(AUDIO), Wait(go), Send(AUDIO)]
        with ChunkServer(script) as server:
            got = b""
            if use_async:
                other = async_coze(server, transport)
                async with (
                    other,
                    other.with_streaming_response(other.audio.speech.create)(**SPEECH) as body,
                ):
                    assert (body.status, body.logid, body.headers["content-type"]) == (
                        200,
                        LOGID,
                        "audio/mpeg",
                    )
                    async for piece in body.iter_bytes():
                        got += piece
                        if len(got) >= len(AUDIO):
                            go.set()
            else:
                with (
                    coze(server) as client,
                    client.with_streaming_response(client.audio.speech.create)(**SPEECH) as sync,
                ):
                    assert (sync.status, sync.logid, sync.headers["content-type"]) == (
                        200,
                        LOGID,
                        "audio/mpeg",
                    )
                    for piece in sync.iter_bytes():
                        got += piece
                        if len(got) >= len(AUDIO):
                            go.set()
            assert got == AUDIO * 2


@each_transport
async def test_a_body_that_is_left_unread_gives_its_connection_back(transport: str) -> None:
    with ChunkServer([Head(200, AUDIO_HEAD), Send(AUDIO), KeepOpen()]) as server:
        with coze(server) as client:
            with client.with_streaming_response(client.audio.speech.create)(**SPEECH):
                pass
            server.wait_for(lambda it: it.open_connections == 0)
        async with (
            async_coze(server, transport) as other,
            other.with_streaming_response(other.audio.speech.create)(**SPEECH),
        ):
            pass


@each_transport
async def test_other_calls_are_not_touched_by_an_open_body(transport: str) -> None:
    def answer(request: Request) -> list[Step]:
        return reply(AUDIO, 200, AUDIO_HEAD) if "speech" in request.target else reply(BOT)

    with ChunkServer(answer) as server:
        with (
            coze(server) as client,
            client.with_streaming_response(client.audio.speech.create)(**SPEECH),
        ):
            assert client.bots.retrieve("b1").name == "Otter"
        async with (
            async_coze(server, transport) as other,
            other.with_streaming_response(other.audio.speech.create)(**SPEECH),
        ):
            assert (await other.bots.retrieve("b1")).name == "Otter"


NEW: Any = {
    "code": 0,
    "msg": "",
    "data": {"bot_id": "b1", "name": "Otter", "tags": ["x"]},
    "detail": {"logid": "l"},
}
LIST: Any = {"code": 0, "data": {"items": [{"id": "b1", "name": "Otter"}]}}
CASTS: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "plain data": (NEW, {}, NEW["data"]),
    "the whole body": (NEW, {"unwrap": ""}, NEW),
    "a path": (NEW, {"unwrap": "data.tags"}, ["x"]),
    "a path that is not there": (NEW, {"unwrap": "data.nothing"}, None),
    "no data": ({"code": 0}, {}, {"code": 0}),
    "a model": (NEW, {"cast_to": Bot}, Bot.from_dict(NEW["data"])),
    "a list of models": (
        LIST,
        {"cast_to": list[BotSummary], "unwrap": "data.items"},
        [BotSummary.from_dict({"id": "b1", "name": "Otter"})],
    ),
    "a scalar": (NEW, {"cast_to": str, "unwrap": "data.name"}, "Otter"),
}


@each_transport
@pytest.mark.parametrize(("body", "options", "expected"), CASTS.values(), ids=CASTS)
async def test_an_endpoint_that_is_not_described_can_be_called(
    body: Any, options: Any, expected: Any, transport: str
) -> None:
    with ChunkServer(reply(body)) as server:
        with coze(server) as client:
            sync = client.request(
                "post", "/v9/new", query={"a": 1, "b": None}, body={"x": "y"}, **options
            )
        async with async_coze(server, transport) as other:
            parallel = await other.request(
                "POST", "/v9/new", query={"a": 1}, body={"x": "y"}, **options
            )
    assert sync == expected
    assert parallel == expected
    for request in server.requests:
        assert (request.method, request.target, request.json) == ("POST", "/v9/new?a=1", {"x": "y"})
        assert request.headers["authorization"] == f"Bearer {TOKEN}"


def test_the_answer_of_an_own_request_can_be_had_as_it_is() -> None:
    with ChunkServer(reply({"code": 4200, "msg": "gone"}, 404)) as server, coze(server) as client:
        answer = client.request("GET", "/v9/new", cast_to=Response)
    assert (answer.status, answer.logid) == (404, LOGID)
    with ChunkServer(reply(AUDIO, 200, AUDIO_HEAD)) as server, coze(server) as client:
        assert client.request("GET", "/v9/new", cast_to=bytes) == AUDIO


def test_an_own_request_can_upload_and_carries_its_headers_and_timeout() -> None:
    with ChunkServer(reply(NEW)) as server, coze(server) as client:
        client.request(
            "POST",
            "/v9/up",
            files={"file": ("a.png", AUDIO)},
            body={"n": 1},
            extra_headers={"x-a": "b"},
            timeout=3,
        )
    request = server.requests[0]
    assert AUDIO in request.body
    assert b'name="n"' in request.body
    assert request.headers["x-a"] == "b"


def test_an_own_request_says_no_like_any_other() -> None:
    with (
        ChunkServer(reply({"code": 4200, "msg": "gone"})) as server,
        coze(server) as client,
        pytest.raises(NotFoundError, match="GET /v9/new"),
    ):
        client.request("GET", "/v9/new")
    with (
        ChunkServer(reply(NEW)) as server,
        coze(server) as client,
        pytest.raises(ResponseError, match="contains no data"),
    ):
        client.request("GET", "/v9/new", cast_to=Bot, unwrap="data.nothing")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("FETCH", "/x"),
        ("GET", "x"),
        ("GET", "//evil.example/x"),
        ("GET", "https://evil.example/x"),
        ("GET", "/x?y=1"),
        ("GET", "/x#y"),
    ],
)
def test_a_path_that_would_carry_the_token_elsewhere_is_refused(method: str, path: str) -> None:
    with ChunkServer(reply(NEW)) as server, coze(server) as client:
        with pytest.raises(ArgumentError):
            client.request(method, path)
        assert not server.requests


def test_an_own_request_that_is_billed_is_not_repeated() -> None:
    with ChunkServer(reply(b"", 503)) as server, coze(server) as client:
        for billed, sent in ((False, 3), (True, 4)):
            with pytest.raises(ServerError):
                client.request("GET", "/v9/run", billed=billed)
            assert len(server.requests) == sent


OAUTH_TOKEN = Operation("oauth_token", "POST", "/token", anonymous=True)


def token_of(response: Response) -> str:
    return response.content.decode()


class Renewing(Auth):
    """Asks the API for its token, as an OAuth app does."""

    def token(self, client: SyncTokenClient) -> str:
        return client.execute(OutgoingCall(OAUTH_TOKEN, "/token", {}, {}), token_of, CallOptions())

    async def token_async(self, client: AsyncTokenClient) -> str:
        call = OutgoingCall(OAUTH_TOKEN, "/token", {}, {})
        return await client.execute(call, token_of, CallOptions())


@each_transport
async def test_a_token_request_inside_a_raw_call_is_a_call_as_usual(transport: str) -> None:
    scripts = [reply(b"secret"), reply(BOT), reply(b"secret"), reply(AUDIO, headers=AUDIO_HEAD)]
    with ChunkServer(*scripts, *scripts) as server:
        with Coze(auth=Renewing(), base_url=server.url) as client:
            raw = client.with_raw_response(client.bots.retrieve)("b1")
            assert [response.operation.id for response in raw.responses] == ["bots_retrieve"]
            with client.with_streaming_response(client.audio.speech.create)(**SPEECH) as sound:
                assert b"".join(sound.iter_bytes()) == AUDIO
        settings: Any = {"auth": Renewing(), "base_url": server.url, "transport": transport}
        async with AsyncCoze(**settings) as other:
            raw = await other.with_raw_response(other.bots.retrieve)("b1")
            assert [response.operation.id for response in raw.responses] == ["bots_retrieve"]
            async with other.with_streaming_response(other.audio.speech.create)(**SPEECH) as body:
                assert b"".join([piece async for piece in body.iter_bytes()]) == AUDIO
