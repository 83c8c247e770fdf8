"""Sample formats, WAV files, and a table-based G.711 encoder and decoder (A-law and µ-law): Python
3.13 removed `audioop`.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import IO, Literal, NamedTuple

from coze_runtime import publish

from ..errors import ArgumentError

Codec = Literal["pcm", "g711a", "g711u"]

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_CODECS: dict[int, Codec] = {1: "pcm", 6: "g711a", 7: "g711u"}
_EXTENSIBLE = 0xFFFE
_UNKNOWN_LENGTH = 0xFFFFFFFF


class AudioFormat(NamedTuple):
    """Format of samples. The defaults are those of the voice sockets."""

    sample_rate: int = 24_000
    """Samples per second of one channel."""
    channels: int = 1
    bits: int = 16
    """Bits per sample."""

    @property
    def frame_size(self) -> int:
        """Bytes per frame: one sample of every channel."""
        return self.channels * ((self.bits + 7) // 8)

    @property
    def bytes_per_second(self) -> int:
        """Bytes per second."""
        return self.sample_rate * self.frame_size

    def size_of(self, milliseconds: float) -> int:
        """Returns the bytes of a duration: whole frames, at least one.

        Args:
            milliseconds: The duration.
        """
        return max(1, int(self.sample_rate * milliseconds / 1000)) * self.frame_size


SOCKET_FORMAT = AudioFormat()
"""The default of the voice sockets."""
G711 = AudioFormat(sample_rate=8_000, channels=1, bits=8)
"""G.711 as Coze uses it."""


class Wav(NamedTuple):
    """The content of a WAV file."""

    format: AudioFormat
    codec: Codec
    data: bytes
    """The samples, without any header."""

    @property
    def seconds(self) -> float:
        """Duration of the audio."""
        return len(self.data) / self.format.bytes_per_second


def pcm_to_wav(pcm: bytes, format: AudioFormat = SOCKET_FORMAT) -> bytes:
    """Converts raw samples to a WAV file.

    Args:
        pcm: Samples; 8-bit samples are unsigned in WAV.
        format: Their format.

    Raises:
        ArgumentError: The samples do not fill whole frames, or the file would be larger than 4 GiB.
    """
    if len(pcm) % format.frame_size:
        raise ArgumentError(
            f"{len(pcm)} bytes are not whole frames of {format.frame_size} bytes", argument="pcm"
        )
    return wav_header(format, len(pcm)) + pcm + b"\0" * (len(pcm) % 2)


def wav_header(format: AudioFormat = SOCKET_FORMAT, length: int | None = None) -> bytes:
    """Returns the header of a WAV file: the 44 bytes before the samples.

    Args:
        format: Format of the samples that follow.
        length: Their size in bytes. None if unknown; players then read to the end of the file.

    Raises:
        ArgumentError: The file would be larger than 4 GiB.
    """
    if length is None:
        riff_size = data_size = _UNKNOWN_LENGTH
    else:
        riff_size, data_size = 36 + length + length % 2, length
        if length < 0 or riff_size >= _UNKNOWN_LENGTH:
            raise ArgumentError("a WAV file must be smaller than 4 GiB", argument="length")
    rate, channels, bits = format
    layout = (16, 1, channels, rate, format.bytes_per_second, format.frame_size, bits)
    return _HEADER.pack(b"RIFF", riff_size, b"WAVE", b"fmt ", *layout, b"data", data_size)


def read_wav(source: str | os.PathLike[str] | bytes | IO[bytes]) -> Wav:
    """Reads a WAV file with PCM or G.711. Skips other chunks; reads a truncated or streamed file to
    its end.

    Args:
        source: Path of the file, its content, or an open binary file.

    Raises:
        ArgumentError: The source is not a WAV file, or has another codec.
    """
    if isinstance(source, bytes):
        content = source
    elif isinstance(source, str | os.PathLike):
        content = Path(source).read_bytes()
    else:
        content = source.read()
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise _not_wav("it does not begin with RIFF and WAVE")
    layout: tuple[AudioFormat, Codec] | None = None
    start = 12
    while start + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, start)
        body = content[start + 8 : start + 8 + size]
        if name == b"fmt ":
            layout = _parse_format(body)
        elif name == b"data" and layout:
            return Wav(*layout, body[: len(body) - len(body) % layout[0].frame_size])
        start += 8 + size + size % 2
    raise _not_wav("it has no samples" if layout else "it does not state its format")


def _parse_format(body: bytes) -> tuple[AudioFormat, Codec]:
    if len(body) < 16:
        raise _not_wav("its format chunk is truncated")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack_from("<H", body, 24)
    codec = _CODECS.get(tag)
    if codec is None:
        raise ArgumentError(
            f"the WAV file has codec {tag}; only PCM (1), A-law (6) and µ-law (7) are supported",
            argument="source",
        )
    if not (channels and rate and bits):
        raise _not_wav("its format chunk has a zero in it")
    return AudioFormat(rate, channels, bits), codec


def _not_wav(reason: str) -> ArgumentError:
    return ArgumentError(f"not a WAV file: {reason}", argument="source")


def pcm_to_alaw(pcm: bytes) -> bytes:
    """Encodes 16-bit samples as G.711 A-law (`g711a`), one byte each.

    Args:
        pcm: The samples, little-endian.

    Raises:
        ArgumentError: The number of bytes is odd.
    """
    return _compress(pcm, _alaw_codes())


def alaw_to_pcm(data: bytes) -> bytes:
    """Decodes G.711 A-law (`g711a`) to 16-bit samples, little-endian.

    Args:
        data: One byte for each sample.
    """
    return _expand(data, _alaw_samples())


def pcm_to_ulaw(pcm: bytes) -> bytes:
    """Encodes 16-bit samples as G.711 µ-law (`g711u`), one byte each.

    Args:
        pcm: The samples, little-endian.

    Raises:
        ArgumentError: The number of bytes is odd.
    """
    return _compress(pcm, _ulaw_codes())


def ulaw_to_pcm(data: bytes) -> bytes:
    """Decodes G.711 µ-law (`g711u`) to 16-bit samples, little-endian.

    Args:
        data: One byte for each sample.
    """
    return _expand(data, _ulaw_samples())


def _compress(pcm: bytes, codes: bytes) -> bytes:
    if len(pcm) % 2:
        raise ArgumentError(f"{len(pcm)} bytes are not whole 16-bit samples", argument="pcm")
    samples = array("H", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return bytes(map(codes.__getitem__, samples))


def _expand(data: bytes, tables: tuple[bytes, bytes]) -> bytes:
    # translate() and slices run in C; a loop over samples is much slower.
    low, high = tables
    pcm = bytearray(2 * len(data))
    pcm[0::2] = data.translate(low)
    pcm[1::2] = data.translate(high)
    return bytes(pcm)


def _halves(samples: Iterable[int]) -> tuple[bytes, bytes]:
    values = [sample & 0xFFFF for sample in samples]
    return bytes(value & 0xFF for value in values), bytes(value >> 8 for value in values)


def _signed(value: int) -> int:
    return value - 0x10000 if value & 0x8000 else value


@cache
def _alaw_codes() -> bytes:
    """The code of each sample, indexed by the sample as an unsigned number."""
    return bytes(_alaw_code(_signed(value) >> 3) for value in range(0x10000))


def _alaw_code(sample: int) -> int:
    """ITU-T G.711, A-law; the sample has 13 bits."""
    mask = 0xD5 if sample >= 0 else 0x55
    size = sample if sample >= 0 else ~sample
    segment = (size >> 5).bit_length()
    return (segment << 4 | (size >> max(1, segment)) & 0x0F) ^ mask


@cache
def _alaw_samples() -> tuple[bytes, bytes]:
    def sample(code: int) -> int:
        code ^= 0x55
        segment, step = code >> 4 & 7, (code & 0x0F) << 4
        size = step + 8 if segment == 0 else (step + 0x108) << (segment - 1)
        return size if code & 0x80 else -size

    return _halves(map(sample, range(256)))


@cache
def _ulaw_codes() -> bytes:
    """The code of each sample, indexed by the sample as an unsigned number."""
    return bytes(_ulaw_code(_signed(value) >> 2) for value in range(0x10000))


def _ulaw_code(sample: int) -> int:
    """ITU-T G.711, µ-law; the sample has 14 bits."""
    mask = 0xFF if sample >= 0 else 0x7F
    size = min(abs(sample), 8159) + 33
    segment = (size >> 6).bit_length()
    return 0x7F ^ mask if segment > 7 else (segment << 4 | (size >> (segment + 1)) & 0x0F) ^ mask


@cache
def _ulaw_samples() -> tuple[bytes, bytes]:
    def sample(code: int) -> int:
        code = ~code & 0xFF
        size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
        return -size if code & 0x80 else size

    return _halves(map(sample, range(256)))


publish(globals(), "cozekit.audio")
