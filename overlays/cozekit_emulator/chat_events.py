"""What happens in a chat: one generator of events, read by a stream or drained by polls.

The generator changes the chat and stores its messages as it goes, so both ways of asking see the
same life cycle. Order and payloads follow the page `chat_v3`: created, in_progress, deltas, the
whole answer, `generate_answer_finish`, follow-ups, completed, done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .answers import compact
from .bots import Script
from .lists import merged
from .sse import Event
from .store import Record, World

_PIECE = 3
"""Characters of a delta; emoji made of several characters are cut apart, as real models do."""
_CHAT = (
    "id conversation_id bot_id section_id status created_at completed_at failed_at meta_data "
    "last_error usage inserted_additional_messages"
    " required_action"
).split()
_NO_USAGE = {"token_count": 0, "output_count": 0, "input_count": 0}
OVER = ("completed", "failed", "canceled")


def chat_view(chat: Record) -> Record:
    """A chat as it stands at this moment."""
    return merged({name: chat[name] for name in _CHAT if chat.get(name) is not None})


class Play:
    """One chat on the stage."""

    def __init__(self, world: World, chat: Record, script: Script) -> None:
        self._world = world
        self._chat = chat
        self._script = script

    def begin(self) -> Iterator[Event]:
        """From the start to the end, or to the tool call."""
        yield "conversation.chat.created", chat_view(self._chat)
        yield self._to("in_progress")
        if self._script.failure:
            yield from self._fail()
        elif self._script.tool:
            yield from self._ask_for_tool()
        else:
            yield from self._answer(self._chat["_question"], "")

    def go_on(self, outputs: list[str]) -> Iterator[Event]:
        """From the tool's output to the end."""
        self._chat.pop("required_action", None)
        yield self._to("in_progress")
        for output in outputs:
            yield "conversation.message.completed", self._message("tool_response", output)
        yield from self._answer(self._chat["_question"], "、".join(outputs))

    def interrupt(self, question: str) -> Iterator[Event]:
        """A chatflow that asks and waits: the stream ends without `completed`."""
        yield "conversation.chat.created", chat_view(self._chat)
        yield self._to("in_progress")
        yield from self._speak(question, "")
        yield "conversation.message.completed", self._verbose("interrupt", "")
        yield (
            "conversation.message.completed",
            self._verbose("generate_answer_finish", '{"finish_reason":1,"FinData":""}'),
        )
        self._settle("completed")

    def _to(self, status: str) -> Event:
        self._settle(status)
        return f"conversation.chat.{status}", chat_view(self._chat)

    def _settle(self, status: str) -> None:
        """A cancelled chat stays cancelled although its stream flows on."""
        if self._chat["status"] != "canceled":
            self._chat["status"] = status

    def _answer(self, question: str, outputs: str) -> Iterator[Event]:
        values = {"question": question, "outputs": outputs}
        answer, reasoning = (
            _filled(text, values) for text in (self._script.answer, self._script.reasoning)
        )
        yield from self._speak(answer, reasoning)
        finish = '{"finish_reason":0,"FinData":""}'
        yield "conversation.message.completed", self._verbose("generate_answer_finish", finish)
        for text in self._script.follow_ups:
            yield "conversation.message.completed", self._message("follow_up", text)
        spent, output = 20 + len(self._chat["_context"]), len(answer) + len(reasoning)
        self._chat["usage"] = {
            "token_count": spent + output,
            "output_count": output,
            "input_count": spent,
        }
        self._chat["completed_at"] = self._world.now()
        yield self._to("completed")
        yield "done", "[DONE]"

    def _speak(self, answer: str, reasoning: str) -> Iterator[Event]:
        """Deltas, reasoning first, then the whole message under the same id."""
        head = self._fields("answer")
        for text, field in ((reasoning, "reasoning_content"), (answer, "content")):
            for start in range(0, len(text), _PIECE):
                yield (
                    "conversation.message.delta",
                    {**head, "content": "", field: text[start : start + _PIECE]},
                )
        whole = {**head, "content": answer} | (
            {"reasoning_content": reasoning} if reasoning else {}
        )
        yield "conversation.message.completed", self._keep(whole)

    def _ask_for_tool(self) -> Iterator[Event]:
        arguments = self._script.tool_arguments
        call = compact({"name": self._script.tool, "arguments": json.loads(arguments)})
        yield "conversation.message.completed", self._message("function_call", call)
        tool_call = {
            "id": f"call_{self._world.new_id()}",
            "type": "function",
            "function": {"name": self._script.tool, "arguments": arguments},
        }
        self._chat["required_action"] = {
            "type": "submit_tool_outputs",
            "submit_tool_outputs": {"tool_calls": [tool_call]},
        }
        yield self._to("requires_action")
        yield "done", "[DONE]"

    def _fail(self) -> Iterator[Event]:
        self._chat["last_error"] = {"code": 5000, "msg": "event interval error"}
        self._chat["failed_at"] = self._world.now()
        event = self._to("failed")
        if self._script.failure == "error":
            yield "error", {"code": 5000, "msg": "the stream broke"}
        elif self._script.failure == "brief":
            yield event[0], {"code": 701231, "msg": "error"}
        else:
            yield event

    def _verbose(self, kind: str, data: str) -> Record:
        return self._message(
            "verbose",
            compact({"msg_type": kind, "data": data, "from_module": None, "from_unit": None}),
        )

    def _message(self, type: str, content: str) -> Record:
        return self._keep({**self._fields(type), "content": content})

    def _fields(self, type: str) -> Record:
        ids = {
            name: self._chat[name]
            for name in ("conversation_id", "bot_id", "chat_id", "section_id")
        }
        return {
            "id": self._world.new_id(),
            **ids,
            "role": "assistant",
            "type": type,
            "content_type": "text",
        }

    def _keep(self, fields: Record) -> Record:
        """Stores a whole message, unless the chat runs without history or was cancelled."""
        message: dict[str, Any] = {
            **fields,
            "created_at": self._world.now(),
            "updated_at": self._world.now(),
        }
        if self._chat["_saves"] and self._chat["status"] != "canceled":
            self._world.collection("messages").add(
                {**message, "message_id": message["id"]}, self._chat["conversation_id"]
            )
            self._chat["_messages"].append(message)
        return message


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def new_chat(
    world: World,
    conversation: Record,
    bot_id: str,
    *,
    question: str,
    context: str,
    saves: bool = True,
) -> Record:
    """A chat that has not begun."""
    return world.collection("chats").add(
        {
            "conversation_id": conversation["conversation_id"],
            "bot_id": bot_id,
            "section_id": conversation["last_section_id"],
            "status": "created",
            "last_error": {"code": 0, "msg": ""},
            "usage": dict(_NO_USAGE),
            "_question": question,
            "_context": context,
            "_saves": saves,
            "_messages": [],
        }
    )
