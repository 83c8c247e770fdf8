"""Files, voices, speech and voiceprints."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.responses import Response

from . import answers, sound
from .answers import Refusal
from .calls import Call, Handler
from .kinds import USER
from .store import Record
from .verbs import defaults, shown, stateless


def upload_file(call: Call) -> Record:
    """Keeps name and size of the file; the content is not needed and not kept."""
    name, content = _file(call)
    return shown(call, call.collection("files").add({"file_name": name, "bytes": len(content)}))


def with_file(handler: Handler) -> Handler:
    """A form operation whose file must be there and not be empty."""

    def checked(call: Call) -> Response | Record | Awaitable[Record]:
        _file(call)
        return handler(call)

    return checked


def _file(call: Call) -> tuple[str, bytes]:
    files = call.inputs.files.get("file")
    if not files or not files[0].content:
        raise Refusal(4300, "body.file: the file is empty")
    return files[0].name, files[0].content


def clone_voice(call: Call) -> Record:
    """A new voice, or one trained anew."""
    _file(call)
    voices = call.collection("voices")
    if call.arg("voice_id"):
        voice = call.find("voices")
        voices.change(voice, call.inputs.body)
        voice["available_training_times"] -= 1
    else:
        voice = voices.add({**defaults(call, voices), **call.inputs.body})
    return shown(call, voice)


def by_voice(record: Record, call: Call) -> bool:
    """The filters of the list of voices."""
    state = call.arg("voice_state", "cloned")
    system = record["is_system_voice"] and call.arg("filter_system_voice", False)
    kind = call.arg("model_type")
    return not system and state in ("all", record["state"]) and kind in (None, record["model_type"])


def speech(call: Call) -> Response:
    """A tone per character; wav and pcm are real sound, the packed formats are heads and zeros."""
    rate, text = int(call.arg("sample_rate", 24000)), str(call.arg("input"))
    kind = call.arg("response_format", "mp3")
    if kind in ("pcm", "wav"):
        pcm = sound.tone(text, rate)
        content = sound.wav(pcm, rate) if kind == "wav" else pcm
    else:
        length = sound.duration(text)
        content = b"OggS" + bytes(60 + length) if kind == "ogg_opus" else sound.mp3(length)
    media = {"wav": "audio/wav", "pcm": "audio/pcm", "ogg_opus": "audio/ogg"}.get(
        kind, "audio/mpeg"
    )
    return Response(content, 200, answers.headers(call.logid), media)


def transcribe(call: Call) -> Record:
    """The example text."""
    return stateless(call)


def by_group(record: Record, call: Call) -> bool:
    """Groups whose name begins as asked, of the person asked for."""
    return str(record["name"]).startswith(call.arg("name", ""))


def sign(call: Call, record: Record) -> None:
    """Names the maker of a group or a voiceprint."""
    record["user_info"] = {**call.world.examples.fields("UserSummary"), "id": USER}


def add_voiceprint(call: Call, voiceprint: Record) -> None:
    """Names the maker and counts."""
    sign(call, voiceprint)
    count_voiceprints(call, voiceprint)


def delete_voiceprint(call: Call) -> Record:
    """Deletes one and counts the others."""
    voiceprint = call.find("voiceprints")
    prints = call.collection("voiceprints")
    prints.remove(voiceprint, prints.owner(call.arguments))
    count_voiceprints(call, voiceprint)
    return {}


def count_voiceprints(call: Call, _: Record) -> None:
    """Keeps the counter of a group right."""
    group = call.find("voiceprint_groups")
    group["feature_count"] = len(call.collection("voiceprints").all(group["group_id"]))


def identify_speaker(call: Call) -> Record:
    """The voiceprints of the group, the oldest as the best match."""
    _file(call)
    group = call.find("voiceprint_groups")
    found = [
        {
            "feature_id": item["feature_id"],
            "feature_name": item["name"],
            "feature_desc": item.get("desc", ""),
            "score": 90 - 10 * number,
        }
        for number, item in enumerate(call.collection("voiceprints").all(group["group_id"]))
    ]
    return {"data": {"feature_score_list": found[: int(call.arg("top_k", 10))]}}
