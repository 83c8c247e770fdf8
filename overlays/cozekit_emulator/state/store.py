"""Everything that the emulator remembers: a collection for each type of resource, and the state of
sign-in, callbacks and voice sockets.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import ApiError
from ..openapi.description import Description
from ..openapi.examples import Examples
from .deliveries import CallbackState
from .oauth import OAuthState
from .resource_types import RESOURCE_TYPES, ResourceType
from .transcripts import Transcripts

Record = dict[str, Any]
"""All fields of one resource, under every name that a response uses. Names with a leading
underscore are for the emulator alone.
"""


class Collection:
    """The resources of one type, in the order in which they were created.

    Args:
        type: The type.
        state: The state that the collection is part of.
    """

    def __init__(self, type: ResourceType, state: State) -> None:
        self.type = type
        self._state = state
        self._records: dict[tuple[str, str], Record] = {}
        if type.sample_id:
            record = {**state.examples.fields(*type.schemas), **type.sample_fields}
            record.update(dict.fromkeys(type.id_fields, type.sample_id))
            self._records[self._sample_owner(), type.sample_id] = record

    def _sample_owner(self) -> str:
        if self.type.parent:
            return self._state.collection(self.type.parent).type.sample_id
        return "/".join("" for _ in self.type.scope)

    def owner(self, arguments: Record) -> str:
        """The key of the parent or scope that the arguments name.

        Args:
            arguments: Arguments of a request.

        Raises:
            ApiError: The parent does not exist.
        """
        if self.type.parent:
            parents = self._state.collection(self.type.parent)
            return str(parents.find(arguments)[parents.type.id_field])
        return "/".join(str(arguments.get(name) or "") for name in self.type.scope)

    def find(self, arguments: Record) -> Record:
        """The resource that the arguments name.

        Args:
            arguments: Arguments of a request.

        Raises:
            ApiError: It does not exist, or its parent does not.
        """
        return self.get(str(arguments.get(self.type.id_field) or ""), self.owner(arguments))

    def get(self, id: str, owner: str = "") -> Record:
        """The resource with an id. An id that the official pages show, mostly masked (`7342****`),
        means the sample.

        Args:
            id: The id.
            owner: Key of its parent or scope.

        Raises:
            ApiError: It does not exist.
        """
        record = self.get_or_none(id, owner)
        if record is None:
            raise ApiError(self.type.not_found_code, f"{self.type.id_field} {id!r}: not found")
        return record

    def get_or_none(self, id: str, owner: str = "") -> Record | None:
        """The resource with an id, as `get` finds it; None when it does not exist.

        Args:
            id: The id.
            owner: Key of its parent or scope.
        """
        record = self._records.get((owner, id))
        if record is None and self._state.is_documented_id(id):
            return self._records.get((owner, self.type.sample_id))
        return record

    def all(self, owner: str = "") -> list[Record]:
        """The resources of one owner, oldest first.

        Args:
            owner: Key of the parent or scope.
        """
        return [record for (key, _), record in self._records.items() if key == owner]

    def all_records(self) -> Iterator[Record]:
        """The resources of all owners."""
        return iter(self._records.values())

    def add(self, fields: Record, owner: str = "") -> Record:
        """Creates a resource; sets id and times that are not given.

        Args:
            fields: Its fields, under the names of requests or records.
            owner: Key of its parent or scope.

        Raises:
            ApiError: It exists already, and its type does not allow that.
        """
        resource_type = self.type
        record = {
            **dict.fromkeys(
                (*resource_type.creation_fields, *resource_type.update_fields), self._timestamp()
            ),
            **resource_type.initial_fields,
            **self.renamed(fields),
        }
        new_id = str(record.get(resource_type.id_field) or self._state.new_id())
        record.update(dict.fromkeys(resource_type.id_fields, new_id))
        if resource_type.parent and owner:
            record[self._state.collection(resource_type.parent).type.id_field] = owner
        if resource_type.duplicate_code and (owner, new_id) in self._records:
            raise ApiError(
                resource_type.duplicate_code, f"{resource_type.id_field} {new_id!r}: already exists"
            )
        self._records[owner, new_id] = record
        return record

    def renamed(self, fields: Record) -> Record:
        """Fields of a request under the names of the record; a `null` clears a field.

        Args:
            fields: The fields.
        """
        return {self.type.renames.get(name, name): value for name, value in fields.items()}

    def change(self, record: Record, fields: Record) -> None:
        """Changes fields of a resource, other than its ids, and its time of change.

        Args:
            record: The resource.
            fields: The new values, under the names of requests or records.
        """
        for name, value in self.renamed(fields).items():
            if name not in self.type.id_fields:
                record[name] = value
        record.update(dict.fromkeys(self.type.update_fields, self._timestamp()))

    def remove(self, record: Record, owner: str = "") -> None:
        """Deletes a resource.

        Args:
            record: The resource.
            owner: Key of its parent or scope.
        """
        del self._records[owner, str(record[self.type.id_field])]

    def _timestamp(self) -> int | str:
        now = self._state.now()
        return str(now) if self.type.times_as_text else now


class State:
    """Everything that the emulator remembers; `Emulator.reset` replaces it.

    Args:
        description: The description of the API.
        time: The clock of the emulator, Unix seconds.
    """

    def __init__(self, description: Description, time: Callable[[], float]) -> None:
        self.description = description
        self.examples = Examples(description)
        self.billed_calls = 0
        """Chats, workflow runs and plugin calls so far; the benefits count them."""
        self.time = time
        self.oauth = OAuthState(time)
        self.transcripts = Transcripts()
        self.callbacks = CallbackState()
        self._collections: dict[str, Collection] = {}
        self._numbers = itertools.count(1)

    def collection(self, name: str) -> Collection:
        """The collection of a resource type.

        Args:
            name: Name of the type in `RESOURCE_TYPES`.
        """
        if name not in self._collections:
            self._collections[name] = Collection(RESOURCE_TYPES[name], self)
        return self._collections[name]

    def is_documented_id(self, id: str) -> bool:
        """Whether an id is one of the official pages and means the sample.

        Args:
            id: The id.
        """
        return "*" in id or id in self.description.documented_ids

    def new_id(self) -> str:
        """A fresh id: digits, as many as the real ones have."""
        return f"75{next(self._numbers):017d}"

    def now(self) -> int:
        """Unix seconds by the clock of the emulator."""
        return int(self.time())
