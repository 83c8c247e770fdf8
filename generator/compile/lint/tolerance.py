"""Rules for other servers, and for what they answer otherwise than described."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle, Node
from ..nodes import body_fields, node_at, reference, response_schema
from .keys import Keys, check_keys

_SERVER: Keys = ({"name", "absent", "reason", "recording"}, set())
_ROUTE: Keys = (set(), {"path", "numbers", "note"})
_ENTRY: Keys = ({"place", "seen", "server", "reason", "recording"}, set())


def lint_tolerance(bundle: Bundle) -> Iterator[str]:
    """Messages for every server and every tolerance."""
    servers = bundle.document.get("x-coze-servers") or {}
    for name, about in servers.items():
        yield from check_keys(f"spec/openapi.yaml: x-coze-servers {name}", about, _SERVER)
    for _, _, node in bundle.operations():
        operation_id = str(node["operationId"])
        where = f"spec/{bundle.origin.get(operation_id, '?')}: {operation_id}: x-coze-tolerance"
        schema = response_schema(node)
        for server, route in (node.get("x-coze-also-on") or {}).items():
            yield from _route(where.replace("tolerance", "also-on"), server, route, bundle, node)
        for entry in node.get("x-coze-tolerance") or ():
            yield from _entry(where, entry, servers)
            place = str(entry.get("place"))
            if schema is None or node_at(bundle, reference(schema), place) is None:
                yield f"{where}: place {place} is not a path in the response; fix the path"
    for name, schema in bundle.schemas.items():
        where = f"spec/{bundle.origin.get(name, '?')}: {name}: x-coze-tolerance"
        for entry in schema.get("x-coze-tolerance") or ():
            yield from _entry(where, entry, servers)
            if entry.get("place") not in (schema.get("x-known-values") or {}):
                yield f"{where}: place {entry.get('place')} is not a known value; fix the value"


def _route(where: str, server: str, route: Node, bundle: Bundle, node: Node) -> Iterator[str]:
    yield from check_keys(where, route, _ROUTE)
    yield from _known(where, server, bundle.document.get("x-coze-servers") or {})
    for name in sorted(set(route.get("numbers") or ()) - set(body_fields(bundle, node))):
        yield f"{where}: numbers names {name}, which is not a body field; fix the name"


def _known(where: str, server: object, servers: Node) -> Iterator[str]:
    if server not in servers:
        yield f"{where}: server {server} is not in x-coze-servers; add it there"


def _entry(where: str, entry: Node, servers: Node) -> Iterator[str]:
    yield from check_keys(where, entry, _ENTRY)
    yield from _known(where, entry.get("server"), servers)
