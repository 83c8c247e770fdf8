"""What the description says of operations, as data; requests and responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from ._publish import publish
from .errors import APIError, ArgumentError, ResponseError
from .types import DEFAULT, DriftHook, TimeoutInput

T = TypeVar("T")


class Service(NamedTuple):
    """What the description says of the service as a whole."""

    servers: Sequence[str] = ()
    """Base URLs of its sites; the first one is the default."""
    docs: str = ""
    """What the address of an official page begins with; the slug follows."""
    codes: Mapping[int, type[APIError]] = {}
    """Error codes → the class that is raised. Other codes are judged by the HTTP status."""
    token_variable: str = ""
    """Environment variable of the token."""
    base_url_variable: str = ""
    """Environment variable of the base URL."""


class Operation(NamedTuple):
    """What the description says of an operation, as far as the transport cares."""

    id: str
    method: str
    path: str
    page: str = ""
    billed: bool = False
    """Whether a repeated request would be charged again."""
    safe: bool = False
    """Whether it only reads, although its method may be POST."""
    slow: bool = False
    """Whether the answer may take minutes: runs of models and workflows."""
    www: bool = False
    """Whether it stands on the web host instead of the API host."""
    anonymous: bool = False
    """Whether the client sends no token of its own accord."""


class CallOptions(NamedTuple):
    """Options of one call. Every method takes them as keyword arguments of the same names."""

    extra_headers: Mapping[str, str] | None = None
    """Headers to add; they win over the client's own."""
    extra_query: Mapping[str, Any] | None = None
    """Query fields to add, for what the description does not know yet."""
    extra_body: Mapping[str, Any] | None = None
    """Body fields to add, for what the description does not know yet."""
    timeout: TimeoutInput = DEFAULT


class Request(NamedTuple):
    """A call, built and not yet sent; made by the `build` function of each operation."""

    operation: Operation
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: dict[str, Any] | None = None
    files: dict[str, Any] | None = None


class Response:
    """An answer, read completely."""

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
        """Made by the client.

        Args:
            status: HTTP status.
            headers: Headers; names in any case.
            content: Body, decompressed.
            operation: The operation that was called.
            url: Where the request was sent; for errors.
            base_url: Base URL of the client that sent it; for errors.
            on_drift: Called for each place where the response differs from the description; None
                for nobody.
            service: What the description says of the service: error codes, links to the
                documentation.
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
        """Log id of the call, the first thing that support asks for."""
        return self.headers.get("x-tt-logid")

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters; empty when the server gave none."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    def __repr__(self) -> str:
        size = len(self.content)
        return f"<Response {self.status} {self.operation.id} {size} bytes logid={self.logid}>"


class Socket(NamedTuple):
    """What the description says of a voice socket: where it is, the query fields of its handshake,
    and the parts that some of its events play.
    """

    id: str
    path: str
    page: str = ""
    parameters: Sequence[str] = ()
    required: Sequence[str] = ()
    terminal: frozenset[str] = frozenset()
    """Events after which the server owes nothing, so that its closing is no loss."""
    failure: frozenset[str] = frozenset()
    """Events that report an error."""
    settings: str = ""
    """The event that a client sends to set up the session; sent again on another connection."""


class Failure(NamedTuple):
    """How a state that is a failure is raised."""

    error: type[APIError]
    text: str
    """What happened, for the text of the error."""


class Reasons(NamedTuple):
    """Where the polled answer says why its parts failed."""

    items: str
    """Path of the parts; empty for the answer itself."""
    names: Sequence[str]
    """Fields that name a part; the first one that is set counts."""
    text: str
    """Field that says why."""


class Waiter(NamedTuple):
    """What the description says of waiting for the outcome of an operation."""

    operation: str
    """Id of the polled operation."""
    module: str
    """Module that holds its `build` and `parse`; imported when the first poll is due."""
    arguments: Mapping[str, Any]
    """Argument of the polled operation → path in the first answer, or `$name` for an argument of
    the first call.
    """
    state: str
    """Path of the state in what the polled operation returns."""
    success: frozenset[str | int]
    failure: frozenset[str | int]
    pause: frozenset[str | int] = frozenset()
    """States in which the caller has to act."""
    interval: float = 1.0
    starts: bool = False
    """Whether the first call answers with the same thing, whose state may be final already."""
    code: str = ""
    """Path of the error code in the polled answer."""
    msg: str = ""
    """Path of its text."""
    code_fails: bool = False
    """Whether a code is a failure whatever the state says."""
    failures: Mapping[str | int, Failure] = {}
    """By state; those that are left out are a `TaskFailed`."""
    keep: str = ""
    """Attribute of the error that keeps the polled answer."""
    reasons: Reasons | None = None
    waits: str = ""
    """Path that is set, in one of `waiting_states`, while the work waits for its caller."""
    waiting_states: frozenset[str | int] = frozenset()
    answered: str = ""
    """Path of ids in the arguments of the first call: what this call has answered …"""
    asked: str = ""
    """… and path of the ids that the polled answer asks for; a pause that asks only for what was
    answered is not the end.
    """
    pick: str = ""
    """Path of the outcome in the polled answer; empty for all of it."""
    then: str = ""
    """Module of an operation that is called at the end, with the same arguments."""
    cancel: str = ""
    """Module of the operation that cancels, with the same arguments."""
    canceled: frozenset[str | int] = frozenset()
    """States after a cancel that was in time."""


class Ended(NamedTuple):
    """Codes by which an operation says that the work had ended; then its state is read."""

    codes: frozenset[int]
    module: str
    """Module of the operation that reads the state, with the same arguments."""
    state: str
    """Path of the state in its answer."""
    states: frozenset[str | int]
    """States in which the work has ended."""


class Pager(NamedTuple):
    """What the description says of paging: names of request fields and paths in the answer."""

    style: str
    items: str
    size: str
    page: str | None = None
    total: str | None = None
    has_more: str | None = None
    next: str | None = None
    before: str | None = None
    after: str | None = None
    first_id: str | None = None
    last_id: str | None = None


class PageData(NamedTuple, Generic[T]):
    """One page as it came: the items, and what the server says of the others."""

    items: list[T]
    total: int | None
    has_more: bool | None
    next_token: str | None
    first_id: str | None
    last_id: str | None
    logid: str | None


def path_segment(name: str, value: object) -> str:
    """A path parameter, quoted so that it stays one segment.

    Raises:
        ArgumentError: It is empty or would change the path; the call would reach another operation.
    """
    text = str(value) if value is not None else ""
    if not text.strip() or text in (".", ".."):
        raise ArgumentError(
            f"{name} must not be empty, `.` or `..`: the request would reach another operation",
            argument=name,
        )
    return quote(text, safe="")


def omit_none(values: dict[str, Any]) -> dict[str, Any]:
    """The values that are not `None`; `None` means "not sent"."""
    return {name: value for name, value in values.items() if value is not None}


def comma_separated(values: Sequence[Any] | None) -> str | None:
    """Elements as one query value, comma between them."""
    return None if values is None else ",".join(str(value) for value in values)


publish(globals(), "cozekit.types")


class MissingList(list[Any]):
    """The empty list in place of one that is missing from an answer."""

    def __init__(self, error: ResponseError, *, certain: bool) -> None:
        super().__init__()
        self.error = error
        """What to raise where there must be items."""
        self.certain = certain
        """Whether the answer itself shows that there are."""
