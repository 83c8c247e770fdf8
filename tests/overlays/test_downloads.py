"""Speech: bytes, pieces, files; errors before any sound; nothing half-written."""

from __future__ import annotations

import inspect
import io
import threading
import wave
from pathlib import Path
from typing import Any

import pytest

from cozekit import APIConnectionError, AsyncCoze, Coze, QuotaExceededError, ServerError
from cozekit.errors import ArgumentError, ResponseError
from cozekit.resources import AsyncAudioSpeech, AudioSpeech
from cozekit_emulator import Emulator
from tests.overlays.chunk_server import ChunkServer, Close, Head, Send, Wait, reply
from tests.overlays.either import client, coze, each_kind, local, sent_to, server

__all__ = ["coze", "local", "server"]

SAY: dict[str, Any] = {"input": "你好", "voice_id": "v"}
SOUND = bytes(range(256)) * 400
AUDIO = {"content-type": "audio/mpeg", "x-tt-logid": "LOG7"}


def sound(content: bytes = SOUND, kind: str = "audio/mpeg") -> list[Any]:
    return [Head(200, {"content-type": kind}, "length", len(content)), Send(content)]


def test_speech_comes_as_bytes(coze: Any) -> None:
    assert coze.audio.speech.create(**SAY)[:2] == b"\xff\xfb"


@each_kind
def test_a_stream_hands_out_the_sound_in_pieces(kind: str) -> None:
    with ChunkServer(sound()) as http, client(kind, http.url) as coze:
        assert b"".join(coze.audio.speech.stream(**SAY)) == SOUND


@each_kind
def test_a_stream_can_be_read_at_once(kind: str) -> None:
    with ChunkServer(sound()) as http, client(kind, http.url) as coze:
        assert coze.audio.speech.stream(**SAY).read() == SOUND


def test_pieces_come_before_the_whole_has_arrived() -> None:
    heard = threading.Event()
    script = [Head(200, AUDIO), Send(b"first"), Wait(heard), Send(b"second")]
    with (
        ChunkServer(script) as http,
        Coze("t", base_url=http.url) as coze,
        coze.audio.speech.stream(**SAY) as stream,
    ):
        pieces = iter(stream)
        assert next(pieces) == b"first"
        heard.set()
        assert next(pieces) == b"second"
        assert stream.logid == "LOG7"


async def test_async_pieces_come_before_the_whole_has_arrived() -> None:
    heard = threading.Event()
    script = [Head(200, AUDIO), Send(b"first"), Wait(heard), Send(b"second")]
    with ChunkServer(script) as http:
        async with (
            AsyncCoze("t", base_url=http.url) as coze,
            coze.audio.speech.stream(**SAY) as stream,
        ):
            pieces = aiter(stream)
            assert await anext(pieces) == b"first"
            heard.set()
            assert await anext(pieces) == b"second"
            assert stream.logid == "LOG7"


