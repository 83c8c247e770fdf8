"""The events that a program sends, one method each. They are written once: `R` is what `send` of the socket returns, nothing for
a sync socket, something to await for an async one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from coze_openapi import models as m
from coze_openapi.types import Model

from . import checks

R = TypeVar("R")


def _input_audio_append(data: bytes) -> m.SocketInputAudioBufferAppendEvent:
    delta = base64.b64encode(data).decode()
    return m.SocketInputAudioBufferAppendEvent(event_type="input_audio_buffer.append", data=m.AudioDelta(delta=delta))


class Uplink(Generic[R]):
    """Sends events."""

    def send(self, event: Model | Mapping[str, Any]) -> R:
        """Queues an event."""
        raise NotImplementedError


class SpeechUplink(Uplink[R]):
    """Events to the speech socket. Source: page tts_event."""

    def speech_update(self, *, output_audio: m.OutputAudio | None = None) -> R:
        """Sets format, voice and manner of the speech, before the first text. Answered by `speech.updated`.

        Raises:
            ArgumentError: A value is beyond its limits.
        """
        checks.output_audio(output_audio, codecs=checks.SPEECH_CODECS)
        return self.send(m.SpeechUpdateEvent(event_type="speech.update", data=m.SpeechSettings(output_audio=output_audio)))

    def input_text_buffer_append(self, text: str) -> R:
        """Sends the next piece of the text; all pieces of a request hold at most 1,024 bytes of UTF-8.

        Raises:
            ArgumentError: This piece alone is empty or larger.
        """
        checks.spoken_text(text, checks.MAX_SPEECH_BYTES)
        return self.send(m.SpeechInputTextBufferAppendEvent(event_type="input_text_buffer.append", data=m.TextDelta(delta=text)))

    def input_text_buffer_complete(self) -> R:
        """The text has been sent. The sound follows as `speech.audio.update`, its end as `speech.audio.completed`."""
        return self.send(m.SpeechInputTextBufferCompleteEvent(event_type="input_text_buffer.complete"))


class _AudioUplink(Uplink[R]):
    def input_audio_buffer_append(self, data: bytes) -> R:
        """Sends the next piece of sound, in the format of `input_audio`.

        Args:
            data: The bytes; they are written as Base64 here.
        """
        return self.send(_input_audio_append(data))

    def input_audio_buffer_complete(self) -> R:
        """The sound has been sent. Answered by `input_audio_buffer.completed`."""
        return self.send(m.SocketInputAudioBufferCompleteEvent(event_type="input_audio_buffer.complete"))


class _ClearingUplink(_AudioUplink[R]):
    def input_audio_buffer_clear(self) -> R:
        """Forgets the sound sent so far. Answered by `input_audio_buffer.cleared`."""
        return self.send(m.SocketInputAudioBufferClearEvent(event_type="input_audio_buffer.clear"))


class TranscriptionsUplink(_ClearingUplink[R]):
    """Events to the transcription socket. Source: page asr_event."""

    def transcriptions_update(self, *, input_audio: m.InputAudio | None = None, asr_config: m.TranscriptionAsrConfig | None = None) -> R:
        """Sets the format of the sound (WAV by default) and the recognition. Answered by `transcriptions.updated`.

        Raises:
            ArgumentError: A value is beyond its limits.
        """
        checks.input_audio(input_audio, codecs=checks.TRANSCRIPTION_CODECS)
        settings = m.TranscriptionSettings(input_audio=input_audio, asr_config=asr_config)
        return self.send(m.TranscriptionsUpdateEvent(event_type="transcriptions.update", data=settings))


class SimultInterpretationUplink(_AudioUplink[R]):
    """Events to the interpretation socket, which no page describes."""

    def simult_interpretation_update(
        self,
        *,
        input_audio: m.InputAudio | None = None,
        output_audio: m.OutputAudio | None = None,
        translate_config: dict[str, Any] | None = None,
    ) -> R:
        """Sets formats and languages: `translate_config={"from": "zh", "to": "en", …}`.

        Raises:
            ArgumentError: A value is beyond its limits.
        """
        checks.input_audio(input_audio, codecs=checks.INPUT_CODECS)
        checks.output_audio(output_audio, codecs=checks.OUTPUT_CODECS)
        settings = m.InterpretationSettings(input_audio=input_audio, output_audio=output_audio, translate_config=translate_config)
        return self.send(m.SimultInterpretationUpdateEvent(event_type="simult_interpretation.update", data=settings))


class ChatUplink(_ClearingUplink[R]):
    """Events to the voice chat socket. Source: page streaming_chat_event."""

    def chat_update(
        self,
        *,
        chat_config: m.VoiceChatConfig | None = None,
        input_audio: m.InputAudio | None = None,
        output_audio: m.OutputAudio | None = None,
        turn_detection: m.ChatTurnDetection | None = None,
        asr_config: m.ChatAsrConfig | None = None,
        voice_processing_config: m.ChatVoiceProcessingConfig | None = None,
        voice_print_config: m.VoiceprintConfig | None = None,
        event_subscriptions: Sequence[str] | None = None,
        need_play_prologue: bool | None = None,
        prologue_content: str | None = None,
    ) -> R:
        """Sets what the dialogue is like. Answered by `chat.updated`, or by `error` when a value is refused.

        Args:
            chat_config: Conversation, user, variables.
            input_audio: Format of the user's voice; WAV by default.
            output_audio: Format and voice of the answers.
            turn_detection: Who decides that the user has finished: the program (`client_interrupt`, the default) or the server.
            asr_config: Recognition.
            voice_processing_config: Noise reduction, for enterprise editions.
            voice_print_config: Recognition of the speaker.
            event_subscriptions: Types of the events to get; all by default.
            need_play_prologue: Whether the bot speaks first; not by default.
            prologue_content: What it says then, instead of its own prologue.

        Raises:
            ArgumentError: A value is beyond its limits.
        """
        checks.input_audio(input_audio, codecs=checks.INPUT_CODECS)
        checks.output_audio(output_audio, codecs=checks.OUTPUT_CODECS)
        checks.turn_detection(turn_detection)
        settings = m.VoiceChatSettings(
            chat_config=chat_config,
            input_audio=input_audio,
            output_audio=output_audio,
            turn_detection=turn_detection,
            asr_config=asr_config,
            voice_processing_config=voice_processing_config,
            voice_print_config=voice_print_config,
            event_subscriptions=list(event_subscriptions) if event_subscriptions is not None else None,
            need_play_prologue=need_play_prologue,
            prologue_content=prologue_content,
        )
        return self.send(m.ChatUpdateEvent(event_type="chat.update", data=settings))

    def conversation_message_create(self, content: str, *, role: str = "user", content_type: str = "text") -> R:
        """Puts a message into the dialogue. One of the user starts an answer, one of the `assistant` is only context.

        Args:
            content: Text, or the JSON text of an `object_string`.
            role: `user` or `assistant`.
            content_type: `text` or `object_string`.
        """
        message = m.VoiceMessage(role=m.MessageRole(role), content_type=m.MessageContentType(content_type), content=content)
        return self.send(m.VoiceConversationMessageCreateEvent(event_type="conversation.message.create", data=message))

    def conversation_clear(self) -> R:
        """Forgets what was said: a new section begins. Answered by `conversation.cleared`."""
        return self.send(m.ChatConversationClearEvent(event_type="conversation.clear"))

    def conversation_chat_submit_tool_outputs(self, chat_id: str, tool_outputs: Sequence[m.ToolOutput]) -> R:
        """Answers `conversation.chat.requires_action`."""
        outputs = m.VoiceToolOutputs(chat_id=chat_id, tool_outputs=list(tool_outputs))
        return self.send(m.VoiceConversationChatSubmitToolOutputsEvent(event_type="conversation.chat.submit_tool_outputs", data=outputs))

    def conversation_chat_cancel(self) -> R:
        """Interrupts the answer. Answered by `conversation.chat.canceled`."""
        return self.send(m.ChatConversationChatCancelEvent(event_type="conversation.chat.cancel"))

    def input_text_generate_audio(self, text: str) -> R:
        """Speaks a text without asking the bot; interrupts what it says. Ends with `conversation.audio.completed`.

        Args:
            text: 1 to 1,023 bytes of UTF-8.

        Raises:
            ArgumentError: It is empty or longer.
        """
        checks.spoken_text(text, checks.MAX_GENERATED_BYTES)
        request = m.GeneratedAudioRequest(mode=m.GeneratedAudioMode.TEXT, text=text)
        return self.send(m.VoiceInputTextGenerateAudioEvent(event_type="input_text.generate_audio", data=request))
