"""The memory of the emulator: one kind of collection for every resource."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .answers import Refusal
from .callback_state import CallbackState
from .description import Description
from .examples import Examples
from .hearing import VoiceScript
from .oauth_state import OAuthState

Record = dict[str, Any]
"""All fields of one thing, under every name that any answer uses; names with a leading underscore
never leave.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the emulator knows about one kind of resource. The table is in `kinds.py`."""

    name: str
    ids: tuple[str, ...]
    """Names under which the id stands; the first is the name of the argument."""
    schemas: tuple[str, ...] = ()
    """Named schemas whose examples fill what the server decides and the caller does not."""
    sample: str = ""
    """Id of the one thing that is there from the beginning; none when empty."""
    missing: int = 4200
    """Code of the answer for an unknown id."""
    within: str = ""
    """The kind that owns it: `members` are within `workspaces`, and another workspace does not see
    them.
    """
    scope: tuple[str, ...] = ()
    """Arguments whose values separate collections that no other kind owns."""
    made: tuple[str, ...] = ("created_at", "create_time")
    touched: tuple[str, ...] = ("updated_at", "update_time")
    text_times: bool = False
    """Whether times are texts on the wire."""
    duplicate: int = 0
    """Code for adding what is there already; 0 replaces it."""
    rename: dict[str, str] = field(default_factory=dict)
    """Field of a request → field of the record."""
    fixed: Record = field(default_factory=dict)
    """Values of the sample that differ from the examples."""
    fresh: Record = field(default_factory=dict)
    """Values of a new thing that differ from the examples."""


class Collection:
    """The things of one kind, in the order in which they were made."""

    def __init__(self, kind: Kind, world: World) -> None:
        self.kind = kind
        self._world = world
        self._records: dict[tuple[str, str], Record] = {}
        if kind.sample:
            record = {**world.examples.fields(*kind.schemas), **kind.fixed}
            for name in kind.ids:
                record[name] = kind.sample
            self._records[self._sample_owner(), kind.sample] = record

    def _sample_owner(self) -> str:
        if self.kind.within:
            return self._world.collection(self.kind.within).kind.sample
        return "/".join("" for _ in self.kind.scope)

    def owner(self, arguments: Record) -> str:
        """Whose collection the arguments mean.

        Raises:
            Refusal: The owner is unknown.
        """
        if self.kind.within:
            above = self._world.collection(self.kind.within)
            return str(above.find(arguments)[above.kind.ids[0]])
        return "/".join(str(arguments.get(name) or "") for name in self.kind.scope)

    def find(self, arguments: Record) -> Record:
        """The thing that the arguments name."""
        return self.get(str(arguments.get(self.kind.ids[0]) or ""), self.owner(arguments))

    def get(self, id: str, owner: str = "") -> Record:
        """The thing with an id. An id that the official pages print, mostly masked (`7342****`),
        means the sample.

        Raises:
            Refusal: There is none.
        """
        record = self.peek(id, owner)
        if record is None:
            raise Refusal(self.kind.missing, f"{self.kind.ids[0]} {id!r}: not found")
        return record

    def peek(self, id: str, owner: str = "") -> Record | None:
        """As `get`, and None when there is none."""
        found = self._records.get((owner, id))
        return (
            self._records.get((owner, self.kind.sample))
            if found is None and self._world.printed(id)
            else found
        )

    def all(self, owner: str = "") -> list[Record]:
        """The things of one owner, oldest first."""
        return [record for (whose, _), record in self._records.items() if whose == owner]

    def everything(self) -> Iterator[Record]:
        """The things of all owners."""
        return iter(self._records.values())

    def add(self, fields: Record, owner: str = "") -> Record:
        """Makes a thing; id and times are set unless given.

        Raises:
            Refusal: It is there already, and the kind does not allow that.
        """
        kind, now = self.kind, self._world.now()
        record = {
            **dict.fromkeys((*kind.made, *kind.touched), str(now) if kind.text_times else now),
            **kind.fresh,
            **self.renamed(fields),
        }
        own = str(record.get(kind.ids[0]) or self._world.new_id())
        for name in kind.ids:
            record[name] = own
        if kind.within and owner:
            record[self._world.collection(kind.within).kind.ids[0]] = owner
        if kind.duplicate and (owner, own) in self._records:
            raise Refusal(kind.duplicate, f"{kind.ids[0]} {own!r}: is there already")
        self._records[owner, own] = record
        return record

    def renamed(self, fields: Record) -> Record:
        """Fields of a request under the names of the record; a `null` clears a field."""
        return {self.kind.rename.get(name, name): value for name, value in fields.items()}

    def change(self, record: Record, fields: Record) -> None:
        """Changes a thing and its time of change; ids stay."""
        for name, value in self.renamed(fields).items():
            if name not in self.kind.ids:
                record[name] = value
        now = self._world.now()
        record.update(dict.fromkeys(self.kind.touched, str(now) if self.kind.text_times else now))

    def remove(self, record: Record, owner: str = "") -> None:
        """Deletes a thing."""
        del self._records[owner, str(record[self.kind.ids[0]])]


class World:
    """Everything that the emulator remembers; `Emulator.reset` puts a fresh one in its place."""

    def __init__(
        self,
        description: Description,
        kinds: dict[str, Kind],
        populate: Callable[[World], None],
        token: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.description = description
        self.examples = Examples(description)
        self.token = token
        self.billed = 0
        """Chats, workflow runs and plugin calls so far; the counters of the benefits show it."""
        self.time = clock
        """The clock of the emulator, in Unix seconds."""
        self.oauth = OAuthState(clock)
        self.voice = VoiceScript()
        self.callbacks = CallbackState()
        self._kinds = kinds
        self._collections: dict[str, Collection] = {}
        self._numbers = itertools.count(1)
        populate(self)

    def collection(self, name: str) -> Collection:
        """The collection of one kind."""
        if name not in self._collections:
            self._collections[name] = Collection(self._kinds[name], self)
        return self._collections[name]

    def printed(self, text: str) -> bool:
        """Whether an id comes from an official page and means the sample."""
        return "*" in text or text in self.description.printed_ids

    def new_id(self) -> str:
        """A fresh id: digits, as long as the real ones."""
        return f"75{next(self._numbers):017d}"

    def now(self) -> int:
        """Unix seconds."""
        return int(self.time())
