"""What is sent again and what is not, counted by a server."""

from __future__ import annotations

import email.utils
import io
import pickle
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from coze_openapi.api.bots.retrieve import OPERATION
from coze_runtime.errors import RateLimitError
from cozekit import (
    APIConnectionError,
    APIError,
    ArgumentError,
    CozeError,
    Retry,
    RetryPolicy,
    ServerError,
)
from cozekit.auth import TokenCallback
from tests.each import each
from tests.overlays.chunk_server import (
    Abort,
    ChunkServer,
    Close,
    Head,
    Request,
    Script,
    Send,
    Step,
    reply,
    stream,
)
from tests.overlays.wire import ASK, BOT, CHAT, NOW, async_coze, coze, each_transport, never

Call = Callable[[Any], Any]
LIMIT = {"code": 4009, "msg": "busy"}
MINUTE = {"code": 4020, "msg": "rpm"}
FILE = {"code": 0, "data": {"id": "f1"}}

CALLS: dict[str, Call] = {
    "read": lambda client: client.bots.retrieve("b1"),
    "list": lambda client: client.bots.list(workspace_id="w1"),
    "put": lambda client: client.datasets.update("d1", name="n"),
    "delete": lambda client: client.datasets.delete("d1"),
    "reading post": lambda client: client.conversations.messages.list(conversation_id="c1"),
    "post": lambda client: client.conversations.create(),
    "chat": lambda client: client.chat.create(**ASK),
    "run": lambda client: client.workflows.runs.create(workflow_id="w1"),
    "speech": lambda client: client.audio.speech.create(input="hi", voice_id="v1"),
}
SAFE = ["read", "list", "put", "delete", "reading post"]
UNSAFE = ["post", "chat", "run", "speech"]

CLOSED: Script = [Close()]
FAULTS: dict[str, Script] = {
    "500": reply({"code": 5000, "msg": "x"}, 500),
    "502": reply(b"<html>", 502, {"content-type": "text/html"}),
    "503": reply(b"", 503),
    "504": reply(b"", 504),
    "520": reply(b"", 520),
    "code 5000 under 200": reply({"code": 5000, "msg": "x"}),
    "closed": CLOSED,
    "reset": [Abort()],
    "cut": [
        Head(200, {"content-type": "application/json"}, "length", 100),
        Send(b'{"code":0'),
        Close(),
    ],
}


async def outcome(server: ChunkServer, transport: str | None, call: Call, **settings: Any) -> Any:
    """What the call raises or returns: sync without a transport, async with one."""
    try:
        if transport is None:
            with coze(server, **settings) as client:
                return call(client)
        async with async_coze(server, transport, **settings) as other:
            return await call(other)
    except CozeError as error:
        return error


sync_and_async = pytest.mark.parametrize(
    ("anyio_backend", "transport"),
    [("asyncio", None), ("asyncio", "httpx"), ("asyncio", "aiohttp"), ("trio", "httpx")],
    ids=["sync", "httpx", "aiohttp", "trio"],
)


def calls(transport: str | None, *names: str) -> Iterator[str]:
    """Each call of the sync client. Whether it is sent again is decided above the transport, so the
    first of them shows that the others hear of each failure.
    """
    yield from names if transport is None else names[:1]


@sync_and_async
@each("fault", FAULTS)
async def test_a_safe_call_is_repeated_after_a_passing_failure(
    fault: Script, transport: str | None
) -> None:
    for name in calls(transport, *SAFE):
        with ChunkServer(fault) as server:
            found = await outcome(server, transport, CALLS[name])
        assert isinstance(found, ServerError | APIConnectionError), name
        assert len(server.requests) == 3, name


@sync_and_async
@each("fault", FAULTS)
async def test_a_call_that_may_have_been_accepted_is_not_repeated(
    fault: Script, transport: str | None
) -> None:
    for name in calls(transport, *UNSAFE):
        with ChunkServer(fault) as server:
            found = await outcome(server, transport, CALLS[name])
        assert isinstance(found, ServerError | APIConnectionError), name
        assert len(server.requests) == 1, name


REFUSALS: dict[str, Script] = {
    "4009": reply(LIMIT),
    "4020": reply(MINUTE),
    "429": reply(LIMIT, 429),
    "empty": reply(b"", 429),
}


