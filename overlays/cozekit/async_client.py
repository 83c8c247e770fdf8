"""`AsyncCoze`: the async form of `Coze`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast, overload

from coze_openapi.async_client import AsyncClient
from coze_openapi.types import DEFAULT, CallOptions, DriftHook, FileInput, Request, Response, TimeoutInput

from . import custom, raw
from .calls import drive_async
from .connections import AsyncConnections
from .hooks import Observer, RequestHook, ResponseHook
from .settings import Settings, auth_of, base_url_of, policy_of

if TYPE_CHECKING:
    from coze_openapi import _http

    from .auth.base import Auth
    from .benefits_async import AsyncBenefits
    from .chat_async import AsyncChat
    from .datasets_async import AsyncDatasets
    from .entities_async import AsyncEntities
    from .files_async import AsyncFiles
    from .retries import RetryPolicy
    from .speech_async import AsyncAudio
    from .websockets.entry import AsyncWebSockets
    from .workflows_async import AsyncWorkflows

P = ParamSpec("P")
T = TypeVar("T")


class AsyncCoze(Settings, AsyncClient):
    """The async form of `Coze`, for asyncio and trio; use it in an `async with` block, or await `close`.

    One client may be used in several event loops, one after the other or in several threads: each has connections of its own.
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
            token: As in `Coze`.
            auth: As in `Coze`.
            base_url: As in `Coze`.
            www_url: As in `Coze`.
            timeout: As in `Coze`.
            max_retries: As in `Coze`.
            default_headers: As in `Coze`.
            on_drift: As in `Coze`.
            http_client: An `httpx.AsyncClient` of your own.
            transport: An async `httpx` transport of your own, or the name of one of ours. By default aiohttp where it is installed
                (`cozekit[fast]`) and asyncio runs, httpx otherwise.
            on_request: May be a coroutine function.
            on_response: May be a coroutine function.

        Raises:
            ArgumentError: As `Coze`; the named transport is unknown or not installed.
        """
        super().__init__(
            base_url=base_url_of(base_url), www_url=www_url, timeout=timeout, http_client=http_client, default_headers=default_headers,
            on_drift=on_drift,
        )  # fmt: skip
        self._auth = auth_of(token, auth)
        self._retries = policy_of(max_retries)
        self._observer = Observer(on_request, on_response)
        shared = transport is not None and not isinstance(transport, str)
        self._connections = AsyncConnections(http_client, partial(_new_async_client, transport), shared=shared)
        self._parent: AsyncCoze | None = None

    @property
    def chat(self) -> AsyncChat:
        """Talk to a bot: stream, poll, cancel, answer tool calls."""
        from .chat_async import AsyncChat

        return AsyncChat(self)

    @property
    def audio(self) -> AsyncAudio:
        """Speech, voices, rooms, voiceprints."""
        from .speech_async import AsyncAudio

        return AsyncAudio(self)

    @property
    def benefits(self) -> AsyncBenefits:
        """Plan and entitlements of an account."""
        from .benefits_async import AsyncBenefits

        return AsyncBenefits(self)

    @property
    def datasets(self) -> AsyncDatasets:
        """Knowledge bases."""
        from .datasets_async import AsyncDatasets

        return AsyncDatasets(self)

    @property
    def entities(self) -> AsyncEntities:
        """Copies of resources."""
        from .entities_async import AsyncEntities

        return AsyncEntities(self)

    @property
    def files(self) -> AsyncFiles:
        """Uploaded files."""
        from .files_async import AsyncFiles

        return AsyncFiles(self)

    @property
    def websockets(self) -> AsyncWebSockets:
        """Voice sockets: speech, transcription, spoken dialogue; they need the extra `ws`, and asyncio."""
        from .websockets.entry import AsyncWebSockets

        return AsyncWebSockets(self)

    @property
    def workflows(self) -> AsyncWorkflows:
        """Workflows of a workspace: run, stream, resume."""
        from .workflows_async import AsyncWorkflows

        return AsyncWorkflows(self)

    def with_raw_response(self, method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[raw.RawResponse[T]]]:
        """The async form of `Coze.with_raw_response`: `await coze.with_raw_response(coze.bots.retrieve)("7342866812345")`."""
        return raw.raw_async(method)

    def with_streaming_response(self, method: Callable[P, Awaitable[bytes]]) -> Callable[P, _http.AsyncByteStream]:
        """The async form of `Coze.with_streaming_response`; use the result in an `async with` block."""
        return raw.unread_async(method)

    @overload
    async def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None, cast_to: type[T], unwrap: str | None = None, billed: bool = False,
        extra_headers: Mapping[str, str] | None = None, timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109
    ) -> T: ...  # fmt: skip

    @overload
    async def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None, cast_to: None = None, unwrap: str | None = None, billed: bool = False,
        extra_headers: Mapping[str, str] | None = None, timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109
    ) -> Any: ...  # fmt: skip

    async def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None, cast_to: Any = None, unwrap: str | None = None, billed: bool = False,
        extra_headers: Mapping[str, str] | None = None, timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109
    ) -> Any:  # fmt: skip
        """The async form of `Coze.request`."""
        built = custom.build(method, path, query=query, body=body, files=files, billed=billed)
        return await self._call(built, custom.parser(cast_to, unwrap), custom.options(extra_headers, timeout))

    def _connection(self) -> _http.AsyncHTTPClient:
        return self._connections.get()

    async def _exchange(self, request: Request, options: CallOptions) -> Response:
        from coze_openapi import _http

        return raw.note(await drive_async(self, request, options, _http.send_async))

    async def _open(self, request: Request, options: CallOptions) -> _http.Opened:
        from coze_openapi import _http

        return await drive_async(self, request, options, _http.open_stream_async)

    async def _call(self, request: Request, parse: Callable[[Response], T], options: CallOptions) -> T:
        if raw.wants_unread():
            from coze_openapi import _http

            opened = await drive_async(self, request, options, partial(_http.open_stream_async, events=False))
            return cast(T, opened._replace(owner=self))
        return parse(await self._exchange(request, options))

    async def close(self) -> None:
        """Closes the connections, unless `http_client` was given. May be called twice, and from another task; as `Coze.close`."""
        if self._parent is None:
            await self._connections.close()


def _new_async_client(transport: _http.AsyncTransport | str | None, on_asyncio: bool) -> _http.AsyncHTTPClient:
    from .transport import new_async_client

    return new_async_client(transport, on_asyncio=on_asyncio)
