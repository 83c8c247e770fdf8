"""Synthesised sound: one short tone per character, so that different texts sound different.

PCM, WAV and G.711 are real sound. Opus and MP3 are packets of the right size, with a header and
nothing to hear in them.
"""

from __future__ import annotations

import array
import asyncio
import functools
import io
import math
import sys
import wave
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

_MS_PER_CHARACTER = 40
_AMPLITUDE = 8000
_PIECE_SIZE = 3201
"""Bytes of a piece if no frame size is asked for; odd, as pieces need not hold whole samples."""
_MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)
_MP3_FRAME_MS = 26


def tone(text: str, rate: int, *, codec: str = "pcm", speed: float = 1.0) -> bytes:
    """The sound of a text, mono: 16 bit little-endian for `pcm`, 8 bit for `g711a` and `g711u`.

    Args:
        text: The text.
        rate: Samples per second.
        codec: `pcm`, `g711a` or `g711u`.
        speed: 2 is twice as fast.
    """
    width = 2 if codec == "pcm" else 1
    length = int(rate * _MS_PER_CHARACTER / 1000 / speed) * width
    sound = bytearray()
    for letter in text:
        cycle = _cycle(220 + 20 * (ord(letter) % 24), rate, codec)
        sound += (cycle * (length // len(cycle) + 1))[:length]
    return bytes(sound)


@functools.cache
def _cycle(frequency: int, rate: int, codec: str) -> bytes:
    """One oscillation."""
    count = rate // frequency
    samples = array.array(
        "h", (int(_AMPLITUDE * math.sin(2 * math.pi * number / count)) for number in range(count))
    )
    if codec == "g711a":
        return bytes(map(_alaw, samples))
    if codec == "g711u":
        return bytes(map(_ulaw, samples))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _ulaw(sample: int) -> int:
    size = min(abs(sample), 32635) + 132
    segment = size.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | segment << 4 | size >> (segment + 3) & 0x0F) & 0xFF


def _alaw(sample: int) -> int:
    size = (sample if sample >= 0 else ~sample) >> 4
    if size > 15:
        segment = size.bit_length() - 4
        size = (size >> (segment - 1)) - 16 + (segment << 4)
    return (size | (0x80 if sample >= 0 else 0)) ^ 0x55


def wav(pcm: bytes, rate: int) -> bytes:
    """A WAV file.

    Args:
        pcm: The samples, mono, 16 bit little-endian.
        rate: Samples per second.
    """
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


def mp3(milliseconds: int) -> bytes:
    """Frames of silence.

    Args:
        milliseconds: Their length.
    """
    return _MP3_FRAME * (milliseconds // _MP3_FRAME_MS + 1)


def duration_ms(text: str, speed: float = 1.0) -> int:
    """Milliseconds of the sound of a text.

    Args:
        text: The text.
        speed: 2 is twice as fast.
    """
    return int(len(text) * _MS_PER_CHARACTER / speed)


def pieces(text: str, settings: Mapping[str, Any]) -> Iterator[bytes]:
    """The sound of a text as a socket sends it, piece by piece.

    Args:
        text: The text.
        settings: `output_audio` in force.
    """
    codec = settings.get("codec", "pcm")
    speed = 1 + settings.get("speech_rate", 0) / 100
    if codec == "opus":
        yield from _opus(duration_ms(text, speed), settings.get("opus_config", {}))
        return
    if codec == "mp3":
        yield from _cut(mp3(duration_ms(text, speed)), _PIECE_SIZE)
        return
    config = settings.get("pcm_config", {})
    rate = 8000 if codec in ("g711a", "g711u") else int(config.get("sample_rate", 24000))
    frame = config.get("frame_size_ms", 0)
    width = 2 if codec == "pcm" else 1
    yield from _cut(
        tone(text, rate, codec=codec, speed=speed), int(rate * frame / 1000) * width or _PIECE_SIZE
    )


def _opus(milliseconds: int, config: Mapping[str, Any]) -> Iterator[bytes]:
    """One packet per frame: a header that announces CELT fullband mono, then zeros."""
    frame = config.get("frame_size_ms", 10)
    size = max(int(config.get("bitrate", 48000) * frame / 8000), 4)
    for _ in range(int(milliseconds / frame) + 1):
        yield b"\xf8" + bytes(size - 1)


def _cut(sound: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(sound), size):
        yield sound[start : start + size]


async def paced(pieces: Iterable[bytes], settings: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """The pieces, as fast as they are made, or as `limit_config` asks: at most `max_frame_num` in
    each `period` of seconds. Other tasks get their turn between two pieces.

    Args:
        pieces: Sound.
        settings: `output_audio` in force.
    """
    limit = settings.get(f"{settings.get('codec', 'pcm')}_config", {}).get("limit_config") or {}
    max_pieces = limit.get("max_frame_num", 0)
    for number, piece in enumerate(pieces):
        if max_pieces and number and number % max_pieces == 0:
            await asyncio.sleep(limit.get("period", 1))
        yield piece
        await asyncio.sleep(0)
