"""Conversations, their messages and the feedback on them."""

from __future__ import annotations

from .calls import Call
from .chats import new_conversation
from .lists import page
from .store import Record
from .verbs import shown

_VISIBLE = ("question", "answer")


def create(call: Call) -> Record:
    """A conversation, with the messages that came along."""
    fields = {
        name: value
        for name, value in call.inputs.body.items()
        if name != "messages" and value is not None
    }
    if call.arg("bot_id"):
        fields["bot_id"] = call.find("bots")["bot_id"]
    conversation = new_conversation(call.world, fields)
    for message in call.arg("messages", []):
        _add(call, conversation, message)
    return shown(call, conversation)


def clear(call: Call) -> Record:
    """A new section of context; the messages stay readable."""
    conversation = call.find("conversations")
    conversation["last_section_id"] = call.world.new_id()
    return {
        "data": {
            "id": conversation["last_section_id"],
            "conversation_id": conversation["conversation_id"],
        }
    }


def list_all(call: Call) -> Record:
    """The conversations of a bot, newest first unless asked otherwise."""
    bot = call.find("bots")
    found = [
        record
        for record in call.collection("conversations").all()
        if record.get("bot_id") == bot["bot_id"]
    ]
    return page(call, found if call.arg("sort_order") == "ASC" else found[::-1])


def create_message(call: Call) -> Record:
    """A message that nobody answers."""
    return shown(call, _add(call, call.find("conversations"), call.inputs.body))


def list_messages(call: Call) -> Record:
    """Questions and answers, newest first unless asked otherwise; the steps between only on
    request.
    """
    conversation = call.find("conversations")
    found = call.collection("messages").all(conversation["conversation_id"])
    if not call.arg("include_middle_message", False):
        found = [message for message in found if message.get("type") in _VISIBLE]
    if call.arg("chat_id"):
        chat = call.find("chats")
        found = [message for message in found if message.get("chat_id") == chat["chat_id"]]
    return page(call, found if call.arg("order") == "asc" else found[::-1])


def set_feedback(call: Call) -> Record:
    """The one feedback on a message; a later one replaces it."""
    feedback = call.collection("feedback")
    message = call.find("messages")
    feedback.add(
        {**call.inputs.body, "message_id": message["message_id"]}, feedback.owner(call.arguments)
    )
    return {}


def _add(call: Call, conversation: Record, fields: Record) -> Record:
    kind = fields.get("type") or ("question" if fields["role"] == "user" else "answer")
    ids = {
        "conversation_id": conversation["conversation_id"],
        "section_id": conversation["last_section_id"],
    }
    return call.collection("messages").add(
        {**fields, **ids, "type": kind}, conversation["conversation_id"]
    )
