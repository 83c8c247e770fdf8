"""A request as it goes out, and a response whose body is still on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import RequestInfo
from ..operation import Operation, Service
from ..serialization.error_responses import request_info
from ..types import DriftHook, Timeout

if TYPE_CHECKING:
    import httpx


class PreparedRequest(NamedTuple):
    """A request, ready to be sent."""

    operation: Operation
    url: str
    base_url: str
    headers: dict[str, str]
    content: Any
    """The body: bytes, or pieces of an upload."""
    files: dict[str, Any] | None
    form: dict[str, Any] | None
    timeout: Timeout
    on_drift: DriftHook | None
    service: Service

    @property
    def info(self) -> RequestInfo:
        """What an error may tell of it."""
        return request_info(self.operation, self.url, self.base_url, self.service)

    def __repr__(self) -> str:
        # Never headers or body: they hold secrets.
        return f"<PreparedRequest {self.operation.id} to {self.base_url}>"


class OpenResponse(NamedTuple):
    """A response whose head has come and whose body is still on its way."""

    http_response: httpx.Response
    prepared: PreparedRequest
    owner: Any = None
    """What must live as long as the response: the owner of the connections."""

    @property
    def logid(self) -> str | None:
        """Log id of the call."""
        found: str | None = self.http_response.headers.get("x-tt-logid")
        return found
