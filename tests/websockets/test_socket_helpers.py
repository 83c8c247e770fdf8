"""Speech, transcription and dialogue helpers against scripted servers; limits that are checked
before anything is sent.
"""

from __future__ import annotations

import asyncio
import base64
import io
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_sockets import send, until_closed

from coze_openapi import models as m
from coze_openapi.senders import ChatSender, SpeechSender
from cozekit.audio import AudioFormat, pcm_to_wav, read_wav
from cozekit.errors import ArgumentError, ChatFailed, ResponseError, WebSocketError
from cozekit.websockets import Dialogue, SocketOptions, audio_of
from cozekit.websockets._speech import split_text

PCM = bytes(range(256)) * 30


def speaker(peers: Any) -> Any:
    """A server that speaks the text itself."""

    def script(connection: Any) -> None:
        send(connection, "speech.created")
        text = ""
        while (event := peer.take(connection))["event_type"] != "input_text_buffer.complete":
            text += event["data"].get("delta", "")
        send(connection, "input_text_buffer.completed")
        data = text.encode()
        for place in range(0, len(data), 7):
            send(
                connection,
                "speech.audio.update",
                {"delta": base64.b64encode(data[place : place + 7]).decode()},
            )
        send(connection, "speech.audio.completed")
        until_closed(connection)

    peer = peers(script)
    return peer


async def test_a_long_text_is_spoken_in_requests_of_at_most_1024_bytes_on_connections_of_their_own(
    sync_or_async: Any, peers: Any
) -> None:
    peer = speaker(peers)
    text = "".join(f"第{number}句话说完了。" for number in range(150))
    async with sync_or_async.resource(peer.base_url) as resource:
        assert (await sync_or_async.call(resource.speech().say, text)).decode() == text
    deltas = [
        event["data"]["delta"]
        for event in peer.received
        if event["event_type"] == "input_text_buffer.append"
    ]
    assert len(peer.connections) == len(deltas) > 1
    assert max(len(delta.encode()) for delta in deltas) <= 1024
    assert all(delta.endswith("。") for delta in deltas)


async def test_the_settings_go_before_the_text(sync_or_async: Any, peers: Any) -> None:
    peer = speaker(peers)
    async with sync_or_async.resource(peer.base_url) as resource:
        await sync_or_async.call(
            resource.speech().say, "x", output_audio=m.OutputAudio(speech_rate=5)
        )
    assert [event["event_type"] for event in peer.received] == [
        "speech.update",
        "input_text_buffer.append",
        "input_text_buffer.complete",
    ]


async def test_speech_comes_in_pieces_too(sync_or_async: Any, peers: Any) -> None:
    async with sync_or_async.resource(speaker(peers).base_url) as resource:
        pieces = await sync_or_async.collect(resource.speech().say_stream("hello world"))
    assert (len(pieces), b"".join(pieces)) == (2, b"hello world")


async def test_speech_is_written_as_a_wav_file_that_says_its_length(
    sync_or_async: Any, peers: Any, tmp_path: Path
) -> None:
    target, buffer = tmp_path / "out.wav", io.BytesIO()
    audio = m.OutputAudio(pcm_config=m.PcmConfig(sample_rate=m.SpeechSampleRate(16000)))
    async with sync_or_async.resource(speaker(peers).base_url) as resource:
        assert (
            await sync_or_async.call(
                resource.speech().say_file, "12345678", target, output_audio=audio
            )
            == 8
        )
        assert await sync_or_async.call(resource.speech().say_file, "12345678", buffer) == 8
    wav = read_wav(target)
    assert (wav.data, wav.format.sample_rate, target.stat().st_size) == (b"12345678", 16000, 52)
    assert buffer.getvalue() == b"12345678"


async def test_speech_that_breaks_off_is_an_error_and_leaves_the_folder_as_it_was(
    sync_or_async: Any, peers: Any, tmp_path: Path
) -> None:
    def script(connection: Any) -> None:
        send(connection, "speech.audio.update", {"delta": "AAAA"})
        connection.close(1000)

    (tmp_path / "old.wav").write_bytes(b"another speech")
    async with sync_or_async.resource(peers(script).base_url) as resource:
        for name in ("new.wav", "old.wav", "old.wav"):
            with pytest.raises(WebSocketError):
                await sync_or_async.call(resource.speech().say_file, "x", tmp_path / name)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"another speech"]


