"""Types of arguments and hooks: files, timeouts, explicit nulls, drift."""

from __future__ import annotations

import enum
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any, Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from . import publish


class AsyncFile(Protocol):
    """An open binary file with an async `read`, such as those of anyio, trio and aiofiles."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """Reads the next bytes; `b""` at the end.

        Args:
            size: Most bytes to read.
        """
        ...


class FormFile(Protocol):
    """A file that a web framework received: `FileStorage` of Flask, `UploadFile` of FastAPI, and
    their like. Its name and media type are sent too.
    """

    @property
    def filename(self) -> str | None:
        """Name of the file on the computer of the sender."""
        ...


OnProgress: TypeAlias = Callable[[int, int | None], object]
"""Called with the number of bytes sent so far and the size of the file in bytes, or None when the
size is not known.
"""


class UploadProgress:
    """A file to upload, with a function that reports the progress.

    ```python
    coze.files.upload(file=UploadProgress("film.mp4", print))
    ```

    The function is called with 0 when an attempt starts, retries included, and then after each
    128 KiB. In the async client it may be async.
    """

    __slots__ = ("file", "on_progress")

    def __init__(self, file: Any, on_progress: OnProgress) -> None:
        """Stores both; the file is opened when it is sent.

        Args:
            file: The file to upload: a path, bytes, an open binary file, `(name, content)` or
                `(name, content, media type)`.
            on_progress: Called with the number of bytes sent so far and the size of the file in
                bytes, or None when the size is not known.
        """
        self.file = file
        self.on_progress = on_progress


def with_progress(file: Any, on_progress: OnProgress | None) -> Any:
    """The file, wrapped in `UploadProgress` if there is a function."""
    return file if on_progress is None else UploadProgress(file, on_progress)


FileContent: TypeAlias = (
    bytes | bytearray | memoryview | os.PathLike[str] | IO[bytes] | AsyncFile | FormFile
)

FileInput: TypeAlias = (
    str | FileContent | tuple[str, FileContent] | tuple[str, FileContent, str] | UploadProgress
)
"""A file to upload: a path, bytes, an open binary file, a file that a web framework received,
`(name, content)` or `(name, content, media type)`; wrap any of them in `UploadProgress` to watch
the upload. A string is always a path. The async client also accepts async files.

A name that you give is sent as it is. A file without one is called `upload`, with an extension by
its media type or its first bytes.
"""


class Null:
    """The type of `NULL`."""

    _instance: Null | None = None

    def __new__(cls) -> Null:
        """Returns the only instance."""
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
"""Sends an explicit JSON null, which clears a field; `None` does not send the field. Accepted for
every optional argument: `coze.bots.update(bot_id, description=NULL)`.
"""


class UseDefault(enum.Enum):
    """The type of `DEFAULT`."""

    DEFAULT = "DEFAULT"

    def __repr__(self) -> str:
        return self.name


DEFAULT: Final = UseDefault.DEFAULT
"""Uses the setting of the client; `None` would mean no timeout."""


class Timeout(NamedTuple):
    """Limits for the steps of a call, in seconds; None means no limit.

    ```python
    Coze(timeout=Timeout(connect=2, read=300))
    ```
    """

    connect: float | None = 5.0
    """To open a connection."""
    read: float | None = 60.0
    """Between two chunks of the response; the whole response may take longer."""
    write: float | None = 60.0
    """To send one chunk of the request."""
    pool: float | None = 60.0
    """To wait for a free connection."""


TimeoutInput: TypeAlias = float | Timeout | UseDefault | None
"""A timeout: seconds for every step (at most 5 to connect), a `Timeout`, None for no limit, or
`DEFAULT`.
"""


class Drift(NamedTuple):
    """A place where a response differs from the description. The call continues with the value as
    it came.
    """

    operation: str
    """Its `operationId`, such as `bots_list`."""
    path: str
    """JSON path of the place, such as `$.data.items[3].status`."""
    expected: str
    """The documented type, such as `str`."""
    seen: str
    """JSON type of the value, such as `number`; never the value, which may be private."""


DriftHook: TypeAlias = Callable[[Drift], object]
"""Called with each `Drift`; exceptions are logged and ignored."""

E = TypeVar("E")

Listener: TypeAlias = Callable[[E], object] | Mapping[str, Callable[[E], object]]
"""A function that is called with every event, or a mapping from event names to functions. In async
methods the functions may be async.
"""

Tools: TypeAlias = Mapping[str, Callable[..., Any]]
"""Functions by the name of the tool that they implement."""
OnToolError: TypeAlias = Literal["report", "raise"]
"""What to do when a tool fails: report the error to the bot, or raise it."""
OnGap: TypeAlias = Literal["raise", "warn", "ignore"]
"""What to do when events of a stream are missing: raise an error, log a warning, or go on."""

publish(globals(), "cozekit.types")
