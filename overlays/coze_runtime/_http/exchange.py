"""Sends prepared requests, and translates errors of httpx into ours.

Only this folder uses httpx; the rest of the package uses `PreparedRequest`, `Response` and
`OpenResponse`.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext, suppress
from functools import lru_cache
from types import TracebackType
from typing import Any

import httpx

from ..errors import APIConnectionError, APITimeoutError, ArgumentError, CozeError
from ..operation import Response
from ..serialization.codec import is_binary
from ..serialization.error_responses import failure, is_error_envelope, shape_error
from .prepared import OpenResponse, PreparedRequest

# Failures that occur before the first byte of the request is sent.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
)
HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError)
_STEPS = {
    "ConnectTimeout": "connecting",
    "ReadTimeout": "waiting for the response",
    "WriteTimeout": "sending",
    "PoolTimeout": "waiting for a connection",
}


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
        if isinstance(error, CozeError):
            return
        if isinstance(error, HTTP_ERRORS):
            raise connection_error(error, self._prepared) from error
        if isinstance(error, RuntimeError) and "closed" in str(error):
            raise APIConnectionError(
                f"{self._prepared.operation.id}: the client is closed",
                request=self._prepared.info,
                sent=False,
            ) from error


def connection_error(error: Exception, prepared: PreparedRequest) -> APIConnectionError:
    """Our error for an error of httpx."""
    if isinstance(error, httpx.TimeoutException):
        error_class: type[APIConnectionError] = APITimeoutError
        reason = f"timed out while {_STEPS.get(type(error).__name__, 'waiting')}"
    else:
        error_class, reason = APIConnectionError, _reason(error)
    return error_class(
        f"{prepared.operation.id}: {reason} (at {prepared.base_url})",
        request=prepared.info,
        sent=not isinstance(error, _UNSENT),
    )


def _reason(error: BaseException) -> str:
    """The text of an error, or of its cause: httpx raises some errors without a text."""
    cause: BaseException | None = error
    while cause is not None:
        if str(cause):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def closed_error(prepared: PreparedRequest) -> APIConnectionError:
    """The error of a read from a stream that has been closed."""
    return APIConnectionError(
        f"{prepared.operation.id}: the stream was closed while it was being read",
        request=prepared.info,
    )


# Most calls go to a URL that was called before; parsing it is a sixth of the cost of a call.
_parse_url = lru_cache(maxsize=256)(httpx.URL)


def _build(client: httpx.Client | httpx.AsyncClient, prepared: PreparedRequest) -> httpx.Request:
    try:
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
    except (TypeError, UnicodeEncodeError) as error:
        header = next(
            (
                name
                for name, value in prepared.headers.items()
                if not (isinstance(value, str) and value.isascii())
            ),
            None,
        )
        if header is None:
            raise
        raise ArgumentError(
            f"{prepared.operation.id}: the value of the header {header} is not ASCII text",
            argument="extra_headers",
        ) from error


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


@contextmanager
def _uploading(prepared: PreparedRequest) -> Iterator[PreparedRequest]:
    """The request with its multipart body. The files are read while the body is sent, and closed
    when the block ends.
    """
    from ..serialization.multipart import Form

    form = Form(prepared.form or {}, prepared.files or {})
    headers = _with_form_headers(prepared, form.begin())
    with closing(form.chunks()) as chunks:
        try:
            yield prepared._replace(headers=headers, content=chunks)
        except CozeError:
            if form.error is not None:
                raise form.error from None
            raise


@asynccontextmanager
async def _uploading_async(prepared: PreparedRequest) -> AsyncIterator[PreparedRequest]:
    """The async form of `_uploading`; yields a request without files as it is."""
    if prepared.files is None:
        yield prepared
        return
    from ..serialization.multipart import Form

    form = Form(prepared.form or {}, prepared.files)
    headers = _with_form_headers(prepared, await form.begin_async())
    chunks = form.chunks_async()
    try:
        yield prepared._replace(headers=headers, content=chunks)
    except CozeError:
        if form.error is not None:
            raise form.error from None
        raise
    finally:
        # If the response arrived before the whole body was sent, the transport may still be
        # reading the body; then the transport closes it.
        with suppress(RuntimeError):
            await chunks.aclose()


def _with_form_headers(prepared: PreparedRequest, form_headers: dict[str, str]) -> dict[str, str]:
    replaced = {name.lower() for name in form_headers}
    kept = {name: value for name, value in prepared.headers.items() if name.lower() not in replaced}
    return {**kept, **form_headers}


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
        with _uploading(prepared) as upload:
            return _send(client, upload)
    return _send(client, prepared)


def _send(client: httpx.Client, prepared: PreparedRequest) -> Response:
    with translated(prepared):
        http_response = client.send(_build(client, prepared), follow_redirects=False)
        return _response(http_response, prepared, http_response.content)


async def send_async(client: httpx.AsyncClient, prepared: PreparedRequest) -> Response:
    """The async form of `send`."""
    async with _uploading_async(prepared) as ready:
        with translated(ready):
            http_response = await client.send(_build(client, ready), follow_redirects=False)
            return _response(http_response, ready, http_response.content)


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
    upload = nullcontext(prepared) if prepared.files is None else _uploading(prepared)
    with upload as ready, translated(ready):
        http_response = client.send(_build(client, ready), stream=True, follow_redirects=False)
        try:
            if _is_expected(http_response, events):
                return OpenResponse(http_response, ready, owner)
            raise _not_a_stream(_response(http_response, ready, http_response.read()), events)
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
    async with _uploading_async(prepared) as ready:
        with translated(ready):
            request = _build(client, ready)
            http_response = await client.send(request, stream=True, follow_redirects=False)
            try:
                if _is_expected(http_response, events):
                    return OpenResponse(http_response, ready, owner)
                raise _not_a_stream(
                    _response(http_response, ready, await http_response.aread()), events
                )
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
