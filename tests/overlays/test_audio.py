"""WAV, G.711, and pieces in real time."""

from __future__ import annotations

import hashlib
import io
import struct
import wave
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cozekit import audio
from cozekit.audio import (
    G711,
    AudioFormat,
    Wav,
    achunks,
    apaced,
    chunks,
    paced,
    pcm_to_wav,
    read_wav,
    wav_header,
)
from cozekit.errors import ArgumentError

ALL_SAMPLES = struct.pack("<65536h", *range(-32768, 32768))
ALL_CODES = bytes(range(256))


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


# --- G.711


@pytest.mark.parametrize(
    ("encode", "decode", "codes", "samples"),
    [
        (
            audio.pcm_to_alaw,
            audio.alaw_to_pcm,
            "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b",
            "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174",
        ),
        (
            audio.pcm_to_ulaw,
            audio.ulaw_to_pcm,
            "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a",
            "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827",
        ),
    ],
    ids=["A-law", "µ-law"],
)
def test_every_sample_and_every_code_is_coded_as_audioop_of_python_3_11_does(
    encode, decode, codes, samples
):
    assert hashlib.sha256(encode(ALL_SAMPLES)).hexdigest() == codes
    assert hashlib.sha256(decode(ALL_CODES)).hexdigest() == samples


@pytest.mark.parametrize(
    ("decode", "code", "sample"),
    [
        (audio.ulaw_to_pcm, 0xFF, 0),
        (audio.ulaw_to_pcm, 0x80, 32124),
        (audio.ulaw_to_pcm, 0x00, -32124),
        (audio.alaw_to_pcm, 0xD5, 8),
        (audio.alaw_to_pcm, 0x55, -8),
        (audio.alaw_to_pcm, 0xAA, 32256),
        (audio.alaw_to_pcm, 0x2A, -32256),
    ],
)
def test_the_ends_and_the_middle_of_the_scale_are_those_of_the_standard(decode, code, sample):
    assert decode(bytes([code])) == struct.pack("<h", sample)


def test_a_law_code_survives_the_way_to_pcm_and_back():
    assert audio.pcm_to_alaw(audio.alaw_to_pcm(ALL_CODES)) == ALL_CODES


def test_u_law_code_survives_the_way_to_pcm_and_back_but_for_negative_zero():
    assert audio.pcm_to_ulaw(audio.ulaw_to_pcm(ALL_CODES)) == ALL_CODES.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize("encode", [audio.pcm_to_alaw, audio.pcm_to_ulaw])
def test_half_a_sample_is_refused(encode):
    with pytest.raises(ArgumentError, match="whole 16-bit samples"):
        encode(b"\0\0\0")


def test_nothing_is_coded_as_nothing():
    assert (
        audio.pcm_to_alaw(b"")
        == audio.alaw_to_pcm(b"")
        == audio.pcm_to_ulaw(b"")
        == audio.ulaw_to_pcm(b"")
        == b""
    )


# --- WAV


@pytest.mark.parametrize(
    "format",
    [AudioFormat(), AudioFormat(8000, 2, 16), AudioFormat(16000, 1, 8), AudioFormat(48000, 2, 24)],
)
def test_a_wav_file_is_read_by_python_as_it_was_written(format):
    pcm = bytes(range(24)) * 3
    with wave.open(io.BytesIO(pcm_to_wav(pcm, format))) as found:
        assert (found.getframerate(), found.getnchannels(), found.getsampwidth() * 8) == format
        assert found.readframes(1000) == pcm


def test_a_wav_file_of_python_is_read():
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(44100)
        writer.writeframes(b"abcd" * 44100)
    found = read_wav(file.getvalue())
    assert found == Wav(AudioFormat(44100, 2, 16), "pcm", b"abcd" * 44100)
    assert found.seconds == 1.0


def test_a_wav_file_with_an_odd_number_of_bytes_is_padded():
    content = pcm_to_wav(b"abc", AudioFormat(8000, 1, 8))
    assert len(content) == 48
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8
    assert read_wav(content).data == b"abc"


