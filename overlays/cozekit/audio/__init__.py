"""Sound for and from the voice sockets: WAV, G.711, and pieces in real time.

Nothing here needs another package. Samples are linear PCM of 16 bit, little-endian, unless a
function says otherwise.

    with open("speech.wav", "wb") as file:
        file.write(pcm_to_wav(pcm, AudioFormat(sample_rate=24_000)))

    for piece in paced("question.pcm", AudioFormat(sample_rate=16_000)):
        ...  # every 100 ms the sound of 100 ms

Source of the formats that Coze takes and gives: pages asr_event, tts_event, streaming_chat_event.
"""

from __future__ import annotations

from .g711 import alaw_to_pcm as alaw_to_pcm
from .g711 import pcm_to_alaw as pcm_to_alaw
from .g711 import pcm_to_ulaw as pcm_to_ulaw
from .g711 import ulaw_to_pcm as ulaw_to_pcm
from .pacing import AsyncAudioSource as AsyncAudioSource
from .pacing import AudioSource as AudioSource
from .pacing import achunks as achunks
from .pacing import apaced as apaced
from .pacing import chunks as chunks
from .pacing import paced as paced
from .wav import G711 as G711
from .wav import AudioFormat as AudioFormat
from .wav import Wav as Wav
from .wav import pcm_to_wav as pcm_to_wav
from .wav import read_wav as read_wav
from .wav import wav_header as wav_header
