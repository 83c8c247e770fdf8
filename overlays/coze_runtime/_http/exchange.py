"""Sends prepared requests.

Only this folder knows the HTTP library; the rest of the package speaks of `PreparedRequest`,
`Response` and `OpenResponse`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import Any

import httpx

from ..errors import ArgumentError, CozeError
from ..operation import Response
from ..serialization.codec import is_binary
from ..serialization.error_responses import failure, is_error_envelope, shape_error
from .errors import translated
from .prepared import OpenResponse, PreparedRequest

# Most calls go to an address that was called before; parsing it is a sixth of what a call costs
# here.
_parsed = lru_cache(maxsize=256)(httpx.URL)


def _build(client: httpx.Client | httpx.AsyncClient, prepared: PreparedRequest) -> httpx.Request:
    try:
        url = _parsed(prepared.url)
        # Otherwise the library drops the query of the call for that of the client.
        query = url.params if client.params else None
        request = client.build_request(
            prepared.operation.method,
            url,
            params=query,
            headers=prepared.headers,
            content=prepared.content,
            timeout=httpx.Timeout(prepared.timeout),
        )
        if isinstance(client, httpx.AsyncClient) and prepared.content:
            request.stream = _AsyncBody(prepared.content)
        return request
    except (TypeError, UnicodeEncodeError) as error:
        wrong = next(
            (
                name
                for name, value in prepared.headers.items()
                if not (isinstance(value, str) and value.isascii())
            ),
            None,
        )
        if wrong is None:
            raise
        raise ArgumentError(
            f"{prepared.operation.id}: the value of header {wrong} is no ASCII text",
            argument="extra_headers",
        ) from error


class _AsyncBody(httpx.AsyncByteStream):
    """A body: bytes, or pieces of an upload. The generators of the library for both stay half-read
    when sending fails.
    """

    def __init__(self, content: bytes | AsyncGenerator[bytes, None]) -> None:
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content) if isinstance(self._content, bytes) else self._content


class _Once:
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
    """The request with its files, which are read while it is sent and closed when the answer has
    come.
    """
    from ..serialization.multipart import Form

    form = Form(prepared.form or {}, prepared.files or {})
    headers = _with_form_headers(prepared, form.begin())
    with closing(form.pieces()) as pieces:
        try:
            yield prepared._replace(headers=headers, content=pieces)
        except CozeError:
            if form.problem is not None:
                raise form.problem from None
            raise


@asynccontextmanager
async def _uploading_async(prepared: PreparedRequest) -> AsyncIterator[PreparedRequest]:
    """The async form of `_uploading`; a request without files passes as it is."""
    if prepared.files is None:
        yield prepared
        return
    from ..serialization.multipart import Form

    form = Form(prepared.form or {}, prepared.files)
    headers = _with_form_headers(prepared, await form.begin_async())
    pieces = form.pieces_async()
    try:
        yield prepared._replace(headers=headers, content=pieces)
    except CozeError:
        if form.problem is not None:
            raise form.problem from None
        raise
    finally:
        # A transport that answers before it has read the whole body may still be reading it; then
        # it closes it.
        with suppress(RuntimeError):
            await pieces.aclose()


def _with_form_headers(prepared: PreparedRequest, added: dict[str, str]) -> dict[str, str]:
    names = {name.lower() for name in added}
    return {
        **{name: value for name, value in prepared.headers.items() if name.lower() not in names},
        **added,
    }


def _response(answer: httpx.Response, prepared: PreparedRequest, content: bytes) -> Response:
    return Response(
        status=answer.status_code,
        headers=answer.headers,
        content=content,
        operation=prepared.operation,
        url=prepared.url,
        base_url=prepared.base_url,
        on_drift=prepared.on_drift,
        service=prepared.service,
    )


def send(client: httpx.Client, prepared: PreparedRequest) -> Response:
    """Sends one request and reads the whole answer.

    Raises:
        APIConnectionError: The server could not be reached or did not respond in time.
    """
    if prepared.files is not None:
        with _uploading(prepared) as upload:
            return _send(client, upload)
    return _send(client, prepared)


def _send(client: httpx.Client, prepared: PreparedRequest) -> Response:
    with translated(prepared):
        answer = client.send(_build(client, prepared), follow_redirects=False)
        return _response(answer, prepared, answer.content)


async def send_async(client: httpx.AsyncClient, prepared: PreparedRequest) -> Response:
    """The async form of `send`."""
    async with _uploading_async(prepared) as ready:
        with translated(ready):
            answer = await client.send(_build(client, ready), follow_redirects=False)
            return _response(answer, ready, answer.content)


def open_response(
    client: httpx.Client, prepared: PreparedRequest, *, events: bool = True, owner: Any = None
) -> OpenResponse:
    """Sends one request and returns once the head of a successful answer has come.

    Args:
        client: The connections.
        prepared: The request.
        events: Whether only an event stream will do; otherwise any body but JSON.
        owner: What must live as long as the response.

    Raises:
        APIError: The API returned an error in place of a stream.
        ResponseError: The response is not a stream.
        APIConnectionError: The server could not be reached or did not respond in time.
    """
    upload = nullcontext(prepared) if prepared.files is None else _uploading(prepared)
    with upload as ready, translated(ready):
        answer = client.send(_build(client, ready), stream=True, follow_redirects=False)
        try:
            if _is_promised(answer, events):
                return OpenResponse(answer, ready, owner)
            raise _not_a_stream(_response(answer, ready, answer.read()), events)
        except BaseException:
            answer.close()
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
            answer = await client.send(request, stream=True, follow_redirects=False)
            try:
                if _is_promised(answer, events):
                    return OpenResponse(answer, ready, owner)
                raise _not_a_stream(_response(answer, ready, await answer.aread()), events)
            except BaseException:
                await answer.aclose()
                raise


def _is_promised(answer: httpx.Response, events: bool) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return answer.status_code == 200 and (
        kind == "text/event-stream" if events else is_binary(kind)
    )


def _not_a_stream(response: Response, events: bool) -> Exception:
    """An answer in place of a stream: the error envelope, or something nobody promised."""
    error = failure(response)
    if response.status >= 300 or error.code or is_error_envelope(response.content):
        return error
    return shape_error(
        response, "an event stream was promised" if events else "bytes were promised"
    )
