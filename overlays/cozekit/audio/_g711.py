"""Table-based G.711 encoder and decoder, A-law and µ-law. Python 3.13 removed `audioop`."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from functools import cache

from ..errors import ArgumentError


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
