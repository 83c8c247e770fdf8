"""Asks the service for the outcome of a chat or run whose stream broke.

`recover` is the steps (`coze_runtime.steps`) of both clients.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import CozeError
from ..operation import CallOptions, Waiter, later_options
from ..polling.poll import PollClient, PollOptions, poll
from ..serialization.convert import get_path
from ..steps import Steps
from .event_parser import EventParser


def recover(
    client: PollClient,
    parser: EventParser[Any],
    result_type: type[Any],
    module: str,
    options: CallOptions,
    poll_timeout: float,
) -> Steps[Any]:
    """Waits for the outcome. Nothing but reads is sent.

    Args:
        client: Sends the requests.
        parser: What the stream has shown.
        result_type: Class of the result.
        module: Module of the operation whose waiter knows the outcome.
        options: Options of the call that opened the stream.
        poll_timeout: Seconds to wait.

    Raises:
        StreamInterrupted: The service does not know the chat or run, or cannot be asked.
        APIError: The chat or run failed.
    """
    if not module:
        raise parser.interrupted("its outcome cannot be retrieved")
    waiter: Waiter = import_module(module).WAITER
    ids = _ids(waiter, parser)
    how = PollOptions(poll_timeout, call=later_options(options), at_once=True)
    answered = get_path(parser.sent, waiter.answered) if waiter.answered else None
    try:
        outcome = yield from poll(client, waiter, ids, how, answered=frozenset(answered or ()))
    except CozeError as error:
        failures = {type_ for type_, _ in waiter.failures.values()}
        if type(error) not in failures:
            raise parser.interrupted(f"its outcome could not be retrieved ({error})") from error
        vars(error)["text"] = parser.text
        raise
    return parser.recovered(result_type, outcome.last, outcome.then)


def _ids(waiter: Waiter, parser: EventParser[Any]) -> dict[str, Any]:
    """The arguments of the polls.

    Raises:
        StreamInterrupted: An id is unknown.
    """
    ids = {name: parser.ids.get(name) or parser.sent.get(name) for name in waiter.arguments}
    unknown = [name for name, value in ids.items() if not value]
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        raise parser.interrupted(
            f"its outcome cannot be retrieved: {' and '.join(unknown)} {verb} unknown"
        )
    return ids
