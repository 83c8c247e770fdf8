"""Finds where speech starts in the sound of a user, and where silence ends it."""

from __future__ import annotations

import array
import sys
from collections.abc import Mapping
from typing import Any, Literal

Change = Literal["started", "stopped"]

_SLICE_MS = 20
_LOUD_AMPLITUDE = 512
_SILENT_BYTES = {"g711a": b"\xd5\x55", "g711u": b"\xff\x7f"}
_SILENT_PACKET_SIZE = 3
"""Bytes of an Opus packet without speech."""


class VoiceDetector:
    """Finds the start and the end of speech.

    Args:
        settings: `input_audio` in force.
        silence_ms: Milliseconds of silence that end an utterance.
    """

    def __init__(self, settings: Mapping[str, Any], silence_ms: float) -> None:
        self.speaking = False
        self._codec = settings.get("codec", "pcm")
        self._bits = int(settings.get("bit_depth", 16)) if self._codec == "pcm" else 8
        width = self._bits // 8 * int(settings.get("channel", 1))
        samples = max(int(settings.get("sample_rate", 24000) * _SLICE_MS / 1000), 1)
        self._slice_size = samples * width
        self._silence_ms = silence_ms
        self._silent_for_ms = 0.0
        self._buffer = b""
        self._is_first = True

    def feed(self, sound: bytes) -> list[Change]:
        """What starts and stops in a piece of sound.

        Args:
            sound: The piece; for Opus one packet.
        """
        if self._codec == "opus":
            return self._changes(len(sound) > _SILENT_PACKET_SIZE)
        if self._is_first and sound:
            self._is_first = False
            sound = sound[44:] if sound.startswith(b"RIFF") else sound
        self._buffer += sound
        changes: list[Change] = []
        while len(self._buffer) >= self._slice_size:
            changes += self._changes(self._is_loud(self._buffer[: self._slice_size]))
            self._buffer = self._buffer[self._slice_size :]
        return changes

    def _changes(self, loud: bool) -> list[Change]:
        self._silent_for_ms = 0.0 if loud else self._silent_for_ms + _SLICE_MS
        if loud and not self.speaking:
            self.speaking = True
            return ["started"]
        if self.speaking and self._silent_for_ms >= self._silence_ms:
            self.speaking = False
            return ["stopped"]
        return []

    def _is_loud(self, sound: bytes) -> bool:
        if self._codec in _SILENT_BYTES:
            return bool(sound.strip(_SILENT_BYTES[self._codec]))
        if self._bits == 8:
            return max(sound) - min(sound) > 2 * _LOUD_AMPLITUDE >> 8
        if self._bits == 24:
            # The two upper bytes of each sample are enough.
            sound = b"".join(sound[start + 1 : start + 3] for start in range(0, len(sound), 3))
        samples = array.array("h", sound)
        if sys.byteorder == "big":
            samples.byteswap()
        return max(samples) >= _LOUD_AMPLITUDE or min(samples) <= -_LOUD_AMPLITUDE
