"""How a request is compared with the one in a cassette: exactly, but for the order of keys and the
form's random boundary.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import vcr

from tests.contract.bodies import form_fields


def exact_path(sent: Any, documented: Any) -> None:
    """Segment by segment, so that a quoted slash counts; pages write the asterisks of masked ids
    unquoted.
    """
    assert segments(sent) == segments(documented)


def exact_query(sent: Any, documented: Any) -> None:
    """With empty values, which the matcher of vcrpy leaves out."""
    assert fields(sent) == fields(documented)


def exact_body(sent: Any, documented: Any) -> None:
    """With the types of JSON values, which Python's own comparison confuses (1, 1.0, True)."""
    assert content(sent) == content(documented)


def same_headers(sent: Any, documented: Any) -> None:
    """The headers that matter: the kind of the content, and what the kept request names. `Accept`
    is that of the program that recorded it, and so is the kind of a content that there is not.
    """
    if documented.body or not media_type(documented):
        assert media_type(sent) == media_type(documented)
    for name in documented.headers:
        if name.lower() not in ("accept", "content-type"):
            assert sent.headers.get(name) == documented.headers[name]


def segments(request: Any) -> list[str]:
    return [unquote(segment) for segment in urlsplit(request.uri).path.split("/")]


def fields(request: Any) -> list[tuple[str, str]]:
    found = parse_qsl(urlsplit(request.uri).query, keep_blank_values=True)
    return sorted((name, value) for name, value in found if name)


def media_type(request: Any) -> str:
    return str(request.headers.get("content-type", "")).partition(";")[0]


def content(request: Any) -> Any:
    body = request.body or b""
    body = body if isinstance(body, bytes) else body.read()
    if media_type(request) == "multipart/form-data":
        return form_fields(request.headers["content-type"], body)
    return json.dumps(json.loads(body), sort_keys=True) if body else b""


def recorder(**options: Any) -> vcr.VCR:
    """A vcrpy that only replays, and compares exactly."""
    player = vcr.VCR(record_mode="none", **options)
    matchers = (exact_path, exact_query, exact_body, same_headers)
    for matcher in matchers:
        player.register_matcher(matcher.__name__, matcher)
    player.match_on = [
        "method",
        "scheme",
        "host",
        "port",
        *(matcher.__name__ for matcher in matchers),
    ]
    return player
