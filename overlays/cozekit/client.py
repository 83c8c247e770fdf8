"""`Coze`: the generated client with sign-in, retries, tuned connections and typed streams."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, overload

from coze_openapi.client import Client
from coze_openapi.types import DEFAULT, CallOptions, DriftHook, FileInput, Request, Response, TimeoutInput

from . import custom, raw
from .async_client import AsyncCoze as AsyncCoze
from .calls import drive
from .connections import Connections
from .hooks import Observer, RequestHook, ResponseHook
from .settings import DEFAULT_BASE_URL as DEFAULT_BASE_URL
from .settings import Settings, auth_of, base_url_of, policy_of

if TYPE_CHECKING:
    from coze_openapi import _http

    from .auth.base import Auth
    from .benefits import Benefits
    from .chat import Chat
    from .datasets import Datasets
    from .entities import Entities
    from .files import Files
    from .retries import RetryPolicy
    from .speech import Audio
    from .websockets.entry import WebSockets
    from .workflows import Workflows

P = ParamSpec("P")
T = TypeVar("T")

logging.getLogger("cozekit").addHandler(logging.NullHandler())


class Coze(Settings, Client):
    """The Coze client. One may be shared by threads; use it in a `with` block, or call `close`.

    ```python
    with Coze() as coze:
        for bot in coze.bots.list(workspace_id="…"):
            print(bot.name)
    ```
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
        http_client: _http.HTTPClient | None = None,
        transport: _http.Transport | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
        on_request: RequestHook | None = None,
        on_response: ResponseHook | None = None,
    ) -> None:
        """Settings of the client; nothing is opened before the first call.

        Args:
            token: Personal or service access token; by default that of the environment variable COZE_API_TOKEN.
            auth: Another source of tokens, instead of `token`; see `cozekit.auth`.
            base_url: Where the API is, by default COZE_API_BASE or https://api.coze.cn. A path, a port and http are allowed.
            www_url: Where the sign-in pages are; derived from `base_url` when left out.
            timeout: Seconds of silence to allow: a number, a `Timeout`, or None for no limit. By default 5 to connect, 60 for an
                answer, and 600 for one that a model or workflow works on.
            max_retries: How often a call that failed in passing is repeated (0 for never), or a whole `RetryPolicy`.
                Chats, runs and other billed calls are repeated only when they cannot have been accepted.
            http_client: An `httpx.Client` of your own, with its proxies, limits and headers; you close it.
            transport: An `httpx` transport of your own; it is closed with the client.
            default_headers: Headers to send with every request.
            on_drift: Called with a `Drift` for each place where an answer departs from the description.
            on_request: Called with a `SentRequest` before each request, repetitions included; it may add headers.
            on_response: Called with a `ReceivedResponse` after each request, also when no answer came.

        Raises:
            ArgumentError: There is no token, the base URL is no http or https address, or a number cannot be used.
        """
        super().__init__(
            base_url=base_url_of(base_url), www_url=www_url, timeout=timeout, http_client=http_client, default_headers=default_headers,
            on_drift=on_drift,
        )  # fmt: skip
        self._auth = auth_of(token, auth)
        self._retries = policy_of(max_retries)
        self._observer = Observer(on_request, on_response)
        self._connections = Connections(http_client, partial(_new_client, transport))
        self._parent: Coze | None = None

    @property
    def chat(self) -> Chat:
        """Talk to a bot: stream, poll, cancel, answer tool calls."""
        from .chat import Chat

        return Chat(self)

    @property
    def audio(self) -> Audio:
        """Speech, voices, rooms, voiceprints."""
        from .speech import Audio

        return Audio(self)

    @property
    def benefits(self) -> Benefits:
        """Plan and entitlements of an account."""
        from .benefits import Benefits

        return Benefits(self)

    @property
    def datasets(self) -> Datasets:
        """Knowledge bases."""
        from .datasets import Datasets

        return Datasets(self)

    @property
    def entities(self) -> Entities:
        """Copies of resources."""
        from .entities import Entities

        return Entities(self)

    @property
    def files(self) -> Files:
        """Uploaded files."""
        from .files import Files

        return Files(self)

    @property
    def workflows(self) -> Workflows:
        """Workflows of a workspace: run, stream, resume."""
        from .workflows import Workflows

        return Workflows(self)

    @property
    def websockets(self) -> WebSockets:
        """Voice sockets: speech, transcription, spoken dialogue; they need the extra `ws`."""
        from .websockets.entry import WebSockets

        return WebSockets(self)

    def with_raw_response(self, method: Callable[P, T]) -> Callable[P, raw.RawResponse[T]]:
        """The method, returning its answer as it came besides what it returns: status, headers, body, log id.

        ```python
        answer = coze.with_raw_response(coze.bots.retrieve)("7342866812345")
        print(answer.headers["x-tt-logid"], answer.parsed.name)
        ```
        """
        return raw.raw(method)

    def with_streaming_response(self, method: Callable[P, bytes]) -> Callable[P, _http.ByteStream]:
        """The method that returns bytes, such as `coze.audio.speech.create`, returning its open body; use that in a `with` block."""
        return raw.unread(method)

    @overload
    def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None, cast_to: type[T], unwrap: str | None = None, billed: bool = False,
        extra_headers: Mapping[str, str] | None = None, timeout: TimeoutInput = DEFAULT,
    ) -> T: ...  # fmt: skip

    @overload
    def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None, cast_to: None = None, unwrap: str | None = None, billed: bool = False,
        extra_headers: Mapping[str, str] | None = None, timeout: TimeoutInput = DEFAULT,
    ) -> Any: ...  # fmt: skip

    def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        files: Mapping[str, FileInput] | None = None, cast_to: Any = None, unwrap: str | None = None, billed: bool = False,
        extra_headers: Mapping[str, str] | None = None, timeout: TimeoutInput = DEFAULT,
    ) -> Any:  # fmt: skip
        """Calls an endpoint that this package does not know yet, with its token, retries, timeouts and errors.

        Args:
            method: HTTP method.
            path: Path below the base URL, such as `/v1/bots`; segments quoted by you.
            query: Query fields; None is not sent.
            body: JSON body; with `files`, the fields of the form beside them.
            files: Form fields that are files.
            cast_to: What to return: a model, `list[Model]`, `dict`, `bytes`, or `coze_openapi.types.Response` for the answer as it
                is, errors included. None returns plain data.
            unwrap: Dotted path of the wanted value below the body; by default `data`, or the body when it has none. "" is the body.
            billed: Whether a repetition would be charged again; then it is repeated only when it cannot have been accepted.
            extra_headers: Headers of this call.
            timeout: As in the constructor.

        Raises:
            APIError: The API refused the call.
            APIConnectionError: No answer came.
            ResponseError: The answer has not the promised shape.
            ArgumentError: Method or path cannot be used.
        """
        built = custom.build(method, path, query=query, body=body, files=files, billed=billed)
        return self._call(built, custom.parser(cast_to, unwrap), custom.options(extra_headers, timeout))

    def _connection(self) -> _http.HTTPClient:
        return self._connections.get()

    def _exchange(self, request: Request, options: CallOptions) -> Response:
        from coze_openapi import _http

        return raw.note(drive(self, request, options, _http.send))

    def _open(self, request: Request, options: CallOptions) -> _http.ByteStream:
        from coze_openapi import _http

        return self._kept(drive(self, request, options, _http.open_stream))

    def _kept(self, stream: _http.ByteStream) -> _http.ByteStream:
        # Connections close when nobody needs them any more, and an open stream does.
        stream._opened = stream._opened._replace(owner=self._connections)
        return stream

    def _call(self, request: Request, parse: Callable[[Response], T], options: CallOptions) -> T:
        if raw.wants_unread():
            from coze_openapi import _http

            return cast(T, self._kept(drive(self, request, options, partial(_http.open_stream, events=False))))
        return parse(self._exchange(request, options))

    def close(self) -> None:
        """Closes the connections, unless `http_client` was given. May be called twice, and from another thread.

        Whoever waits for an answer gets an error; every later call raises CozeError. A copy of `with_options` closes nothing.
        """
        if self._parent is None:
            self._connections.close()


def _new_client(transport: _http.Transport | None) -> _http.HTTPClient:
    from .transport import new_client

    return new_client(transport)
