"""Audio for the voice sockets: WAV, G.711, and chunks in real time.

Has no dependencies. Samples are 16-bit linear PCM, little-endian, unless stated otherwise.

    with open("speech.wav", "wb") as file:
        file.write(pcm_to_wav(pcm, AudioFormat(sample_rate=24_000)))

    for chunk in paced("question.pcm", AudioFormat(sample_rate=16_000)):
        ...  # 100 ms of audio every 100 ms

Source of the formats that Coze supports: pages asr_event, tts_event, streaming_chat_event.
"""

from __future__ import annotations

from ._formats import (
    G711,
    AudioFormat,
    Codec,
    Wav,
    alaw_to_pcm,
    pcm_to_alaw,
    pcm_to_ulaw,
    pcm_to_wav,
    read_wav,
    ulaw_to_pcm,
    wav_header,
)
from ._pacing import AsyncAudioSource, AudioSource, achunks, apaced, chunks, paced

__all__ = [
    "G711",
    "AsyncAudioSource",
    "AudioFormat",
    "AudioSource",
    "Codec",
    "Wav",
    "achunks",
    "alaw_to_pcm",
    "apaced",
    "chunks",
    "paced",
    "pcm_to_alaw",
    "pcm_to_ulaw",
    "pcm_to_wav",
    "read_wav",
    "ulaw_to_pcm",
    "wav_header",
]
