"""Builders of what a knowledge base is filled with, for `coze.datasets.documents.create` and
`create_and_poll`.

```python
coze.datasets.documents.create_and_poll(
    dataset_id="…",
    format_type=0,
    chunk_strategy=documents.automatic_chunks(),
    document_bases=[documents.from_file("manual.pdf")],
)
```

All documents of one call must come the same way: files, web pages or images.

Source: https://www.coze.cn/open/docs/developer_guides/create_knowledge_files
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from coze_openapi.models.datasets_documents import (
    CaptionType,
    ChunkStrategy,
    ChunkType,
    DocumentSource,
    DocumentSourceType,
    DocumentUpdateRule,
    DocumentUpdateType,
    NewDocument,
)

from .errors import ArgumentError

MIN_UPDATE_HOURS = 24


def from_file(
    file: str | os.PathLike[str] | bytes, *, name: str | None = None, file_type: str | None = None
) -> NewDocument:
    """A document out of a local file, for text knowledge bases. It is read at once and sent inside
    the request.

    Args:
        file: Path of the file, or its content.
        name: Name in the knowledge base; by default that of the file. Needed for bytes.
        file_type: Format: `pdf`, `txt`, `doc` or `docx`; by default the extension of the name.

    Raises:
        ArgumentError: Name or format is missing, or the file cannot be read.
    """
    if isinstance(file, bytes):
        content = file
    else:
        path = Path(file)
        name = name or path.name
        file_type = file_type or path.suffix[1:].lower()
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ArgumentError(
                f"file: cannot read {path}: {error.strerror}", argument="file"
            ) from error
    if not name:
        raise ArgumentError("a document made of bytes needs a name", argument="name")
    file_type = file_type or Path(name).suffix[1:].lower()
    if not file_type:
        raise ArgumentError(
            f"the format of {name} is not known: give file_type", argument="file_type"
        )
    return NewDocument(
        name=name,
        source_info=DocumentSource(
            file_base64=base64.b64encode(content).decode(), file_type=file_type
        ),
    )


def from_url(url: str, *, name: str, update: DocumentUpdateRule | None = None) -> NewDocument:
    """A document out of a web page, for text knowledge bases.

    Args:
        url: Address that the service can read.
        name: Name in the knowledge base.
        update: Made by `update_every` or `update_never`; by default the page is fetched once.

    Raises:
        ArgumentError: The address is no http or https address.
    """
    if not url.startswith(("http://", "https://")):
        raise ArgumentError(f"{url!r} is no http or https address", argument="url")
    source = DocumentSource(web_url=url, document_source=DocumentSourceType.WEB_PAGE)
    return NewDocument(name=name, source_info=source, update_rule=update)


def from_image(file_id: str, *, name: str, caption: str | None = None) -> NewDocument:
    """A document out of an uploaded image, for image knowledge bases.

    Args:
        file_id: Id that `coze.files.upload` returned.
        name: Name in the knowledge base.
        caption: What the picture shows; for knowledge bases whose captions are written by hand.
    """
    source = DocumentSource(
        source_file_id=file_id, document_source=DocumentSourceType.UPLOADED_FILE
    )
    return NewDocument(name=name, source_info=source, caption=caption)


def update_every(hours: int) -> DocumentUpdateRule:
    """Fetches a web page again at this interval.

    Args:
        hours: Hours between two fetches, at least 24.

    Raises:
        ArgumentError: It is less than a day, the shortest that the service allows.
    """
    if hours < MIN_UPDATE_HOURS:
        raise ArgumentError(
            f"a page is fetched again after {MIN_UPDATE_HOURS} hours at the earliest, not {hours}",
            argument="hours",
        )
    return DocumentUpdateRule(update_type=DocumentUpdateType.AUTOMATIC, update_interval=hours)


def update_never() -> DocumentUpdateRule:
    """Keeps a web page as it was fetched first."""
    return DocumentUpdateRule(update_type=DocumentUpdateType.NEVER)


def automatic_chunks() -> ChunkStrategy:
    """Lets the service cut the text by its own rules."""
    return ChunkStrategy(chunk_type=ChunkType.AUTOMATIC)


def chunks(
    separator: str,
    *,
    max_tokens: int,
    remove_extra_spaces: bool = False,
    remove_urls_emails: bool = False,
) -> ChunkStrategy:
    """Cuts the text at a separator.

    Args:
        separator: Text at which to cut.
        max_tokens: Longest chunk, 100 to 2000 tokens.
        remove_extra_spaces: Whether repeated spaces, line breaks and tabs are dropped.
        remove_urls_emails: Whether web and mail addresses are dropped.

    Raises:
        ArgumentError: `max_tokens` is out of its range.
    """
    if not 100 <= max_tokens <= 2000:
        raise ArgumentError(
            f"a chunk has 100 to 2000 tokens, not {max_tokens}", argument="max_tokens"
        )
    return ChunkStrategy(
        chunk_type=ChunkType.CUSTOM,
        separator=separator,
        max_tokens=max_tokens,
        remove_extra_spaces=remove_extra_spaces,
        remove_urls_emails=remove_urls_emails,
    )


def automatic_captions() -> ChunkStrategy:
    """Lets the service write the captions of images."""
    return ChunkStrategy(caption_type=CaptionType.AUTOMATIC)


def manual_captions() -> ChunkStrategy:
    """Leaves the captions of images to the caller: `from_image(caption=…)`, or
    `coze.datasets.images.update` afterwards.
    """
    return ChunkStrategy(caption_type=CaptionType.MANUAL)