@sync_and_async
@each("refusal", REFUSALS)
async def test_any_call_is_repeated_after_a_refusal_for_its_rate(
    refusal: Script, transport: str | None
) -> None:
    for name in [*calls(transport, *SAFE), *calls(transport, *UNSAFE)]:
        with ChunkServer(refusal) as server:
            assert isinstance(await outcome(server, transport, CALLS[name]), RateLimitError), name
        assert len(server.requests) == 3, name


@sync_and_async
@each("status", {str(status): status for status in (400, 401, 403, 404, 409, 413, 499)})
async def test_a_refusal_for_good_is_not_repeated(status: int, transport: str | None) -> None:
    with ChunkServer(reply({"code": 1, "msg": "no"}, status)) as server:
        assert isinstance(await outcome(server, transport, CALLS["read"]), APIError)
    assert len(server.requests) == 1


@sync_and_async
async def test_a_stream_is_opened_again_after_a_refusal_for_its_rate_and_only_then(
    transport: str | None,
) -> None:
    async def read(client: Any) -> str:
        opened = client.chat.stream(**ASK)
        return (opened.until_done() if transport is None else await opened.until_done()).answer

    def call(client: Any) -> Any:
        return client.chat.stream(**ASK).until_done() if transport is None else read(client)

    with ChunkServer(reply(LIMIT), reply(LIMIT, 429), stream(*CHAT)) as server:
        found = await outcome(server, transport, call)
        assert getattr(found, "answer", found) == "Hello"
        assert len(server.requests) == 3
    with ChunkServer(CLOSED, stream(*CHAT)) as server:
        assert isinstance(await outcome(server, transport, call), APIConnectionError)
        assert len(server.requests) == 1


