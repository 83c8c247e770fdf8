"""Finds speech in what a user sends: where it begins, where silence ends it. What is said comes
from a script.
"""

from __future__ import annotations

import array
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TRANSCRIPT = "今天天气怎么样？"
"""What the emulator understands, whatever it hears, unless a test says otherwise."""
TRANSLATIONS = {TRANSCRIPT: "How is the weather today?"}

_SLICE_MS = 20
_LOUD = 512
_SILENT_BYTES = {"g711a": b"\xd5\x55", "g711u": b"\xff\x7f"}
_SILENT_PACKET = 3
"""Bytes of an Opus packet that says nothing."""


@dataclass(slots=True)
class VoiceScript:
    """What the next users say, on any voice socket."""

    transcripts: deque[str] = field(default_factory=deque)

    def next(self) -> str:
        """The text of the next utterance."""
        return self.transcripts.popleft() if self.transcripts else TRANSCRIPT


def translated(text: str, target: str) -> str:
    """The translation of a transcript; made up for texts that are not in the script."""
    return TRANSLATIONS.get(text, f"[{target}] {text}")


class Ear:
    """Hears speech begin and end.

    Args:
        settings: `input_audio` in force.
        silence_ms: Milliseconds of silence that end an utterance.
    """

    def __init__(self, settings: Mapping[str, Any], silence_ms: float) -> None:
        self.speaking = False
        self._codec = settings.get("codec", "pcm")
        self._bits = int(settings.get("bit_depth", 16)) if self._codec == "pcm" else 8
        width = self._bits // 8 * int(settings.get("channel", 1))
        self._slice = max(int(settings.get("sample_rate", 24000) * _SLICE_MS / 1000), 1) * width
        self._silence_ms = silence_ms
        self._quiet_ms = 0.0
        self._rest = b""
        self._begun = False

    def hear(self, sound: bytes) -> list[Literal["started", "stopped"]]:
        """What happens in a piece of sound."""
        if self._codec == "opus":
            return self._step(len(sound) > _SILENT_PACKET)
        if not self._begun and sound:
            self._begun = True
            sound = sound[44:] if sound.startswith(b"RIFF") else sound
        self._rest += sound
        found: list[Literal["started", "stopped"]] = []
        while len(self._rest) >= self._slice:
            found += self._step(self._loud(self._rest[: self._slice]))
            self._rest = self._rest[self._slice :]
        return found

    def _step(self, loud: bool) -> list[Literal["started", "stopped"]]:
        self._quiet_ms = 0.0 if loud else self._quiet_ms + _SLICE_MS
        if loud and not self.speaking:
            self.speaking = True
            return ["started"]
        if self.speaking and self._quiet_ms >= self._silence_ms:
            self.speaking = False
            return ["stopped"]
        return []

    def _loud(self, sound: bytes) -> bool:
        if self._codec in _SILENT_BYTES:
            return bool(sound.strip(_SILENT_BYTES[self._codec]))
        if self._bits == 8:
            return max(sound) - min(sound) > 2 * _LOUD >> 8
        if self._bits == 24:
            # The two upper bytes of each sample are enough.
            sound = b"".join(sound[start + 1 : start + 3] for start in range(0, len(sound), 3))
        samples = array.array("h", sound)
        if sys.byteorder == "big":
            samples.byteswap()
        return max(samples) >= _LOUD or min(samples) <= -_LOUD
