"""Requests to servers that speak the API otherwise: `x-coze-also-on` in the description."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from ..errors import NotFoundError
from ..operation import Request, Service


def for_server(request: Request, server: str, service: Service) -> Request:
    """The request as a server wants it. Requests without a method stay as they are.

    Args:
        request: The request for the official service.
        server: Key of the server in `Service.other_servers`.
        service: The service.

    Raises:
        NotFoundError: The server does not have the operation; nothing has been sent.
    """
    operation = request.operation
    if not operation.call or request.base:
        return request
    route = operation.also_on.get(server)
    if route is None:
        text = f"{service.other_servers[server].name} does not have this operation"
        raise NotFoundError(f"{operation.call}: {text}", msg=text)
    if route.numbers and request.body:
        values = {name: _numbers(request.body.get(name)) for name in route.numbers}
        request = request._replace(body={**request.body, **values})
    if route.path:
        pairs = zip(operation.path.split("/"), request.path.split("/"), strict=True)
        fields = {name[1:-1]: unquote(value) for name, value in pairs if name[:1] == "{"}
        request = request._replace(path=route.path, query={**fields, **request.query})
    return request


def _numbers(value: Any) -> Any:
    """Ids as numbers; what is not a number stays as it is."""
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in value]
    return int(value) if isinstance(value, str) and value.isdecimal() else value
