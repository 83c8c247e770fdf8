"""The clients. The generated ones add a property for each resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar, cast, overload

from . import _http
from ._http.connections import AsyncConnections, Connections
from .auth import Auth
from .base_client import BaseClient
from .calls import raw
from .calls.execute import execute
from .calls.hooks import Observer, RequestHook, ResponseHook
from .calls.retries import RetryPolicy
from .operation import CallOptions, Request, Response
from .steps import run_steps, run_steps_async
from .types import DEFAULT, DriftHook, FileInput, TimeoutInput

P = ParamSpec("P")
T = TypeVar("T")


class SyncAPIClient(BaseClient):
    """The sync client. One may be shared by threads; use it in a `with` block, or call `close`."""

    def __init__(
        self,
        token: str | None = None,
        *,
        auth: Auth | None = None,
        base_url: str | None = None,
        www_url: str | None = None,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy = 2,
        http_client: _http.HTTPClient | None = None,
        transport: _http.Transport | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
    ) -> None:
        """Settings of the client; nothing is opened before the first call.

        Args:
            token: Personal or service access token; by default that of the environment variable
                COZE_API_TOKEN.
            auth: Another source of tokens, instead of `token`; see `cozekit.auth`.
            base_url: Where the API is, by default COZE_API_BASE or https://api.coze.cn. A path, a
                port and http are allowed.
            www_url: Where the sign-in pages are; derived from `base_url` when left out.
            timeout: Seconds of silence to allow: a number, a `Timeout`, or None for no limit. By
                default 5 to connect, 60 for an answer, and 600 for one that a model or workflow
                works on.
            max_retries: How often a call that failed in passing is repeated (0 for never), or a
                whole `RetryPolicy`. Billed calls are retried only when the server cannot have
                received them.
            http_client: An `httpx.Client` of your own, with its proxies, limits and headers; you
                close it.
            transport: An `httpx` transport of your own; it is closed with the client.
            default_headers: Headers to send with every request.
            on_drift: Called with a `Drift` for each place where an answer departs from the
                description.
            on_request: Called with an `OutgoingRequest` before each request, retries included; it
                may add headers.
            on_response: Called with a `ReceivedResponse` after each request, also when no answer
                came.

        Raises:
            ArgumentError: There is no token, the base URL is not an http or https address, or a
                number cannot be used.
        """
        self._configure(
            token,
            auth,
            base_url,
            www_url,
            timeout,
            max_retries,
            default_headers,
            on_drift,
            Observer(on_request, on_response),
        )
        self._connections = Connections(http_client, partial(_new_client, transport))

    def execute(self, request: Request, parse: Callable[[Response], T], options: CallOptions) -> T:
        """Sends a request, with retries and sign-in, and parses the response; what the generated
        methods call.

        Args:
            request: Made by the `build` function of an operation.
            parse: The `parse` function of that operation.
            options: Options of this call.

        Raises:
            CozeError: As the operation.
        """
        if raw.wants_unread():
            return cast(T, self.open_response(request, options, events=False))
        from ._http.exchange import send

        return parse(raw.note(self._run(request, options, send)))

    def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> _http.OpenResponse:
        """Sends a request and returns once the head of the response has come; what streams call.

        Args:
            request: Made by the `build` function of an operation.
            options: Options of this call.
            events: Whether only an event stream will do; otherwise any body but JSON.

        Raises:
            CozeError: As the operation.
        """
        from ._http.exchange import open_response

        # Connections close when nobody needs them any more, and an open response does.
        send = partial(open_response, events=events, owner=self._connections)
        return self._run(request, options, send)

    def _run(
        self,
        request: Request,
        options: CallOptions,
        send: Callable[[_http.HTTPClient, _http.PreparedRequest], T],
    ) -> T:
        settings = self._settings
        steps = execute(self, settings, self._connections, request, options, send)
        return cast(T, run_steps(steps, settings.retries.wait))

    def with_raw_response(self, method: Callable[P, T]) -> Callable[P, raw.RawResponse[T]]:
        """The method, returning its answer as it came besides what it returns: status, headers,
        body, log id.

        ```python
        answer = coze.with_raw_response(coze.bots.retrieve)("7342866812345")
        print(answer.headers["x-tt-logid"], answer.parsed.name)
        ```
        """
        return raw.raw(method)

    def with_streaming_response(self, method: Callable[P, bytes]) -> Callable[P, _http.ByteStream]:
        """The method that returns bytes, such as `coze.audio.speech.create`, returning its open
        body; use that in a `with` block.
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
        """Calls an endpoint that this package does not know yet, with its token, retries, timeouts
        and errors.

        Args:
            method: HTTP method.
            path: Path below the base URL, such as `/v1/bots`; segments quoted by you.
            query: Query fields; None is not sent.
            body: JSON body; with `files`, the fields of the form beside them.
            files: Form fields that are files.
            cast_to: What to return: a model, `list[Model]`, `dict`, `bytes`, or
                `cozekit.types.Response` for the answer as it is, errors included. None returns
                plain data.
            unwrap: Dotted path of the wanted value below the body; by default `data`, or the body
                when it has none. "" is the body.
            billed: Whether a repetition would be charged again; then it is repeated only when the
                server cannot have received it.
            extra_headers: Headers of this call.
            timeout: Seconds of silence to allow in this call: a number, a `Timeout`, or None for no
                limit. By default as the client has it.

        Raises:
            APIError: The API returned an error.
            APIConnectionError: The server could not be reached or did not respond in time.
            ResponseError: The response does not match the documented schema.
            ArgumentError: Method or path cannot be used.
        """
        from .calls import custom_requests as custom

        built = custom.build(method, path, query=query, body=body, files=files, billed=billed)
        options = custom.options(extra_headers, timeout)
        return self.execute(built, custom.parser(cast_to, unwrap), options)

    def close(self) -> None:
        """Closes the connections, unless `http_client` was given. May be called twice, and from
        another thread.

        Whoever waits for an answer gets an error; every later call raises CozeError. A copy of
        `with_options` closes nothing.
        """
        if self._parent is None:
            self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class SyncResource:
    """Base of the sync resources: the operations of one tag."""

    __slots__ = ("_client",)

    def __init__(self, client: SyncAPIClient) -> None:
        self._client = client


