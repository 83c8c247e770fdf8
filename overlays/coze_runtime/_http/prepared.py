"""A request that is ready to be sent, and a response whose body has not been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import RequestInfo
from ..operation import Operation, Service, logid_in, request_info
from ..types import DriftHook, Timeout

if TYPE_CHECKING:
    import httpx


class PreparedRequest(NamedTuple):
    """A request that is ready to be sent."""

    operation: Operation
    url: str
    base_url: str
    headers: dict[str, str]
    content: Any
    """The body: bytes, the chunks of an upload, or None."""
    files: dict[str, Any] | None
    """Files of a multipart body, by field name."""
    form: dict[str, Any] | None
    """Text fields of a multipart body."""
    timeout: Timeout
    on_drift: DriftHook | None
    service: Service

    @property
    def info(self) -> RequestInfo:
        """The part of the request that errors show."""
        return request_info(self.operation, self.url, self.base_url, self.service)

    def __repr__(self) -> str:
        # No headers and no body: they may contain secrets.
        return f"<PreparedRequest {self.operation.id} to {self.base_url}>"


class OpenResponse(NamedTuple):
    """A response whose headers have arrived and whose body has not been read."""

    http_response: httpx.Response
    prepared: PreparedRequest
    owner: Any = None
    """Kept alive as long as the response: the connections of the client."""

    @property
    def logid(self) -> str | None:
        """Log id of the call."""
        return logid_in(self.http_response.headers)