@sync_and_async
async def test_a_chat_is_sent_once_more_when_nobody_listened_the_first_time(
    transport: str | None,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    seen: list[Retry] = []
    policy = RetryPolicy(first_delay=0, on_retry=seen.append)
    found = await outcome(f"http://127.0.0.1:{port}", transport, CALLS["chat"], max_retries=policy)  # type: ignore[arg-type]
    assert isinstance(found, APIConnectionError)
    assert found.sent is False
    assert [(item.operation, item.attempt) for item in seen] == [
        ("chat_create", 1),
        ("chat_create", 2),
    ]


@sync_and_async
async def test_a_repeated_call_returns_what_the_last_answer_says(transport: str | None) -> None:
    with ChunkServer(CLOSED, reply(b"", 503), reply(BOT)) as server:
        assert (await outcome(server, transport, CALLS["read"])).name == "Otter"
    assert len(server.requests) == 3


@sync_and_async
async def test_the_number_of_repetitions_is_set_per_client_and_per_call(
    transport: str | None,
) -> None:
    for wanted, sent in ((0, 1), (1, 2), (4, 5)):
        with ChunkServer(reply(b"", 503)) as server:
            policy = attrs.evolve(NOW, max_retries=wanted)
            assert isinstance(
                await outcome(server, transport, CALLS["read"], max_retries=policy), ServerError
            )
            assert len(server.requests) == sent
            one = lambda client: client.with_options(max_retries=0).bots.retrieve("b1")  # noqa: E731
            assert isinstance(
                await outcome(server, transport, one, max_retries=policy), ServerError
            )
            assert len(server.requests) == sent + 1


def slept(monkeypatch_list: list[float]) -> dict[str, Any]:
    async def sleep_async(seconds: float) -> None:
        monkeypatch_list.append(seconds)

    return {"sleep": monkeypatch_list.append, "sleep_async": sleep_async}


@sync_and_async
async def test_the_wait_grows_with_jitter_up_to_its_limit(transport: str | None) -> None:
    waits: list[float] = []
    policy = RetryPolicy(
        max_retries=5, first_delay=1, max_delay=6, random=lambda: 1.0, **slept(waits)
    )
    with ChunkServer(reply(b"", 503)) as server:
        await outcome(server, transport, CALLS["read"], max_retries=policy)
    assert waits == [1, 2, 4, 6, 6]
    waits.clear()
    with ChunkServer(reply(b"", 503)) as server:
        await outcome(
            server, transport, CALLS["read"], max_retries=attrs.evolve(policy, random=lambda: 0.0)
        )
    assert waits == [0.75, 1.5, 3, 4.5, 4.5]


@sync_and_async
@pytest.mark.parametrize("status", [429, 503])
async def test_the_server_says_how_long_to_wait_in_seconds(
    status: int, transport: str | None
) -> None:
    waits: list[float] = []
    with ChunkServer(reply(b"", status, {"retry-after": "7"}), reply(BOT)) as server:
        found = await outcome(
            server, transport, CALLS["read"], max_retries=RetryPolicy(**slept(waits))
        )
    assert (found.name, waits) == ("Otter", [7.0])


@sync_and_async
async def test_the_server_says_how_long_to_wait_as_a_date(transport: str | None) -> None:
    waits: list[float] = []
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    past = email.utils.formatdate(time.time() - 30, usegmt=True)
    with ChunkServer(
        reply(b"", 429, {"retry-after": date}), reply(b"", 429, {"retry-after": past}), reply(BOT)
    ) as server:
        found = await outcome(
            server, transport, CALLS["read"], max_retries=RetryPolicy(**slept(waits))
        )
    assert found.name == "Otter"
    assert 25 < waits[0] <= 30
    assert waits[1] == 0


@sync_and_async
async def test_a_server_that_asks_for_too_much_patience_gets_none(transport: str | None) -> None:
    waits: list[float] = []
    with ChunkServer(reply(b"", 429, {"retry-after": "61"})) as server:
        found = await outcome(
            server, transport, CALLS["read"], max_retries=RetryPolicy(**slept(waits))
        )
    assert isinstance(found, RateLimitError)
    assert (found.retry_after, len(server.requests), waits) == (61.0, 1, [])


@sync_and_async
async def test_a_wait_that_makes_no_sense_is_overlooked(transport: str | None) -> None:
    waits: list[float] = []
    with ChunkServer(reply(b"", 503, {"retry-after": "soon"}), reply(BOT)) as server:
        policy = RetryPolicy(random=lambda: 1.0, **slept(waits))
        assert (await outcome(server, transport, CALLS["read"], max_retries=policy)).name == "Otter"
    assert waits == [0.5]


@sync_and_async
async def test_the_callback_is_told_of_each_repetition_and_may_end_the_call(
    transport: str | None,
) -> None:
    class Enough(Exception):
        pass

    seen: list[Retry] = []

    def told(retry: Retry) -> None:
        seen.append(retry)
        if len(seen) == 2:
            raise Enough

    with ChunkServer(reply({"code": 5000, "msg": "x"}, 500)) as server, pytest.raises(Enough):
        await outcome(
            server,
            transport,
            CALLS["read"],
            max_retries=RetryPolicy(max_retries=9, first_delay=0, on_retry=told),
        )
    assert len(server.requests) == 2
    assert [(item.operation, item.attempt, item.delay) for item in seen] == [
        ("bots_retrieve", 1, 0.0),
        ("bots_retrieve", 2, 0.0),
    ]
    assert isinstance(seen[0].error, ServerError)


CONTENT = bytes(range(256)) * 1000


@sync_and_async
@pytest.mark.parametrize("form", ["path", "bytes", "file", "open file from the middle"])
async def test_an_upload_starts_again_from_where_it_began(
    form: str, tmp_path: Path, transport: str | None
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(CONTENT)
    expected = CONTENT[100:] if form == "open file from the middle" else CONTENT
    with path.open("rb") as opened, ChunkServer(reply(LIMIT, 429), reply(FILE)) as server:
        if form == "open file from the middle":
            opened.seek(100)
        file = {"path": path, "bytes": ("picture.png", CONTENT)}.get(form, opened)
        found = await outcome(server, transport, lambda client: client.files.upload(file=file))
        assert found.id == "f1"
    assert len(server.requests) == 2
    assert all(expected in request.body for request in server.requests)
    assert len({len(request.body) for request in server.requests}) == 1


class OneWay(io.BytesIO):
    def seekable(self) -> bool:
        return False


@sync_and_async
async def test_an_upload_that_cannot_start_again_is_sent_once(transport: str | None) -> None:
    with ChunkServer(reply(LIMIT, 429)) as server:
        found = await outcome(
            server, transport, lambda client: client.files.upload(file=("a.png", OneWay(CONTENT)))
        )
    assert isinstance(found, RateLimitError)
    assert len(server.requests) == 1


class Unreliable(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Fails the first time, after it has read so many chunks of the body, and then succeeds."""

    def __init__(self, problem: Exception, chunks: int | None) -> None:
        self.problem: Exception | None = problem
        self.chunks = chunks
        self.received: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        body = iter(request.stream)
        problem, self.problem = self.problem, None
        self.received.append(b"".join(islice(body, self.chunks) if problem else body))
        return self.answer(problem)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        problem, self.problem = self.problem, None
        chunks: list[bytes] = []
        left = self.chunks if problem else None
        if left != 0:
            async for chunk in request.stream:
                chunks.append(chunk)
                if len(chunks) == left:
                    break
        self.received.append(b"".join(chunks))
        return self.answer(problem)

    def answer(self, problem: Exception | None) -> httpx.Response:
        if problem is not None:
            raise problem
        return httpx.Response(200, json=FILE)


# Chunks that leave before the connection fails, the file → how often the upload is sent.
REPEATED: dict[str, tuple[int | None, Any, int]] = {
    "a file that was not touched": (0, OneWay, 2),
    "a file whose first piece has left": (2, OneWay, 1),
    "a file that can be rewound": (2, io.BytesIO, 2),
    "a body that has left to its end": (None, io.BytesIO, 1),
}


@pytest.mark.parametrize("kind", ["sync", "async"])
@each("chunks, file, sent", REPEATED)
async def test_an_upload_is_repeated_when_it_cannot_have_been_accepted(
    chunks: int | None, file: Any, sent: int, kind: str
) -> None:
    transport = Unreliable(httpx.ReadError("gone"), chunks)
    content = ("a.png", file(CONTENT))
    try:
        if kind == "sync":
            with coze("http://coze.test", transport=transport) as client:
                client.files.upload(file=content)
        else:
            async with async_coze("http://coze.test", transport) as other:
                await other.files.upload(file=content)
    except APIConnectionError as error:
        assert error.sent is (chunks is None)
    assert len(transport.received) == sent
    assert sent == 1 or CONTENT in transport.received[-1]


# What a proxy answers to CONNECT → how often even a billed call is tried.
PROXY_ANSWERS: dict[str, tuple[Script, int]] = {
    "a refusal of the password": ([Head(407, {}, "length", 0)], 1),
    "a refusal of the host": ([Head(403, {}, "length", 0)], 1),
    "a server that is away": ([Head(502, {}, "length", 0)], 3),
    "nothing": (CLOSED, 3),
}


@sync_and_async
@each("answer, tries", PROXY_ANSWERS)
async def test_what_a_proxy_refuses_for_good_is_not_repeated_and_its_failures_are(
    answer: Script, tries: int, transport: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChunkServer(answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        found = await outcome("https://coze.test", transport, CALLS["chat"])  # type: ignore[arg-type]
    assert isinstance(found, APIConnectionError)
    assert found.sent is False
    assert len(proxy.requests) == tries


@sync_and_async
async def test_a_refused_token_is_renewed_once_even_for_a_billed_call(
    transport: str | None,
) -> None:
    tokens = iter(["first", "second", "third", "fourth"])

    def by_token(request: Request) -> list[Step]:
        good = request.headers["authorization"] == "Bearer third"
        return (
            reply({"code": 0, "data": {"id": "c", "conversation_id": "x", "status": "created"}})
            if good
            else reply({"code": 4100}, 401)
        )

    with ChunkServer(by_token) as server:
        held = [next(tokens)]

        def current() -> str:
            held[0] = next(tokens) if len(server.requests) else held[0]
            return held[0]

        auth = TokenCallback(current)
        if transport is None:
            from cozekit import Coze

            with Coze(auth=auth, base_url=server.url, max_retries=NOW) as client:
                assert client.chat.create(**ASK).id == "c"
        else:
            from cozekit import AsyncCoze

            async with AsyncCoze(
                auth=auth, base_url=server.url, max_retries=NOW, transport=transport
            ) as other:  # type: ignore[arg-type]
                assert (await other.chat.create(**ASK)).id == "c"
    assert [request.headers["authorization"] for request in server.requests] == [
        "Bearer first",
        "Bearer third",
    ]


@pytest.mark.parametrize("wanted", [-1, 1.5, "2", True])
def test_a_number_of_repetitions_that_is_none_is_refused(wanted: Any) -> None:
    with pytest.raises(ArgumentError, match="max_retries"):
        coze("http://127.0.0.1:1", max_retries=wanted)
    with pytest.raises(ArgumentError, match="max_retries"):
        coze("http://127.0.0.1:1").with_options(max_retries=wanted)


def test_a_policy_can_be_pickled_and_compared() -> None:
    policy = RetryPolicy(max_retries=7, max_delay=3)
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_a_number_for_one_call_keeps_the_rest_of_the_policy() -> None:
    client = coze("http://127.0.0.1:1", max_retries=RetryPolicy(first_delay=9))
    assert client.with_options(max_retries=5).settings.retries == RetryPolicy(
        first_delay=9, max_retries=5
    )


@each_transport
async def test_aiohttp_repeats_nothing_behind_the_policy(transport: str) -> None:
    """It would send safe requests a second time on a connection that was used before."""
    with ChunkServer(reply(BOT), CLOSED) as server:
        async with async_coze(server, transport, max_retries=0) as client:
            await client.bots.retrieve("b1")
            with pytest.raises(APIConnectionError):
                await client.bots.retrieve("b1")
    assert len(server.requests) == 2


@sync_and_async
async def test_a_refused_call_that_carries_no_token_does_not_ask_for_another_one(
    transport: str | None,
) -> None:
    from cozekit import AsyncCoze, Coze

    with ChunkServer(reply({"error": "invalid_client"}, 401)) as server:
        settings: dict[str, Any] = {
            "auth": TokenCallback(never),
            "base_url": server.url,
            "max_retries": NOW,
        }
        ask: dict[str, Any] = {"client_id": "app"}
        with pytest.raises(CozeError, match="invalid_client"):
            if transport is None:
                with Coze(**settings) as client:
                    client.oauth.device_code(**ask)
            else:
                async with AsyncCoze(transport=transport, **settings) as other:
                    await other.oauth.device_code(**ask)
    assert len(server.requests) == 1
    assert "authorization" not in server.requests[0].headers


@sync_and_async
async def test_a_call_whose_every_token_is_refused_is_sent_twice_and_no_more(
    transport: str | None,
) -> None:
    from cozekit import AsyncCoze, AuthenticationError, Coze

    numbers = iter(range(20))
    settings: dict[str, Any] = {
        "auth": TokenCallback(lambda: f"t{next(numbers, 20)}"),
        "max_retries": NOW,
    }
    with (
        ChunkServer(reply({"code": 4100, "msg": "no"}, 401)) as server,
        pytest.raises(AuthenticationError),
    ):
        if transport is None:
            with Coze(base_url=server.url, **settings) as client:
                client.bots.retrieve("b1")
        else:
            async with AsyncCoze(base_url=server.url, transport=transport, **settings) as other:
                await other.bots.retrieve("b1")
    assert len(server.requests) == 2


@sync_and_async
@pytest.mark.parametrize(
    "fault",
    [reply(b"", 408), reply({"code": 4200, "msg": "gone"}, 503)],
    ids=["408", "a code that says more"],
)
async def test_the_status_of_a_gateway_counts_whatever_the_class_of_the_error(
    fault: Script, transport: str | None
) -> None:
    with ChunkServer(fault) as server:
        for name, sent in (("read", 3), ("chat", 4)):
            found = await outcome(server, transport, CALLS[name])
            assert isinstance(found, APIError) and not isinstance(found, ServerError)
            assert len(server.requests) == sent


def test_the_jitter_of_every_wait_is_another_one() -> None:
    waits = [RetryPolicy(first_delay=1).delay(OPERATION, ServerError("x"), 1) for _ in range(50)]
    assert all(wait is not None and 0.75 <= wait <= 1 for wait in waits)
    assert len(set(waits)) > 40


@pytest.mark.parametrize(
    "wrong", [{"max_retries": -1}, {"first_delay": -0.5}, {"max_delay": "8"}], ids=str
)
def test_a_policy_with_a_number_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        RetryPolicy(**wrong)
