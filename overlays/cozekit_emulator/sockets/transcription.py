"""`/v1/audio/transcriptions` and the undocumented `/v1/audio/simult_interpretation`: sound in,
scripted text out.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import synthesis
from ..errors import invalid_parameter
from ..state.store import Record
from ..state.transcripts import translate
from .session import Handler, Session, decoded_audio, encoded_audio

_CHARACTERS_PER_PIECE = 2
"""How much more of the script is recognized with each piece of sound."""
_LANGUAGES = ("zh", "en")


class _RecognitionSession(Session):
    """Recognizes a little more of the script with each piece of sound."""

    _size = 0
    _start = b""
    _text = ""
    _recognized = 0

    async def _append(self, data: Record) -> None:
        piece = decoded_audio(data)
        if not piece:
            return
        self._start = (self._start + piece)[:4]
        if self.settings["input_audio"]["format"] == "wav" and not b"RIFF".startswith(self._start):
            self._clear_buffer()
            raise invalid_parameter(
                "the sound is not WAV; for raw samples, first update input_audio.format"
            )
        if not self._size:
            self._text = self.state.transcripts.next()
        self._size += len(piece)
        before = self._recognized
        self._recognized = min(before + _CHARACTERS_PER_PIECE, len(self._text))
        await self._after_piece(before)

    async def _after_piece(self, before: int) -> None:
        """Sends what is new.

        Args:
            before: Characters that were recognized before this piece.
        """
        raise NotImplementedError

    def _clear_buffer(self) -> None:
        self._size, self._start, self._text, self._recognized = 0, b"", "", 0


class TranscriptionsSession(_RecognitionSession):
    """Sends the whole text so far with each piece of sound."""

    socket = "websockets_transcriptions"
    settings_schema = "TranscriptionSettings"

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Client event → its handler."""
        return {
            "transcriptions.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.complete": self._complete,
            "input_audio_buffer.clear": self._clear,
        }

    async def open(self) -> bool:
        """Tells that the connection is ready."""
        await self.send("transcriptions.created")
        return True

    async def _update(self, data: Record) -> None:
        await self.update_settings(data, "transcriptions.updated")

    async def _after_piece(self, before: int) -> None:
        await self._send_text(self._recognized)

    async def _send_text(self, length: int) -> None:
        await self.send("transcriptions.message.update", {"content": self._text[:length]})

    async def _complete(self, _: Record) -> None:
        await self.send("input_audio_buffer.completed")
        if self._recognized < len(self._text):
            await self._send_text(len(self._text))
        self._clear_buffer()
        await self.send("transcriptions.message.completed")

    async def _clear(self, _: Record) -> None:
        self._clear_buffer()
        await self.send("input_audio_buffer.cleared")


class InterpretationSession(_RecognitionSession):
    """Sends the text and its translation, both in pieces, and speaks the translation."""

    socket = "websockets_simult_interpretation"
    settings_schema = "InterpretationSettings"

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Client event → its handler."""
        return {
            "simult_interpretation.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.complete": self._complete,
        }

    async def open(self) -> bool:
        """Tells that the connection is ready."""
        await self.send("simult_interpretation.created")
        return True

    async def _update(self, data: Record) -> None:
        languages = data.get("translate_config", {})
        for name in ("from", "to"):
            if languages.get(name, "zh") not in _LANGUAGES:
                raise invalid_parameter(f"data.translate_config.{name} must be zh or en")
        await self.update_settings(data, "simult_interpretation.updated")

    async def _after_piece(self, before: int) -> None:
        if before < self._recognized:
            await self._send_text(self._text[before : self._recognized])

    async def _send_text(self, delta: str) -> None:
        await self.send("simult_interpretation.transcription.delta", {"delta": delta})

    async def _complete(self, _: Record) -> None:
        text, recognized = self._text, self._recognized
        self._clear_buffer()
        await self.send("input_audio_buffer.completed")
        if text[recognized:]:
            await self._send_text(text[recognized:])
        if text:
            await self._interpret(text)
        await self.send("simult_interpretation.message.completed")

    async def _interpret(self, text: str) -> None:
        language = self.settings.get("translate_config", {}).get("to", "en")
        settings = self.settings.get("output_audio", {})
        for number, word in enumerate(translate(text, language).split(" ")):
            delta = f" {word}" if number else word
            await self.send("simult_interpretation.translation.delta", {"delta": delta})
            async for piece in synthesis.paced(synthesis.pieces(word, settings), settings):
                await self.send(
                    "simult_interpretation.audio.delta", {"delta": encoded_audio(piece)}
                )
