"""`coze.files`: the generated operations, with the progress of uploads; the async form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_openapi.resources_async.files import AsyncFiles as GeneratedAsyncFiles
from coze_openapi.types import DEFAULT
from coze_openapi.uploads import Tracked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coze_openapi.models.files import File
    from coze_openapi.types import FileInput, TimeoutInput
    from coze_openapi.uploads import OnProgress


class AsyncFiles(GeneratedAsyncFiles):
    """The async form of `Files`."""

    __slots__ = ()

    async def upload(
        self,
        *,
        file: FileInput,
        on_progress: OnProgress | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109  # an option of every call, passed on
    ) -> File:
        """Uploads a file; as `Files.upload`. Files are read in worker threads; async files and functions are awaited."""
        tracked = file if on_progress is None else Tracked(file, on_progress)
        return await super().upload(
            file=tracked, extra_headers=extra_headers, extra_query=extra_query, extra_body=extra_body, timeout=timeout
        )