def _new_client(transport: _http.Transport | None) -> _http.HTTPClient:
    from ._http.clients import new_client

    return new_client(transport)


class AsyncAPIClient(BaseClient):
    """The async client, for asyncio and trio; use it in an `async with` block, or await `close`.

    One client may be used in several event loops, one after the other or in several threads: each
    has connections of its own.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        auth: Auth | None = None,
        base_url: str | None = None,
        www_url: str | None = None,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy = 2,
        http_client: _http.AsyncHTTPClient | None = None,
        transport: _http.AsyncTransport | Literal["httpx", "aiohttp"] | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
    ) -> None:
        """Settings of the client; nothing is opened before the first call.

        Args:
            token: Personal or service access token; by default that of the environment variable
                COZE_API_TOKEN.
            auth: Another source of tokens, instead of `token`; see `cozekit.auth`.
            base_url: Where the API is, by default COZE_API_BASE or https://api.coze.cn. A path, a
                port and http are allowed.
            www_url: Where the sign-in pages are; derived from `base_url` when left out.
            timeout: Seconds of silence to allow: a number, a `Timeout`, or None for no limit. By
                default 5 to connect, 60 for an answer, and 600 for one that a model or workflow
                works on.
            max_retries: How often a call that failed in passing is repeated (0 for never), or a
                whole `RetryPolicy`. Billed calls are retried only when the server cannot have
                received them.
            http_client: An `httpx.AsyncClient` of your own, with its proxies, limits and headers;
                you close it.
            transport: An async `httpx` transport of your own, which is closed with the client, or
                the name of one of ours. By default aiohttp where it is installed (`cozekit[fast]`)
                and asyncio runs, httpx otherwise.
            default_headers: Headers to send with every request.
            on_drift: Called with a `Drift` for each place where an answer departs from the
                description.
            on_request: Called with an `OutgoingRequest` before each request, retries included; it
                may add headers. It may be a coroutine function.
            on_response: Called with a `ReceivedResponse` after each request, also when no answer
                came. It may be a coroutine function.

        Raises:
            ArgumentError: There is no token, the base URL is not an http or https address, or a
                number cannot be used; the named transport is unknown or not installed.
        """
        self._configure(
            token,
            auth,
            base_url,
            www_url,
            timeout,
            max_retries,
            default_headers,
            on_drift,
            Observer(on_request, on_response),
        )
        shared = transport is not None and not isinstance(transport, str)
        make = partial(_new_async_client, transport)
        self._connections = AsyncConnections(http_client, make, shared=shared)

    async def execute(
        self, request: Request, parse: Callable[[Response], T], options: CallOptions
    ) -> T:
        """Sends a request, with retries and sign-in, and parses the response; what the generated
        methods call.

        Args:
            request: Made by the `build` function of an operation.
            parse: The `parse` function of that operation.
            options: Options of this call.

        Raises:
            CozeError: As the operation.
        """
        if raw.wants_unread():
            return cast(T, await self.open_response(request, options, events=False))
        from ._http.exchange import send_async

        return parse(raw.note(await self._run(request, options, send_async)))

    async def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> _http.OpenResponse:
        """Sends a request and returns once the head of the response has come; what streams call.

        Args:
            request: Made by the `build` function of an operation.
            options: Options of this call.
            events: Whether only an event stream will do; otherwise any body but JSON.

        Raises:
            CozeError: As the operation.
        """
        from ._http.exchange import open_response_async

        # Connections close when nobody needs them any more, and an open response does.
        send = partial(open_response_async, events=events, owner=self._connections)
        return await self._run(request, options, send)

    async def _run(
        self,
        request: Request,
        options: CallOptions,
        send: Callable[[_http.AsyncHTTPClient, _http.PreparedRequest], Awaitable[T]],
    ) -> T:
        settings = self._settings
        steps = execute(self, settings, self._connections, request, options, send, is_async=True)
        return cast(T, await run_steps_async(steps, settings.retries.wait_async))

    def with_raw_response(
        self, method: Callable[P, Awaitable[T]]
    ) -> Callable[P, Awaitable[raw.RawResponse[T]]]:
        """The method, returning its answer as it came besides what it returns: status, headers,
        body, log id.

        ```python
        answer = await coze.with_raw_response(coze.bots.retrieve)("7342866812345")
        print(answer.headers["x-tt-logid"], answer.parsed.name)
        ```
        """
        return raw.raw_async(method)

    def with_streaming_response(
        self, method: Callable[P, Awaitable[bytes]]
    ) -> Callable[P, _http.AsyncByteStream]:
        """The method that returns bytes, such as `coze.audio.speech.create`, returning its open
        body; use that in an `async with` block.
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
        """Calls an endpoint that this package does not know yet, with its token, retries, timeouts
        and errors.

        Args:
            method: HTTP method.
            path: Path below the base URL, such as `/v1/bots`; segments quoted by you.
            query: Query fields; None is not sent.
            body: JSON body; with `files`, the fields of the form beside them.
            files: Form fields that are files.
            cast_to: What to return: a model, `list[Model]`, `dict`, `bytes`, or
                `cozekit.types.Response` for the answer as it is, errors included. None returns
                plain data.
            unwrap: Dotted path of the wanted value below the body; by default `data`, or the body
                when it has none. "" is the body.
            billed: Whether a repetition would be charged again; then it is repeated only when the
                server cannot have received it.
            extra_headers: Headers of this call.
            timeout: Seconds of silence to allow in this call: a number, a `Timeout`, or None for no
                limit. By default as the client has it.

        Raises:
            APIError: The API returned an error.
            APIConnectionError: The server could not be reached or did not respond in time.
            ResponseError: The response does not match the documented schema.
            ArgumentError: Method or path cannot be used.
        """
        from .calls import custom_requests as custom

        built = custom.build(method, path, query=query, body=body, files=files, billed=billed)
        options = custom.options(extra_headers, timeout)
        return await self.execute(built, custom.parser(cast_to, unwrap), options)

    async def close(self) -> None:
        """Closes the connections, unless `http_client` was given. May be called twice, and from
        another task.

        Whoever waits for an answer gets an error; every later call raises CozeError. A copy of
        `with_options` closes nothing.
        """
        if self._parent is None:
            await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncResource:
    """Base of the async resources: the operations of one tag."""

    __slots__ = ("_client",)

    def __init__(self, client: AsyncAPIClient) -> None:
        self._client = client


def _new_async_client(
    transport: _http.AsyncTransport | str | None, on_asyncio: bool
) -> _http.AsyncHTTPClient:
    from ._http.clients import new_async_client

    return new_async_client(transport, on_asyncio=on_asyncio)
