"""Types of raw answers, open bodies, own requests, hooks and transports. Only the type checkers
read this file.
"""

from __future__ import annotations

from typing import Any, assert_type

from cozekit import (
    AsyncCoze,
    ChatEvent,
    Coze,
    OutgoingRequest,
    RawResponse,
    ReceivedResponse,
    RetryPolicy,
    Timeout,
)
from cozekit.models import Bot, BotSummary
from cozekit.types import AsyncByteStream, AsyncPage, ByteStream, Page, Response


def sync_raw(coze: Coze) -> None:
    answer = coze.with_raw_response(coze.bots.retrieve)("1")
    assert_type(answer, RawResponse[Bot])
    assert_type(answer.parsed, Bot)
    assert_type(answer.status, int)
    assert_type(answer.content, bytes)
    assert_type(answer.logid, str | None)
    assert_type(
        coze.with_raw_response(coze.bots.list)(workspace_id="1"), RawResponse[Page[BotSummary]]
    )
    with coze.with_streaming_response(coze.audio.speech.create)(input="hi", voice_id="v") as body:
        assert_type(body, ByteStream)
        for piece in body.iter_bytes():
            assert_type(piece, bytes)


async def async_raw(coze: AsyncCoze) -> None:
    assert_type(await coze.with_raw_response(coze.bots.retrieve)("1"), RawResponse[Bot])
    assert_type(
        await coze.with_raw_response(coze.bots.list)(workspace_id="1"),
        RawResponse[AsyncPage[BotSummary]],
    )
    async with coze.with_streaming_response(coze.audio.speech.create)(
        input="hi", voice_id="v"
    ) as body:
        assert_type(body, AsyncByteStream)
        async for piece in body.iter_bytes():
            assert_type(piece, bytes)


def own_requests(coze: Coze) -> None:
    assert_type(coze.request("GET", "/v9/new"), Any)
    assert_type(coze.request("GET", "/v9/new", cast_to=Bot), Bot)
    assert_type(coze.request("GET", "/v9/new", cast_to=list[BotSummary]), list[BotSummary])
    assert_type(coze.request("GET", "/v9/new", cast_to=bytes), bytes)
    assert_type(coze.request("GET", "/v9/new", cast_to=Response), Response)


async def own_async_requests(coze: AsyncCoze) -> None:
    assert_type(await coze.request("GET", "/v9/new"), Any)
    assert_type(await coze.request("GET", "/v9/new", cast_to=Bot), Bot)


def sent(request: OutgoingRequest) -> None:
    request.headers["traceparent"] = f"{request.operation} {request.attempt}"


async def received(response: ReceivedResponse) -> None:
    assert_type(response.status, int | None)


def settings() -> None:
    Coze("t", timeout=5, max_retries=RetryPolicy(max_retries=3), on_request=sent)
    AsyncCoze(
        "t", timeout=Timeout(read=None), transport="aiohttp", on_request=sent, on_response=received
    )
    AsyncCoze("t", transport="httpx").with_options(max_retries=0, on_response=received)


def streams(coze: Coze) -> None:
    stream = coze.chat.stream(bot_id="1", user_id="2", deadline=60)
    assert_type(stream.events, list[ChatEvent])
    assert_type(stream.headers, dict[str, str])


def mistakes(coze: Coze) -> None:
    """Each of these must be an error; an `ignore` that is not needed fails the check too."""
    coze.with_raw_response(coze.bots.retrieve)()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    coze.with_raw_response(coze.bots.retrieve)("1", nonsense=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    coze.with_streaming_response(coze.bots.retrieve)("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncCoze("t", transport="requests")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