@each_kind
def test_a_file_is_written(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "hello.mp3"
    path.write_bytes(b"old")
    with ChunkServer(sound()) as http, client(kind, http.url) as coze:
        assert coze.audio.speech.stream(**SAY).write_to_file(path) == path
    assert path.read_bytes() == SOUND
    assert list(tmp_path.iterdir()) == [path]


@each_kind
@pytest.mark.parametrize(("rate", "expected"), [(None, 24_000), (16_000, 16_000)])
def test_raw_samples_become_a_wav_file(
    kind: str, tmp_path: Path, rate: int | None, expected: int
) -> None:
    samples = b"\1\2" * 5001
    path = tmp_path / "hello.WAV"
    with ChunkServer(sound(samples, "audio/pcm")) as http, client(kind, http.url) as coze:
        coze.audio.speech.stream(**SAY, response_format="pcm", sample_rate=rate).write_to_file(
            str(path)
        )
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (expected, 1, 2)
        assert file.readframes(file.getnframes()) == samples


@each_kind
def test_raw_samples_stay_raw_in_a_file_of_another_name(kind: str, tmp_path: Path) -> None:
    with ChunkServer(sound(b"\1\2", "audio/pcm")) as http, client(kind, http.url) as coze:
        path = coze.audio.speech.stream(**SAY, response_format="pcm").write_to_file(
            tmp_path / "hello.pcm"
        )
    assert path.read_bytes() == b"\1\2"


def test_a_wav_answer_is_written_as_it_is(coze: Any, tmp_path: Path) -> None:
    path = coze.audio.speech.stream(**SAY, response_format="wav").write_to_file(
        tmp_path / "hello.wav"
    )
    with wave.open(io.BytesIO(path.read_bytes())) as file:
        assert file.getframerate() == 24_000


ANSWERS: list[tuple[str, list[Any], type[Exception]]] = [
    ("code under HTTP 200", reply({"code": 4011, "msg": "no tokens"}), QuotaExceededError),
    ("envelope with HTTP 500", reply({"code": 5000, "msg": "down"}, 500), ServerError),
    ("sound with HTTP 500", [Head(500, AUDIO, "length", 3), Send(b"abc")], ServerError),
    (
        "page of a gateway",
        [Head(502, {"content-type": "text/html"}, "length", 6), Send(b"<html>")],
        ServerError,
    ),
    ("JSON without a code", reply({"sound": 1}), ResponseError),
]


@each_kind
@pytest.mark.parametrize(("name", "script", "error"), ANSWERS, ids=[row[0] for row in ANSWERS])
@pytest.mark.parametrize("way", ["create", "read", "file"])
def test_an_answer_that_is_no_sound_is_an_error(
    kind: str, name: str, script: list[Any], error: type[Exception], way: str, tmp_path: Path
) -> None:
    path = tmp_path / "hello.mp3"
    with ChunkServer(script) as http, client(kind, http.url) as coze, pytest.raises(error):
        if way == "create":
            coze.audio.speech.create(**SAY)
        elif way == "read":
            coze.audio.speech.stream(**SAY).read()
        else:
            coze.audio.speech.stream(**SAY).write_to_file(path)
    assert list(tmp_path.iterdir()) == []


@each_kind
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_sound_that_is_cut_off_is_an_error_and_leaves_no_file(
    kind: str, framing: str, tmp_path: Path
) -> None:
    path = tmp_path / "hello.mp3"
    path.write_bytes(b"old")
    cut = [Head(200, AUDIO, framing, 1000), Send(b"half"), Close()]
    with ChunkServer(cut) as http, client(kind, http.url) as coze:
        with pytest.raises(APIConnectionError):
            coze.audio.speech.stream(**SAY).read()
        with pytest.raises(APIConnectionError):
            coze.audio.speech.stream(**SAY).write_to_file(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@each_kind
def test_a_file_that_cannot_be_written_is_an_error_of_ours(kind: str, tmp_path: Path) -> None:
    with (
        ChunkServer(sound()) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match="cannot write") as caught,
    ):
        coze.audio.speech.stream(**SAY).write_to_file(tmp_path / "nowhere" / "hello.mp3")
    assert caught.value.argument == "path"


@each_kind
def test_a_directory_in_place_of_the_file_is_an_error_and_nothing_stays_behind(
    kind: str, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    with (
        ChunkServer(sound()) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match="cannot write"),
    ):
        coze.audio.speech.stream(**SAY).write_to_file(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_speech_costs_money_and_is_not_asked_for_twice(coze: Any, local: Emulator) -> None:
    local.emulate("status=503", "audio_speech_create")
    with pytest.raises(ServerError):
        coze.audio.speech.stream(**SAY).read()
    assert sent_to(local, "audio_speech_create") == 1


def test_both_clients_take_the_same_arguments_as_create() -> None:
    plain = list(inspect.signature(AudioSpeech.create).parameters)
    assert list(inspect.signature(AudioSpeech.stream).parameters) == plain
    assert list(inspect.signature(AsyncAudioSpeech.stream).parameters) == plain
