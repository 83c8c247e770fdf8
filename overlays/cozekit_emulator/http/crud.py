"""Creating, reading, changing, deleting and listing resources: each function makes the handler of
one operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..state.store import Collection, Record
from .pagination import page_response
from .request import ApiRequest, Handler
from .response_fields import items_response, record_response

Filter = Callable[[Record, ApiRequest], bool]
Hook = Callable[[ApiRequest, Record], None]
"""What is special about an operation; may raise ApiError."""


def create(
    type_name: str, then: Hook | None = None, *, requires: Mapping[str, str] | None = None
) -> Handler:
    """Creates a resource out of the arguments.

    Args:
        type_name: Its type.
        then: Called with the new resource.
        requires: Types of resources that must exist → the argument that names each.
    """

    def handler(request: ApiRequest) -> Record:
        required_ids = _required_ids(request, requires)
        collection = request.collection(type_name)
        fields = {**server_defaults(request, collection), **request.arguments, **required_ids}
        record = collection.add(fields, collection.owner(request.arguments))
        if then:
            then(request, record)
        return record_response(request, record)

    return handler


def server_defaults(request: ApiRequest, collection: Collection) -> Record:
    """What the server decides about a new resource: the scalar fields of its example that the
    caller cannot set.

    Args:
        request: The request that creates it.
        collection: Where it is created.
    """
    resource_type = collection.type
    settable = {
        *request.arguments,
        *resource_type.id_fields,
        *resource_type.creation_fields,
        *resource_type.update_fields,
    }
    if request.operation.body is not None:
        body_fields = request.state.description.properties(request.operation.body[1])
        settable |= collection.renamed(body_fields).keys()
    example = request.state.examples.fields(*resource_type.schemas)
    decided = {
        name: value
        for name, value in example.items()
        if name not in settable and not isinstance(value, dict | list)
    }
    return {**decided, **resource_type.initial_fields}


def create_each(
    type_name: str, list_field: str, *, fills: bool = True, element_field: str = ""
) -> Handler:
    """Creates a resource for each element of a list in the body.

    Args:
        type_name: Their type.
        list_field: The list.
        fills: Whether the server adds defaults.
        element_field: The field that an element becomes which is not an object.
    """

    def handler(request: ApiRequest) -> Record:
        collection = request.collection(type_name)
        owner = collection.owner(request.arguments)
        defaults = server_defaults(request, collection) if fills else {}
        for element in request.arg(list_field, []):
            fields = {element_field: element} if element_field else element
            collection.add({**defaults, **fields}, owner)
        return {}

    return handler


def retrieve(type_name: str) -> Handler:
    """Reads a resource.

    Args:
        type_name: Its type.
    """

    def handler(request: ApiRequest) -> Record:
        return record_response(request, request.find(type_name))

    return handler


def update(type_name: str, then: Hook | None = None) -> Handler:
    """Changes the fields that are in the body.

    Args:
        type_name: Type of the resource.
        then: Called with the changed resource.
    """

    def handler(request: ApiRequest) -> Record:
        record = request.find(type_name)
        request.collection(type_name).change(record, request.inputs.body)
        if then:
            then(request, record)
        return record_response(request, record)

    return handler


def delete(type_name: str, check: Hook | None = None) -> Handler:
    """Deletes a resource.

    Args:
        type_name: Its type.
        check: Called with the resource before it is deleted.
    """

    def handler(request: ApiRequest) -> Record:
        collection = request.collection(type_name)
        record = request.find(type_name)
        if check:
            check(request, record)
        collection.remove(record, collection.owner(request.arguments))
        return record_response(request, record)

    return handler


def delete_each(type_name: str, list_field: str) -> Handler:
    """Deletes the resources of a list in the body; none if one of them is unknown.

    Args:
        type_name: Their type.
        list_field: The list of ids.
    """

    def handler(request: ApiRequest) -> Record:
        collection = request.collection(type_name)
        owner = collection.owner(request.arguments)
        for record in [collection.get(str(item), owner) for item in request.arg(list_field, [])]:
            collection.remove(record, owner)
        return {}

    return handler


def list_page(
    type_name: str,
    filters: Mapping[str, str] | None = None,
    matches: Filter | None = None,
    *,
    requires: Mapping[str, str] | None = None,
) -> Handler:
    """Lists resources, page by page if the operation has pages.

    Args:
        type_name: Their type.
        filters: Field → the argument that it must equal, if that is given.
        matches: Any other condition.
        requires: Types of resources that must exist → the argument that names each.
    """

    def handler(request: ApiRequest) -> Record:
        _required_ids(request, requires)
        collection = request.collection(type_name)
        records = [
            record
            for record in collection.all(collection.owner(request.arguments))
            if _passes(request, record, filters or {}) and (not matches or matches(record, request))
        ]
        if request.operation.pager:
            return page_response(request, records)
        return items_response(request, request.operation.data["x-coze-unwrap"], records)

    return handler


def _required_ids(request: ApiRequest, requires: Mapping[str, str] | None) -> Record:
    """The ids of the resources that must exist, under the names of their arguments.

    Raises:
        ApiError: One of them does not exist.
    """
    return {
        argument: request.find(type_name, argument)[request.collection(type_name).type.id_field]
        for type_name, argument in (requires or {}).items()
        if request.arg(argument) is not None
    }


def _passes(request: ApiRequest, record: Record, filters: Mapping[str, str]) -> bool:
    for field, argument in filters.items():
        value = request.arg(argument)
        if value is None or request.state.is_documented_id(str(value)):
            continue
        if str(record.get(field)) != str(value):
            return False
    return True
