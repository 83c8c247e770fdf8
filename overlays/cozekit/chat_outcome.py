"""What becomes of a chat: how its end is told, and how it is cancelled while it may be ending."""

from __future__ import annotations

from collections.abc import Callable

from coze_openapi.models.chat import Chat, ChatStatus

from .errors import APIError, ChatCanceled, ChatFailed, CozeError, PollTimeout
from .tools import pending_calls

CANNOT_CANCEL = 4104
"""Code of the answer to a cancel that came when the chat had ended."""


def has_ended(chat: Chat) -> bool:
    """Whether nothing more will happen in a chat."""
    return chat.status in (ChatStatus.COMPLETED, ChatStatus.FAILED, ChatStatus.CANCELED)


def came_too_late(error: APIError) -> bool:
    """Whether a cancel was refused because of the state of the chat."""
    return error.code == CANNOT_CANCEL


def ids_of(chat: Chat) -> dict[str, str]:
    """What a chat is found again by."""
    return {"chat_id": chat.id, "conversation_id": chat.conversation_id}


def raise_unless_good(chat: Chat, operation: str = "chat_create") -> None:
    """A chat that ended, and not well, is an error.

    Raises:
        ChatCanceled: Somebody cancelled it.
        ChatFailed: It failed.
    """
    if chat.status == ChatStatus.CANCELED:
        raise _ended(ChatCanceled, chat, "the chat was cancelled", operation)
    if chat.status == ChatStatus.FAILED or has_failed(chat):
        raise _ended(ChatFailed, chat, "the chat failed", operation)


def has_failed(chat: Chat) -> bool:
    """Whether the service names an error although the state does not."""
    return chat.last_error is not None and bool(chat.last_error.code)


def settled_after(answered: frozenset[str]) -> Callable[[Chat], bool]:
    """Whether a wait is over besides the final states: the chat has failed, or waits for outputs that it has not been given yet."""

    def settled(chat: Chat) -> bool:
        waits = chat.status == ChatStatus.REQUIRES_ACTION and not answered.issuperset(call.id or "" for call in pending_calls(chat))
        return has_failed(chat) or waits or (chat.status == ChatStatus.REQUIRES_ACTION and not answered)

    return settled


def after_cancel(late: PollTimeout, chat: Chat) -> Chat:
    """The chat after the cancel that followed a poll timeout: it may have ended in the meantime, and then that counts.

    Raises:
        PollTimeout: The cancel was in time; the error holds the cancelled chat.
    """
    late.last, late.state, late.logid = chat, chat.status, chat.logid or late.logid
    if chat.status == ChatStatus.CANCELED:
        late.add_note("the chat has been cancelled")
        raise late
    return chat


def cancel_failed(late: PollTimeout, error: CozeError) -> PollTimeout:
    """The timeout, with a word about the cancel that did not work."""
    late.add_note(f"cancelling the chat failed: {error}")
    return late


def _ended(kind: type[ChatFailed | ChatCanceled], chat: Chat, problem: str, operation: str) -> APIError:
    code, msg = (chat.last_error.code, chat.last_error.msg) if chat.last_error else (None, None)
    text = f"{problem}: code {code}: {msg or ''}" if code else problem
    error = kind(
        f"{operation}: {text} (chat_id {chat.id}, conversation_id {chat.conversation_id}, logid {chat.logid})",
        code=code,
        msg=msg or problem,
    )
    error.logid = chat.logid
    error.chat, error.chat_id, error.conversation_id = chat, chat.id, chat.conversation_id
    return error
