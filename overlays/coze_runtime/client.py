"""Base classes of the clients; the generated clients add a property for each resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Literal, ParamSpec, Self, TypeVar, cast, overload

from . import _http
from ._http.connections import AsyncConnections, Connections
from .auth import Auth
from .base_client import BaseClient
from .calls import raw
from .calls.hooks import RequestHook, ResponseHook
from .calls.retries import RetryPolicy
from .operation import CallOptions, Request, Response
from .steps import run_steps, run_steps_async
from .types import DEFAULT, DriftHook, FileInput, TimeoutInput

P = ParamSpec("P")
T = TypeVar("T")


class SyncAPIClient(BaseClient):
    """The sync client. Threads may share it. Use it in a `with` block, or call `close`."""

    _is_async = False

    def __init__(
        self,
        token: str | None = None,
        *,
        auth: Auth | None = None,
        base_url: str | None = None,
        www_url: str | None = None,
        server: Literal["coze_studio"] | None = None,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy = 2,
        http_client: _http.HTTPClient | None = None,
        transport: _http.Transport | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
    ) -> None:
        """Creates a client. No connection is opened before the first call.

        Args:
            token: Personal or service access token. By default read from the environment variable
                COZE_API_TOKEN.
            auth: Token source to use instead of `token`; see `cozekit.auth`.
            base_url: Base URL of the API; may have a port and a path. By default read from
                COZE_API_BASE, else https://api.coze.cn.
            www_url: Base URL of the sign-in pages. By default derived from `base_url`.
            server: `"coze_studio"` for a Coze Studio server: requests are sent as it wants them,
                and calls that it does not have raise NotFoundError before a request. By default
                read from COZE_SERVER, else the official service.
            timeout: Seconds without data before a call fails: a number, a `Timeout`, or None for no
                limit. By default 5 to connect and 60 for everything else; 600 to read the response
                of a model or workflow run.
            max_retries: How often a call is retried after a temporary failure (0 for never), or a
                `RetryPolicy`. Billed calls are retried only when the server cannot have received
                them.
            http_client: Your own `httpx.Client`, used with its proxies, limits and headers. You
                close it.
            transport: Your own `httpx.BaseTransport`; closed with the client.
            default_headers: Headers to send with every request.
            on_drift: Called with a `Drift` for each place where a response differs from the
                description.
            on_request: Called with an `OutgoingRequest` before each request, retries included; it
                may add headers.
            on_response: Called with a `ReceivedResponse` after each request, failed ones included.

        Raises:
            ArgumentError: There is no token, a URL, `server`, `timeout` or `max_retries` is not
                valid, `http_client` or `transport` is of the wrong kind, or a hook is async.
        """
        self._configure(
            token,
            auth,
            base_url,
            www_url,
            server,
            timeout,
            max_retries,
            default_headers,
            on_drift,
            on_request,
            on_response,
        )
        _check_given(http_client, transport, is_async=False)
        self._connections = Connections(http_client, partial(_new_client, transport))

    def execute(self, request: Request, parse: Callable[[Response], T], options: CallOptions) -> T:
        """Sends a request, with token and retries, and parses the response. The generated methods
        call this.

        Args:
            request: The request, made by the `build` function of an operation.
            parse: The `parse` function of the operation.
            options: Options of this call.

        Raises:
            CozeError: The errors of the operation.
        """
        from ._http.exchange import send

        if not raw.is_active():
            return parse(self._run(request, options, send))
        with raw.one_call(request.operation) as responses:
            if responses is None:
                return cast(T, self.open_response(request, options, events=False))
            response = self._run(request, options, send)
        responses.append(response)
        return parse(response)

    def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> _http.OpenResponse:
        """Sends a request and returns when the headers of the response have arrived, before its
        body. Streams call this.

        Args:
            request: The request, made by the `build` function of an operation.
            options: Options of this call.
            events: Whether the response must be an event stream; if False, it must be binary.

        Raises:
            CozeError: The errors of the operation.
        """
        from ._http.exchange import open_response

        if events:
            raw.reject_stream(request.operation)
        # Unreferenced connections are closed; the open response keeps a reference to them.
        send = partial(open_response, events=events, owner=self._connections)
        return self._run(request, options, send)

    def _run(
        self,
        request: Request,
        options: CallOptions,
        send: Callable[[_http.HTTPClient, _http.PreparedRequest], T],
    ) -> T:
        from .calls.execute import execute

        settings = self._settings
        steps = execute(self, settings, self._connections, request, options, send)
        return cast(T, run_steps(steps, settings.retries.wait))

    def with_raw_response(self, method: Callable[P, T]) -> Callable[P, raw.RawResponse[T]]:
        """Wraps a method so that it also returns status, headers and body of the response.

        ```python
        response = coze.with_raw_response(coze.bots.retrieve)("7342866812345")
        print(response.headers["x-tt-logid"], response.parsed.name)
        ```

        Args:
            method: A method of this client that is not a stream.

        Returns:
            A function with the parameters of `method` that returns a `RawResponse`. It raises what
            `method` raises, and ArgumentError if `method` is a stream.
        """
        return raw.raw(method)

    def with_streaming_response(self, method: Callable[P, bytes]) -> Callable[P, _http.ByteStream]:
        """Wraps a method that returns bytes, so that it returns the open body instead.

        ```python
        create = coze.with_streaming_response(coze.audio.speech.create)
        with create(input="Hello", voice_id="7426720361733046281") as body:
            for chunk in body.iter_bytes():
                ...
        ```

        Args:
            method: A method of this client that returns bytes.

        Returns:
            A function with the parameters of `method` that returns a `ByteStream`.
        """
        return raw.unread(method)

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None,
        cast_to: type[T],
        unwrap: str | None = None,
        billed: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        timeout: TimeoutInput = DEFAULT,
    ) -> T: ...

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None,
        cast_to: None = None,
        unwrap: str | None = None,
        billed: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        timeout: TimeoutInput = DEFAULT,
    ) -> Any: ...

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None,
        cast_to: Any = None,
        unwrap: str | None = None,
        billed: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        timeout: TimeoutInput = DEFAULT,
    ) -> Any:
        """Calls an endpoint that this package has no method for, with the token, retries, timeouts
        and errors of the other methods.

        Args:
            method: HTTP method, such as `GET`.
            path: Path below the base URL, such as `/v1/bots`. You quote its segments.
            query: Query fields; None values are not sent.
            body: JSON body; with `files`, the text fields of the form.
            files: Files of a multipart form, by field name.
            cast_to: Type of the result: a model, `list[Model]`, `dict`, `bytes`, or
                `cozekit.types.Response` for the complete response, which raises no error. None
                returns plain JSON data.
            unwrap: Dotted path of the result in the body, `""` for the whole body. By default
                `data`, or the whole body if it has no `data`.
            billed: Whether every call is charged. If True, the call is retried only when the server
                cannot have received it, and its read timeout is 600 s.
            extra_headers: Headers to add; they override headers of the same name.
            timeout: Seconds without data before this call fails: a number, a `Timeout`, or None for
                no limit. Omit to use the timeout of the client.

        Returns:
            The result as `cast_to`; a value of another type is returned as it came and reported to
            `on_drift`.

        Raises:
            APIError: The API returned an error.
            APIConnectionError: The server could not be reached or did not respond in time.
            ResponseError: The response is not valid JSON, or lacks the value that `cast_to` needs.
            ArgumentError: `method` is not an HTTP method, or `path` does not start with one `/`.
        """
        from .calls import custom_requests

        request = custom_requests.build(
            method, path, query=query, body=body, files=files, billed=billed
        )
        options = CallOptions(extra_headers=extra_headers, timeout=timeout)
        return self.execute(request, custom_requests.parser(cast_to, unwrap), options)

    def close(self) -> None:
        """Closes the connections, except those of an `http_client` that you passed. May be called
        more than once and from another thread.

        Calls in progress fail with CozeError, and so do later calls. On a copy made by
        `with_options` it does nothing.
        """
        if self._parent is None:
            self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class SyncResource:
    """Base class of the sync resources, such as `coze.bots`."""

    __slots__ = ("_client",)

    def __init__(self, client: SyncAPIClient) -> None:
        self._client = client


def _check_given(http_client: object, transport: object, *, is_async: bool) -> None:
    if http_client is not None or not (transport is None or isinstance(transport, str)):
        from ._http.clients import check_given

        check_given(http_client, transport, is_async=is_async)


def _new_client(transport: _http.Transport | None) -> _http.HTTPClient:
    from ._http.clients import new_client

    return new_client(transport)


class AsyncAPIClient(BaseClient):
    """The async client, for asyncio and trio. Use it in an `async with` block, or await `close`.

    Several event loops may share one client; each loop has separate connections.
    """

    _is_async = True

    def __init__(
        self,
        token: str | None = None,
        *,
        auth: Auth | None = None,
        base_url: str | None = None,
        www_url: str | None = None,
        server: Literal["coze_studio"] | None = None,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy = 2,
        http_client: _http.AsyncHTTPClient | None = None,
        transport: _http.AsyncTransport | Literal["httpx", "aiohttp"] | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
    ) -> None:
        """Creates a client. No connection is opened before the first call.

        Args:
            token: Personal or service access token. By default read from the environment variable
                COZE_API_TOKEN.
            auth: Token source to use instead of `token`; see `cozekit.auth`.
            base_url: Base URL of the API; may have a port and a path. By default read from
                COZE_API_BASE, else https://api.coze.cn.
            www_url: Base URL of the sign-in pages. By default derived from `base_url`.
            server: `"coze_studio"` for a Coze Studio server: requests are sent as it wants them,
                and calls that it does not have raise NotFoundError before a request. By default
                read from COZE_SERVER, else the official service.
            timeout: Seconds without data before a call fails: a number, a `Timeout`, or None for no
                limit. By default 5 to connect and 60 for everything else; 600 to read the response
                of a model or workflow run.
            max_retries: How often a call is retried after a temporary failure (0 for never), or a
                `RetryPolicy`. Billed calls are retried only when the server cannot have received
                them.
            http_client: Your own `httpx.AsyncClient`, used with its proxies, limits and headers.
                You close it.
            transport: `"aiohttp"` for many concurrent connections in asyncio (needs
                `cozekit[fast]`), or your own `httpx.AsyncBaseTransport`, which is closed with the
                client. By default the transport of httpx.
            default_headers: Headers to send with every request.
            on_drift: Called with a `Drift` for each place where a response differs from the
                description.
            on_request: Called with an `OutgoingRequest` before each request, retries included; it
                may add headers. May be async.
            on_response: Called with a `ReceivedResponse` after each request, failed ones included.
                May be async.

        Raises:
            ArgumentError: There is no token, a URL, `server`, `timeout` or `max_retries` is not
                valid, `http_client` or `transport` is of the wrong kind, or `on_drift` is async.
        """
        self._configure(
            token,
            auth,
            base_url,
            www_url,
            server,
            timeout,
            max_retries,
            default_headers,
            on_drift,
            on_request,
            on_response,
        )
        _check_given(http_client, transport, is_async=True)
        own_transport = transport is not None and not isinstance(transport, str)
        make = partial(_new_async_client, transport)
        self._connections = AsyncConnections(http_client, make, shared=own_transport)

    async def execute(
        self, request: Request, parse: Callable[[Response], T], options: CallOptions
    ) -> T:
        """Sends a request, with token and retries, and parses the response. The generated methods
        call this.

        Args:
            request: The request, made by the `build` function of an operation.
            parse: The `parse` function of the operation.
            options: Options of this call.

        Raises:
            CozeError: The errors of the operation.
        """
        from ._http.exchange import send_async

        if not raw.is_active():
            return parse(await self._run(request, options, send_async))
        with raw.one_call(request.operation) as responses:
            if responses is None:
                return cast(T, await self.open_response(request, options, events=False))
            response = await self._run(request, options, send_async)
        responses.append(response)
        return parse(response)

    async def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> _http.OpenResponse:
        """Sends a request and returns when the headers of the response have arrived, before its
        body. Streams call this.

        Args:
            request: The request, made by the `build` function of an operation.
            options: Options of this call.
            events: Whether the response must be an event stream; if False, it must be binary.

        Raises:
            CozeError: The errors of the operation.
        """
        from ._http.exchange import open_response_async

        if events:
            raw.reject_stream(request.operation)
        # Unreferenced connections are closed; the open response keeps a reference to them.
        send = partial(open_response_async, events=events, owner=self._connections)
        return await self._run(request, options, send)

    async def _run(
        self,
        request: Request,
        options: CallOptions,
        send: Callable[[_http.AsyncHTTPClient, _http.PreparedRequest], Awaitable[T]],
    ) -> T:
        from .calls.execute import execute

        settings = self._settings
        steps = execute(self, settings, self._connections, request, options, send, is_async=True)
        return cast(T, await run_steps_async(steps, settings.retries.wait_async))

    def with_raw_response(
        self, method: Callable[P, Awaitable[T]]
    ) -> Callable[P, Awaitable[raw.RawResponse[T]]]:
        """Wraps a method so that it also returns status, headers and body of the response.

        ```python
        response = await coze.with_raw_response(coze.bots.retrieve)("7342866812345")
        print(response.headers["x-tt-logid"], response.parsed.name)
        ```

        Args:
            method: A method of this client that is not a stream.

        Returns:
            An async function with the parameters of `method` that returns a `RawResponse`. It
            raises what `method` raises, and ArgumentError if `method` is a stream.
        """
        return raw.raw_async(method)

    def with_streaming_response(
        self, method: Callable[P, Awaitable[bytes]]
    ) -> Callable[P, _http.AsyncByteStream]:
        """Wraps a method that returns bytes, so that it returns the open body instead.

        ```python
        create = coze.with_streaming_response(coze.audio.speech.create)
        async with create(input="Hello", voice_id="7426720361733046281") as body:
            async for chunk in body.iter_bytes():
                ...
        ```

        Args:
            method: A method of this client that returns bytes.

        Returns:
            A function with the parameters of `method` that returns an `AsyncByteStream`. It is not
            async itself: the request is sent when the stream is opened.
        """
        return raw.unread_async(method)

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None,
        cast_to: type[T],
        unwrap: str | None = None,
        billed: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109
    ) -> T: ...

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None,
        cast_to: None = None,
        unwrap: str | None = None,
        billed: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109
    ) -> Any: ...

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None,
        cast_to: Any = None,
        unwrap: str | None = None,
        billed: bool = False,
        extra_headers: Mapping[str, str] | None = None,
        timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109
    ) -> Any:
        """Calls an endpoint that this package has no method for, with the token, retries, timeouts
        and errors of the other methods.

        Args:
            method: HTTP method, such as `GET`.
            path: Path below the base URL, such as `/v1/bots`. You quote its segments.
            query: Query fields; None values are not sent.
            body: JSON body; with `files`, the text fields of the form.
            files: Files of a multipart form, by field name.
            cast_to: Type of the result: a model, `list[Model]`, `dict`, `bytes`, or
                `cozekit.types.Response` for the complete response, which raises no error. None
                returns plain JSON data.
            unwrap: Dotted path of the result in the body, `""` for the whole body. By default
                `data`, or the whole body if it has no `data`.
            billed: Whether every call is charged. If True, the call is retried only when the server
                cannot have received it, and its read timeout is 600 s.
            extra_headers: Headers to add; they override headers of the same name.
            timeout: Seconds without data before this call fails: a number, a `Timeout`, or None for
                no limit. Omit to use the timeout of the client.

        Returns:
            The result as `cast_to`; a value of another type is returned as it came and reported to
            `on_drift`.

        Raises:
            APIError: The API returned an error.
            APIConnectionError: The server could not be reached or did not respond in time.
            ResponseError: The response is not valid JSON, or lacks the value that `cast_to` needs.
            ArgumentError: `method` is not an HTTP method, or `path` does not start with one `/`.
        """
        from .calls import custom_requests

        request = custom_requests.build(
            method, path, query=query, body=body, files=files, billed=billed
        )
        options = CallOptions(extra_headers=extra_headers, timeout=timeout)
        return await self.execute(request, custom_requests.parser(cast_to, unwrap), options)

    async def close(self) -> None:
        """Closes the connections, except those of an `http_client` that you passed. May be called
        more than once and from another task.

        Calls in progress fail with CozeError, and so do later calls. On a copy made by
        `with_options` it does nothing.
        """
        if self._parent is None:
            await self._connections.close()

    async def aclose(self) -> None:
        """The same as `close`, for `contextlib.aclosing`."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


class AsyncResource:
    """Base class of the async resources, such as `coze.bots`."""

    __slots__ = ("_client",)

    def __init__(self, client: AsyncAPIClient) -> None:
        self._client = client


def _new_async_client(
    transport: _http.AsyncTransport | str | None, on_asyncio: bool
) -> _http.AsyncHTTPClient:
    from ._http.clients import new_async_client

    return new_async_client(transport, on_asyncio=on_asyncio)