def test_a_wav_file_is_read_from_a_path_and_from_an_open_file(tmp_path: Path):
    path = tmp_path / "sound.wav"
    path.write_bytes(pcm_to_wav(b"abcd"))
    with path.open("rb") as file:
        assert (
            read_wav(path)
            == read_wav(str(path))
            == read_wav(file)
            == Wav(AudioFormat(), "pcm", b"abcd")
        )


def _wav(*parts: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in parts
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def _fmt(
    tag: int, channels: int = 1, rate: int = 8000, bits: int = 8, more: bytes = b""
) -> tuple[bytes, bytes]:
    return b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate, 1, bits) + more


@pytest.mark.parametrize(("tag", "codec"), [(1, "pcm"), (6, "g711a"), (7, "g711u")])
def test_the_coding_of_a_wav_file_is_told(tag, codec):
    assert read_wav(_wav(_fmt(tag), (b"data", b"abcd"))) == Wav(G711, codec, b"abcd")


def test_the_coding_of_an_extensible_wav_file_stands_in_its_guid():
    more = (
        struct.pack("<HHI", 22, 16, 0)
        + struct.pack("<H", 1)
        + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    )
    found = read_wav(_wav(_fmt(0xFFFE, bits=16, more=more), (b"data", b"abcd")))
    assert found == Wav(AudioFormat(8000, 1, 16), "pcm", b"abcd")


def test_other_chunks_are_skipped():
    assert (
        read_wav(
            _wav(
                (b"LIST", b"odd"),
                _fmt(1),
                (b"fact", b"1234"),
                (b"data", b"abcd"),
                (b"LIST", b"end"),
            )
        ).data
        == b"abcd"
    )


def test_a_wav_stream_of_unknown_length_is_read_to_its_end():
    assert read_wav(wav_header(AudioFormat()) + b"abcdef") == Wav(AudioFormat(), "pcm", b"abcdef")


def test_half_a_frame_at_the_end_of_a_cut_file_is_left_out():
    assert read_wav(pcm_to_wav(b"abcdef")[:-1]).data == b"abcd"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "RIFF"),
        (b"ID3\x03" + b"\0" * 60, "RIFF"),
        (b"RIFF\0\0\0\0AVI LIST", "RIFF"),
        (_wav((b"data", b"abcd")), "does not state its format"),
        (_wav(_fmt(1)), "has no samples"),
        (_wav((b"fmt ", b"\x01\0"), (b"data", b"abcd")), "truncated"),
        (_wav(_fmt(0x55), (b"data", b"abcd")), "codec 85"),
        (_wav(_fmt(0xFFFE), (b"data", b"abcd")), "codec 65534"),
        (_wav(_fmt(1, channels=0), (b"data", b"abcd")), "zero"),
    ],
)
def test_what_is_not_a_wav_file_is_refused_with_the_reason(content, reason):
    with pytest.raises(ArgumentError, match=reason):
        read_wav(content)


def test_half_a_frame_is_not_written():
    with pytest.raises(ArgumentError, match="whole frames"):
        pcm_to_wav(b"abc")


def test_more_than_four_gigabytes_are_not_written():
    with pytest.raises(ArgumentError, match="4 GiB"):
        wav_header(AudioFormat(), 0xFFFFFFFF)


# --- pieces


@pytest.mark.parametrize("layout", [(10,), (1,) * 10, (3, 3, 3, 1), (0, 4, 0, 6), (4, 6), (9, 1)])
def test_pieces_have_one_length_whatever_came(layout):
    data = b"0123456789"
    places = [sum(layout[:index]) for index in range(len(layout) + 1)]
    source = [data[start:end] for start, end in pairwise(places)]
    assert list(chunks(source, 4)) == [b"0123", b"4567", b"89"]


