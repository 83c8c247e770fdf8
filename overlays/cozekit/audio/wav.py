"""Formats of samples, and WAV files."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import IO, Literal, NamedTuple

from ..errors import ArgumentError

Codec = Literal["pcm", "g711a", "g711u"]

_WAV_CODECS: dict[int, Codec] = {1: "pcm", 6: "g711a", 7: "g711u"}
_EXTENSIBLE = 0xFFFE
_UNKNOWN_LENGTH = 0xFFFFFFFF


class AudioFormat(NamedTuple):
    """How samples are to be read. The defaults are those of the voice sockets."""

    sample_rate: int = 24_000
    """Samples of one channel in a second."""
    channels: int = 1
    bits: int = 16
    """Bits of one sample."""

    @property
    def frame_size(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * ((self.bits + 7) // 8)

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second."""
        return self.sample_rate * self.frame_size

    def size_of(self, milliseconds: float) -> int:
        """Bytes of so much sound, whole frames and at least one."""
        return max(1, int(self.sample_rate * milliseconds / 1000)) * self.frame_size


G711 = AudioFormat(sample_rate=8_000, channels=1, bits=8)
"""G.711 as Coze takes and gives it."""


class Wav(NamedTuple):
    """The content of a WAV file."""

    format: AudioFormat
    codec: Codec
    data: bytes
    """The samples, without any header."""

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.data) / self.format.bytes_per_second


def pcm_to_wav(pcm: bytes, format: AudioFormat = AudioFormat()) -> bytes:  # noqa: B008  # a named tuple cannot be changed
    """Raw samples as a WAV file.

    Args:
        pcm: Samples; those of 8 bit are unsigned in WAV.
        format: Their format.

    Raises:
        ArgumentError: The samples do not fill whole frames, or the file would be larger than 4 GiB.
    """
    if len(pcm) % format.frame_size:
        raise ArgumentError(
            f"{len(pcm)} bytes are no whole frames of {format.frame_size} bytes", argument="pcm"
        )
    return wav_header(format, len(pcm)) + pcm + b"\0" * (len(pcm) % 2)


def wav_header(format: AudioFormat = AudioFormat(), length: int | None = None) -> bytes:  # noqa: B008
    """The 44 bytes before the samples of a WAV file.

    Args:
        format: Format of the samples that follow.
        length: Their number of bytes; None while it is not known, which players take for "to the
            end of the file".

    Raises:
        ArgumentError: The file would be larger than 4 GiB.
    """
    if length is not None and not 0 <= length <= _UNKNOWN_LENGTH - 37:
        raise ArgumentError("a WAV file holds less than 4 GiB", argument="length")
    whole = _UNKNOWN_LENGTH if length is None else 36 + length + length % 2
    data = _UNKNOWN_LENGTH if length is None else length
    sound = struct.pack(
        "<HHIIHH",
        1,
        format.channels,
        format.sample_rate,
        format.bytes_per_second,
        format.frame_size,
        format.bits,
    )
    return (
        b"RIFF"
        + struct.pack("<I", whole)
        + b"WAVEfmt "
        + struct.pack("<I", len(sound))
        + sound
        + b"data"
        + struct.pack("<I", data)
    )


def read_wav(source: str | os.PathLike[str] | bytes | IO[bytes]) -> Wav:
    """A WAV file with PCM or G.711. Other chunks are skipped; a file that was cut, or written as a
    stream, is read to its end.

    Raises:
        ArgumentError: It is no WAV file, or holds another coding.
    """
    content = source if isinstance(source, bytes) else _read(source)
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ArgumentError("no WAV file: it does not begin with RIFF and WAVE", argument="source")
    found: tuple[AudioFormat, Codec] | None = None
    place = 12
    while place + 8 <= len(content):
        name, size = content[place : place + 4], struct.unpack_from("<I", content, place + 4)[0]
        body = content[place + 8 : place + 8 + size]
        if name == b"fmt ":
            found = _wav_format(body)
        if name == b"data" and found:
            return Wav(*found, body[: len(body) // found[0].frame_size * found[0].frame_size])
        place += 8 + size + size % 2
    raise ArgumentError(
        "no WAV file: it has no sound" if found else "no WAV file: it does not say its format",
        argument="source",
    )


def _wav_format(body: bytes) -> tuple[AudioFormat, Codec]:
    if len(body) < 16:
        raise ArgumentError("no WAV file: its format is cut off", argument="source")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    codec = _WAV_CODECS.get(tag)
    if codec is None:
        raise ArgumentError(
            f"the WAV file holds the coding {tag}; only PCM (1), A-law (6) and µ-law (7) are read",
            argument="source",
        )
    if not (channels and rate and bits):
        raise ArgumentError("no WAV file: its format has a zero in it", argument="source")
    return AudioFormat(rate, channels, bits), codec


def _read(source: str | os.PathLike[str] | IO[bytes]) -> bytes:
    return Path(source).read_bytes() if isinstance(source, str | os.PathLike) else source.read()
