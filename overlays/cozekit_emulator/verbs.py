"""The usual life of a resource, once for all kinds: each function makes the handler of one
operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .answers import Refusal
from .calls import Call, Handler
from .lists import items, page, view
from .store import Collection, Record

Filter = Callable[[Record, Call], bool]
Hook = Callable[[Call, Record], None]
"""Does what is special about an operation, after the record was made or changed."""


def stateless(call: Call) -> Record:
    """Answers from the examples of the description."""
    example = call.world.examples.of(call.operation.answer)
    return {name: value for name, value in example.items() if name not in ("code", "msg", "detail")}


def shown(call: Call, record: Record) -> Record:
    """An answer that shows one record: in each object of the envelope what its schema has, beside
    that the top-level fields.
    """
    found: Record = {}
    for name, schema in call.world.description.properties(call.operation.answer).items():
        if name in ("code", "msg", "detail"):
            continue
        if call.world.description.properties(schema):
            found[name] = view(call, schema, record)
        elif record.get(name) is not None:
            found[name] = record[name]
    return found


def create(
    kind: str, then: Hook | None = None, *, needs: Mapping[str, str] | None = None
) -> Handler:
    """Makes one thing out of the arguments. `needs` are kinds that must be there ← the argument
    that names them.
    """

    def handler(call: Call) -> Record:
        owners = _owners(call, needs)
        collection = call.collection(kind)
        fields = {
            **defaults(call, collection),
            **call.inputs.body,
            **call.inputs.arguments,
            **owners,
        }
        record = collection.add(fields, collection.owner(call.arguments))
        if then:
            then(call, record)
        return shown(call, record)

    return handler


def defaults(call: Call, collection: Collection) -> Record:
    """What the server decides about a new thing: the scalar fields of its example that the caller
    cannot give.
    """
    settable = (
        set(call.arguments)
        | set(collection.kind.ids)
        | set(collection.kind.made)
        | set(collection.kind.touched)
    )
    if call.operation.body is not None:
        given = call.world.description.properties(call.operation.body[1])
        settable |= {collection.kind.rename.get(name, name) for name in given}
    example = call.world.examples.fields(*collection.kind.schemas)
    decided = {
        name: value
        for name, value in example.items()
        if name not in settable and not isinstance(value, dict | list)
    }
    return {**decided, **collection.kind.fresh}


def create_each(kind: str, field: str, *, fills: bool = True, name: str = "") -> Handler:
    """Makes one thing per element of a list in the body; `name` is the field that a plain element
    becomes.
    """

    def handler(call: Call) -> Record:
        collection = call.collection(kind)
        owner = collection.owner(call.arguments)
        for element in call.arg(field, []):
            fields = {name: element} if name else element
            collection.add({**(defaults(call, collection) if fills else {}), **fields}, owner)
        return {}

    return handler


def retrieve(kind: str, argument: str | None = None, check: Filter | None = None) -> Handler:
    """Reads one thing; `check` says whether the caller may see it."""

    def handler(call: Call) -> Record:
        record = call.find(kind, argument)
        if check and not check(record, call):
            raise Refusal(
                call.collection(kind).kind.missing,
                f"{call.collection(kind).kind.ids[0]}: not found",
            )
        return shown(call, record)

    return handler


def update(kind: str, then: Hook | None = None) -> Handler:
    """Changes the fields that are in the body and no others."""

    def handler(call: Call) -> Record:
        record = call.find(kind)
        call.collection(kind).change(record, call.inputs.body)
        if then:
            then(call, record)
        return shown(call, record)

    return handler


def delete(kind: str, guard: Hook | None = None) -> Handler:
    """Deletes one thing; `guard` may refuse."""

    def handler(call: Call) -> Record:
        record = call.find(kind)
        if guard:
            guard(call, record)
        call.collection(kind).remove(record, call.collection(kind).owner(call.arguments))
        return shown(call, record)

    return handler


def delete_each(kind: str, field: str, then: Callable[[Call], None] | None = None) -> Handler:
    """Deletes the things of a list in the body; nothing when one of them is unknown."""

    def handler(call: Call) -> Record:
        collection = call.collection(kind)
        owner = collection.owner(call.arguments)
        for record in [collection.get(str(item), owner) for item in call.arg(field, [])]:
            collection.remove(record, owner)
        if then:
            then(call)
        return {}

    return handler


def listing(
    kind: str,
    where: Mapping[str, str] | None = None,
    keep: Filter | None = None,
    *,
    needs: Mapping[str, str] | None = None,
) -> Handler:
    """Lists things page by page.

    `where` are fields that must equal an argument, if it is given; `keep` decides anything else;
    `needs` are kinds that must be there ← the argument that names them.
    """

    def handler(call: Call) -> Record:
        _owners(call, needs)
        collection = call.collection(kind)
        records = [
            record
            for record in collection.all(collection.owner(call.arguments))
            if _equal(call, record, where or {})
        ]
        records = [record for record in records if keep is None or keep(record, call)]
        if call.operation.pager:
            return page(call, records)
        return items(call, call.operation.data["x-coze-unwrap"], records)

    return handler


def _owners(call: Call, needs: Mapping[str, str] | None) -> Record:
    """The ids of the things that must be there, under the names of their arguments.

    Raises:
        Refusal: One of them is not there.
    """
    found: Record = {}
    for kind, argument in (needs or {}).items():
        if call.arg(argument) is not None:
            found[argument] = call.find(kind, argument)[call.collection(kind).kind.ids[0]]
    return found


def _equal(call: Call, record: Record, where: Mapping[str, str]) -> bool:
    """An id printed on the official pages equals everything."""
    for field, argument in where.items():
        wanted: Any = call.arg(argument)
        if (
            wanted is not None
            and str(record.get(field)) != str(wanted)
            and not call.world.printed(str(wanted))
        ):
            return False
    return True


def accept(*kinds: str) -> Handler:
    """Answers with the bare envelope once the things are known to be there."""

    def handler(call: Call) -> Record:
        for kind in kinds:
            call.find(kind)
        return {}

    return handler
