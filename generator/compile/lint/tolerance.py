"""Rules for other servers, and for what they answer otherwise than described."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle, Node
from ..nodes import node_at, reference, response_schema
from .keys import Keys, check_keys

_SERVER: Keys = ({"name", "absent", "reason", "recording"}, set())
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


def _entry(where: str, entry: Node, servers: Node) -> Iterator[str]:
    yield from check_keys(where, entry, _ENTRY)
    if entry.get("server") not in servers:
        yield f"{where}: server {entry.get('server')} is not in x-coze-servers; add it there"
