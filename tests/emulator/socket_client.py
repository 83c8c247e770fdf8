"""A voice socket by hand: JSON in and out, nothing else."""

from __future__ import annotations

import base64
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from websockets.sync.client import connect

from cozekit_emulator import Emulator
from cozekit_emulator.synthesis import tone

TIMEOUT = 10.0
SPEECH, TRANSCRIPTIONS, CHAT = "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/chat"
INTERPRETATION = "/v1/audio/simult_interpretation"
RATE = 16000
RAW = {
    "input_audio": {
        "format": "pcm",
        "codec": "pcm",
        "sample_rate": RATE,
        "channel": 1,
        "bit_depth": 16,
    }
}


class SocketClient:
    """One connection."""

    def __init__(
        self, local: Emulator, path: str, *, headers: dict[str, str] | None = None, **query: str
    ) -> None:
        url = (
            f"{local.base_url.replace('http', 'ws')}{path}{'?' if query else ''}{urlencode(query)}"
        )
        given = {"Authorization": f"Bearer {local.token}"} if headers is None else headers
        # Entered here and left in __exit__: a refused handshake is then an error of the
        # constructor.
        self.socket = connect(
            url, additional_headers=given, proxy=None, open_timeout=TIMEOUT
        ).__enter__()

    def send(self, event_type: str, data: Any = None) -> None:
        self.socket.send(
            json.dumps(
                {
                    "id": "mine",
                    "event_type": event_type,
                    **({"data": data} if data is not None else {}),
                }
            )
        )

    def sound(self, content: bytes) -> None:
        self.send("input_audio_buffer.append", {"delta": base64.b64encode(content).decode()})

    def next(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.socket.recv(timeout=TIMEOUT))
        return event

    def until(self, event_type: str) -> list[dict[str, Any]]:
        """Events up to and with the first one of a type."""
        found = [self.next()]
        while found[-1]["event_type"] != event_type:
            found.append(self.next())
        return found

    def error(self) -> tuple[int, str]:
        """The next event, which must be an error."""
        event = self.next()
        assert event["event_type"] == "error", event
        return event["data"]["code"], event["data"]["msg"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()


def event_types(events: list[dict[str, Any]]) -> list[str]:
    """Types without repetition."""
    found = [event["event_type"] for event in events]
    return [
        event_type
        for number, event_type in enumerate(found)
        if number == 0 or found[number - 1] != event_type
    ]


def joined(events: list[dict[str, Any]], event_type: str, field: str = "delta") -> bytes:
    """The sound in the events of a type."""
    return b"".join(
        base64.b64decode(event["data"][field])
        for event in events
        if event["event_type"] == event_type
    )


def voice(milliseconds: int) -> bytes:
    """Somebody speaks."""
    return tone("a" * (milliseconds // 40), RATE)


def silence(milliseconds: int) -> bytes:
    return bytes(RATE * 2 * milliseconds // 1000)
