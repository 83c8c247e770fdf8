"""Sound in events and files, as far as the helpers of both kinds of sockets share it. Nothing here
waits.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import IO, Any

from coze_openapi import models as m
from coze_openapi.senders.websockets_transcriptions import TRANSCRIPTIONS_UPDATE_LIMITS
from coze_runtime.limits import check

from ..audio import G711, AudioFormat, wav_header
from ..errors import ArgumentError, ResponseError


def audio_of(event: Any) -> bytes:
    """The sound in an event: in `delta`, or in the `content` of a message. Pieces need not hold
    whole samples, so join them first.

    Raises:
        ResponseError: It is no Base64.
    """
    data = getattr(event, "data", None)
    text = getattr(data, "delta", None) or getattr(data, "content", None) or ""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise ResponseError(
            f"the sound of {getattr(event, 'event_type', 'the event')} is no Base64"
        ) from None


def speech_format(audio: m.OutputAudio | None) -> AudioFormat:
    """The format of the samples that a request for speech gives; mono."""
    codec = audio.codec if audio else None
    if codec in ("g711a", "g711u"):
        return G711
    rate = audio.pcm_config.sample_rate if audio and audio.pcm_config else None
    return AudioFormat(sample_rate=int(rate) if rate is not None else 24_000)


def input_format(audio: m.InputAudio | None) -> AudioFormat:
    """The format of sound that is sent, which says how long it lasts."""
    if audio is None:
        return AudioFormat()
    if audio.codec in ("g711a", "g711u"):
        return G711
    return AudioFormat(
        int(audio.sample_rate or 24_000), int(audio.channel or 1), int(audio.bit_depth or 16)
    )


def recognised(first: bytes, given: m.InputAudio | None) -> m.InputAudio | None:
    """The format of a file by its first bytes, when none was given; None for WAV, which is the
    server's default.

    Raises:
        ArgumentError: It is neither WAV nor Ogg, and raw samples do not tell their format.
    """
    if given is not None:
        check({"input_audio": given}, TRANSCRIPTIONS_UPDATE_LIMITS)
        return given
    if first.startswith(b"RIFF"):
        if len(first) >= 36 and first[12:16] == b"fmt ":
            rate, bits = (
                int.from_bytes(first[24:28], "little"),
                int.from_bytes(first[34:36], "little"),
            )
            audio = m.InputAudio(
                sample_rate=m.InputAudioSampleRate(rate),
                channel=int.from_bytes(first[22:24], "little"),
                bit_depth=bits,
            )
            check({"input_audio": audio}, TRANSCRIPTIONS_UPDATE_LIMITS)
        return None
    if first.startswith(b"OggS"):
        return m.InputAudio(format=m.InputAudioFormat.OGG, codec=m.InputAudioCodec.OPUS)
    raise ArgumentError(
        "the sound is neither WAV nor Ogg; say what it is with input_audio=InputAudio(format=…, …)",
        argument="input_audio",
    )


class SoundFile:
    """A file that is written as the sound comes: a WAV file when its name ends so and the sound is
    PCM, else the bytes alone.
    """

    def __init__(
        self, target: str | os.PathLike[str] | IO[bytes], audio: m.OutputAudio | None
    ) -> None:
        self._path = Path(target) if isinstance(target, str | os.PathLike) else None
        self._file: IO[bytes] = self._path.open("wb") if self._path is not None else target  # type: ignore[assignment]
        plain = audio is None or audio.codec in (None, "pcm")
        self._format = (
            speech_format(audio)
            if plain and self._path is not None and self._path.suffix.lower() == ".wav"
            else None
        )
        self.size = 0
        """Bytes of sound."""
        if self._format is not None:
            self._file.write(wav_header(self._format))

    def write(self, piece: bytes) -> None:
        """Appends sound."""
        self._file.write(piece)
        self.size += len(piece)

    def finish(self) -> int:
        """The sound is complete; gives its bytes."""
        if self._format is not None:
            self._file.seek(0)
            self._file.write(wav_header(self._format, self.size))
        if self._path is not None:
            self._file.close()
        return self.size

    def discard(self) -> None:
        """The sound stayed incomplete: a file that was made here is removed."""
        if self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)
