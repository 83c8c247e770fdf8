"""Files, voices, speech, transcriptions and voiceprints."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.responses import Response

from .. import synthesis
from ..errors import ApiError
from ..http import responses
from ..http.crud import server_defaults
from ..http.request import ApiRequest, Handler
from ..http.response_fields import record_response
from ..openapi.validation import Upload
from ..state.ids import USER
from ..state.store import Record

_MEDIA_TYPES = {"wav": "audio/wav", "pcm": "audio/pcm", "ogg_opus": "audio/ogg"}


def upload_file(request: ApiRequest) -> Record:
    """Keeps name and size of the file, not its content."""
    file = _uploaded_file(request)
    fields = {"file_name": file.name, "bytes": len(file.content)}
    return record_response(request, request.collection("files").add(fields))


def requires_file(handler: Handler) -> Handler:
    """Rejects requests whose file is missing or empty.

    Args:
        handler: The handler of the others.
    """

    def checked(request: ApiRequest) -> Response | Record | Awaitable[Record]:
        _uploaded_file(request)
        return handler(request)

    return checked


def _uploaded_file(request: ApiRequest) -> Upload:
    files = request.inputs.files.get("file")
    if not files or not files[0].content:
        raise ApiError(4300, "body.file: the file is empty")
    return files[0]


def clone_voice(request: ApiRequest) -> Record:
    """A new voice, or one that is trained again."""
    voices = request.collection("voices")
    if request.arg("voice_id"):
        voice = request.find("voices")
        voices.change(voice, request.inputs.body)
        voice["available_training_times"] -= 1
    else:
        voice = voices.add({**server_defaults(request, voices), **request.inputs.body})
    return record_response(request, voice)


def voice_matches(voice: Record, request: ApiRequest) -> bool:
    """The filters of the list of voices."""
    if voice["is_system_voice"] and request.arg("filter_system_voice", False):
        return False
    has_state = request.arg("voice_state", "cloned") in ("all", voice["state"])
    return has_state and request.arg("model_type") in (None, voice["model_type"])


def synthesize_speech(request: ApiRequest) -> Response:
    """A tone per character; wav and pcm are real sound, the packed formats are headers and
    zeros.
    """
    rate, text = int(request.arg("sample_rate", 24000)), str(request.arg("input"))
    file_format = request.arg("response_format", "mp3")
    if file_format == "pcm":
        content = synthesis.tone(text, rate)
    elif file_format == "wav":
        content = synthesis.wav(synthesis.tone(text, rate), rate)
    elif file_format == "ogg_opus":
        content = b"OggS" + bytes(60 + synthesis.duration_ms(text))
    else:
        content = synthesis.mp3(synthesis.duration_ms(text))
    media_type = _MEDIA_TYPES.get(file_format, "audio/mpeg")
    return Response(content, 200, responses.headers(request.logid), media_type)


def name_starts_with(group: Record, request: ApiRequest) -> bool:
    """Whether the name of a voiceprint group starts as asked."""
    return str(group["name"]).startswith(request.arg("name", ""))


def set_creator(request: ApiRequest, record: Record) -> None:
    """Sets the user who created a group or a voiceprint."""
    record["user_info"] = {**request.state.examples.fields("UserSummary"), "id": USER}


def after_create_voiceprint(request: ApiRequest, voiceprint: Record) -> None:
    """Sets the creator and counts."""
    set_creator(request, voiceprint)
    _count_voiceprints(request)


def delete_voiceprint(request: ApiRequest) -> Record:
    """Deletes a voiceprint and counts the others."""
    voiceprints = request.collection("voiceprints")
    voiceprints.remove(request.find("voiceprints"), voiceprints.owner(request.arguments))
    _count_voiceprints(request)
    return {}


def _count_voiceprints(request: ApiRequest) -> None:
    group = request.find("voiceprint_groups")
    group["feature_count"] = len(request.collection("voiceprints").all(group["group_id"]))


def identify_speaker(request: ApiRequest) -> Record:
    """The voiceprints of the group, the oldest as the best match."""
    group = request.find("voiceprint_groups")
    scores = [
        {
            "feature_id": voiceprint["feature_id"],
            "feature_name": voiceprint["name"],
            "feature_desc": voiceprint.get("desc", ""),
            "score": 90 - 10 * number,
        }
        for number, voiceprint in enumerate(
            request.collection("voiceprints").all(group["group_id"])
        )
    ]
    return {"data": {"feature_score_list": scores[: int(request.arg("top_k", 10))]}}