async def test_a_file_that_cannot_be_written_is_an_error_of_this_package(
    sync_or_async: Any, peers: Any, tmp_path: Path
) -> None:
    async with sync_or_async.resource(speaker(peers).base_url) as resource:
        with pytest.raises(ArgumentError, match="cannot write"):
            await sync_or_async.call(resource.speech().say_file, "x", tmp_path / "no" / "out.wav")


@pytest.mark.parametrize("text", ["", " \n"])
async def test_nothing_to_speak_is_refused_before_a_connection_is_made(
    sync_or_async: Any, text: str
) -> None:
    async with sync_or_async.resource("http://127.0.0.1:1") as resource:
        with pytest.raises(ArgumentError):
            await sync_or_async.call(resource.speech().say, text)


def listener(peers: Any) -> Any:
    """A server that understands the number of bytes that it got."""

    def script(connection: Any) -> None:
        send(connection, "transcriptions.created")
        size = 0
        while (event := peer.take(connection))["event_type"] != "input_audio_buffer.complete":
            if event["event_type"] == "input_audio_buffer.append":
                size += len(base64.b64decode(event["data"]["delta"]))
                send(connection, "transcriptions.message.update", {"content": f"{size} bytes"})
        send(connection, "input_audio_buffer.completed")
        send(connection, "transcriptions.message.completed")
        until_closed(connection)

    peer = peers(script)
    return peer


async def test_a_file_is_transcribed_with_progress(
    sync_or_async: Any, peers: Any, tmp_path: Path
) -> None:
    peer, heard = listener(peers), []
    file = tmp_path / "voice.wav"
    file.write_bytes(pcm_to_wav(PCM * 2))
    async with sync_or_async.resource(peer.base_url) as resource:
        text = await sync_or_async.call(
            resource.transcriptions().transcribe, file, on_progress=heard.append
        )
    assert text == heard[-1] == f"{len(PCM) * 2 + 44} bytes"
    assert len(heard) == 4
    assert "transcriptions.update" not in [event["event_type"] for event in peer.received]


@pytest.mark.parametrize(
    "source",
    [b"OggS" + bytes(100), [b"OggS", bytes(100)], io.BytesIO(b"OggS" + bytes(100))],
    ids=["bytes", "pieces", "file"],
)
async def test_ogg_is_recognised_whatever_it_comes_from(
    sync_or_async: Any, peers: Any, source: Any
) -> None:
    if hasattr(source, "seek"):
        source.seek(0)
    peer = listener(peers)
    async with sync_or_async.resource(peer.base_url) as resource:
        assert await sync_or_async.call(resource.transcriptions().transcribe, source) == "104 bytes"
    assert peer.received[0]["data"]["input_audio"] == {"format": "ogg", "codec": "opus"}


async def test_raw_samples_need_their_format(sync_or_async: Any, peers: Any) -> None:
    peer = listener(peers)
    async with sync_or_async.resource(peer.base_url) as resource:
        with pytest.raises(ArgumentError, match="input_audio"):
            await sync_or_async.call(resource.transcriptions().transcribe, PCM)
        audio = m.InputAudio(
            format=m.InputAudioFormat.PCM, sample_rate=m.InputAudioSampleRate(16000)
        )
        assert (
            await sync_or_async.call(resource.transcriptions().transcribe, PCM, input_audio=audio)
            == f"{len(PCM)} bytes"
        )


async def test_a_wav_file_of_a_rate_that_coze_does_not_read_is_refused(sync_or_async: Any) -> None:
    async with sync_or_async.resource("http://127.0.0.1:1") as resource:
        with pytest.raises(ArgumentError, match="11025"):
            await sync_or_async.call(
                resource.transcriptions().transcribe, pcm_to_wav(PCM, AudioFormat(11025))
            )


