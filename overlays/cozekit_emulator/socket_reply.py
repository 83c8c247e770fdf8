"""The reply of a bot on a voice socket: text and sound of one chat, interleaved as the recordings
of the official clients have it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from . import bots, sound
from .answers import Refusal
from .chat_events import Play, new_chat
from .chats import store_message
from .pacing import paced
from .sockets import text_of
from .sse import Event
from .store import Record

if TYPE_CHECKING:
    from .socket_chat import ChatSession

_SENTENCE_ENDS = "。！？!?\n"
_TALK_INTERVAL = 0.01
"""Seconds between the sentences of a bot that never stops."""
_NO_IDS: Record = dict.fromkeys(("id", "conversation_id", "bot_id", "chat_id", "section_id"), "0")


class Reply:
    """One chat of a session.

    Args:
        session: The session.
        message: What the user said, as a message.
        question: The same as plain text.
    """

    def __init__(self, session: ChatSession, message: Record, question: str) -> None:
        self._session = session
        self._message = message
        config = session.settings.get("chat_config", {})
        saves = config.get("auto_save_history", True)
        conversation = session.own_conversation()
        stored = (
            session.world.collection("messages").all(conversation["conversation_id"])
            if saves
            else []
        )
        context = "".join(str(item["content"]) for item in (*stored, message))
        self.chat = new_chat(
            session.world,
            conversation,
            session.bot_id,
            question=question,
            context=context,
            saves=saves,
        )
        if config.get("meta_data"):
            self.chat["meta_data"] = config["meta_data"]
        self._script = dataclasses.replace(bots.script_of(session.bot_id), follow_ups=())
        session.world.billed += 1

    @property
    def waits(self) -> bool:
        """Whether it waits for the output of a tool."""
        return bool(self.chat["status"] == "requires_action")

    async def begin(self) -> None:
        """From the user's message to the end, or to the tool call."""
        ids = {
            name: self.chat[name] for name in ("conversation_id", "bot_id", "chat_id", "section_id")
        }
        shown: Record = {
            "id": self._session.world.new_id(),
            **self._message,
            **ids,
            "type": "question",
        }
        if self.chat["_saves"]:
            stored = store_message(self._session.world, self.chat, self._message)
            shown = {
                **shown,
                "id": stored["id"],
                "created_at": stored["created_at"],
                "updated_at": stored["updated_at"],
            }
        await self._session.send("conversation.message.completed", shown)
        await self._perform(Play(self._session.world, self.chat, self._script).begin())

    async def go_on(self, outputs: list[str]) -> None:
        """From the output of the tool to the end."""
        if not self.chat["_saves"]:
            await self._session.fail(Refusal(5000, "the chat runs without history"))
            return
        await self._perform(Play(self._session.world, self.chat, self._script).go_on(outputs))

    async def _perform(self, events: Iterator[Event]) -> None:
        """Sends the events of a chat; sound begins with the first whole sentence, and the rest of
        it comes before the end.
        """
        voice = _Voice(self._session)
        for name, data in events:
            if name == "done":
                break
            if name == "error":
                await self._session.fail(Refusal(data["code"], data["msg"]))
                continue
            if name == "conversation.chat.completed":
                await voice.finish()
            await self._session.send(name, data)
            if name == "conversation.message.delta" and data["content"]:
                await voice.follow(data)
                if self._script.endless:
                    await self._talk_on(data)
            # Others get their turn: what the client says meanwhile may stop the reply here.
            await asyncio.sleep(0)

    async def _talk_on(self, delta: Record) -> None:
        """The same words for ever; only an interruption ends them."""
        while True:
            await self._session.send("conversation.message.delta", delta)
            await _Voice(self._session).say(delta, str(delta["content"]))
            await asyncio.sleep(_TALK_INTERVAL)


class _Voice:
    """Speaks along with the text of an answer."""

    def __init__(self, session: ChatSession) -> None:
        self._session = session
        self._text = ""
        self._head: Record | None = None
        self._ready: AsyncIterator[bytes] | None = None

    async def follow(self, delta: Record) -> None:
        """Takes a piece of text, and sends a piece of sound if a sentence is complete."""
        self._head = delta
        self._text += delta["content"]
        if self._ready is None and any(end in self._text for end in _SENTENCE_ENDS):
            cut = min(self._text.index(end) for end in _SENTENCE_ENDS if end in self._text) + 1
            sentence, self._text = self._text[:cut], self._text[cut:]
            await self._begin(sentence)
        if self._ready is not None:
            piece = await anext(self._ready, None)
            if piece is None:
                self._ready = None
            else:
                await self._sound(delta, piece)

    async def finish(self) -> None:
        """The rest of the sound, and its end."""
        if self._head is None:
            return
        if self._ready is not None:
            async for piece in self._ready:
                await self._sound(self._head, piece)
        if self._text.strip():
            await self.say(self._head, self._text)
        await self._session.send("conversation.audio.completed", _audio(self._head, ""))

    async def say(self, head: Record, text: str) -> None:
        """A whole sentence at once."""
        await self._begin(text)
        if self._ready is not None:
            async for piece in self._ready:
                await self._sound(head, piece)

    async def _begin(self, sentence: str) -> None:
        settings: dict[str, Any] = self._session.settings.get("output_audio", {})
        self._ready = paced(sound.pieces(sentence, settings), settings)
        await self._session.send("conversation.audio.sentence_start", {"text": sentence})

    async def _sound(self, head: Record, piece: bytes) -> None:
        await self._session.send("conversation.audio.delta", _audio(head, text_of(piece)))


def _audio(head: Record, content: str) -> Record:
    names = ("id", "conversation_id", "bot_id", "chat_id", "section_id")
    return {
        **{name: head[name] for name in names},
        "role": "assistant",
        "type": "answer",
        "content_type": "audio",
        "content": content,
    }


async def speak_aloud(session: ChatSession, text: str) -> None:
    """Speaks a text without asking the bot: no chat, and ids that are `0`."""
    voice = _Voice(session)
    await voice.say(_NO_IDS, text)
    await session.send("conversation.audio.completed", _audio(_NO_IDS, ""))
