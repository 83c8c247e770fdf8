"""What the description says about operations, as data; requests and responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from . import publish
from .errors import APIError, ArgumentError, RequestInfo, ResponseError
from .types import DEFAULT, DriftHook, TimeoutInput

T = TypeVar("T")


class OtherServer(NamedTuple):
    """A server that speaks the API otherwise than the official service."""

    name: str
    """What people call it."""
    absent: str
    """What it says of an operation that it does not have."""


class OtherRoute(NamedTuple):
    """How a server that is not the official one wants a request."""

    path: str = ""
    """Its path; the fields of the documented path become query fields. Empty for the same path."""
    numbers: Sequence[str] = ()
    """Fields of the body with ids that are sent as numbers."""


class Service(NamedTuple):
    """Facts about the whole service."""

    servers: Sequence[str] = ()
    """Base URLs of the regions; the first is the default."""
    docs: str = ""
    """URL prefix of the official pages; the slug of a page follows."""
    codes: Mapping[int, type[APIError]] = {}
    """Error code → exception class. For other codes the HTTP status decides."""
    failed: frozenset[int] = frozenset()
    """Error codes that say that a chat or run failed; `Operation.failed` is their class."""
    other_servers: Mapping[str, OtherServer] = {}
    """Servers besides the official ones."""
    token_variable: str = ""
    """Environment variable of the token."""
    base_url_variable: str = ""
    """Environment variable of the base URL."""
    server_variable: str = ""
    """Environment variable of the kind of server."""


class Operation(NamedTuple):
    """The facts about an operation that sending it needs."""

    id: str
    """`operationId`, such as `chat_create`."""
    method: str
    """HTTP method."""
    path: str
    """Path template below the base URL."""
    page: str = ""
    """Slug of the official page."""
    billed: bool = False
    """Whether a repeated request would be charged again."""
    safe: bool = False
    """Whether it only reads, although its method may be POST."""
    slow: bool = False
    """Whether the response may take minutes: runs of models and workflows."""
    www: bool = False
    """Whether it is on the web host instead of the API host."""
    anonymous: bool = False
    """Whether the request is sent without a token."""
    binary: bool = False
    """Whether the response is bytes, so that it can be read while it arrives."""
    call: str = ""
    """How users call it, such as `coze.chat.create`; empty if it has no method."""
    also_on: Mapping[str, OtherRoute] = {}
    """Servers besides the official ones that have the operation."""
    failed: type[APIError] | None = None
    """Error class if the chat or run that the operation starts fails."""

    @property
    def label(self) -> str:
        """What errors call it: the method, else the id."""
        return self.call or self.id


class CallOptions(NamedTuple):
    """Options of one call; keyword arguments of every method."""

    extra_headers: Mapping[str, str] | None = None
    """Headers to add; they override headers of the same name."""
    extra_query: Mapping[str, Any] | None = None
    """Query fields to add that the method has no parameter for."""
    extra_body: Mapping[str, Any] | None = None
    """Body fields to add that the method has no parameter for."""
    timeout: TimeoutInput = DEFAULT
    """Seconds without data before the call fails."""


class Request(NamedTuple):
    """A request that has not been sent; made by the `build` function of an operation."""

    operation: Operation
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    base: str = ""
    """Base URL of another server, which gets neither a token nor the headers of the client."""


def request_info(operation: Operation, url: str, base_url: str, service: Service) -> RequestInfo:
    """The part of a request that errors show."""
    page = f"{service.docs}{operation.page}" if operation.page else ""
    return RequestInfo(
        operation.id, operation.method, url.partition("?")[0], base_url, page, operation.label
    )


def without_secrets(url: str) -> str:
    """A URL without user, password, query and fragment."""
    scheme, mark, rest = url.partition("?")[0].partition("#")[0].rpartition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def logid_in(headers: Mapping[str, str]) -> str | None:
    """The log id in the headers of a response. Coze Studio has another header for it.

    Args:
        headers: The headers; lookup ignores case.
    """
    return headers.get("x-tt-logid") or headers.get("x-log-id")


class Response:
    """A complete response, with its body."""

    __slots__ = (
        "base_url",
        "content",
        "headers",
        "on_drift",
        "operation",
        "service",
        "status",
        "url",
    )

    def __init__(
        self,
        *,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        operation: Operation,
        url: str = "",
        base_url: str = "",
        on_drift: DriftHook | None = None,
        service: Service = Service(),  # noqa: B008  # immutable
    ) -> None:
        """Created by the client.

        Args:
            status: HTTP status.
            headers: Headers; lookup ignores case.
            content: Decompressed body.
            operation: The operation that was called.
            url: URL of the request; for errors.
            base_url: Base URL of the client; for errors.
            on_drift: Called for each place where the response differs from the description.
            service: Error codes and documentation links of the service.
        """
        self.status = status
        self.headers = headers
        self.content = content
        self.operation = operation
        self.url = url
        self.base_url = base_url
        self.on_drift = on_drift
        self.service = service

    @property
    def logid(self) -> str | None:
        """Log id of the call, which Coze support asks for."""
        return logid_in(self.headers)

    @property
    def info(self) -> RequestInfo:
        """The part of the request that errors show."""
        return request_info(self.operation, self.url, self.base_url, self.service)

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters; empty if the server sent none."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    def __repr__(self) -> str:
        size = len(self.content)
        return f"<Response {self.status} {self.operation.id} {size} bytes logid={self.logid}>"


class Socket(NamedTuple):
    """Facts about a voice socket: its address, the query fields of its handshake, its events and
    their roles.
    """

    id: str
    path: str
    page: str = ""
    parameters: Sequence[str] = ()
    required: Sequence[str] = ()
    terminal: frozenset[str] = frozenset()
    """Events after which the server may close the socket without an error."""
    failure: frozenset[str] = frozenset()
    """Events that report an error."""
    settings: str = ""
    """The event that configures the session; sent again after a reconnect."""
    send: Mapping[str, type[Any]] = {}
    """Events that the client sends."""
    receive: Mapping[str, type[Any]] = {}
    """Events that the server sends."""

    @property
    def operation(self) -> Operation:
        """The handshake as an operation, for errors and headers."""
        return Operation(self.id, "GET", self.path, page=self.page)


class Failure(NamedTuple):
    """The error for a failed state."""

    error: type[APIError]
    text: str
    """What happened, in the text of the error."""


class Reasons(NamedTuple):
    """Where the polled response gives the reasons of a failure."""

    items: str
    """Path of the failed items; empty for the response itself."""
    names: Sequence[str]
    """Fields that name an item; the first that is set is used."""
    text: str
    """Field with the reason."""


class Waiter(NamedTuple):
    """How to poll for the outcome of an operation."""

    operation: str
    """How users call the polled operation."""
    module: str
    """Module of the polled operation; imported at the first poll."""
    arguments: Mapping[str, Any]
    """Argument of the polled operation → path in the first response, or `$name` for an argument of
    the first call.
    """
    state: str
    """Path of the state in the polled response."""
    success: frozenset[str | int]
    """Final states of work that succeeded."""
    failure: frozenset[str | int]
    """Final states of work that failed."""
    pause: frozenset[str | int] = frozenset()
    """States in which the caller has to act."""
    interval: float = 1.0
    """Initial polling interval in seconds."""
    starts: bool = False
    """Whether the first response has the same state, so that it may be final already."""
    code: str = ""
    """Path of the error code in the polled response."""
    msg: str = ""
    """Path of the error message in the polled response."""
    code_fails: bool = False
    """Whether an error code is a failure in any state."""
    failures: Mapping[str | int, Failure] = {}
    """Error by failed state; other states raise `TaskFailed`."""
    keep: str = ""
    """Attribute of the error that receives the polled response."""
    reasons: Reasons | None = None
    """Where the response gives the reasons of a failure."""
    waits: str = ""
    """Path that is set, in one of `waiting_states`, while the work waits for the caller."""
    waiting_states: frozenset[str | int] = frozenset()
    """States in which `waits` means that the work waits for the caller."""
    answered: str = ""
    """Path in the arguments of the first call: ids of the requests that it answers."""
    asked: str = ""
    """Path in the polled response: ids of the open requests. While all of them are in `answered`,
    polling continues although the state is one of `pause`.
    """
    pick: str = ""
    """Path of the outcome in the polled response; empty for the whole response."""
    then: str = ""
    """Module of an operation that is called at the end, with the same arguments."""
    cancel: str = ""
    """Module of the operation that cancels the work, with the same arguments."""
    canceled: frozenset[str | int] = frozenset()
    """States that show that the cancellation was in time."""


class Ended(NamedTuple):
    """How to recognise that work had ended before an operation, such as a cancel, reached it."""

    codes: frozenset[int]
    """Error codes that say so."""
    module: str
    """Module of the operation that retrieves the work, with the same arguments."""
    state: str
    """Path of the state in its response."""
    states: frozenset[str | int]
    """States in which the work has ended."""


class Pager(NamedTuple):
    """How a list operation pages: names of arguments and paths in the response."""

    style: str
    """`number`, `token` or `cursor`."""
    items: str
    """Path of the items in the response."""
    size: str
    """Argument: items on a page."""
    page: str | None = None
    """Argument: number or token of the page."""
    total: str | None = None
    """Path of the number of items on all pages."""
    has_more: str | None = None
    """Path of the flag that more pages follow."""
    next: str | None = None
    """Path of the token of the next page."""
    before: str | None = None
    """Argument: id; the page ends before that item."""
    after: str | None = None
    """Argument: id; the page starts after that item."""
    next_before: str | None = None
    """Path of the id before which the next page ends."""
    next_after: str | None = None
    """Path of the id after which the next page starts."""
    id: str | None = None
    """Path of the id in an item; a walk yields each item once."""


class PageData(NamedTuple, Generic[T]):
    """One parsed page: its items, and what the response says about the other pages."""

    items: list[T]
    total: int | None
    has_more: bool | None
    next_token: str | None
    next_before: str | None
    next_after: str | None
    logid: str | None
    missing: ResponseError | None = None
    """The error to raise if the list, which is missing, cannot be empty."""


def path_segment(name: str, value: object) -> str:
    """Quotes a path parameter, so that it stays one segment.

    Raises:
        ArgumentError: The value is empty, `.` or `..`, so that the request would reach another
            operation; or it is not valid Unicode.
    """
    text = str(value) if value is not None else ""
    if not text.strip() or text in (".", ".."):
        raise ArgumentError(
            f"{name} must not be empty, `.` or `..`: the request would reach another operation",
            argument=name,
        )
    return quote(valid_unicode(name, text), safe="")


def valid_unicode(name: str, text: str) -> str:
    """Returns a text that goes into a URL or a form.

    Raises:
        ArgumentError: It has half of a surrogate pair, which these cannot hold.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{name}: the text is not valid Unicode", argument=name) from None
    return text


def omit_none(values: dict[str, Any]) -> dict[str, Any]:
    """Drops the `None` values, which are not sent."""
    return {name: value for name, value in values.items() if value is not None}


def later_options(options: CallOptions) -> CallOptions:
    """The options that also apply to the further calls of a method: headers and timeout."""
    return CallOptions(extra_headers=options.extra_headers, timeout=options.timeout)


def comma_separated(values: Sequence[Any] | None) -> str | None:
    """Joins the elements of a list to one query value."""
    return None if values is None else ",".join(str(value) for value in values)


publish(
    globals(),
    "cozekit.types",
    "CallOptions",
    "Operation",
    "PageData",
    "Pager",
    "Request",
    "Response",
)
