"""The reply of a bot on a voice socket: text and sound of one chat, interleaved as the recordings
of the official clients have it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

from .. import synthesis
from ..errors import ApiError
from ..http.responses import Event
from ..operations.chat_events import ScriptedChat, chat_ids, new_chat
from ..operations.conversations import add_message
from ..state import bots
from ..state.store import Record
from .session import Session, encoded_audio

_SENTENCE_ENDS = "。！？!?\n"
_ENDLESS_PAUSE = 0.01
"""Seconds between the sentences of a bot that never stops."""
_ID_FIELDS = ("id", "conversation_id", "bot_id", "chat_id", "section_id")
_NO_IDS: Record = dict.fromkeys(_ID_FIELDS, "0")


class Reply:
    """One chat of a session.

    Args:
        session: The session.
        conversation: The conversation.
        bot_id: The bot that replies.
        message: The message of the user.
    """

    def __init__(
        self, session: Session, conversation: Record, bot_id: str, message: Record
    ) -> None:
        self._session = session
        self._message = message
        config = session.settings.get("chat_config", {})
        saves = config.get("auto_save_history", True)
        self.chat = new_chat(session.state, conversation, bot_id, [message], saves=saves)
        if config.get("meta_data"):
            self.chat["meta_data"] = config["meta_data"]
        self._script = dataclasses.replace(bots.script_of(bot_id), follow_ups=())

    @property
    def waits_for_tools(self) -> bool:
        """Whether it waits for the output of a tool."""
        return bool(self.chat["status"] == "requires_action")

    async def start(self) -> None:
        """Sends everything from the message of the user to the end, or to the tool call."""
        ids = chat_ids(self.chat)
        message: Record = {"id": self._session.state.new_id(), **self._message, **ids}
        message["type"] = "question"
        if self.chat["_saves"]:
            stored = add_message(self._session.state, self._message, ids)
            message.update({name: stored[name] for name in ("id", "created_at", "updated_at")})
        await self._session.send("conversation.message.completed", message)
        await self._send_all(self._scripted.start())

    async def resume(self, outputs: list[str]) -> None:
        """Sends everything from the outputs of the tools to the end.

        Args:
            outputs: The outputs.
        """
        if not self.chat["_saves"]:
            await self._session.fail(ApiError(5000, "the chat runs without history"))
            return
        await self._send_all(self._scripted.resume(outputs))

    @property
    def _scripted(self) -> ScriptedChat:
        return ScriptedChat(self._session.state, self.chat, self._script)

    async def _send_all(self, events: Iterator[Event]) -> None:
        """Sends the events of a chat; sound starts with the first whole sentence, and the rest of
        it comes before the end.
        """
        voice = _Voice(self._session)
        for name, data in events:
            if name == "done":
                break
            if name == "error":
                await self._session.fail(ApiError(data["code"], data["msg"]))
                continue
            if name == "conversation.chat.completed":
                await voice.finish()
            await self._session.send(name, data)
            if name == "conversation.message.delta" and data["content"]:
                await voice.add(data)
                if self._script.endless:
                    await self._repeat(data)
            # Other tasks get their turn: what the client sends meanwhile may stop the reply here.
            await asyncio.sleep(0)

    async def _repeat(self, delta: Record) -> None:
        """Sends the same words until they are interrupted."""
        while True:
            await self._session.send("conversation.message.delta", delta)
            await _Voice(self._session).speak(delta, str(delta["content"]))
            await asyncio.sleep(_ENDLESS_PAUSE)


class _Voice:
    """Speaks the text of an answer while it is sent."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._text = ""
        self._ids: Record | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def add(self, delta: Record) -> None:
        """Takes a piece of text, and sends a piece of sound once a sentence is complete."""
        self._ids = delta
        self._text += delta["content"]
        ends = [self._text.index(end) for end in _SENTENCE_ENDS if end in self._text]
        if self._pieces is None and ends:
            length = min(ends) + 1
            sentence, self._text = self._text[:length], self._text[length:]
            self._pieces = await self._start(sentence)
        if self._pieces is not None:
            piece = await anext(self._pieces, None)
            if piece is None:
                self._pieces = None
            else:
                await self._send(delta, piece)

    async def finish(self) -> None:
        """Sends the rest of the sound, and its end."""
        if self._ids is None:
            return
        if self._pieces is not None:
            async for piece in self._pieces:
                await self._send(self._ids, piece)
        if self._text.strip():
            await self.speak(self._ids, self._text)
        await self._session.send("conversation.audio.completed", _audio(self._ids, ""))

    async def speak(self, ids: Record, text: str) -> None:
        """Sends the sound of a text at once."""
        async for piece in await self._start(text):
            await self._send(ids, piece)

    async def _start(self, sentence: str) -> AsyncIterator[bytes]:
        settings: dict[str, Any] = self._session.settings.get("output_audio", {})
        await self._session.send("conversation.audio.sentence_start", {"text": sentence})
        return synthesis.paced(synthesis.pieces(sentence, settings), settings)

    async def _send(self, ids: Record, piece: bytes) -> None:
        await self._session.send("conversation.audio.delta", _audio(ids, encoded_audio(piece)))


def _audio(ids: Record, content: str) -> Record:
    return {
        **{name: ids[name] for name in _ID_FIELDS},
        "role": "assistant",
        "type": "answer",
        "content_type": "audio",
        "content": content,
    }


async def speak_text(session: Session, text: str) -> None:
    """Speaks a text without asking the bot: there is no chat, and ids are `0`.

    Args:
        session: The session.
        text: The text.
    """
    await _Voice(session).speak(_NO_IDS, text)
    await session.send("conversation.audio.completed", _audio(_NO_IDS, ""))
