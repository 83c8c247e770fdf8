"""`/v1/audio/speech`: text in, sound out. One text per connection, as the official clients use it;
further ones work too.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import sound
from .answers import Refusal
from .pacing import paced
from .socket_settings import only
from .sockets import Handler, Session, text_of
from .store import Record

MAX_TEXT = 1024
"""Bytes of one request."""


class SpeechSession(Session):
    """Collects the pieces of a text and speaks it when it is complete."""

    socket = "websockets_speech"
    settings_of = "SpeechSettings"
    _text = ""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What the client may send."""
        return {
            "speech.update": self._update,
            "input_text_buffer.append": self._append,
            "input_text_buffer.complete": self._complete,
        }

    async def opened(self) -> bool:
        """Says that the connection is ready."""
        await self.send("speech.created")
        return True

    async def _update(self, data: Record) -> None:
        await self.update(
            data, "speech.updated", lambda found: only(found, "output_audio", ("pcm", "opus"))
        )

    async def _append(self, data: Record) -> None:
        if len((self._text + data["delta"]).encode()) > MAX_TEXT:
            raise Refusal(3010, f"the text of one request has more than {MAX_TEXT} bytes")
        self._text += data["delta"]

    async def _complete(self, _: Record) -> None:
        text, self._text = self._text, ""
        if not text.strip():
            raise Refusal(4000, "Request parameter error: there is no text to speak")
        await self.send("input_text_buffer.completed")
        await self.send("conversation.audio.sentence_start", {"text": text})
        settings = self.settings["output_audio"]
        async for piece in paced(sound.pieces(text, settings), settings):
            await self.send("speech.audio.update", {"delta": text_of(piece)})
        await self.send("speech.audio.completed")
