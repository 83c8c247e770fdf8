"""Sends files: the multipart body of a request, and what its failure means. Loaded by the first
upload.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress

from ..errors import APIConnectionError, CozeError
from ..serialization.multipart import Form
from .prepared import PreparedRequest


@contextmanager
def uploading(prepared: PreparedRequest) -> Iterator[PreparedRequest]:
    """The request with its multipart body; without files of its own. The files are read while the
    body is sent, and closed when the block ends.
    """
    form = Form(prepared.form or {}, prepared.files or {})
    headers = _with_headers(prepared, form.begin())
    with closing(form.chunks()) as chunks:
        try:
            yield prepared._replace(headers=headers, content=chunks, files=None)
        except CozeError as error:
            _judge_upload(form, error)
            raise


@asynccontextmanager
async def uploading_async(prepared: PreparedRequest) -> AsyncIterator[PreparedRequest]:
    """The async form of `uploading`."""
    form = Form(prepared.form or {}, prepared.files or {})
    headers = _with_headers(prepared, await form.begin_async())
    chunks = form.chunks_async()
    try:
        yield prepared._replace(headers=headers, content=chunks, files=None)
    except CozeError as error:
        _judge_upload(form, error)
        raise
    finally:
        # If the response arrived before the whole body was sent, the transport may still be
        # reading the body; then the transport closes it.
        with suppress(RuntimeError):
            await chunks.aclose()


def _judge_upload(form: Form, error: CozeError) -> None:
    """Raises the error of a file, which some transports replace with theirs. An upload whose end
    was not reached cannot have been accepted.
    """
    if form.error is not None:
        raise form.error from None
    if isinstance(error, APIConnectionError) and not form.is_read:
        error.sent = False


def _with_headers(prepared: PreparedRequest, form_headers: dict[str, str]) -> dict[str, str]:
    replaced = {name.lower() for name in form_headers}
    kept = {name: value for name, value in prepared.headers.items() if name.lower() not in replaced}
    return {**kept, **form_headers}
