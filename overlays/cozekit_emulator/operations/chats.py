"""Chats (`/v3/chat`): start, poll, read, cancel, submit tool outputs; and chatflows, which have the
same events.

A chat that does not stream advances when it is polled: `created` in the first response,
`in_progress` in the first `chat_retrieve`, its end in the second. No clock is involved.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from ..errors import ApiError, invalid_parameter
from ..http.request import ApiRequest
from ..http.response_fields import visible_fields
from ..http.responses import Event, chat_event, chatflow_event, event_stream
from ..state import bots, workflows
from ..state.store import Record
from .chat_events import (
    FINAL_STATUSES,
    ScriptedChat,
    chat_ids,
    chat_payload,
    new_chat,
    output_texts,
)
from .conversations import add_message, new_conversation
from .workflows import published_workflow, run_url


def create(request: ApiRequest) -> Response | Record:
    """`POST /v3/chat`."""
    bot_id = _published_bot_id(request)
    streams, saves = request.arg("stream", False), request.arg("auto_save_history", True)
    if not streams and not saves:
        raise ApiError(4007, "stream=false needs auto_save_history=true")
    if request.arg("publish_status") == "unpublished_draft" and request.arg("bot_version"):
        raise invalid_parameter("body.bot_version excludes the draft")
    conversation = _idle_conversation(request, bot_id)
    chat = _new_chat(request, conversation, bot_id, saves=saves)
    if request.arg("meta_data"):
        chat["meta_data"] = request.arg("meta_data")
    events = ScriptedChat(request.state, chat, bots.script_of(bot_id)).start()
    if streams:
        return event_stream(events, chat_event, request.logid)
    next(events)  # the first response tells of `created`
    return _polled(chat, events)


def retrieve(request: ApiRequest) -> Record:
    """`GET /v3/chat/retrieve`; each request advances the chat by one step."""
    chat = _find(request)
    events: Iterator[Event] | None = chat.get("_events")
    if events is not None and chat["status"] == "created":
        next(events)
    elif events is not None:
        for _ in events:
            pass
        del chat["_events"]
    return {"data": chat_payload(chat)}


def list_messages(request: ApiRequest) -> Record:
    """`GET /v3/chat/message/list`."""
    schema = request.state.description.schemas["Message"]
    messages = _find(request).get("_messages", [])
    return {"data": [visible_fields(request, schema, message) for message in messages]}


def cancel(request: ApiRequest) -> Record:
    """`POST /v3/chat/cancel`."""
    chat = _find(request)
    if chat["status"] not in ("created", "in_progress"):
        raise ApiError(4104, f"the chat is {chat['status']} and cannot be cancelled")
    chat["status"] = "canceled"
    chat.pop("_events", None)
    return {"data": chat_payload(chat)}


def submit_tool_outputs(request: ApiRequest) -> Response | Record:
    """`POST /v3/chat/submit_tool_outputs`."""
    chat = _find(request)
    if chat["status"] != "requires_action":
        raise invalid_parameter(f"the chat is {chat['status']} and waits for no tool output")
    if not chat["_saves"]:
        raise ApiError(5000, "the chat runs without history")
    outputs = output_texts(chat, request.arg("tool_outputs"), "body.tool_outputs")
    script = bots.script_of(chat["bot_id"])
    events = ScriptedChat(request.state, chat, script).resume(outputs)
    if request.arg("stream", False):
        return event_stream(events, chat_event, request.logid)
    next(events)
    return _polled(chat, events)


def stream_chatflow(request: ApiRequest) -> Response:
    """`POST /v1/workflows/chat`."""
    workflow = published_workflow(request)
    bot_id = str(request.arg("bot_id", "0"))
    conversation = _idle_conversation(request, bot_id)
    script = workflows.script_of(workflow["workflow_id"])
    was_asked = conversation.pop("_asked", False)
    asks = script.interrupts and not was_asked
    chat = _new_chat(request, conversation, bot_id, saves=True)
    if asks:
        conversation["_asked"] = True
    bot_script = bots.SCRIPTS[bots.FAILING if script.fails else bots.ANSWERING]
    scripted = ScriptedChat(request.state, chat, bot_script)
    events = scripted.ask(workflows.QUESTION) if asks else scripted.start()
    url = run_url(request, workflow, chat["chat_id"])
    return event_stream(_ended_by_url(events, url, asks=asks), chatflow_event, request.logid)


def _ended_by_url(events: Iterator[Event], url: str, *, asks: bool) -> Iterator[Event]:
    """Chatflows end with the address of the run in place of `[DONE]`."""
    for name, data in events:
        yield name, {"debug_url": url} if name == "done" else data
    if asks:
        yield "done", {"debug_url": url}


def _polled(chat: Record, events: Iterator[Event]) -> Record:
    chat["_events"] = events
    return {"data": chat_payload(chat)}


def _new_chat(request: ApiRequest, conversation: Record, bot_id: str, *, saves: bool) -> Record:
    """A chat whose messages have been put into the conversation."""
    messages: list[Record] = request.arg("additional_messages", [])
    chat = new_chat(request.state, conversation, bot_id, messages, saves=saves)
    if saves:
        chat["inserted_additional_messages"] = [
            {"id": add_message(request.state, message, chat_ids(chat))["id"]}
            for message in messages
        ]
    return chat


def _find(request: ApiRequest) -> Record:
    request.find("conversations")
    return request.find("chats")


def _published_bot_id(request: ApiRequest) -> str:
    """The id of the bot of a chat.

    Raises:
        ApiError: 4006, unknown; 4015, not published to the API channel.
    """
    bot = request.collection("bots").get_or_none(request.arg("bot_id"))
    if bot is None:
        raise ApiError(4006, f"bot_id {request.arg('bot_id')!r}: not found")
    if not bot["is_published"] and request.arg("publish_status") != "unpublished_draft":
        raise ApiError(4015, "the bot is not published to the API channel")
    return str(bot["bot_id"])


def _idle_conversation(request: ApiRequest, bot_id: str) -> Record:
    """The conversation that was named, or a new one.

    Raises:
        ApiError: 4016, a chat is running in it.
    """
    if not request.arg("conversation_id"):
        return new_conversation(request.state, {"bot_id": bot_id})
    conversation = request.find("conversations")
    for chat in request.collection("chats").all_records():
        running = chat["status"] not in (*FINAL_STATUSES, "requires_action")
        if running and chat["conversation_id"] == conversation["conversation_id"]:
            raise ApiError(4016, f"chat {chat['chat_id']} is still running in this conversation")
    return conversation
