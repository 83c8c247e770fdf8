"""The four sockets end to end against the local Coze, sync and async."""

from __future__ import annotations

import io
import math
import struct
from typing import Any

import pytest

from coze_openapi import models as m
from cozekit.audio import AudioFormat, pcm_to_wav
from cozekit.errors import AuthenticationError, WebSocketError
from cozekit.websockets import SocketOptions, audio_of
from cozekit_emulator import bots
from cozekit_emulator.state.transcripts import TRANSCRIPT, TRANSLATIONS

TONE = struct.pack(
    "<24000h", *(int(8000 * math.sin(2 * math.pi * 220 * step / 24_000)) for step in range(24_000))
)
RAW = m.InputAudio(format=m.InputAudioFormat.PCM, sample_rate=m.InputAudioSampleRate(24_000))


@pytest.fixture
async def resource(sync_or_async: Any, coze_emulator: Any) -> Any:
    async with sync_or_async.resource(coze_emulator.base_url, coze_emulator.token) as resource:
        yield resource


async def test_a_text_is_spoken(sync_or_async: Any, resource: Any) -> None:
    sound = await sync_or_async.call(resource.speech().say, "今天天气不错。" * 3)
    assert len(sound) > 2000
    assert any(sound)


async def test_a_long_text_is_spoken_in_several_requests(
    sync_or_async: Any, resource: Any, coze_emulator: Any
) -> None:
    await sync_or_async.call(resource.speech().say, "一句话。" * 100)
    assert (
        sum(
            frame.event["event_type"] == "input_text_buffer.complete"
            for frame in coze_emulator.local.frames
        )
        == 2
    )


async def test_a_recording_is_transcribed(sync_or_async: Any, resource: Any) -> None:
    heard: list[str] = []
    assert (
        await sync_or_async.call(
            resource.transcriptions().transcribe, pcm_to_wav(TONE), on_progress=heard.append
        )
        == TRANSCRIPT
    )
    assert heard[-1] == TRANSCRIPT
    assert (
        await sync_or_async.call(
            resource.transcriptions().transcribe, io.BytesIO(TONE), input_audio=RAW
        )
        == TRANSCRIPT
    )


async def test_a_question_is_spoken_and_answered(sync_or_async: Any, resource: Any) -> None:
    ws = sync_or_async.wrap(resource.chat(bots.ANSWERING))
    async with ws:
        await ws.chat_update(input_audio=RAW)
        await ws.wait_for("chat.updated")
        steps = await sync_or_async.collect(
            ws.socket.converse(TONE, speed=None, format=AudioFormat())
        )
    kinds = [step.kind for step in steps]
    assert steps[kinds.index("heard")].text == TRANSCRIPT
    assert b"".join(step.audio for step in steps if step.kind == "audio")
    assert kinds[-1] == "completed"
    assert steps[-1].text


async def test_a_typed_message_is_answered(sync_or_async: Any, resource: Any) -> None:
    ws = sync_or_async.wrap(resource.chat(bots.ANSWERING))
    kinds = []
    async with ws:
        await ws.conversation_message_create("你好")
        async for event in ws:
            kinds.append(event.event_type)
            if event.event_type == "conversation.chat.completed":
                break
    assert kinds[0] == "chat.created"
    assert "conversation.audio.delta" in kinds


async def test_an_answer_is_interrupted(sync_or_async: Any, resource: Any) -> None:
    ws = sync_or_async.wrap(resource.chat(bots.ANSWERING))
    async with ws:
        # One frame in five seconds, so that the answer is still under way.
        slow = m.PcmConfig(frame_size_ms=20, limit_config=m.FrameLimit(period=5, max_frame_num=1))
        await ws.chat_update(
            output_audio=m.OutputAudio(codec=m.OutputAudioCodec.PCM, pcm_config=slow)
        )
        await ws.conversation_message_create("你好")
        await ws.wait_for("conversation.audio.delta", timeout=10)
        await ws.conversation_chat_cancel()
        assert (
            await ws.wait_for(m.ChatConversationChatCanceledEvent, timeout=10)
        ).data.code == m.ChatCancelReason.CLIENT


async def test_a_text_is_spoken_by_a_bot_without_a_chat(sync_or_async: Any, resource: Any) -> None:
    ws = sync_or_async.wrap(resource.chat(bots.ANSWERING))
    async with ws:
        await ws.input_text_generate_audio("你好")
        assert audio_of(await ws.wait_for(m.ChatConversationAudioDeltaEvent, timeout=10))
        await ws.wait_for("conversation.audio.completed", timeout=10)


async def test_speech_is_interpreted(sync_or_async: Any, resource: Any) -> None:
    ws = sync_or_async.wrap(resource.simult_interpretation())
    translation = ""
    async with ws:
        await ws.simult_interpretation_update(
            input_audio=RAW, translate_config={"from": "zh", "to": "en"}
        )
        await ws.input_audio_buffer_append(TONE)
        await ws.input_audio_buffer_complete()
        async for event in ws:
            if isinstance(event, m.SimultInterpretationTranslationDeltaEvent) and event.data:
                translation += event.data.delta
            if event.event_type == "simult_interpretation.message.completed":
                break
    assert translation == TRANSLATIONS[TRANSCRIPT]


async def test_an_unknown_bot_is_an_error(sync_or_async: Any, resource: Any) -> None:
    ws = sync_or_async.wrap(resource.chat("404"))
    async with ws:
        with pytest.raises(WebSocketError) as caught:
            await ws.wait_for("chat.created", timeout=10)
    assert caught.value.code == 4006
    assert caught.value.logid


async def test_a_wrong_token_is_refused_at_the_handshake(
    sync_or_async: Any, coze_emulator: Any
) -> None:
    async with sync_or_async.resource(coze_emulator.base_url, "wrong") as resource:
        with pytest.raises(AuthenticationError) as caught:
            await sync_or_async.wrap(resource.speech()).connect()
    assert caught.value.logid


async def test_a_connection_that_is_cut_is_an_error(
    sync_or_async: Any, resource: Any, coze_emulator: Any
) -> None:
    coze_emulator.emulate("cut=2", "websockets_speech")
    with pytest.raises(WebSocketError):
        await sync_or_async.call(
            resource.speech(options=SocketOptions(idle_timeout=10)).say, "你好"
        )
