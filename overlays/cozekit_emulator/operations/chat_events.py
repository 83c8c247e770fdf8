"""What happens in a chat: a generator of events, read by a stream or drained by polls.

The generator changes the chat and stores its messages as it goes, so a stream and polls see the
same life cycle. Order and payloads follow the page `chat_v3`: created, in_progress, deltas, the
whole answer, `generate_answer_finish`, follow-ups, completed, done.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from ..errors import invalid_parameter
from ..http.responses import Event, compact_json
from ..state.bots import BotScript
from ..state.store import Record, State
from .conversations import plain_text

FINAL_STATUSES = ("completed", "failed", "canceled")
_DELTA_LENGTH = 3
"""Characters of a delta; emoji made of several characters are cut apart, as real models do."""
_CHAT_FIELDS = (
    "id",
    "conversation_id",
    "bot_id",
    "section_id",
    "status",
    "created_at",
    "completed_at",
    "failed_at",
    "meta_data",
    "last_error",
    "usage",
    "inserted_additional_messages",
    "required_action",
)


def chat_payload(chat: Record) -> Record:
    """A snapshot of a chat.

    Args:
        chat: Its record.
    """
    fields = {name: chat[name] for name in _CHAT_FIELDS if chat.get(name) is not None}
    return copy.deepcopy(fields)


def chat_ids(chat: Record) -> Record:
    """The ids that every message of a chat carries.

    Args:
        chat: Its record.
    """
    return {name: chat[name] for name in ("conversation_id", "bot_id", "chat_id", "section_id")}


def new_chat(
    state: State, conversation: Record, bot_id: str, messages: list[Record], *, saves: bool
) -> Record:
    """Adds a chat that has not started.

    Args:
        state: The state.
        conversation: Its conversation.
        bot_id: Id of the bot.
        messages: The messages of the user.
        saves: Whether messages are kept in the conversation.

    Raises:
        ApiError: The content of the last message is not what its content type says.
    """
    stored = state.collection("messages").all(conversation["conversation_id"]) if saves else []
    question = plain_text((messages or stored or [{"content": ""}])[-1])
    state.billed_calls += 1
    return state.collection("chats").add(
        {
            "conversation_id": conversation["conversation_id"],
            "bot_id": bot_id,
            "section_id": conversation["last_section_id"],
            "status": "created",
            "last_error": {"code": 0, "msg": ""},
            "usage": {"token_count": 0, "output_count": 0, "input_count": 0},
            "_question": question,
            "_context": "".join(str(message["content"]) for message in (*stored, *messages)),
            "_saves": saves,
            "_messages": [],
        }
    )


def output_texts(chat: Record, tool_outputs: list[Record], field: str) -> list[str]:
    """The outputs that a client submits for the tool calls of a chat.

    Args:
        chat: A chat that requires action.
        tool_outputs: What the client sent.
        field: Path of the field that holds them.

    Raises:
        ApiError: There is not one output for each call.
    """
    tool_calls = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
    call_ids = {tool_call["id"] for tool_call in tool_calls}
    outputs = {item["tool_call_id"]: item["output"] for item in tool_outputs}
    if set(outputs) != call_ids:
        raise invalid_parameter(f"{field} must answer the calls {sorted(call_ids)}")
    return list(outputs.values())


class ScriptedChat:
    """The events of a chat whose bot follows a script.

    Args:
        state: The state.
        chat: Record of the chat.
        script: The script.
    """

    def __init__(self, state: State, chat: Record, script: BotScript) -> None:
        self._state = state
        self._chat = chat
        self._script = script

    def start(self) -> Iterator[Event]:
        """The events from the start to the end, or to the tool call."""
        yield "conversation.chat.created", chat_payload(self._chat)
        yield self._status_event("in_progress")
        if self._script.failure:
            yield from self._fail()
        elif self._script.tool:
            yield from self._call_tool()
        else:
            yield from self._answer("")

    def resume(self, outputs: list[str]) -> Iterator[Event]:
        """The events from the outputs of the tools to the end.

        Args:
            outputs: The outputs.
        """
        self._chat.pop("required_action", None)
        yield self._status_event("in_progress")
        for output in outputs:
            yield "conversation.message.completed", self._message("tool_response", output)
        yield from self._answer("、".join(outputs))

    def ask(self, question: str) -> Iterator[Event]:
        """The events of a chatflow that asks and waits: the stream ends without `completed`.

        Args:
            question: The question.
        """
        yield "conversation.chat.created", chat_payload(self._chat)
        yield self._status_event("in_progress")
        yield from self._text(question, "")
        yield "conversation.message.completed", self._verbose("interrupt", "")
        yield "conversation.message.completed", self._finish_message(1)
        self._set_status("completed")

    def _status_event(self, status: str) -> Event:
        self._set_status(status)
        return f"conversation.chat.{status}", chat_payload(self._chat)

    def _set_status(self, status: str) -> None:
        # A cancelled chat stays cancelled although its stream continues.
        if self._chat["status"] != "canceled":
            self._chat["status"] = status

    def _answer(self, outputs: str) -> Iterator[Event]:
        def filled(text: str) -> str:
            text = text.replace("{question}", self._chat["_question"])
            return text.replace("{outputs}", outputs)

        answer, reasoning = filled(self._script.answer), filled(self._script.reasoning)
        yield from self._text(answer, reasoning)
        yield "conversation.message.completed", self._finish_message(0)
        for text in self._script.follow_ups:
            yield "conversation.message.completed", self._message("follow_up", text)
        input_count, output_count = 20 + len(self._chat["_context"]), len(answer) + len(reasoning)
        self._chat["usage"] = {
            "token_count": input_count + output_count,
            "output_count": output_count,
            "input_count": input_count,
        }
        self._chat["completed_at"] = self._state.now()
        yield self._status_event("completed")
        yield "done", "[DONE]"

    def _text(self, answer: str, reasoning: str) -> Iterator[Event]:
        """Deltas, reasoning first, then the whole message under the same id."""
        message = self._message_fields("answer")
        for text, field in ((reasoning, "reasoning_content"), (answer, "content")):
            for start in range(0, len(text), _DELTA_LENGTH):
                piece = text[start : start + _DELTA_LENGTH]
                yield "conversation.message.delta", {**message, "content": "", field: piece}
        message["content"] = answer
        if reasoning:
            message["reasoning_content"] = reasoning
        yield "conversation.message.completed", self._stored(message)

    def _call_tool(self) -> Iterator[Event]:
        arguments = self._script.tool_arguments
        content = compact_json({"name": self._script.tool, "arguments": json.loads(arguments)})
        yield "conversation.message.completed", self._message("function_call", content)
        tool_call = {
            "id": f"call_{self._state.new_id()}",
            "type": "function",
            "function": {"name": self._script.tool, "arguments": arguments},
        }
        self._chat["required_action"] = {
            "type": "submit_tool_outputs",
            "submit_tool_outputs": {"tool_calls": [tool_call]},
        }
        yield self._status_event("requires_action")
        yield "done", "[DONE]"

    def _fail(self) -> Iterator[Event]:
        self._chat["last_error"] = {"code": 5000, "msg": "event interval error"}
        self._chat["failed_at"] = self._state.now()
        event = self._status_event("failed")
        if self._script.failure == "error":
            yield "error", {"code": 5000, "msg": "the stream broke"}
        elif self._script.failure == "brief":
            yield event[0], {"code": 701231, "msg": "error"}
        else:
            yield event

    def _finish_message(self, reason: int) -> Record:
        data = f'{{"finish_reason":{reason},"FinData":""}}'
        return self._verbose("generate_answer_finish", data)

    def _verbose(self, msg_type: str, data: str) -> Record:
        content = {"msg_type": msg_type, "data": data, "from_module": None, "from_unit": None}
        return self._message("verbose", compact_json(content))

    def _message(self, type: str, content: str) -> Record:
        return self._stored({**self._message_fields(type), "content": content})

    def _message_fields(self, type: str) -> Record:
        return {
            "id": self._state.new_id(),
            **chat_ids(self._chat),
            "role": "assistant",
            "type": type,
            "content_type": "text",
        }

    def _stored(self, fields: Record) -> Record:
        """A whole message, stored unless the chat runs without history or was cancelled."""
        now = self._state.now()
        message: dict[str, Any] = {**fields, "created_at": now, "updated_at": now}
        if self._chat["_saves"] and self._chat["status"] != "canceled":
            self._state.collection("messages").add(
                {**message, "message_id": message["id"]}, self._chat["conversation_id"]
            )
            self._chat["_messages"].append(message)
        return message
