"""`/v1/audio/speech`: text in, sound out. Clients send one text per connection; further ones work,
too.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import synthesis
from ..errors import ApiError, invalid_parameter
from ..state.store import Record
from .session import Handler, Session, encoded_audio

_APPEND = "input_text_buffer.append"


class SpeechSession(Session):
    """Collects the pieces of a text and speaks it when it is complete."""

    socket = "websockets_speech"
    settings_schema = "SpeechSettings"
    _text = ""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Client event → its handler."""
        return {
            "speech.update": self._update,
            _APPEND: self._append,
            "input_text_buffer.complete": self._complete,
        }

    async def open(self) -> bool:
        """Tells that the connection is ready."""
        await self.send("speech.created")
        return True

    async def _update(self, data: Record) -> None:
        await self.update_settings(data, "speech.updated")

    async def _append(self, data: Record) -> None:
        text = self._text + data["delta"]
        max_bytes = self.table["senders"][_APPEND]["limits"]["delta"]["x-coze-max-bytes"]
        if len(text.encode()) > max_bytes:
            raise ApiError(3010, f"the text of one request has more than {max_bytes} bytes")
        self._text = text

    async def _complete(self, _: Record) -> None:
        text, self._text = self._text, ""
        if not text.strip():
            raise invalid_parameter("there is no text to speak")
        await self.send("input_text_buffer.completed")
        await self.send("conversation.audio.sentence_start", {"text": text})
        settings = self.settings["output_audio"]
        async for piece in synthesis.paced(synthesis.pieces(text, settings), settings):
            await self.send("speech.audio.update", {"delta": encoded_audio(piece)})
        await self.send("speech.audio.completed")
