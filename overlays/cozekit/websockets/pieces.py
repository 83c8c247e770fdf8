"""A long text in pieces that one request takes."""

from __future__ import annotations

from coze_openapi.senders.websockets_speech import INPUT_TEXT_BUFFER_APPEND_LIMITS

from ..errors import ArgumentError

MAX_BYTES: int = INPUT_TEXT_BUFFER_APPEND_LIMITS["text"].max_bytes or 0
"""UTF-8 bytes of text in one request of the speech socket; 0 when the description states none."""


def pieces_of(text: str, limit: int = MAX_BYTES) -> list[str]:
    """A text in pieces of at most `limit` bytes, cut behind sentences where possible, else behind
    words, else anywhere. With a limit of 0 it stays whole.

    Raises:
        ArgumentError: There is nothing to speak.
    """
    if not text.strip():
        raise ArgumentError("there is no text to speak", argument="text")
    found = []
    rest = text.strip()
    while limit and len(rest.encode()) > limit:
        head = rest.encode()[:limit].decode("utf-8", "ignore")
        place = (
            max(head.rfind(mark) for mark in "。！？；.!?;\n") + 1
            or max(head.rfind(mark) for mark in "，、, ") + 1
            or len(head)
        )
        if piece := rest[:place].strip():
            found.append(piece)
        rest = rest[place:].lstrip()
    if rest:
        found.append(rest)
    return found
