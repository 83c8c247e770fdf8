"""Limits of the pages, looked at by the typed methods before anything is sent; `send` with a model of your own goes without them."""

from __future__ import annotations

import math
from collections.abc import Collection

from coze_openapi import models as m

from ..errors import ArgumentError

MAX_SPEECH_BYTES = 1024
"""UTF-8 bytes of text in one request of the speech socket (page tts_api)."""
MAX_GENERATED_BYTES = 1023
"""UTF-8 bytes of a text that a bot is made to speak (page streaming_chat_event)."""
SPEECH_CODECS = frozenset({"pcm", "opus"})
TRANSCRIPTION_CODECS = frozenset({"pcm", "opus"})
INPUT_CODECS = frozenset({"pcm", "opus", "g711a", "g711u"})
OUTPUT_CODECS = frozenset({"pcm", "opus", "g711a", "g711u", "mp3"})

_FORMATS = frozenset({"pcm", "wav", "ogg"})
_RATES = frozenset({8000, 16000, 22050, 24000, 32000, 44100, 48000})
_OPUS_RATES = frozenset({8000, 12000, 16000, 24000, 48000})
_OPUS_FRAMES = frozenset({2.5, 5, 10, 20, 40, 60})
_MP3_RATES = frozenset({32000, 44100, 48000})
_G711 = frozenset({"g711a", "g711u"})


def spoken_text(text: str, limit: int) -> None:
    """Refuses a text that is empty or has too many bytes."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if not 0 < size <= limit:
        raise ArgumentError(f"a text to speak has 1 to {limit} bytes of UTF-8, this one {size}", argument="text")


def input_audio(audio: m.InputAudio | None, *, codecs: Collection[str]) -> None:
    """Refuses a format that the server does not read.

    Source: pages asr_event, streaming_chat_event
    """
    if audio is None:
        return
    _one_of("format", audio.format, _FORMATS)
    _one_of("codec", audio.codec, codecs)
    _one_of("sample_rate", audio.sample_rate, _RATES)
    _one_of("channel", audio.channel, (1, 2))
    _one_of("bit_depth", audio.bit_depth, (8, 16, 24))
    if audio.codec in _G711 and (audio.format != "pcm" or audio.sample_rate != 8000):
        raise ArgumentError("G.711 needs format=pcm and sample_rate=8000", argument="input_audio")


def output_audio(audio: m.OutputAudio | None, *, codecs: Collection[str]) -> None:
    """Refuses a format that the server does not make.

    Source: pages tts_event, streaming_chat_event
    """
    if audio is None:
        return
    _one_of("codec", audio.codec, codecs)
    _between("speech_rate", audio.speech_rate, -50, 100)
    _between("loudness_rate", audio.loudness_rate, -50, 100)
    if audio.emotion_config:
        _between("emotion_scale", audio.emotion_config.emotion_scale, 1, 5)
    if pcm := audio.pcm_config:
        _one_of("pcm_config.sample_rate", pcm.sample_rate, _RATES)
        _between("pcm_config.frame_size_ms", pcm.frame_size_ms, 0, 1000)
        if audio.codec in _G711 and pcm.sample_rate not in (None, 8000):
            raise ArgumentError("G.711 has sample_rate=8000", argument="output_audio")
        if pcm.limit_config and pcm.frame_size_ms is None:
            raise ArgumentError("pcm_config.limit_config needs frame_size_ms", argument="output_audio")
    if opus := audio.opus_config:
        _one_of("opus_config.sample_rate", opus.sample_rate, _OPUS_RATES)
        _one_of("opus_config.frame_size_ms", opus.frame_size_ms, _OPUS_FRAMES)
    if mp3 := audio.mp3_config:
        _one_of("mp3_config.sample_rate", mp3.sample_rate, _MP3_RATES)
        _between("mp3_config.bit_rate", mp3.bit_rate, 8000, 1_600_000)


def turn_detection(settings: m.ChatTurnDetection | None) -> None:
    """Refuses keywords that interrupt nothing. Source: page streaming_chat_event."""
    interrupt = settings.interrupt_config if settings else None
    words = (interrupt.keywords if interrupt else None) or []
    if len(words) > 5:
        raise ArgumentError("at most 5 keywords interrupt", argument="turn_detection")
    for word in words:
        if not 6 <= len(word.encode()) <= 24:
            raise ArgumentError("a keyword has 6 to 24 bytes of UTF-8, 2 to 8 Chinese characters", argument="turn_detection")
    if settings and settings.semantic_vad_config:
        _between("semantic_unfinished_wait_time_ms", settings.semantic_vad_config.semantic_unfinished_wait_time_ms, 100, 2000)


def pieces_of(text: str, limit: int = MAX_SPEECH_BYTES) -> list[str]:
    """A text in pieces of at most `limit` bytes, cut behind sentences where possible, else behind words, else anywhere.

    Raises:
        ArgumentError: There is nothing to speak.
    """
    if not text.strip():
        raise ArgumentError("there is no text to speak", argument="text")
    found = []
    rest = text.strip()
    while len(rest.encode()) > limit:
        head = rest.encode()[:limit].decode("utf-8", "ignore")
        place = max(head.rfind(mark) for mark in "。！？；.!?;\n") + 1 or max(head.rfind(mark) for mark in "，、, ") + 1 or len(head)
        if piece := rest[:place].strip():
            found.append(piece)
        rest = rest[place:].lstrip()
    if rest:
        found.append(rest)
    return found


def _one_of(name: str, value: object, known: Collection[object]) -> None:
    if value is not None and value not in known:
        raise ArgumentError(f"{name} is one of {', '.join(map(str, sorted(known, key=str)))}; not {value}", argument=name)


def _between(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= high):
        raise ArgumentError(f"{name} is {low} to {high}, not {value}", argument=name)