async def test_an_error_while_transcribing_is_raised(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        send(connection, "error", {"code": 4000, "msg": "bad sound"})
        until_closed(connection)

    peer = peers(script)
    async with sync_or_async.resource(peer.base_url) as resource:
        with pytest.raises(WebSocketError, match="bad sound"):
            await sync_or_async.call(resource.transcriptions().transcribe, pcm_to_wav(PCM))


def audio_delta(connection: Any, data: bytes) -> None:
    send(
        connection,
        "conversation.audio.delta",
        {"content": base64.b64encode(data).decode(), "content_type": "audio"},
    )


def reply(connection: Any, sound: bytes) -> None:
    send(connection, "conversation.audio_transcript.completed", {"content": "hi"})
    send(
        connection,
        "conversation.message.completed",
        {"role": "user", "type": "question", "content": "hi"},
    )
    send(connection, "conversation.chat.created", {"id": "1"})
    send(connection, "conversation.audio.sentence_start", {"text": "hello"})
    audio_delta(connection, sound)
    send(
        connection,
        "conversation.message.completed",
        {"role": "assistant", "type": "answer", "content": "hello"},
    )
    send(
        connection,
        "conversation.message.completed",
        {"role": "assistant", "type": "verbose", "content": "{}"},
    )


async def converse(
    sync_or_async: Any, ws: Any, source: Any, **settings: Any
) -> list[tuple[str, Any]]:
    steps = await sync_or_async.collect(ws.socket.converse(source, speed=None, **settings))
    return [(step.kind, step.text or step.audio) for step in steps]


async def test_a_dialogue_sends_the_voice_and_yields_what_to_play(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        while peer.take(connection)["event_type"] != "input_audio_buffer.complete":
            pass
        reply(connection, b"sound")
        send(connection, "conversation.audio.completed", {"content": ""})
        send(connection, "conversation.chat.completed", {"id": "1"})
        until_closed(connection)

    peer = peers(script)
    async with sync_or_async.open(peer.base_url, "chat", "7") as ws:
        steps = await converse(sync_or_async, ws, PCM)
    assert steps == [
        ("heard", "hi"),
        ("saying", "hello"),
        ("audio", b"sound"),
        ("completed", "hello"),
    ]
    appended = b"".join(base64.b64decode(event["data"]["delta"]) for event in peer.received[:-1])
    assert appended == PCM


async def test_a_voice_interrupts_and_no_more_sound_of_that_answer_comes(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        while peer.take(connection)["event_type"] != "input_audio_buffer.complete":
            pass
        reply(connection, b"first")
        send(connection, "input_audio_buffer.speech_started")
        audio_delta(connection, b"late")
        send(connection, "conversation.chat.canceled", {"code": 1})
        audio_delta(connection, b"later")
        reply(connection, b"second")
        send(connection, "conversation.chat.completed", {"id": "2"})
        until_closed(connection)

    peer = peers(script)
    async with sync_or_async.open(peer.base_url, "chat", "7") as ws:
        steps = await converse(sync_or_async, ws, PCM)
    assert [step for step in steps if step[0] in ("audio", "interrupted")] == [
        ("audio", b"first"),
        ("interrupted", b""),
        ("audio", b"second"),
    ]


async def test_a_dialogue_whose_answer_fails_is_an_error(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        send(connection, "conversation.chat.created", {"id": "1"})
        send(connection, "conversation.chat.failed", {"id": "1", "code": 4024, "msg": "quota"})
        until_closed(connection)

    peer = peers(script)
    async with sync_or_async.open(peer.base_url, "chat", "7") as ws:
        with pytest.raises(ChatFailed, match="quota") as caught:
            await converse(sync_or_async, ws, PCM)
    assert caught.value.code == 4024


@pytest.mark.parametrize(
    ("event", "is_over"),
    [
        (m.ChatConversationAudioCompletedEvent, False),
        (m.ChatConversationChatCompletedEvent, True),
        (m.ChatConversationChatCanceledEvent, True),
        (m.ChatConversationChatFailedEvent, True),
    ],
)
def test_an_answer_is_over_with_the_last_event_of_its_chat(event: Any, is_over: bool) -> None:
    dialogue, last = Dialogue(), event.from_dict({})
    dialogue.feed(m.ChatConversationChatCreatedEvent.from_dict({}))
    with pytest.raises(ChatFailed) if "Failed" in event.__name__ else nullcontext():
        dialogue.feed(last)
    assert dialogue.is_over(last) is is_over


async def test_a_dialogue_without_an_answer_ends_after_its_patience(
    sync_or_async: Any, peers: Any
) -> None:
    async with sync_or_async.open(peers(until_closed).base_url, "chat", "7") as ws:
        assert await converse(sync_or_async, ws, PCM, patience=0.05) == []


async def test_a_microphone_that_fails_ends_the_dialogue_with_its_error(
    sync_or_async: Any, peers: Any
) -> None:
    def microphone() -> Any:
        yield b"x"
        raise LookupError("unplugged")

    async with sync_or_async.open(peers(until_closed).base_url, "chat", "7") as ws:
        with pytest.raises(LookupError, match="unplugged"):
            await converse(sync_or_async, ws, microphone())


async def test_a_dialogue_that_is_left_stops_the_microphone(sync_or_async: Any, peers: Any) -> None:
    stopped = threading.Event()

    def microphone() -> Any:
        try:
            while True:
                yield bytes(9600)
        finally:
            stopped.set()

    def script(connection: Any) -> None:
        peer.take(connection)
        send(connection, "conversation.audio_transcript.update", {"content": "hi"})
        until_closed(connection)

    peer = peers(script)
    async with sync_or_async.resource(peer.base_url) as resource:
        ws = sync_or_async.wrap(resource.chat("7", options=SocketOptions(max_queue=4)))
        async with ws:
            steps = ws.socket.converse(
                microphone(), speed=None if not sync_or_async.is_async else 50.0
            )
            if sync_or_async.is_async:
                assert (await anext(steps)).kind == "hearing"
                await steps.aclose()
            else:
                assert (await asyncio.to_thread(next, steps)).kind == "hearing"
                steps.close()
    del steps
    assert await asyncio.to_thread(stopped.wait, 5)


def output(**fields: Any) -> m.OutputAudio:
    return m.OutputAudio(**fields)


@pytest.mark.parametrize(
    "audio",
    [
        output(codec=m.OutputAudioCodec("mp3")),
        output(speech_rate=101),
        output(loudness_rate=-51),
        output(pcm_config=m.PcmConfig(sample_rate=m.SpeechSampleRate(11025))),
        output(pcm_config=m.PcmConfig(frame_size_ms=1001)),
        output(pcm_config=m.PcmConfig(limit_config=m.FrameLimit(period=1, max_frame_num=2))),
        output(opus_config=m.OpusConfig(frame_size_ms=7)),
        output(opus_config=m.OpusConfig(sample_rate=m.OpusSampleRate(44100))),
        output(emotion_config=m.EmotionConfig(emotion_scale=6)),
        output(emotion_config=m.EmotionConfig(emotion_scale=float("nan"))),
    ],
)
async def test_speech_beyond_the_limits_is_refused_before_anything_is_sent(
    sync_or_async: Any, audio: m.OutputAudio
) -> None:
    async with sync_or_async.resource("http://127.0.0.1:1") as resource:
        with pytest.raises(ArgumentError):
            await sync_or_async.call(resource.speech().say, "x", output_audio=audio)


@pytest.mark.parametrize(
    "audio",
    [
        m.InputAudio(format=m.InputAudioFormat("mp3")),
        m.InputAudio(
            codec=m.InputAudioCodec("g711a"),
            format=m.InputAudioFormat("pcm"),
            sample_rate=m.InputAudioSampleRate(16000),
        ),
        m.InputAudio(codec=m.InputAudioCodec("g711u")),
        m.InputAudio(sample_rate=m.InputAudioSampleRate(11025)),
        m.InputAudio(channel=3),
        m.InputAudio(bit_depth=32),
    ],
)
def test_input_beyond_the_limits_is_refused(audio: m.InputAudio) -> None:
    with pytest.raises(ArgumentError) as caught:
        ChatSender[None]().chat_update(input_audio=audio)
    assert caught.value.argument == "input_audio"


@pytest.mark.parametrize("words", [["a" * 6] * 6, ["一"], ["九" * 9]])
def test_keywords_beyond_the_limits_are_refused(words: list[str]) -> None:
    detection = m.ChatTurnDetection(interrupt_config=m.VoiceInterruptConfig(keywords=words))
    with pytest.raises(ArgumentError, match="keywords"):
        ChatSender[None]().chat_update(turn_detection=detection)


@pytest.mark.parametrize("text", ["", "x" * 1025, "文" * 342])
def test_texts_beyond_the_limit_of_a_request_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"text must have 1 to 1,024 bytes of UTF-8"):
        SpeechSender[None]().input_text_buffer_append(text)


@pytest.mark.parametrize("text", ["", "x" * 1024, "文" * 342])
def test_texts_beyond_the_limit_of_a_spoken_text_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"text must have 1 to 1,023 bytes of UTF-8"):
        ChatSender[None]().input_text_generate_audio(text)


@given(st.text(min_size=1).filter(str.strip), st.integers(4, 60))
def test_the_pieces_of_a_split_text_fit_and_lose_only_white_space(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert all(0 < len(piece.encode()) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_sound_that_is_not_base64_is_an_error() -> None:
    event = m.SpeechAudioUpdateEvent(
        event_type="speech.audio.update", data=m.AudioDelta(delta="%%%")
    )
    with pytest.raises(ResponseError, match=r"speech\.audio\.update"):
        audio_of(event)
