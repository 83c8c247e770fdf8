"""Builders of knowledge documents, for `coze.datasets.documents.create` and
`create_and_poll`.

```python
coze.datasets.documents.create_and_poll(
    dataset_id="…",
    format_type=0,
    chunk_strategy=documents.automatic_chunks(),
    document_bases=[documents.from_file("manual.pdf")],
)
```

All documents of one call must have the same source: files, web pages or images.

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

__all__ = [
    "automatic_captions",
    "automatic_chunks",
    "chunks",
    "from_file",
    "from_image",
    "from_url",
    "manual_captions",
    "update_every",
    "update_never",
]


def from_file(
    file: str | os.PathLike[str] | bytes, *, name: str | None = None, file_type: str | None = None
) -> NewDocument:
    """A document from a local file, for text knowledge bases. The file is read immediately and
    sent inside the request.

    Args:
        file: Path of the file, or its content.
        name: Name in the knowledge base; by default that of the file. Required for bytes.
        file_type: Format: `pdf`, `txt`, `doc` or `docx`; by default the extension of the name.

    Raises:
        ArgumentError: The name or the format is missing, or the file cannot be read.
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
        raise ArgumentError("a document from bytes needs a name", argument="name")
    file_type = file_type or Path(name).suffix[1:].lower()
    if not file_type:
        raise ArgumentError(f"pass file_type: {name} has no extension", argument="file_type")
    return NewDocument(
        name=name,
        source_info=DocumentSource(
            file_base64=base64.b64encode(content).decode(), file_type=file_type
        ),
    )


def from_url(url: str, *, name: str, update: DocumentUpdateRule | None = None) -> NewDocument:
    """A document from a web page, for text knowledge bases.

    Args:
        url: Address that Coze can read.
        name: Name in the knowledge base.
        update: Result of `update_every` or `update_never`; by default the page is fetched once.

    Raises:
        ArgumentError: `url` is not an http or https address.
    """
    if not url.startswith(("http://", "https://")):
        raise ArgumentError(f"{url!r} is not an http or https address", argument="url")
    source = DocumentSource(web_url=url, document_source=DocumentSourceType.WEB_PAGE)
    return NewDocument(name=name, source_info=source, update_rule=update)


def from_image(file_id: str, *, name: str, caption: str | None = None) -> NewDocument:
    """A document from an uploaded image, for image knowledge bases.

    Args:
        file_id: Id that `coze.files.upload` returned.
        name: Name in the knowledge base.
        caption: What the image shows; for knowledge bases with manual captions.
    """
    source = DocumentSource(
        source_file_id=file_id, document_source=DocumentSourceType.UPLOADED_FILE
    )
    return NewDocument(name=name, source_info=source, caption=caption)


def update_every(hours: int) -> DocumentUpdateRule:
    """Fetches a web page again at this interval.

    Args:
        hours: Hours between two fetches; checked when the document is created.
    """
    return DocumentUpdateRule(update_type=DocumentUpdateType.AUTOMATIC, update_interval=hours)


def update_never() -> DocumentUpdateRule:
    """Never fetches a web page again."""
    return DocumentUpdateRule(update_type=DocumentUpdateType.NEVER)


def automatic_chunks() -> ChunkStrategy:
    """Lets Coze split the text."""
    return ChunkStrategy(chunk_type=ChunkType.AUTOMATIC)


def chunks(
    separator: str,
    *,
    max_tokens: int,
    remove_extra_spaces: bool = False,
    remove_urls_emails: bool = False,
) -> ChunkStrategy:
    """Splits the text at a separator.

    Args:
        separator: Text at which to split.
        max_tokens: Maximum length of a chunk in tokens; checked when the document is created.
        remove_extra_spaces: Whether to collapse repeated spaces, line breaks and tabs.
        remove_urls_emails: Whether to remove URLs and email addresses.
    """
    return ChunkStrategy(
        chunk_type=ChunkType.CUSTOM,
        separator=separator,
        max_tokens=max_tokens,
        remove_extra_spaces=remove_extra_spaces,
        remove_urls_emails=remove_urls_emails,
    )


def automatic_captions() -> ChunkStrategy:
    """Lets Coze write the captions of images."""
    return ChunkStrategy(caption_type=CaptionType.AUTOMATIC)


def manual_captions() -> ChunkStrategy:
    """Captions are written by hand: `from_image(caption=…)`, or `coze.datasets.images.update`
    later.
    """
    return ChunkStrategy(caption_type=CaptionType.MANUAL)
