"""`coze.audio`: the generated operations, with speech as it arrives; the async form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_openapi.resources_async.audio import AsyncAudio as GeneratedAsyncAudio
from coze_openapi.resources_async.audio_speech import AsyncAudioSpeech as GeneratedAsyncSpeech
from coze_openapi.types import DEFAULT

from .raw import unread_async
from .speech_stream import AsyncSpeechStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coze_openapi.models.audio_speech import SpeechFormat, SpeechSampleRate
    from coze_openapi.models.audio_voices import VoiceEmotion
    from coze_openapi.types import TimeoutInput


class AsyncAudio(GeneratedAsyncAudio):
    """The async form of `Audio`."""

    __slots__ = ()

    @property
    def speech(self) -> AsyncSpeech:
        """Text to speech."""
        return AsyncSpeech(self._client)


class AsyncSpeech(GeneratedAsyncSpeech):
    """The async form of `Speech`."""

    __slots__ = ()

    def stream(
        self,
        *,
        input: str,
        voice_id: str,
        emotion: VoiceEmotion | str | None = None,
        emotion_scale: float | None = None,
        response_format: SpeechFormat | str | None = None,
        sample_rate: SpeechSampleRate | int | None = None,
        speed: float | None = None,
        loudness_rate: int | None = None,
        context_texts: str | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: TimeoutInput = DEFAULT,
    ) -> AsyncSpeechStream:
        """Turns text into speech and hands out the sound as it arrives; as `Speech.stream`. The request is sent on first use."""
        source = unread_async(super().create)(
            input=input,
            voice_id=voice_id,
            emotion=emotion,
            emotion_scale=emotion_scale,
            response_format=response_format,
            sample_rate=sample_rate,
            speed=speed,
            loudness_rate=loudness_rate,
            context_texts=context_texts,
            extra_headers=extra_headers,
            extra_query=extra_query,
            extra_body=extra_body,
            timeout=timeout,
        )
        return AsyncSpeechStream(source, response_format, sample_rate)
