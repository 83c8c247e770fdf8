"""`/v1/chat`: a voice dialogue with a bot. Turn taking here, the reply itself in `socket_reply.py`.

The end of a turn comes from the client (`client_interrupt`) or from silence in the sound
(`server_vad`, `semantic_vad`); what was said comes from the script of `hearing.py`. A reply that
runs is broken off by a voice (1), by the client (2) or by a message (3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket

from . import failures
from .answers import Refusal
from .chats import new_conversation, plain
from .hearing import Ear
from .socket_reply import Reply, speak_aloud
from .sockets import Gone, Handler, Session, sound_of
from .store import Record

if TYPE_CHECKING:
    from .app import LocalCoze

_REASONS = {1: "interrupted by voice", 2: "canceled by the client", 3: "interrupted by a message"}
_MAX_SPOKEN = 1023
"""Bytes of a text that is spoken as it is."""
_STEP = 2


class ChatSession(Session):
    """A dialogue in one conversation."""

    socket = "websockets_chat"
    settings_of = "VoiceChatSettings"

    def __init__(
        self, local: LocalCoze, websocket: WebSocket, rule: failures.Rule | None = None
    ) -> None:
        super().__init__(local, websocket, rule)
        self.bot_id = ""
        self.conversation: Record | None = None
        self.reply: Reply | None = None
        self._running: asyncio.Task[None] | None = None
        self._ear: Ear | None = None
        self._text: str | None = None
        """What the user is saying; None between utterances."""
        self._understood = 0

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What the client may send."""
        return {
            "chat.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.complete": self._complete,
            "input_audio_buffer.clear": self._clear,
            "conversation.message.create": self._message,
            "conversation.clear": self._clear_context,
            "conversation.chat.submit_tool_outputs": self._submit,
            "conversation.chat.cancel": self._cancel,
            "input_text.generate_audio": self._speak,
        }

    async def opened(self) -> bool:
        """Refuses unknown and unpublished bots by an `error` event, and closes."""
        given = self.query.get("bot_id", "")
        bot = self.world.collection("bots").peek(given) if given else None
        device = self.query.get("device_id", "")
        refusal = None
        if not given:
            refusal = Refusal(4000, "Request parameter error: query.bot_id is required")
        elif bot is None:
            refusal = Refusal(4006, f"bot_id {given!r}: not found")
        elif not bot["is_published"]:
            refusal = Refusal(4015, "the bot is not published to the API channel")
        elif device and not (device.isdecimal() and int(device) < 1 << 63):
            refusal = Refusal(
                4000, "Request parameter error: query.device_id is no number of 64 bits"
            )
        if refusal is not None or bot is None:
            await self.fail(refusal or Refusal(5000, "no bot"))
            return False
        self.bot_id = str(bot["bot_id"])
        await self.send("chat.created")
        return True

    async def closed(self) -> None:
        """The reply stops with the connection."""
        await self._stop()

    async def send(self, kind: str, data: Record | None = None) -> None:
        """Leaves out what `event_subscriptions` does not name, errors excepted."""
        wanted = self.settings.get("event_subscriptions")
        if not wanted or kind in wanted or kind == "error":
            await super().send(kind, data)

    async def _update(self, data: Record) -> None:
        wanted = data.get("chat_config", {}).get("conversation_id")
        conversation = self.world.collection("conversations").get(wanted) if wanted else None
        await self.update(data, "chat.updated")
        self.conversation = conversation or self.conversation
        self._ear = None
        if data.get("need_play_prologue"):
            await self._break_off(3)
            self._start(speak_aloud(self, data.get("prologue_content") or self._prologue()))

    def _prologue(self) -> str:
        bot = self.world.collection("bots").get(self.bot_id)
        return str((bot.get("onboarding_info") or {}).get("prologue") or "你好！")

    @property
    def _hands_free(self) -> bool:
        return self._turns.get("type") in ("server_vad", "semantic_vad")

    @property
    def _turns(self) -> Record:
        found: Record = self.settings.get("turn_detection", {})
        return found

    async def _append(self, data: Record) -> None:
        sound = sound_of(data)
        if not sound:
            return
        if not self._hands_free:
            await self._understand()
            return
        if self._ear is None:
            silence = self._turns.get("silence_duration_ms", 500)
            if self._turns.get("type") == "semantic_vad":
                silence = self._turns.get("semantic_vad_config", {}).get(
                    "silence_threshold_ms", 300
                )
            self._ear = Ear(self.settings["input_audio"], silence)
        changes = self._ear.hear(sound)
        if not changes and self._ear.speaking:
            await self._understand()
        for change in changes:
            await self.send(f"input_audio_buffer.speech_{change}")
            if change == "started":
                await self._understand()
                if self._interrupts():
                    await self._break_off(1)
            else:
                await self._turn_over()

    def _interrupts(self) -> bool:
        """Whether the utterance that begins stops a reply; the script knows how it goes on."""
        config, text = self._turns.get("interrupt_config", {}), self._text or ""
        words = config.get("keywords", [])
        mode = config.get("mode")
        if mode == "keyword_prefix":
            return any(text.startswith(word) for word in words)
        return mode != "keyword_contains" or any(word in text for word in words)

    async def _understand(self) -> None:
        if self._text is None:
            self._text, self._understood = self.world.voice.next(), 0
        streams = self.settings.get("asr_config", {}).get("stream_mode") != "output_no_stream"
        if streams and self._understood < len(self._text):
            self._understood += _STEP
            await self.send(
                "conversation.audio_transcript.update", {"content": self._text[: self._understood]}
            )

    async def _turn_over(self) -> None:
        text, self._text = self._text, None
        if text is None:
            return
        await self.send("conversation.audio_transcript.completed", {"content": text})
        await self._break_off(1)
        self._answer({"role": "user", "content_type": "text", "content": text}, text)

    async def _complete(self, _: Record) -> None:
        if not self._hands_free:
            await self.send("input_audio_buffer.completed")
            await self._turn_over()

    async def _clear(self, _: Record) -> None:
        if not self._hands_free:
            self._text = None
            await self.send("input_audio_buffer.cleared")

    async def _message(self, data: Record) -> None:
        if data["role"] not in ("user", "assistant") or data["content_type"] not in (
            "text",
            "object_string",
        ):
            raise Refusal(
                4000,
                "Request parameter error: event.data: role is user or assistant, content_type "
                "text or object_string",
            )
        question = plain(data)
        if data["role"] == "assistant":
            self.remember(data)
            return
        await self._break_off(3)
        self._answer(data, question)

    def remember(self, message: Record) -> None:
        """Adds a message that nobody answers to the context."""
        conversation = self.own_conversation()
        ids = {
            "conversation_id": conversation["conversation_id"],
            "section_id": conversation["last_section_id"],
            "bot_id": self.bot_id,
        }
        fields = {**message, **ids, "type": "answer"}
        self.world.collection("messages").add(fields, conversation["conversation_id"])

    def _answer(self, message: Record, question: str) -> None:
        self.reply = Reply(self, message, question)
        self._start(self.reply.begin())

    async def _clear_context(self, _: Record) -> None:
        self.own_conversation()["last_section_id"] = self.world.new_id()
        await self.send("conversation.cleared")

    async def _submit(self, data: Record) -> None:
        reply = self.reply
        if reply is None or reply.chat["chat_id"] != data["chat_id"] or not reply.waits:
            raise Refusal(
                4000, f"Request parameter error: chat {data['chat_id']!r} waits for no tool output"
            )
        calls = {
            item["id"]
            for item in reply.chat["required_action"]["submit_tool_outputs"]["tool_calls"]
        }
        outputs = {item["tool_call_id"]: item["output"] for item in data["tool_outputs"]}
        if set(outputs) != calls:
            raise Refusal(
                4000,
                "Request parameter error: event.data.tool_outputs must answer the calls "
                f"{sorted(calls)}",
            )
        self._start(reply.go_on(list(outputs.values())))

    async def _cancel(self, _: Record) -> None:
        if not await self._break_off(2):
            raise Refusal(4104, "no reply is running that could be cancelled")

    async def _speak(self, data: Record) -> None:
        if data["mode"] != "text" or not 0 < len(data["text"].encode()) <= _MAX_SPOKEN:
            raise Refusal(
                4000,
                "Request parameter error: event.data: mode is text, and text has 1 to "
                f"{_MAX_SPOKEN} bytes",
            )
        await self._break_off(3)
        self._start(speak_aloud(self, data["text"]))

    async def _break_off(self, reason: int) -> bool:
        """Stops the reply that runs or waits; False when there is none."""
        speaks = await self._stop()
        reply, self.reply = self.reply, None
        if reply is not None and (speaks or reply.waits):
            reply.chat["status"] = "canceled"
        elif not speaks or reason != 2:
            # Text that is spoken as it is has no chat whose end could be told.
            return speaks
        await self.send("conversation.chat.canceled", {"code": reason, "msg": _REASONS[reason]})
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._running = asyncio.create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Gone:
            return

    async def _stop(self) -> bool:
        """Whether something was running."""
        task, self._running = self._running, None
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.wait([task])
        return True

    def own_conversation(self) -> Record:
        """The conversation of the session; made when it is first needed."""
        if self.conversation is None:
            self.conversation = new_conversation(self.world, {"bot_id": self.bot_id})
        return self.conversation