def test_there_is_no_empty_last_piece():
    assert list(chunks(b"01234567", 4)) == [b"0123", b"4567"]
    assert list(chunks(b"", 4)) == []


def test_a_path_and_an_open_file_are_cut_as_well_and_the_file_stays_open(tmp_path: Path):
    path = tmp_path / "sound.pcm"
    path.write_bytes(b"012345")
    with path.open("rb") as file:
        assert (
            list(chunks(path, 4))
            == list(chunks(str(path), 4))
            == list(chunks(file, 4))
            == [b"0123", b"45"]
        )
        assert not file.closed


@pytest.mark.parametrize("size", [0, -1])
def test_pieces_without_length_are_refused(size):
    with pytest.raises(ArgumentError, match="size"):
        list(chunks(b"abc", size))


def test_text_is_not_sound():
    with pytest.raises(ArgumentError, match="not str"):
        list(chunks(iter(["abc"]), 4))  # type: ignore[list-item]


async def test_an_async_source_is_cut_as_well():
    async def microphone() -> AsyncIterator[bytes]:
        for piece in (b"012", b"345", b"6"):
            yield piece

    assert [piece async for piece in achunks(microphone(), 4)] == [b"0123", b"456"]
    assert [piece async for piece in achunks([b"012", b"345", b"6"], 4)] == [b"0123", b"456"]


# --- real time


def test_the_size_of_a_time_is_whole_frames():
    assert AudioFormat(16000, 2, 16).size_of(100) == 6400
    assert AudioFormat(44100, 1, 24).size_of(0.5) == 22 * 3
    assert AudioFormat().size_of(0.001) == 2
    assert G711.bytes_per_second == 8000


def test_pieces_come_in_real_time_and_the_first_one_at_once():
    clock = Clock()
    times = [
        (round(clock.now - 100, 6), len(piece))
        for piece in paced(b"\0" * 2000, G711, clock=clock, sleep=clock.sleep)
    ]
    assert times == [(0.0, 800), (0.1, 800), (0.2, 400)]


@pytest.mark.parametrize(("speed", "slept"), [(2.0, [0.05, 0.05]), (0.5, [0.2, 0.2]), (None, [])])
def test_the_speed_can_be_chosen(speed, slept):
    clock = Clock()
    assert (
        b"".join(paced(b"\1" * 2000, G711, speed=speed, clock=clock, sleep=clock.sleep))
        == b"\1" * 2000
    )
    assert clock.slept == slept


def test_delays_do_not_add_up_and_a_slow_consumer_catches_up():
    clock = Clock()
    times = []
    for index, _ in enumerate(paced(b"\0" * 4000, G711, clock=clock, sleep=clock.sleep)):
        times.append(round(clock.now - 100, 6))
        clock.now += 0.25 if index == 0 else 0.01
    assert times == [0.0, 0.25, 0.26, 0.3, 0.4]


def test_nothing_is_read_ahead_of_its_time():
    clock = Clock()
    taken = []

    def microphone() -> Iterator[bytes]:
        for index in range(3):
            taken.append(index)
            yield b"\0" * 800

    pieces = paced(microphone(), G711, clock=clock, sleep=clock.sleep)
    next(pieces)
    assert taken == [0]


async def test_coroutines_get_the_same_times():
    clock = Clock()
    times = [
        round(clock.now - 100, 6)
        async for _ in apaced(b"\0" * 2000, G711, clock=clock, sleep=clock.asleep)
    ]
    assert times == [0.0, 0.1, 0.2]


async def test_without_waiting_coroutines_need_no_sleep():
    assert [len(piece) async for piece in apaced(b"\0" * 2000, G711, speed=None)] == [800, 800, 400]


@pytest.mark.parametrize(
    "options", [{"chunk_ms": 0}, {"chunk_ms": float("nan")}, {"speed": 0}, {"speed": -1.0}]
)
def test_times_that_make_no_sense_are_refused(options):
    with pytest.raises(ArgumentError, match=next(iter(options))):
        list(paced(b"abc", **options))
