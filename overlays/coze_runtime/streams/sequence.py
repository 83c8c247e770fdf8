"""Detects missing events of workflow streams by their numbers, as Coze documents it.

Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
"""

from __future__ import annotations

from typing import Protocol

_MAX_DIGITS = 18
"""Longest number; the field could hold text of any length."""


class NumberedMessage(Protocol):
    """A piece of the output of a node; the fields that number it."""

    @property
    def node_seq_id(self) -> str | None:
        """Number of the piece in its node, from 0."""
        ...

    @property
    def node_execute_uuid(self) -> str | None:
        """Id of the execution of the node."""
        ...

    @property
    def node_title(self) -> str | None:
        """Title of the node."""
        ...

    @property
    def node_is_finish(self) -> bool | None:
        """Whether it is the last piece of its node."""
        ...


class SequenceCheck:
    """Finds gaps in the numbers of one stream.

    `id` counts the events of the stream from 0; some servers begin with 1, or give heartbeats the
    number 0. `node_seq_id` counts the messages of a node until `node_is_finish`. A number that is
    not higher than the last ones is not a gap, nor is the first number of a node: a resumed run may
    continue where the node stopped.
    """

    def __init__(self) -> None:
        self._next_event = 1
        self._next_piece: dict[str, int] = {}

    def event(self, number: int | None) -> str | None:
        """Checks the `id` of the next event. Returns what is missing before it, or None."""
        if number is None:
            return None
        expected, self._next_event = self._next_event, max(self._next_event, number + 1)
        return _missing("event", expected, number) if number > expected else None

    def piece(self, message: NumberedMessage) -> str | None:
        """Checks the next message of a node. Returns what is missing before it, or None."""
        text = message.node_seq_id
        if not isinstance(text, str) or not text.isdecimal() or len(text) > _MAX_DIGITS:
            return None
        number, node = int(text), str(message.node_execute_uuid or message.node_title or "")
        expected = self._next_piece.pop(node, number)
        if not message.node_is_finish:
            # Parallel executions without a uuid share the title but count separately, so the
            # highest number is kept.
            self._next_piece[node] = max(expected, number + 1)
        if number <= expected:
            return None
        return f"{_missing('message', expected, number)} in node {node!r}"


def _missing(noun: str, first: int, number: int) -> str:
    if number == first + 1:
        return f"{noun} {first} is missing"
    return f"{noun}s {first} to {number - 1} are missing"
