"""Values that callers meet: files, timeouts, explicit nulls, drift."""

from __future__ import annotations

import enum
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any, Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from ._publish import publish


class AsyncFile(Protocol):
    """An open file whose `read` is awaited, such as those of anyio, trio and aiofiles."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """The next bytes; none at the end.

        Args:
            size: How many bytes to read at most.
        """
        ...


OnProgress: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes of the file that have been sent and their number in all; None when that is
not known.
"""


class UploadProgress:
    """A file to upload and a function that is told how far it is:
    `file=UploadProgress("film.mp4", print)`.

    The function is called with 0 when a sending begins, also when one is repeated. In the async
    client it may be async.
    """

    __slots__ = ("file", "on_progress")

    def __init__(self, file: Any, on_progress: OnProgress) -> None:
        """Keeps both; nothing is opened yet.

        Args:
            file: The file to upload, in any form that the method takes: a path, bytes, an open
                binary file, `(name, content)` or `(name, content, media type)`.
            on_progress: Called with the bytes sent so far and the size of the file in bytes, or
                None when the size is not known.
        """
        self.file = file
        self.on_progress = on_progress


def with_progress(file: Any, on_progress: OnProgress | None) -> Any:
    """The file, with the function if there is one."""
    return file if on_progress is None else UploadProgress(file, on_progress)


FileContent: TypeAlias = bytes | bytearray | memoryview | os.PathLike[str] | IO[bytes] | AsyncFile

FileInput: TypeAlias = (
    str | FileContent | tuple[str, FileContent] | tuple[str, FileContent, str] | UploadProgress
)
"""A file to upload: a path, the bytes, an open binary file, `(name, content)` or `(name, content,
media type)`; each of them in an `UploadProgress` that tells how far it is. A text is always a path.
The async client takes async files too.
"""


class Null:
    """The type of `NULL`."""

    _instance: Null | None = None

    def __new__(cls) -> Null:
        """The one instance."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "NULL"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "NULL"


NULL: Final[Any] = Null()
"""Sends an explicit JSON null, which clears a field; `None` leaves it as it is. Accepted for every
optional argument.
"""


class UseDefault(enum.Enum):
    """The type of `DEFAULT`."""

    DEFAULT = "DEFAULT"

    def __repr__(self) -> str:
        return self.name


DEFAULT: Final = UseDefault.DEFAULT
"""Leaves an option as the client has it; `None` would switch it off."""


class Timeout(NamedTuple):
    """Seconds that one step of a call may take; `None` waits without limit.

    `read` is the longest silence between two pieces of an answer, not the length of the whole
    answer.
    """

    connect: float | None = 5.0
    read: float | None = 60.0
    write: float | None = 60.0
    pool: float | None = 60.0


TimeoutInput: TypeAlias = float | Timeout | UseDefault | None


class Drift(NamedTuple):
    """A place where an answer departs from the description. The call went on with the value as it
    came.
    """

    operation: str
    path: str
    """JSON path of the place, such as `$.data.items[3].status`."""
    expected: str
    seen: str
    """Kind of the value that came; never the value itself, which may be private."""


DriftHook: TypeAlias = Callable[[Drift], object]

E = TypeVar("E")

Listener: TypeAlias = Callable[[E], object] | Mapping[str, Callable[[E], object]]
"""Called with every event; as a mapping, with the events of that name. In async methods the
functions may be async.
"""

Tools: TypeAlias = Mapping[str, Callable[..., Any]]
"""Functions by the name of the tool that they stand for."""
OnToolError: TypeAlias = Literal["report", "raise"]

publish(globals(), "cozekit.types")
