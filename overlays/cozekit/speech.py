"""`coze.audio`: the generated operations, with speech as it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_openapi.resources.audio import Audio as GeneratedAudio
from coze_openapi.resources.audio_speech import AudioSpeech as GeneratedSpeech
from coze_openapi.types import DEFAULT

from .raw import unread
from .speech_stream import SpeechStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coze_openapi.models.audio_speech import SpeechFormat, SpeechSampleRate
    from coze_openapi.models.audio_voices import VoiceEmotion
    from coze_openapi.types import TimeoutInput


class Audio(GeneratedAudio):
    """Speech, voices, rooms, voiceprints."""

    __slots__ = ()

    @property
    def speech(self) -> Speech:
        """Text to speech."""
        return Speech(self._client)


class Speech(GeneratedSpeech):
    """Text to speech."""

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
    ) -> SpeechStream:
        """Turns text into speech and hands out the sound as it arrives.

        ```python
        with coze.audio.speech.stream(input="你好", voice_id="…", response_format="pcm") as sound:
            sound.write_to_file("hello.wav")
        ```

        Args:
            input: Text to speak, at most 1,024 bytes in UTF-8.
            voice_id: As in `create`, like all that follow.
            emotion: As in `create`.
            emotion_scale: As in `create`.
            response_format: As in `create`: `mp3` by default, or `wav`, `pcm`, `ogg_opus`.
            sample_rate: As in `create`: in Hz, 24000 by default.
            speed: As in `create`.
            loudness_rate: As in `create`.
            context_texts: As in `create`.
            extra_headers: Option of this call; see `CallOptions`.
            extra_query: As `extra_headers`.
            extra_body: As `extra_headers`.
            timeout: As `extra_headers`.

        Returns:
            The open answer; use it in a `with` block.

        Raises:
            APIError: The service refused the text; known before any sound is handed out.
            ResponseError: The answer is no sound.
            APIConnectionError: No answer came.

        Source: https://www.coze.cn/open/docs/developer_guides/text_to_speech
        """
        source = unread(super().create)(
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
        return SpeechStream(source, response_format, sample_rate)
