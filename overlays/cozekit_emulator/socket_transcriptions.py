"""`/v1/audio/transcriptions` and the undocumented `/v1/audio/simult_interpretation`: sound in,
scripted text out.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import sound
from .answers import Refusal
from .hearing import translated
from .pacing import paced
from .socket_settings import only
from .sockets import Handler, Session, sound_of, text_of
from .store import Record

_STEP = 2
"""Characters that are understood with each piece of sound."""


class _Listening(Session):
    """What both sockets do with sound: count it, and understand a little more of the script with
    each piece.
    """

    _size = 0
    _head = b""
    _text = ""
    _understood = 0

    async def _append(self, data: Record) -> None:
        piece = sound_of(data)
        if not piece:
            return
        self._head = (self._head + piece)[:4]
        if self.settings["input_audio"]["format"] == "wav" and not b"RIFF".startswith(self._head):
            self._forget()
            raise Refusal(
                4000,
                "the sound is no WAV; raw samples need an update with input_audio.format first",
            )
        if not self._size:
            self._text = self.world.voice.next()
        self._size += len(piece)
        before, self._understood = self._understood, min(self._understood + _STEP, len(self._text))
        await self._heard(before)

    async def _heard(self, before: int) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        self._size, self._head, self._text, self._understood = 0, b"", "", 0


class TranscriptionsSession(_Listening):
    """Tells the whole text so far with each piece of sound."""

    socket = "websockets_transcriptions"
    settings_of = "TranscriptionSettings"

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What the client may send."""
        return {
            "transcriptions.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.complete": self._complete,
            "input_audio_buffer.clear": self._clear,
        }

    async def opened(self) -> bool:
        """Says that the connection is ready."""
        await self.send("transcriptions.created")
        return True

    async def _update(self, data: Record) -> None:
        await self.update(
            data,
            "transcriptions.updated",
            lambda found: only(found, "input_audio", ("pcm", "opus")),
        )

    async def _heard(self, before: int) -> None:
        await self.send(
            "transcriptions.message.update", {"content": self._text[: self._understood]}
        )

    async def _complete(self, _: Record) -> None:
        await self.send("input_audio_buffer.completed")
        if self._understood < len(self._text):
            await self.send("transcriptions.message.update", {"content": self._text})
        self._forget()
        await self.send("transcriptions.message.completed")

    async def _clear(self, _: Record) -> None:
        self._forget()
        await self.send("input_audio_buffer.cleared")


class InterpretationSession(_Listening):
    """Tells what was said and its translation, both in pieces, and speaks the translation."""

    socket = "websockets_simult_interpretation"
    settings_of = "InterpretationSettings"

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What the client may send."""
        return {
            "simult_interpretation.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.complete": self._complete,
        }

    async def opened(self) -> bool:
        """Says that the connection is ready."""
        await self.send("simult_interpretation.created")
        return True

    async def _update(self, data: Record) -> None:
        languages = data.get("translate_config", {})
        for name in ("from", "to"):
            if languages.get(name, "zh") not in ("zh", "en"):
                raise Refusal(
                    4000, f"Request parameter error: data.translate_config.{name} is zh or en"
                )
        await self.update(data, "simult_interpretation.updated")

    async def _heard(self, before: int) -> None:
        if before < self._understood:
            await self.send(
                "simult_interpretation.transcription.delta",
                {"delta": self._text[before : self._understood]},
            )

    async def _complete(self, _: Record) -> None:
        text, before = self._text, self._understood
        self._forget()
        await self.send("input_audio_buffer.completed")
        if text[before:]:
            await self.send("simult_interpretation.transcription.delta", {"delta": text[before:]})
        settings = self.settings.get("output_audio", {})
        words = (
            translated(text, self.settings.get("translate_config", {}).get("to", "en")).split(" ")
            if text
            else []
        )
        for number, word in enumerate(words):
            await self.send(
                "simult_interpretation.translation.delta", {"delta": f" {word}" if number else word}
            )
            async for piece in paced(sound.pieces(word, settings), settings):
                await self.send("simult_interpretation.audio.delta", {"delta": text_of(piece)})
        await self.send("simult_interpretation.message.completed")
