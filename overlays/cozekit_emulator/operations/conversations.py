"""Conversations, their messages and the feedback on them."""

from __future__ import annotations

import json
from typing import Any

from ..errors import invalid_parameter
from ..http.pagination import page_response
from ..http.request import ApiRequest
from ..http.response_fields import record_response
from ..state.ids import API_CHANNEL, USER
from ..state.store import Record, State

_VISIBLE_TYPES = ("question", "answer")


def create(request: ApiRequest) -> Record:
    """A conversation, with the messages in the request."""
    fields = {
        name: value
        for name, value in request.inputs.body.items()
        if name != "messages" and value is not None
    }
    if request.arg("bot_id"):
        fields["bot_id"] = request.find("bots")["bot_id"]
    conversation = new_conversation(request.state, fields)
    for message in request.arg("messages", []):
        add_message(request.state, message, _ids_of(conversation))
    return record_response(request, conversation)


def new_conversation(state: State, fields: Record) -> Record:
    """Adds a conversation with a first section of context.

    Args:
        state: The state.
        fields: What differs from the defaults.
    """
    defaults = {
        "last_section_id": state.new_id(),
        "connector_id": API_CHANNEL,
        "creator_id": USER,
        "meta_data": {},
    }
    return state.collection("conversations").add({**defaults, **fields})


def clear(request: ApiRequest) -> Record:
    """A new section of context; the messages stay readable."""
    conversation = request.find("conversations")
    section_id = conversation["last_section_id"] = request.state.new_id()
    return {"data": {"id": section_id, "conversation_id": conversation["conversation_id"]}}


def list_all(request: ApiRequest) -> Record:
    """The conversations of a bot, newest first unless asked otherwise."""
    bot = request.find("bots")
    conversations = [
        conversation
        for conversation in request.collection("conversations").all()
        if conversation.get("bot_id") == bot["bot_id"]
    ]
    ascending = str(request.arg("sort_order")).lower() == "asc"  # in capitals until May 2026
    return page_response(request, conversations if ascending else conversations[::-1])


def create_message(request: ApiRequest) -> Record:
    """A message that starts no chat."""
    ids = _ids_of(request.find("conversations"))
    return record_response(request, add_message(request.state, request.inputs.body, ids))


def list_messages(request: ApiRequest) -> Record:
    """Questions and answers, newest first unless asked otherwise; the steps in between only on
    request.
    """
    conversation = request.find("conversations")
    messages = request.collection("messages").all(conversation["conversation_id"])
    if not request.arg("include_middle_message", False):
        messages = [message for message in messages if message.get("type") in _VISIBLE_TYPES]
    if request.arg("chat_id"):
        chat = request.find("chats")
        messages = [message for message in messages if message.get("chat_id") == chat["chat_id"]]
    ascending = request.arg("order") == "asc"
    return page_response(request, messages if ascending else messages[::-1])


def set_feedback(request: ApiRequest) -> Record:
    """The one feedback on a message; a later one replaces it."""
    feedback = request.collection("feedback")
    message = request.find("messages")
    fields = {**request.inputs.body, "message_id": message["message_id"]}
    feedback.add(fields, feedback.owner(request.arguments))
    return {}


def _ids_of(conversation: Record) -> Record:
    return {
        "conversation_id": conversation["conversation_id"],
        "section_id": conversation["last_section_id"],
    }


def add_message(state: State, message: Record, ids: Record) -> Record:
    """Adds a message to a conversation.

    Args:
        state: The state.
        message: The message as the client sent it.
        ids: Conversation, section and, if it belongs to a chat, chat and bot.
    """
    message_type = message.get("type") or ("question" if message["role"] == "user" else "answer")
    fields = {**message, **ids, "type": message_type}
    return state.collection("messages").add(fields, ids["conversation_id"])


def plain_text(message: Record) -> str:
    """The text of a message, and the number of its files.

    Raises:
        ApiError: Its content is not what the content type says.
    """
    if message.get("content_type") != "object_string":
        return str(message["content"])
    try:
        items: list[Any] = json.loads(message["content"])
        text = "".join(item.get("text", "") for item in items)
        files = sum(item.get("type") != "text" for item in items)
    except (ValueError, TypeError, AttributeError):
        raise invalid_parameter("the content of a message is not a JSON array of items") from None
    return f"{text}（{files} 个文件 📎）" if files else text
