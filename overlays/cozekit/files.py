"""`coze.files`: the generated operations, with the progress of uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_openapi.resources.files import Files as GeneratedFiles
from coze_openapi.types import DEFAULT
from coze_openapi.uploads import Tracked as Tracked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coze_openapi.models.files import File
    from coze_openapi.types import FileInput, TimeoutInput
    from coze_openapi.uploads import OnProgress


class Files(GeneratedFiles):
    """Uploaded files."""

    __slots__ = ()

    def upload(
        self,
        *,
        file: FileInput,
        on_progress: OnProgress | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: TimeoutInput = DEFAULT,
    ) -> File:
        """Uploads a file of at most 512 MB, piece by piece: its size does not matter for memory.

        Args:
            file: A path, bytes, an open binary file, or `(name, content)` or `(name, content, media type)`. The name tells the
                service what it is; where there is none, it is made of the first bytes of the content.
            on_progress: Called with the bytes that have been sent and their number in all (None when it is not known); with 0
                when a sending begins, also when it is repeated. Other uploads take a `Tracked(file, on_progress)`.
            extra_headers: Option of this call; see `CallOptions`.
            extra_query: As `extra_headers`.
            extra_body: As `extra_headers`.
            timeout: As `extra_headers`.

        Returns:
            Facts about the stored file; its `id` goes into messages and workflow inputs.

        Raises:
            ArgumentError: The file cannot be read.
            APIError: The service refused it: 4300 empty, 4302 too large, 4303 of an unknown type, 4304 broken.
            APIConnectionError: No answer came.

        Source: https://www.coze.cn/open/docs/developer_guides/upload_files
        """
        tracked = file if on_progress is None else Tracked(file, on_progress)
        return super().upload(file=tracked, extra_headers=extra_headers, extra_query=extra_query, extra_body=extra_body, timeout=timeout)
