"""Sends prepared requests, and translates errors of httpx into ours.

Only this folder uses httpx; the rest of the package uses `PreparedRequest`, `Response` and
`OpenResponse`.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import lru_cache
from types import TracebackType
from typing import Any, TypeVar

import httpx

from ..errors import APIConnectionError, APITimeoutError, CozeError
from ..operation import Response
from ..serialization.codec import is_binary
from ..serialization.error_responses import failure, is_error_envelope, shape_error
from .prepared import OpenResponse, PreparedRequest

C = TypeVar("C", httpx.Client, httpx.AsyncClient)


class translated:  # noqa: N801  # used like a function
    """Context manager that translates errors of httpx. A class, because a generator takes three
    times as long.
    """

    __slots__ = ("_prepared",)

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, CozeError):
            raise connection_error(error, self._prepared) from error


def connection_error(error: Exception, prepared: PreparedRequest) -> APIConnectionError:
    """Our error for an error of httpx, of a transport or of a hook in `http_client`."""
    from .diagnosis import diagnose

    found = diagnose(error)
    return (APITimeoutError if found.timed_out else APIConnectionError)(
        f"{prepared.operation.label}: {found.text} (at {prepared.base_url})",
        request=prepared.info,
        sent=found.sent,
        retryable=found.retryable,
    )


def closed_error(prepared: PreparedRequest) -> APIConnectionError:
    """The error of a read from a stream that has been closed."""
    return APIConnectionError(
        f"{prepared.operation.label}: the stream was closed while it was being read",
        request=prepared.info,
    )


# Most calls go to a URL that was called before; parsing it is a sixth of the cost of a call.
_parse_url = lru_cache(maxsize=256)(httpx.URL)


def _build(client: httpx.Client | httpx.AsyncClient, prepared: PreparedRequest) -> httpx.Request:
    url = _parse_url(prepared.url)
    # Otherwise httpx replaces the query of the call with that of the client.
    query = url.params if client.params else None
    request = client.build_request(
        prepared.operation.method,
        url,
        params=query,
        headers=prepared.headers,
        content=prepared.content,
        extensions={"timeout": prepared.timeout._asdict()},
    )
    if isinstance(client, httpx.AsyncClient) and prepared.content:
        request.stream = _AsyncBody(prepared.content)
    return request


class _AsyncBody(httpx.AsyncByteStream):
    """A request body: bytes, or the chunks of an upload. Unlike the generators of httpx, it leaves
    nothing half-read when sending fails.
    """

    def __init__(self, content: bytes | AsyncGenerator[bytes, None]) -> None:
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _SingleChunk(self._content) if isinstance(self._content, bytes) else self._content


class _SingleChunk:
    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content


def _response(http_response: httpx.Response, prepared: PreparedRequest, content: bytes) -> Response:
    return Response(
        status=http_response.status_code,
        headers=http_response.headers,
        content=content,
        operation=prepared.operation,
        url=prepared.url,
        base_url=prepared.base_url,
        on_drift=prepared.on_drift,
        service=prepared.service,
    )


def send(client: httpx.Client, prepared: PreparedRequest) -> Response:
    """Sends a request and reads the whole response.

    Raises:
        APIConnectionError: The server could not be reached or did not respond in time.
    """
    if prepared.files is not None:
        from .uploads import uploading

        with uploading(prepared) as upload:
            return send(client, upload)
    with translated(prepared):
        http_response = _deliver(client, prepared)
        return _response(http_response, prepared, http_response.content)


async def send_async(client: httpx.AsyncClient, prepared: PreparedRequest) -> Response:
    """The async form of `send`."""
    if prepared.files is not None:
        from .uploads import uploading_async

        async with uploading_async(prepared) as upload:
            return await send_async(client, upload)
    with translated(prepared):
        http_response = await _deliver_async(client, prepared)
        return _response(http_response, prepared, http_response.content)


def _deliver(
    client: httpx.Client, prepared: PreparedRequest, *, stream: bool = False
) -> httpx.Response:
    request = _build(client, prepared)
    if client.event_hooks["response"]:
        client = _reading_refusals(client, _read_refusal)
    try:
        return client.send(request, stream=stream, follow_redirects=False)
    except httpx.HTTPStatusError as error:
        return _refusal(error, request)


async def _deliver_async(
    client: httpx.AsyncClient, prepared: PreparedRequest, *, stream: bool = False
) -> httpx.Response:
    request = _build(client, prepared)
    if client.event_hooks["response"]:
        client = _reading_refusals(client, _read_refusal_async)
    try:
        return await client.send(request, stream=stream, follow_redirects=False)
    except httpx.HTTPStatusError as error:
        return _refusal(error, request)


def _reading_refusals(client: C, hook: Callable[[httpx.Response], Any]) -> C:
    """A copy of a client over the same connections, with one more response hook before its own.

    httpx recommends a hook that calls `raise_for_status`, and drops the body when it raises. The
    body has the error code, so it is read first.
    """
    observed = copy.copy(client)
    observed.event_hooks = {
        **client.event_hooks,
        "response": [hook, *client.event_hooks["response"]],
    }
    return observed


def _read_refusal(response: httpx.Response) -> None:
    if response.status_code >= 300:
        response.read()


async def _read_refusal_async(response: httpx.Response) -> None:
    if response.status_code >= 300:
        await response.aread()


def _refusal(error: httpx.HTTPStatusError, request: httpx.Request) -> httpx.Response:
    """The response about which a hook of the client complains: an error of the API like any other.

    Raises:
        HTTPStatusError: It is the response to another request, one that the hook sent itself.
    """
    if error.response.request is not request:
        raise error
    return error.response


def open_response(
    client: httpx.Client, prepared: PreparedRequest, *, events: bool = True, owner: Any = None
) -> OpenResponse:
    """Sends a request and returns when the headers of a successful response have arrived.

    Args:
        client: The httpx client.
        prepared: The request.
        events: Whether the response must be an event stream; if False, it must be binary.
        owner: An object to keep alive as long as the response.

    Raises:
        APIError: The API returned an error instead of a stream.
        ResponseError: The response has another content type.
        APIConnectionError: The server could not be reached or did not respond in time.
    """
    if prepared.files is not None:
        from .uploads import uploading

        with uploading(prepared) as upload:
            return open_response(client, upload, events=events, owner=owner)
    with translated(prepared):
        http_response = _deliver(client, prepared, stream=True)
        try:
            if _is_expected(http_response, events):
                return OpenResponse(http_response, prepared, owner)
            raise _not_a_stream(_response(http_response, prepared, http_response.read()), events)
        except BaseException:
            http_response.close()
            raise


async def open_response_async(
    client: httpx.AsyncClient,
    prepared: PreparedRequest,
    *,
    events: bool = True,
    owner: Any = None,
) -> OpenResponse:
    """The async form of `open_response`."""
    if prepared.files is not None:
        from .uploads import uploading_async

        async with uploading_async(prepared) as upload:
            return await open_response_async(client, upload, events=events, owner=owner)
    with translated(prepared):
        http_response = await _deliver_async(client, prepared, stream=True)
        try:
            if _is_expected(http_response, events):
                return OpenResponse(http_response, prepared, owner)
            content = await http_response.aread()
            raise _not_a_stream(_response(http_response, prepared, content), events)
        except BaseException:
            await http_response.aclose()
            raise


def _is_expected(http_response: httpx.Response, events: bool) -> bool:
    content_type = http_response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return http_response.status_code == 200 and (
        content_type == "text/event-stream" if events else is_binary(content_type)
    )


def _not_a_stream(response: Response, events: bool) -> Exception:
    """The error for a response that is not a stream: an error envelope, or another content type."""
    error = failure(response)
    if response.status >= 300 or error.code or is_error_envelope(response.content):
        return error
    expected = "an event stream" if events else "binary data"
    return shape_error(response, f"expected {expected}")
