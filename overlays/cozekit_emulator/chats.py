"""The operations of `/v3/chat`: start, poll, read, cancel, submit tool outputs; and chatflows,
which speak the same language.

A chat that does not stream moves with the polls: `created` in the first answer, `in_progress` in
the first `chat_retrieve`, its end in the second. No clock is involved.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from . import bots, sse, workflows
from .answers import Refusal, event_stream
from .calls import Call
from .chat_events import OVER, Play, chat_view, new_chat
from .kinds import USER
from .lists import view
from .sse import Event
from .store import Record, World


def create(call: Call) -> Response | Record:
    """`POST /v3/chat`."""
    bot = _bot(call)
    streams, saves = call.arg("stream", False), call.arg("auto_save_history", True)
    messages: list[Record] = call.arg("additional_messages", [])
    if not streams and not saves:
        raise Refusal(4007, "stream=false needs auto_save_history=true")
    if call.arg("publish_status") == "unpublished_draft" and call.arg("bot_version"):
        raise Refusal(
            4000, "Request parameter error: body.bot_version cannot stand beside the draft"
        )
    conversation = _conversation(call, str(bot["bot_id"]))
    _refuse_second(call.world, conversation)
    call.world.billed += 1
    chat = _started(call, conversation, str(bot["bot_id"]), messages, saves)
    if call.arg("meta_data"):
        chat["meta_data"] = call.arg("meta_data")
    events = Play(call.world, chat, bots.script_of(str(bot["bot_id"]))).begin()
    return _stream(call, events, sse.chat) if streams else _polled(chat, events)


def retrieve(call: Call) -> Record:
    """`GET /v3/chat/retrieve`; each call moves the chat one step on."""
    chat = _find(call)
    step(chat)
    return {"data": chat_view(chat)}


def messages(call: Call) -> Record:
    """`GET /v3/chat/message/list`."""
    schema = call.world.description.schemas["Message"]
    return {"data": [view(call, schema, message) for message in _find(call).get("_messages", [])]}


def cancel(call: Call) -> Record:
    """`POST /v3/chat/cancel`."""
    chat = _find(call)
    if chat["status"] not in ("created", "in_progress"):
        raise Refusal(4104, f"the chat is {chat['status']} and cannot be cancelled")
    chat["status"] = "canceled"
    chat.pop("_events", None)
    return {"data": chat_view(chat)}


def submit(call: Call) -> Response | Record:
    """`POST /v3/chat/submit_tool_outputs`."""
    chat = _find(call)
    if chat["status"] != "requires_action":
        raise Refusal(
            4000,
            f"Request parameter error: the chat is {chat['status']} and waits for no tool output",
        )
    if not chat["_saves"]:
        raise Refusal(5000, "the chat runs without history")
    calls = {item["id"] for item in chat["required_action"]["submit_tool_outputs"]["tool_calls"]}
    outputs = {item["tool_call_id"]: item["output"] for item in call.arg("tool_outputs")}
    if set(outputs) != calls:
        raise Refusal(
            4000,
            f"Request parameter error: body.tool_outputs must answer the calls {sorted(calls)}",
        )
    events = Play(call.world, chat, bots.script_of(chat["bot_id"])).go_on(list(outputs.values()))
    if call.arg("stream", False):
        return _stream(call, events, sse.chat)
    next(events)
    return _polled(chat, events, begun=True)


def chatflow(call: Call) -> Response:
    """`POST /v1/workflows/chat`."""
    workflow = call.find("workflows")
    if not workflow["_published"]:
        raise Refusal(4200, "the workflow is not published")
    if call.arg("app_id") and call.arg("bot_id"):
        raise Refusal(
            4000, "Request parameter error: body.app_id and body.bot_id exclude each other"
        )
    messages: list[Record] = call.arg("additional_messages")
    bot_id = str(call.arg("bot_id", "0"))
    conversation = _conversation(call, bot_id)
    _refuse_second(call.world, conversation)
    call.world.billed += 1
    waiting = conversation.pop("_waiting", False)
    script = workflows.SCRIPTS.get(workflow["workflow_id"], workflows.SCRIPTS[workflows.PLAIN])
    asks = script.interrupts and not waiting
    chat = _started(call, conversation, bot_id, messages, saves=True)
    if asks:
        conversation["_waiting"] = True
    behaviour = bots.SCRIPTS[bots.FAILING if script.fails else bots.ANSWERING]
    play = Play(call.world, chat, behaviour)
    events = play.interrupt(workflows.QUESTION) if asks else play.begin()
    query = f"execute_id={chat['chat_id']}&space_id={workflow['workspace_id']}"
    link = f"{call.base_url}/work_flow?{query}&workflow_id={workflow['workflow_id']}"
    return _stream(call, _closed_with_link(events, link, waits=asks), sse.chatflow)


def _closed_with_link(events: Iterator[Event], link: str, *, waits: bool) -> Iterator[Event]:
    """Chatflows end with the address of the run in place of `[DONE]`."""
    for name, data in events:
        yield name, {"debug_url": link} if name == "done" else data
    if waits:
        yield "done", {"debug_url": link}


def step(chat: Record) -> None:
    """Moves a polled chat: into `in_progress`, then to its end."""
    events: Iterator[Event] | None = chat.get("_events")
    if events is None:
        return
    if chat["status"] == "created":
        next(events)
        return
    for _ in events:
        pass
    del chat["_events"]


def _polled(chat: Record, events: Iterator[Event], *, begun: bool = False) -> Record:
    if not begun:
        next(events)  # `created` is what the first answer tells
    chat["_events"] = events
    return {"data": chat_view(chat)}


def _stream(call: Call, events: Iterator[Event], spelling: sse.Spelling) -> Response:
    return event_stream(sse.pump(events, spelling), call.logid)


def _started(
    call: Call, conversation: Record, bot_id: str, messages: list[Record], saves: bool
) -> Record:
    """The chat, after the messages that came with it have been put into the conversation."""
    stored = call.collection("messages").all(conversation["conversation_id"]) if saves else []
    context = "".join(str(message["content"]) for message in (*stored, *messages))
    last = (messages or stored or [{"content": ""}])[-1]
    chat = new_chat(
        call.world, conversation, bot_id, question=plain(last), context=context, saves=saves
    )
    if saves:
        chat["inserted_additional_messages"] = [
            {"id": store_message(call.world, chat, message)["id"]} for message in messages
        ]
    return chat


def store_message(world: World, chat: Record, message: Record) -> Record:
    """Puts a message that came with a chat into its conversation."""
    ids = {name: chat[name] for name in ("conversation_id", "bot_id", "chat_id", "section_id")}
    kind = message.get("type") or ("question" if message["role"] == "user" else "answer")
    return world.collection("messages").add(
        {**message, **ids, "type": kind}, chat["conversation_id"]
    )


def plain(message: Record) -> str:
    """What the user said, as one text; files by their number."""
    if message.get("content_type") != "object_string":
        return str(message["content"])
    try:
        parts: list[Any] = json.loads(message["content"])
        text = "".join(part.get("text", "") for part in parts)
        files = sum(part.get("type") != "text" for part in parts)
    except (ValueError, TypeError, AttributeError):
        raise Refusal(
            4000,
            "Request parameter error: body.additional_messages: content is no JSON array of items",
        ) from None
    return f"{text}（{files} 个文件 📎）" if files else text


def _find(call: Call) -> Record:
    call.find("conversations")
    return call.find("chats")


def _bot(call: Call) -> Record:
    """The bot of a chat.

    Raises:
        Refusal: 4006, unknown; 4015, not published to the API channel.
    """
    bot = call.collection("bots").peek(call.arg("bot_id"))
    if bot is None:
        raise Refusal(4006, f"bot_id {call.arg('bot_id')!r}: not found")
    if not bot["is_published"] and call.arg("publish_status") != "unpublished_draft":
        raise Refusal(4015, "the bot is not published to the API channel")
    return bot


def _conversation(call: Call, bot_id: str) -> Record:
    """The conversation that was named, or a new one."""
    if call.arg("conversation_id"):
        return call.find("conversations")
    return new_conversation(call.world, {"bot_id": bot_id})


def new_conversation(world: World, fields: Record) -> Record:
    """A conversation with its first section of context."""
    known = {
        "last_section_id": world.new_id(),
        "connector_id": "1024",
        "creator_id": USER,
        "meta_data": {},
    }
    return world.collection("conversations").add({**known, **fields})


def _refuse_second(world: World, conversation: Record) -> None:
    for chat in world.collection("chats").everything():
        running = chat["status"] not in (*OVER, "requires_action")
        if running and chat["conversation_id"] == conversation["conversation_id"]:
            raise Refusal(4016, f"chat {chat['chat_id']} is still running in this conversation")
