"""The loss check that Coze documents for workflow streams: numbers without holes.

Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
"""

from __future__ import annotations

from typing import Protocol

_MAX_DIGITS = 18
"""Of a number; text of any length may come in its place."""


class NumberedMessage(Protocol):
    """A piece of the output of a node, as far as its number is concerned."""

    @property
    def node_seq_id(self) -> str | None:
        """Its number, from 0, within its node."""
        ...

    @property
    def node_execute_uuid(self) -> str | None:
        """Names the execution of the node."""
        ...

    @property
    def node_title(self) -> str | None:
        """Names the node."""
        ...

    @property
    def node_is_finish(self) -> bool | None:
        """Whether it is the last one of its node."""
        ...


class SequenceCheck:
    """Finds holes in the numbers of one stream.

    `id` counts the events of the stream from 0; `node_seq_id` counts the messages of one node until
    `node_is_finish`. A number that comes again is no loss, nor is the first number of a node: a
    resumed run may go on where the node had stopped.
    """

    def __init__(self) -> None:
        self._next_event = 0
        self._next_piece: dict[str, int] = {}

    def event(self, number: int | None) -> str | None:
        """Takes the `id` of the next event; says what is missing before it."""
        if number is None:
            return None
        expected, self._next_event = self._next_event, number + 1
        return f"{_which('event', expected, number)} missing" if number > expected else None

    def piece(self, message: NumberedMessage) -> str | None:
        """Takes the next message of a node; says what is missing before it."""
        text = message.node_seq_id
        if not isinstance(text, str) or not text.isdecimal() or len(text) > _MAX_DIGITS:
            return None
        number, node = int(text), message.node_execute_uuid or message.node_title or ""
        expected = self._next_piece.pop(node, number)
        if not message.node_is_finish:
            # Nodes of one title that run side by side, told apart by nothing, count each for
            # itself: the highest number leads.
            self._next_piece[node] = max(expected, number + 1)
        return (
            f"{_which('message', expected, number)} missing in node {node!r}"
            if number > expected
            else None
        )


def _which(what: str, first: int, number: int) -> str:
    return f"{what} {first} is" if number == first + 1 else f"{what}s {first} to {number - 1} are"
