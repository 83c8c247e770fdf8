"""Settings of voice sockets: what holds when nothing is said, and what is refused."""

from __future__ import annotations

from typing import Any

from .answers import Refusal
from .description import Description, Schema
from .lists import merged
from .store import Record

_OPUS_FRAMES = (2.5, 5, 10, 20, 40, 60)
_MAX_KEYWORDS = 5


def defaults(description: Description, schema: Schema) -> Record:
    """The defaults of an object schema and of the objects in it."""
    found: Record = {}
    for name, part in description.properties(schema).items():
        if "default" in part:
            found[name] = part["default"]
        elif description.properties(part):
            inner = defaults(description, part)
            if inner:
                found[name] = inner
    return found


def in_force(description: Description, schema: Schema, before: Record, given: Record) -> Record:
    """The settings after an update.

    Args:
        description: The description.
        schema: Schema of the settings.
        before: What was in force.
        given: What the client sent.

    Raises:
        Refusal: 4000: a value is not among the known ones, or two values do not go together.
    """
    _check_known(description, schema, given, "data")
    found = merged(before, given)
    _check_output(found.get("output_audio", {}))
    _check_input(found.get("input_audio", {}))
    _check_turns(found)
    return found


def only(settings: Record, part: str, codecs: tuple[str, ...]) -> None:
    """Refuses codecs that exist, but not on this socket."""
    codec = settings.get(part, {}).get("codec", "pcm")
    if codec not in codecs:
        raise refused(f"data.{part}.codec", f"is one of {', '.join(codecs)} here")


def refused(where: str, why: str) -> Refusal:
    """A setting is refused."""
    return Refusal(4000, f"Request parameter error: {where} {why}")


def _check_known(description: Description, schema: Schema, value: Any, where: str) -> None:
    """For a client all lists of values are open; a server knows what it has."""
    schema = description.resolve(schema)
    known = schema.get("x-known-values")
    if known is not None:
        if str(value) not in {str(item) for item in known}:
            raise refused(where, f"is one of {', '.join(str(item) for item in known)}")
    elif isinstance(value, dict):
        for name, part in description.properties(schema).items():
            if value.get(name) is not None:
                _check_known(description, part, value[name], f"{where}.{name}")


def _check_output(settings: Record) -> None:
    pcm, opus = settings.get("pcm_config", {}), settings.get("opus_config", {})
    if pcm.get("limit_config") and not pcm.get("frame_size_ms"):
        raise refused("data.output_audio.pcm_config.limit_config", "needs frame_size_ms")
    if opus.get("frame_size_ms", 10) not in _OPUS_FRAMES:
        raise refused(
            "data.output_audio.opus_config.frame_size_ms",
            f"is one of {', '.join(map(str, _OPUS_FRAMES))}",
        )
    for name in ("speech_rate", "loudness_rate"):
        if not -50 <= settings.get(name, 0) <= 100:
            raise refused(f"data.output_audio.{name}", "is from -50 to 100")


def _check_input(settings: Record) -> None:
    telephone = settings.get("codec") in ("g711a", "g711u")
    if telephone and (settings.get("format") != "pcm" or settings.get("sample_rate") != 8000):
        raise refused("data.input_audio", "of G.711 needs format pcm and sample_rate 8000")
    if settings.get("bit_depth", 16) not in (8, 16, 24):
        raise refused("data.input_audio.bit_depth", "is 8, 16 or 24")


def _check_turns(settings: Record) -> None:
    keywords = settings.get("turn_detection", {}).get("interrupt_config", {}).get("keywords", [])
    if len(keywords) > _MAX_KEYWORDS or not all(6 <= len(word.encode()) <= 24 for word in keywords):
        raise refused(
            "data.turn_detection.interrupt_config.keywords",
            "are at most 5 words of 6 to 24 bytes each",
        )
    noise = settings.get("voice_processing_config", {})
    if noise.get("enable_ans") and noise.get("enable_pdns"):
        raise refused(
            "data.voice_processing_config",
            "has enable_ans and enable_pdns, which exclude each other",
        )
