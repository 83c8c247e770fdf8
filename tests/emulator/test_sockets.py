"""Speech, transcription and interpretation sockets of the local Coze, and what all sockets
share.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from starlette.datastructures import QueryParams
from websockets.exceptions import ConnectionClosed, InvalidStatus

from coze_openapi.events import (
    websockets_chat,
    websockets_simult_interpretation,
    websockets_speech,
    websockets_transcriptions,
)
from cozekit.audio import alaw_to_pcm, ulaw_to_pcm
from cozekit_emulator import Emulator, bots, synthesis
from cozekit_emulator.app import SESSIONS
from cozekit_emulator.sockets.voice_detection import VoiceDetector
from cozekit_emulator.state.transcripts import TRANSCRIPT, TRANSLATIONS
from cozekit_emulator.synthesis import paced
from tests.emulator.sign_in import SECRET, authorize_url, code_of, exchange
from tests.emulator.socket_client import (
    CHAT,
    INTERPRETATION,
    RATE,
    RAW,
    SPEECH,
    TRANSCRIPTIONS,
    SocketClient,
    event_types,
    joined,
    silence,
    voice,
)

SOCKETS = [
    (SPEECH, {}),
    (TRANSCRIPTIONS, {}),
    (CHAT, {"bot_id": bots.ANSWERING}),
    (INTERPRETATION, {}),
]
EVERY_SOCKET = pytest.mark.parametrize(
    ("path", "query"), SOCKETS, ids=[path for path, _ in SOCKETS]
)
TABLES = {
    "websockets_speech": websockets_speech,
    "websockets_transcriptions": websockets_transcriptions,
    "websockets_chat": websockets_chat,
    "websockets_simult_interpretation": websockets_simult_interpretation,
}


@pytest.fixture
def local(coze_emulator: Emulator) -> Emulator:
    return coze_emulator


def talk(local: Emulator, path: str, query: dict[str, str]) -> SocketClient:
    """A connection that is ready."""
    found = SocketClient(local, path, **query)
    assert found.next()["event_type"].endswith(".created")
    return found


# Handshake


@EVERY_SOCKET
def test_a_wrong_token_is_refused_in_the_handshake(
    local: Emulator, path: str, query: dict[str, str]
) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": local.token}):
        with pytest.raises(InvalidStatus) as caught:
            SocketClient(local, path, headers=headers, **query)
        answer = caught.value.response
        assert answer.status_code == 401
        assert answer.headers["X-Tt-Logid"] == local.requests[-1].logid


@EVERY_SOCKET
def test_the_token_may_stand_in_the_query(
    local: Emulator, path: str, query: dict[str, str]
) -> None:
    with SocketClient(
        local, path, headers={}, authorization=f"Bearer {local.token}", **query
    ) as session:
        assert session.next()["event_type"].endswith(".created")


def test_an_issued_token_opens_a_socket_until_it_ends(local: Emulator) -> None:
    code = code_of(
        local.browser.agree(
            authorize_url(local.base_url, "74000000000000000000000000000301.app.coze")
        )
    )
    body = {
        "grant_type": "authorization_code",
        "client_id": "74000000000000000000000000000301.app.coze",
        "code": code,
    }
    token = exchange(
        local.base_url, {**body, "redirect_uri": "https://example.com/callback"}, SECRET
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with SocketClient(local, SPEECH, headers=headers) as session:
        assert session.next()["event_type"] == "speech.created"
    local.clock.advance(901)
    with pytest.raises(InvalidStatus):
        SocketClient(local, SPEECH, headers=headers)


def test_the_handshake_is_a_request_that_was_seen(local: Emulator) -> None:
    with SocketClient(local, CHAT, bot_id=bots.ANSWERING) as session:
        assert session.socket.response is not None
        seen = local.requests[-1]
        assert (seen.operation, seen.path) == (
            "websockets_chat",
            f"/v1/chat?bot_id={bots.ANSWERING}",
        )
        assert session.socket.response.headers["X-Tt-Logid"] == seen.logid
        assert session.next()["detail"]["logid"] == seen.logid


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 4000),
        ({"bot_id": "9999"}, 4006),
        ({"bot_id": bots.UNPUBLISHED}, 4015),
        ({"bot_id": bots.ANSWERING, "device_id": "abc"}, 4000),
    ],
    ids=["no bot", "unknown bot", "unpublished bot", "device"],
)
def test_a_chat_that_cannot_begin_says_why_and_closes(
    local: Emulator, query: dict[str, str], code: int
) -> None:
    with SocketClient(local, CHAT, **query) as session:
        assert session.error()[0] == code
        with pytest.raises(ConnectionClosed):
            session.next()


def test_a_failure_rule_refuses_the_handshake(local: Emulator) -> None:
    local.emulate("status=403", "websockets_speech")
    with pytest.raises(InvalidStatus) as caught:
        SocketClient(local, SPEECH)
    assert caught.value.response.status_code == 403
    with SocketClient(local, SPEECH) as session:
        assert session.next()["event_type"] == "speech.created"


def test_a_failure_rule_cuts_the_connection_after_some_events(local: Emulator) -> None:
    with SocketClient(
        local, SPEECH, headers={"Authorization": f"Bearer {local.token}", "X-Emulate": "cut=3"}
    ) as session:
        session.send("input_text_buffer.append", {"delta": "你好"})
        session.send("input_text_buffer.complete")
        assert len([session.next() for _ in range(3)]) == 3
        with pytest.raises(ConnectionClosed) as caught:
            session.next()
    assert caught.value.rcvd is None, "it breaks off without a closing frame"


def test_a_failure_rule_makes_a_server_that_stays_silent(local: Emulator) -> None:
    local.emulate("keepalive", "websockets_speech")
    with SocketClient(local, SPEECH) as session:
        session.send("input_text_buffer.complete")
        with pytest.raises(TimeoutError):
            session.socket.recv(timeout=0.05)


def test_a_rule_that_makes_no_sense_is_told(local: Emulator) -> None:
    with pytest.raises(InvalidStatus) as caught:
        SocketClient(
            local,
            SPEECH,
            headers={"Authorization": f"Bearer {local.token}", "X-Emulate": "nonsense"},
        )
    assert caught.value.response.status_code == 400


# Frames


def test_the_sockets_of_the_description_are_all_there(local: Emulator) -> None:
    assert (
        sorted(session.socket for session in SESSIONS)
        == sorted(local.local.description.sockets)
        == sorted(TABLES)
    )


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.socket)
def test_every_event_that_a_client_may_send_has_a_handler(local: Emulator, session: Any) -> None:
    class Handshake:
        query_params = QueryParams()
        scope = {"logid": "x"}  # noqa: RUF012

    made = session(local.local, Handshake())
    assert made.handlers.keys() == TABLES[session.socket].SEND.keys()


@EVERY_SOCKET
@pytest.mark.parametrize(
    "frame",
    [
        "no json",
        "[]",
        "1",
        '{"event_type":7}',
        '{"event_type":"unknown"}',
        "{}",
        b"\x00\x01",
        '{"event_type":["speech.update"]}',
    ],
)
def test_a_frame_that_is_no_event_is_answered_by_an_error(
    local: Emulator, path: str, query: dict[str, str], frame: str | bytes
) -> None:
    with talk(local, path, query) as session:
        session.socket.send(frame)
        assert session.error()[0] == 4000
        session.socket.send('{"event_type":"unknown"}')
        assert session.error() == (
            4000,
            "Request parameter error: event_type 'unknown' is unknown on this socket",
        )


@pytest.mark.parametrize(
    ("path", "event_type", "data", "field"),
    [
        (SPEECH, "input_text_buffer.append", None, "event.data is required"),
        (SPEECH, "input_text_buffer.append", {}, "event.data.delta is required"),
        (SPEECH, "input_text_buffer.append", {"delta": 7}, "event.data.delta"),
        (
            SPEECH,
            "speech.update",
            {"output_audio": {"speech_rate": "fast"}},
            "event.data.output_audio.speech_rate",
        ),
        (
            SPEECH,
            "speech.update",
            {"output_audio": {"speech_rate": 101}},
            "data.output_audio.speech_rate",
        ),
        (SPEECH, "speech.update", {"output_audio": {"codec": "mp3"}}, "data.output_audio.codec"),
        (SPEECH, "speech.update", {"output_audio": {"codec": "vorbis"}}, "data.output_audio.codec"),
        (
            SPEECH,
            "speech.update",
            {"output_audio": {"opus_config": {"frame_size_ms": 7}}},
            "frame_size_ms",
        ),
        (
            SPEECH,
            "speech.update",
            {"output_audio": {"pcm_config": {"limit_config": {"period": 1}}}},
            "limit_config",
        ),
        (
            TRANSCRIPTIONS,
            "input_audio_buffer.append",
            {"delta": "!"},
            "event.data.delta is not valid base64",
        ),
        (
            TRANSCRIPTIONS,
            "transcriptions.update",
            {"input_audio": {"codec": "g711a", "format": "pcm", "sample_rate": 8000}},
            "codec",
        ),
        (
            TRANSCRIPTIONS,
            "transcriptions.update",
            {"input_audio": {"sample_rate": 7}},
            "data.input_audio.sample_rate",
        ),
        (
            TRANSCRIPTIONS,
            "transcriptions.update",
            {"asr_config": {"user_language": "xx"}},
            "data.asr_config.user_language",
        ),
        (CHAT, "chat.update", {"input_audio": {"codec": "g711u"}}, "data.input_audio"),
        (CHAT, "chat.update", {"input_audio": {"bit_depth": 7}}, "data.input_audio.bit_depth"),
        (
            CHAT,
            "chat.update",
            {"turn_detection": {"type": "telepathy"}},
            "data.turn_detection.type",
        ),
        (
            CHAT,
            "chat.update",
            {"turn_detection": {"interrupt_config": {"keywords": ["ab"]}}},
            "keywords",
        ),
        (
            CHAT,
            "chat.update",
            {"turn_detection": {"interrupt_config": {"keywords": ["停下来"] * 6}}},
            "keywords",
        ),
        (
            CHAT,
            "chat.update",
            {"output_audio": {"codec": "g711a", "pcm_config": {"sample_rate": 24000}}},
            "pcm_config.sample_rate",
        ),
        (
            CHAT,
            "chat.update",
            {"voice_processing_config": {"enable_ans": True, "enable_pdns": True}},
            "voice_processing_config",
        ),
        (
            INTERPRETATION,
            "simult_interpretation.update",
            {"translate_config": {"to": "fr"}},
            "data.translate_config.to",
        ),
    ],
)
def test_a_wrong_field_is_named_and_changes_nothing(
    local: Emulator, path: str, event_type: str, data: Any, field: str
) -> None:
    with talk(local, path, {"bot_id": bots.ANSWERING} if path == CHAT else {}) as session:
        session.send(event_type, data)
        code, said = session.error()
    assert (code, field in said) == (4000, True), said


@pytest.mark.parametrize(
    ("path", "event_type", "given", "expected"),
    [
        (
            SPEECH,
            "speech.update",
            {"output_audio": {"speech_rate": 50}},
            ("output_audio", "pcm_config", "sample_rate", 24000),
        ),
        (TRANSCRIPTIONS, "transcriptions.update", {}, ("input_audio", "format", "wav")),
        (
            TRANSCRIPTIONS,
            "transcriptions.update",
            {"asr_config": {"enable_ddc": False}},
            ("asr_config", "enable_itn", True),
        ),
        (CHAT, "chat.update", RAW, ("turn_detection", "type", "client_interrupt")),
        (INTERPRETATION, "simult_interpretation.update", RAW, ("output_audio", "codec", "pcm")),
    ],
)
def test_an_update_is_answered_with_the_settings_in_force(
    local: Emulator, path: str, event_type: str, given: Any, expected: Any
) -> None:
    with talk(local, path, {"bot_id": bots.ANSWERING} if path == CHAT else {}) as session:
        session.send(event_type, given)
        answer = session.next()
    assert answer["event_type"] == f"{event_type}d"
    value = answer["data"]
    for name in expected[:-1]:
        value = value[name]
    assert value == expected[-1]
    for part, fields in given.items():
        assert {**answer["data"][part], **fields} == answer["data"][part]


def test_events_have_the_documented_envelope(local: Emulator) -> None:
    with SocketClient(local, SPEECH) as session:
        event = session.next()
    assert event.keys() == {"id", "event_type", "detail"}, "no data, and not a null"
    assert abs(int(event["detail"]["respond_at"]) / 1000 - time.time()) < 5


def test_frames_are_remembered_in_both_directions(local: Emulator) -> None:
    with talk(local, SPEECH, {}) as session:
        session.send("speech.update", {})
        session.next()
    seen = [(frame.received, frame.event["event_type"]) for frame in local.frames]
    assert seen == [(False, "speech.created"), (True, "speech.update"), (False, "speech.updated")]


@pytest.mark.parametrize("module", TABLES.values(), ids=TABLES)
def test_the_schemas_of_a_socket_are_those_of_the_generated_table(
    local: Emulator, module: Any
) -> None:
    table = local.local.description.sockets[module.SOCKET.id]
    assert (table["path"], table["send"].keys()) == (module.SOCKET.path, module.SEND.keys())


# Speech


def test_speech_comes_in_the_order_of_the_recordings(local: Emulator) -> None:
    with SocketClient(local, SPEECH) as session:
        session.send(
            "speech.update", {"output_audio": {"codec": "pcm", "pcm_config": {"sample_rate": RATE}}}
        )
        session.send("input_text_buffer.append", {"delta": "今天"})
        session.send("input_text_buffer.append", {"delta": "天气不错"})
        session.send("input_text_buffer.complete")
        events = session.until("speech.audio.completed")
    assert event_types(events) == [
        "speech.created",
        "speech.updated",
        "input_text_buffer.completed",
        "conversation.audio.sentence_start",
        "speech.audio.update",
        "speech.audio.completed",
    ]
    assert events[3]["data"] == {"text": "今天天气不错"}
    assert joined(events, "speech.audio.update") == synthesis.tone("今天天气不错", RATE)


def spoken(local: Emulator, **output: Any) -> list[dict[str, Any]]:
    with SocketClient(local, SPEECH) as session:
        session.send("speech.update", {"output_audio": output})
        session.send("input_text_buffer.append", {"delta": "你好，世界"})
        session.send("input_text_buffer.complete")
        return session.until("speech.audio.completed")


def test_a_piece_need_not_hold_whole_samples(local: Emulator) -> None:
    sizes = {len(joined([event], "speech.audio.update")) for event in spoken(local)}
    assert any(size % 2 for size in sizes)


def test_frames_have_the_asked_length(local: Emulator) -> None:
    events = spoken(local, pcm_config={"sample_rate": RATE, "frame_size_ms": 50})
    sizes = [
        len(joined([event], "speech.audio.update"))
        for event in events
        if event["event_type"] == "speech.audio.update"
    ]
    assert set(sizes[:-1]) == {RATE * 2 * 50 // 1000}


@pytest.mark.parametrize(("rate", "factor"), [(100, 0.5), (-50, 2.0)])
def test_the_speech_rate_changes_the_length(local: Emulator, rate: int, factor: float) -> None:
    plain, changed = (
        len(joined(spoken(local, speech_rate=value), "speech.audio.update")) for value in (0, rate)
    )
    assert changed == pytest.approx(plain * factor, rel=0.02)


def test_opus_comes_packet_by_packet(local: Emulator) -> None:
    events = spoken(local, codec="opus", opus_config={"frame_size_ms": 20, "bitrate": 32000})
    packets = [
        joined([event], "speech.audio.update")
        for event in events
        if event["event_type"] == "speech.audio.update"
    ]
    assert {len(packet) for packet in packets} == {80}
    assert len(packets) == 5 * 40 // 20 + 1


def test_more_than_1024_bytes_are_refused_with_a_code_of_their_own(local: Emulator) -> None:
    with talk(local, SPEECH, {}) as session:
        session.send("input_text_buffer.append", {"delta": "你" * 341})
        session.send("input_text_buffer.append", {"delta": "ab"})
        assert session.error()[0] == 3010
        session.send("input_text_buffer.append", {"delta": "a"})
        session.send("input_text_buffer.complete")
        assert (
            event_types(session.until("speech.audio.completed"))[0] == "input_text_buffer.completed"
        )


def test_there_is_no_speech_without_text(local: Emulator) -> None:
    with talk(local, SPEECH, {}) as session:
        session.send("input_text_buffer.complete")
        assert session.error()[0] == 4000


def test_a_client_that_leaves_in_the_middle_does_no_harm(local: Emulator) -> None:
    with talk(local, SPEECH, {}) as session:
        session.send("input_text_buffer.append", {"delta": "x" * 1000})
        session.send("input_text_buffer.complete")
        session.next()
    with talk(local, SPEECH, {}) as again:
        again.send("speech.update", {})
        assert again.next()["event_type"] == "speech.updated"


@pytest.mark.parametrize(("codec", "decode"), [("g711a", alaw_to_pcm), ("g711u", ulaw_to_pcm)])
def test_g711_decodes_to_the_tone(codec: str, decode: Any) -> None:
    plain, coded = synthesis.tone("声音", 8000), decode(synthesis.tone("声音", 8000, codec=codec))
    assert len(plain) == len(coded)
    pairs = zip(memoryview(plain).cast("h"), memoryview(coded).cast("h"), strict=True)
    assert max(abs(one - other) for one, other in pairs) <= 260


# Transcription


def wav(milliseconds: int = 400) -> bytes:
    return synthesis.wav(voice(milliseconds), RATE)


def test_a_transcript_grows_and_ends_whole(local: Emulator) -> None:
    content = wav()
    with talk(local, TRANSCRIPTIONS, {}) as session:
        for start in range(0, len(content), 4096):
            session.sound(content[start : start + 4096])
        session.send("input_audio_buffer.complete")
        events = session.until("transcriptions.message.completed")
    texts = [
        event["data"]["content"]
        for event in events
        if event["event_type"] == "transcriptions.message.update"
    ]
    assert texts[-1] == TRANSCRIPT
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert event_types(events)[-1] == "transcriptions.message.completed"
    assert "data" not in events[-1]


def test_a_test_says_what_is_said(local: Emulator) -> None:
    local.say("第一句", "第二句")
    heard = []
    with talk(local, TRANSCRIPTIONS, {}) as session:
        for _ in range(3):
            session.sound(wav())
            session.send("input_audio_buffer.complete")
            events = session.until("transcriptions.message.completed")
            heard.append(
                [
                    e["data"]["content"]
                    for e in events
                    if e["event_type"] == "transcriptions.message.update"
                ][-1]
            )
    assert heard == ["第一句", "第二句", TRANSCRIPT]


def test_raw_samples_need_an_update_first(local: Emulator) -> None:
    with talk(local, TRANSCRIPTIONS, {}) as session:
        session.sound(voice(100))
        assert "not WAV" in session.error()[1]
        session.send("transcriptions.update", RAW)
        session.sound(voice(100))
        assert event_types(session.until("transcriptions.message.update")) == [
            "transcriptions.updated",
            "transcriptions.message.update",
        ]


def test_what_is_cleared_is_not_transcribed(local: Emulator) -> None:
    with talk(local, TRANSCRIPTIONS, {}) as session:
        session.sound(wav())
        session.send("input_audio_buffer.clear")
        session.send("input_audio_buffer.complete")
        events = session.until("transcriptions.message.completed")
    assert event_types(events) == [
        "transcriptions.message.update",
        "input_audio_buffer.cleared",
        "input_audio_buffer.completed",
        "transcriptions.message.completed",
    ]


# Interpretation


def test_an_interpretation_has_text_translation_and_sound(local: Emulator) -> None:
    with talk(local, INTERPRETATION, {}) as session:
        session.send(
            "simult_interpretation.update", {**RAW, "translate_config": {"from": "zh", "to": "en"}}
        )
        for _ in range(3):
            session.sound(voice(200))
        session.send("input_audio_buffer.complete")
        events = session.until("simult_interpretation.message.completed")

    def text(part: str) -> str:
        return "".join(
            event["data"]["delta"]
            for event in events
            if event["event_type"] == f"simult_interpretation.{part}.delta"
        )

    assert (text("transcription"), text("translation")) == (TRANSCRIPT, TRANSLATIONS[TRANSCRIPT])
    assert len(joined(events, "simult_interpretation.audio.delta")) > 0
    assert "input_audio_buffer.completed" in event_types(events)


# Hearing

TONES = {codec: synthesis.tone("a", 8000, codec=codec) for codec in ("g711a", "g711u")}
_CODED = {"codec": "pcm", "sample_rate": 8000, "channel": 1, "bit_depth": 16}


@pytest.mark.parametrize(
    ("settings", "loud", "quiet"),
    [
        (_CODED, synthesis.tone("a", 8000) * 5, bytes(16000)),
        ({**_CODED, "channel": 2}, synthesis.tone("a", 8000) * 10, bytes(32000)),
        ({**_CODED, "bit_depth": 8}, b"\xf0\x10" * 800, b"\x80" * 8000),
        ({**_CODED, "bit_depth": 24}, b"\x00\x00\x40\x00\x00\xc0" * 400, bytes(24000)),
        (
            {**_CODED, "codec": "g711a"},
            TONES["g711a"] * 5,
            b"\xd5" * 8000,
        ),
        (
            {**_CODED, "codec": "g711u"},
            TONES["g711u"] * 5,
            b"\xff" * 8000,
        ),
    ],
    ids=["pcm", "stereo", "8 bit", "24 bit", "A-law", "mu-law"],
)
def test_speech_is_told_from_silence(settings: dict[str, Any], loud: bytes, quiet: bytes) -> None:
    detector = VoiceDetector(settings, 500)
    assert [
        detector.feed(quiet),
        detector.feed(loud),
        detector.feed(loud),
        detector.feed(quiet),
        detector.feed(quiet),
    ] == [
        [],
        ["started"],
        [],
        ["stopped"],
        [],
    ]


def test_a_short_pause_does_not_end_an_utterance() -> None:
    detector = VoiceDetector({**_CODED, "sample_rate": RATE}, 500)
    pieces = (voice(200), silence(400), voice(200), silence(480), silence(40))
    assert [detector.feed(piece) for piece in pieces] == [["started"], [], [], [], ["stopped"]]


def test_opus_is_judged_by_the_size_of_its_packets() -> None:
    detector = VoiceDetector({"codec": "opus"}, 40)
    assert [detector.feed(packet) for packet in (b"\xf8" * 60, b"\xf8", b"\xf8")] == [
        ["started"],
        [],
        ["stopped"],
    ]


def test_the_head_of_a_wav_file_is_no_speech() -> None:
    assert (
        VoiceDetector({**_CODED, "sample_rate": RATE}, 500).feed(synthesis.wav(silence(400), RATE))
        == []
    )


@pytest.mark.parametrize(("most", "pauses"), [(2, [3, 3]), (5, []), (0, [])])
async def test_sound_comes_no_faster_than_asked(
    monkeypatch: pytest.MonkeyPatch, most: int, pauses: list[int]
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("cozekit_emulator.synthesis.asyncio.sleep", sleep)
    settings = {
        "codec": "pcm",
        "pcm_config": {"frame_size_ms": 20, "limit_config": {"period": 3, "max_frame_num": most}},
    }
    pieces = [bytes([number]) for number in range(5)]
    assert [piece async for piece in paced(pieces, settings)] == pieces
    assert [seconds for seconds in waited if seconds] == pauses
