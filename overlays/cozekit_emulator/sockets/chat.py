"""`/v1/chat`: a voice dialogue with a bot. Turn taking is here, the reply itself in `reply`.

The end of a turn comes from the client (`client_interrupt`) or from silence in the sound
(`server_vad`, `semantic_vad`); the text comes from `state.transcripts`. A running reply is stopped
by a voice (1), by the client (2) or by a message (3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from starlette.websockets import WebSocket

from ..errors import ApiError, invalid_parameter
from ..http.failures import FailureRule
from ..local_coze import LocalCoze
from ..operations.chat_events import output_texts
from ..operations.conversations import add_message, new_conversation, plain_text
from ..state.store import Record
from .reply import Reply, speak_text
from .session import Disconnected, Handler, Session, decoded_audio
from .voice_detection import VoiceDetector

_BY_VOICE, _BY_CLIENT, _BY_MESSAGE = 1, 2, 3
_REASONS = {
    _BY_VOICE: "interrupted by voice",
    _BY_CLIENT: "canceled by the client",
    _BY_MESSAGE: "interrupted by a message",
}
_CHARACTERS_PER_PIECE = 2
"""How much more of the script is recognized with each piece of sound."""


class ChatSession(Session):
    """A dialogue in one conversation."""

    socket = "websockets_chat"
    settings_schema = "VoiceChatSettings"

    def __init__(
        self, local: LocalCoze, websocket: WebSocket, rule: FailureRule | None = None
    ) -> None:
        super().__init__(local, websocket, rule)
        self._bot_id = ""
        self._conversation: Record | None = None
        self._reply: Reply | None = None
        self._task: asyncio.Task[None] | None = None
        self._detector: VoiceDetector | None = None
        self._transcript: str | None = None
        """What the user is saying; None between utterances."""
        self._recognized = 0

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Client event → its handler."""
        return {
            "chat.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.complete": self._complete,
            "input_audio_buffer.clear": self._clear,
            "conversation.message.create": self._create_message,
            "conversation.clear": self._clear_context,
            "conversation.chat.submit_tool_outputs": self._submit_tool_outputs,
            "conversation.chat.cancel": self._cancel,
            "input_text.generate_audio": self._generate_audio,
        }

    async def open(self) -> bool:
        """Rejects unknown and unpublished bots by an `error` event."""
        try:
            self._check_query()
        except ApiError as error:
            await self.fail(error)
            return False
        await self.send("chat.created")
        return True

    def _check_query(self) -> None:
        bot_id, device_id = self.query.get("bot_id", ""), self.query.get("device_id", "")
        if not bot_id:
            raise invalid_parameter("query.bot_id is required")
        bot = self.state.collection("bots").get_or_none(bot_id)
        if bot is None:
            raise ApiError(4006, f"bot_id {bot_id!r}: not found")
        if not bot["is_published"]:
            raise ApiError(4015, "the bot is not published to the API channel")
        if device_id and not (device_id.isdecimal() and int(device_id) < 1 << 63):
            raise invalid_parameter("query.device_id is not a 64-bit number")
        self._bot_id = str(bot["bot_id"])

    async def close(self) -> None:
        """Stops the reply."""
        await self._stop_task()

    async def send(self, event_type: str, data: Record | None = None) -> None:
        """Sends an event, unless `event_subscriptions` leaves it out; errors are always sent.

        Args:
            event_type: Its type.
            data: Its data.
        """
        subscriptions = self.settings.get("event_subscriptions")
        if not subscriptions or event_type in subscriptions or event_type == "error":
            await super().send(event_type, data)

    async def _update(self, data: Record) -> None:
        config, conversations = data.get("chat_config", {}), self.state.collection("conversations")
        conversation_id = config.get("conversation_id")
        conversation = conversations.get(conversation_id) if conversation_id else None
        await self.update_settings(data, "chat.updated")
        self._conversation = conversation or self._conversation
        self._detector = None
        if data.get("need_play_prologue"):
            await self._interrupt(_BY_MESSAGE)
            self._start(speak_text(self, data.get("prologue_content") or self._prologue()))

    def _prologue(self) -> str:
        bot = self.state.collection("bots").get(self._bot_id)
        return str((bot.get("onboarding_info") or {}).get("prologue") or "你好！")

    @property
    def _turn_detection(self) -> Record:
        config: Record = self.settings.get("turn_detection", {})
        return config

    @property
    def _detects_turns(self) -> bool:
        return self._turn_detection.get("type") in ("server_vad", "semantic_vad")

    def _new_detector(self) -> VoiceDetector:
        config = self._turn_detection
        silence_ms = config.get("silence_duration_ms", 500)
        if config.get("type") == "semantic_vad":
            silence_ms = config.get("semantic_vad_config", {}).get("silence_threshold_ms", 300)
        return VoiceDetector(self.settings["input_audio"], silence_ms)

    async def _append(self, data: Record) -> None:
        sound = decoded_audio(data)
        if not sound:
            return
        if not self._detects_turns:
            await self._recognize()
            return
        if self._detector is None:
            self._detector = self._new_detector()
        changes = self._detector.feed(sound)
        if not changes and self._detector.speaking:
            await self._recognize()
        for change in changes:
            await self.send(f"input_audio_buffer.speech_{change}")
            if change == "stopped":
                await self._end_turn()
                continue
            await self._recognize()
            if self._interrupts():
                await self._interrupt(_BY_VOICE)

    def _interrupts(self) -> bool:
        """Whether the utterance that starts stops a reply; the script knows how it goes on."""
        config, transcript = self._turn_detection.get("interrupt_config", {}), self._transcript
        words = config.get("keywords", [])
        if config.get("mode") == "keyword_prefix":
            return any((transcript or "").startswith(word) for word in words)
        if config.get("mode") == "keyword_contains":
            return any(word in (transcript or "") for word in words)
        return True

    async def _recognize(self) -> None:
        """Recognizes a little more of the transcript."""
        if self._transcript is None:
            self._transcript, self._recognized = self.state.transcripts.next(), 0
        streams = self.settings.get("asr_config", {}).get("stream_mode") != "output_no_stream"
        if streams and self._recognized < len(self._transcript):
            self._recognized += _CHARACTERS_PER_PIECE
            content = self._transcript[: self._recognized]
            await self.send("conversation.audio_transcript.update", {"content": content})

    async def _end_turn(self) -> None:
        text, self._transcript = self._transcript, None
        if text is None:
            return
        await self.send("conversation.audio_transcript.completed", {"content": text})
        await self._interrupt(_BY_VOICE)
        self._answer({"role": "user", "content_type": "text", "content": text})

    async def _complete(self, _: Record) -> None:
        if not self._detects_turns:
            await self.send("input_audio_buffer.completed")
            await self._end_turn()

    async def _clear(self, _: Record) -> None:
        if not self._detects_turns:
            self._transcript = None
            await self.send("input_audio_buffer.cleared")

    async def _create_message(self, message: Record) -> None:
        if message["content_type"] not in ("text", "object_string"):
            raise invalid_parameter("event.data.content_type must be text or object_string")
        plain_text(message)
        if message["role"] == "assistant":
            conversation = self._own_conversation()
            ids = {
                "conversation_id": conversation["conversation_id"],
                "section_id": conversation["last_section_id"],
                "bot_id": self._bot_id,
            }
            add_message(self.state, message, ids)
            return
        await self._interrupt(_BY_MESSAGE)
        self._answer(message)

    def _answer(self, message: Record) -> None:
        self._reply = Reply(self, self._own_conversation(), self._bot_id, message)
        self._start(self._reply.start())

    async def _clear_context(self, _: Record) -> None:
        self._own_conversation()["last_section_id"] = self.state.new_id()
        await self.send("conversation.cleared")

    async def _submit_tool_outputs(self, data: Record) -> None:
        reply = self._reply
        if reply is None or reply.chat["chat_id"] != data["chat_id"] or not reply.waits_for_tools:
            raise invalid_parameter(f"chat {data['chat_id']!r} waits for no tool output")
        outputs = output_texts(reply.chat, data["tool_outputs"], "event.data.tool_outputs")
        self._start(reply.resume(outputs))

    async def _cancel(self, _: Record) -> None:
        if not await self._interrupt(_BY_CLIENT):
            raise ApiError(4104, "no reply is running that could be cancelled")

    async def _generate_audio(self, data: Record) -> None:
        await self._interrupt(_BY_MESSAGE)
        self._start(speak_text(self, data["text"]))

    async def _interrupt(self, reason: int) -> bool:
        """Stops the reply that runs or waits; False when there is none."""
        was_running = await self._stop_task()
        reply, self._reply = self._reply, None
        if reply is not None and (was_running or reply.waits_for_tools):
            reply.chat["status"] = "canceled"
        elif not was_running or reason != _BY_CLIENT:
            # Generated audio belongs to no chat whose end could be told.
            return was_running
        await self.send("conversation.chat.canceled", {"code": reason, "msg": _REASONS[reason]})
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(_until_disconnected(work))

    async def _stop_task(self) -> bool:
        """Whether something was running."""
        task, self._task = self._task, None
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.wait([task])
        return True

    def _own_conversation(self) -> Record:
        """The conversation of the session; created when it is first needed."""
        if self._conversation is None:
            self._conversation = new_conversation(self.state, {"bot_id": self._bot_id})
        return self._conversation


async def _until_disconnected(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Disconnected:
        return
