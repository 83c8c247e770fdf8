"""Replays recorded cassettes: the client asks what was asked, and a table says what it gives. It
never records.

A row of the table stands for one exchange, by these keys; what a row leaves out is as documented:

    scenario     the scenario that the exchange belongs to
    result       class of the result; in a list: of its items; `plain` for JSON as it came
    place        where the body has the result, by default where the description has it
    names        names in the body → names of the description
    event        number of the event that has the result, for a stream that a plain call got
    values       fields of the result → values, where they are not those of the body
    lost         paths that the description does not have
    error, code  class and code of the error; `says` is part of its text
    events       number of events that arrive
    text         of the answer or of all nodes; {event: 2}: that of this event
    reasoning, follow_ups, messages (types), tool_calls (ids), status, usage, interrupt (its id)
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from coze_runtime.serialization.convert import to_wire
from coze_runtime.types import Drift
from cozekit import CozeError
from tests.contract.bodies import form_fields
from tests.contract.catalogue import Op, operations
from tests.contract.differences import differences
from tests.contract.exchanges import Exchange, dig
from tests.contract.replay import ask, cassette, replaying
from tests.record.scrubbing import content_type

KINDS = {"text/event-stream": "sse", "application/json": "json"}
LOGIDS = ("x-tt-logid", "x-log-id")


class Recording(Exchange):
    """A recorded exchange; its arguments are read from the request."""

    def arguments(self) -> dict[str, Any]:
        files = {
            name: value for name, value in self.data["form"].items() if isinstance(value, tuple)
        }
        return {
            **super().arguments(),
            **{
                name: (file_name, content, kind)
                for name, (file_name, kind, content) in files.items()
            },
        }

    @property
    def logid(self) -> str:
        return str(self.data["logid"])

    @property
    def has_method(self) -> bool:
        """Whether a method sends this request."""
        if self.op.id not in operations():
            return False
        given = self.arguments()
        return all(p.argument in given for p in self.op.parameters if p.required)

    @property
    def documented(self) -> dict[str, Any]:
        """The row of an answer that is as documented."""
        if self.answer["kind"] == "sse":
            return {"events": len(self.events)}
        value = self.answer.get("value")
        code = value.get("code") if isinstance(value, dict) else None
        return {"code": code} if code or self.data["status"] >= 400 else {}

    @property
    def pieces(self) -> list[bytes]:
        """The body of a stream in the pieces in which it came; without those, one event a piece."""
        content = self.answer["text"].encode()
        sizes = [size for _, size in self.data["pieces"]]
        if not sizes:
            return [event + b"\n\n" for event in content.split(b"\n\n") if event.strip()]
        ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
        return [content[end - size : end] for end, size in zip(ends, sizes, strict=True)]

    @property
    def events(self) -> list[tuple[str, str]]:
        """Name and data of each event."""
        pattern = r"^event: ?(.*)\ndata: ?(.*)$"
        return re.findall(pattern, self.answer["text"], re.MULTILINE)


def recordings(path: Path) -> list[Recording]:
    """The exchanges of a cassette, whose name is the operation."""
    loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["interactions"]
    op = operations().get(path.stem)
    return [
        Recording(op or Op(path.stem, "", "", {}), number, exchange(interaction))
        for number, interaction in enumerate(loaded)
    ]


def exchange(interaction: dict[str, Any]) -> dict[str, Any]:
    request, response = interaction["request"], interaction["response"]
    body, kind = request["body"] or "", content_type(request)
    form = (
        form_fields(kind, body if isinstance(body, bytes) else body.encode())
        if kind.startswith("multipart")
        else {}
    )
    asked: dict[str, Any] = {"method": request["method"], "url": request["uri"]}
    if form:
        asked["form"] = {
            name: "<file>" if isinstance(value, tuple) else value.decode()
            for name, value in form.items()
        }
    elif body:
        asked["body"] = json.loads(body)
    recorded = interaction.get("recorded", {})
    logids = [response["headers"][name][0] for name in LOGIDS if name in response["headers"]]
    return {
        "request": asked,
        "form": form,
        "answer": answer(response),
        "logid": next(iter(logids), ""),
        "scenario": recorded.get("scenario", ""),
        "pieces": recorded.get("pieces", []),
        "status": response["status"]["code"],
    }


def answer(response: dict[str, Any]) -> dict[str, Any]:
    text = response["body"]["string"]
    if response["status"]["code"] in (301, 302, 303, 307):
        return {"kind": "redirect", "text": response["headers"]["location"][0]}
    kind = KINDS.get(content_type(response).partition(";")[0], "bytes")
    if kind == "json":
        return {"kind": "json", "value": json.loads(text)}
    return {"kind": kind, "text": text.decode("latin-1") if isinstance(text, bytes) else text}


def base_url(listed: list[Recording]) -> str:
    parts = urlsplit(listed[0].request["url"])
    return f"{parts.scheme}://{parts.netloc}".replace("www.", "api.")


def replay(path: Path, kind: str) -> list[Drift]:
    """Asks what a cassette holds, whose answers are as documented; returns what differs from the
    description.
    """
    listed, drifts = recordings(path), list[Drift]()
    with cassette(path), replaying(kind, base_url(listed), on_drift=drifts.append) as coze:
        for recording in listed:
            Replayed(recording, coze).check(recording.documented)
    return drifts


class Replayed:
    """What a user gets for one request: a result, or an error; of a stream also what it showed."""

    def __init__(self, recording: Recording, coze: Any) -> None:
        self.recording = recording
        self.result: Any = None
        self.error: CozeError | None = None
        self.events: list[Any] = []
        self.stream: Any = None
        try:
            self.result = self._ask(coze)
        except CozeError as error:
            self.error = error

    def _ask(self, coze: Any) -> Any:
        if self.recording.has_method:
            return ask(self.recording, coze, self._read)
        request = self.recording.request
        url = urlsplit(request["url"])
        return coze.request(
            request["method"],
            url.path,
            query=dict(self.recording.query),
            body=request.get("body"),
        )

    def _read(self, stream: Any) -> Any:
        self.stream = stream
        return stream.until_done(self.events.append)

    def check(self, row: dict[str, Any]) -> None:
        """Compares everything with a row of the table."""
        if "events" in row:
            self._check_events(row)
        if "text" in row:
            self._check_content(row)
        if "error" in row or "code" in row:
            self._check_error(row)
        elif self.error is not None:
            raise self.error
        elif "events" not in row:
            self._check_result(row)

    def _check_error(self, row: dict[str, Any]) -> None:
        error: Any = self.error
        assert type(error).__name__ == row.get("error", type(error).__name__), error or self.result
        assert getattr(error, "code", None) == row.get("code")
        assert error.logid == self.recording.logid
        assert row.get("says", "") in str(error)

    def _check_result(self, row: dict[str, Any]) -> None:
        expected, result, kind = self._expected(row), self.result, row.get("result")
        if kind == "plain":
            assert result == expected
            return
        assert (result.logid or "") == self.recording.logid
        if isinstance(expected, list):
            result = list(result.items if self.recording.op.pager else result)
            assert not kind or [type(it).__name__ for it in result] == kind * len(result)
        else:
            assert not kind or type(result).__name__ == kind
        found = list(differences(expected, in_text(to_wire(result))))
        assert places(found) == set(row.get("lost", [])), found

    def _expected(self, row: dict[str, Any]) -> Any:
        """What the body says, in the words of the description."""
        if "event" in row:
            return json.loads(self.recording.events[row["event"]][1])
        if "value" not in self.recording.answer:
            return self.recording.answer["text"]
        op, value = self.recording.op, self.recording.answer["value"]
        if op.unwrap == "nothing":
            return {}
        path = row.get("place", ".".join(op.result_path))
        value = renamed(dig(value, path) if path else value, row.get("names", {}))
        if isinstance(row.get("result"), list):
            return value or []
        return {**value, **row["values"]} if "values" in row else value

    def _check_events(self, row: dict[str, Any]) -> None:
        sent = self.recording.events[: row["events"]]
        assert [event.event for event in self.events] == [name for name, _ in sent]
        lost: set[str] = set()
        for event, (_, data) in zip(self.events, sent, strict=True):
            assert event.logid == self.recording.logid
            if hasattr(event.data, "to_dict"):
                lost |= places(list(differences(json.loads(data), event.data.to_dict())))
        assert lost == set(row.get("lost", []))

    def _check_content(self, row: dict[str, Any]) -> None:
        stream, result = self.stream, self.result
        assert stream.logid == self.recording.logid
        text = row["text"]
        if isinstance(text, dict):
            text = json.loads(self.recording.events[text["event"]][1])["content"]
        assert stream.text == text
        if hasattr(stream, "follow_ups"):
            assert stream.reasoning == row.get("reasoning", "")
            assert list(stream.follow_ups) == row.get("follow_ups", [])
            assert [it.type for it in stream.messages] == row["messages"]
            assert [call.id for call in stream.tool_calls] == row.get("tool_calls", [])
            assert stream.chat.status == row["status"]
        if result is not None:
            assert to_wire(result.usage) == row.get("usage")
            if hasattr(result, "interruption"):
                found = result.interruption and result.interruption.event_id
                assert found == row.get("interrupt")


def in_text(value: Any) -> Any:
    """Bytes as a cassette holds them."""
    return (
        value.decode("latin-1")
        if isinstance(value, bytes)
        else str(value)
        if isinstance(value, str)
        else value
    )


def places(found: list[str]) -> set[str]:
    """Paths of differences, without what became what."""
    return {line.partition(":")[0] for line in found}


def renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): renamed(item, names) for key, item in value.items()}
    return [renamed(item, names) for item in value] if isinstance(value, list) else value
