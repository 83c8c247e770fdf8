"""Clones a voice from a recording.

Reads COZE_API_TOKEN, optionally COZE_AUDIO_FILE, a WAV recording of 10 to 30 seconds. Set
COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze
from cozekit.audio import pcm_to_wav


def main() -> None:
    recording = os.environ.get("COZE_AUDIO_FILE") or ("me.wav", pcm_to_wav(bytes(480_000)))
    with Coze() as coze:
        voice = coze.audio.voices.clone(
            voice_name="Me",
            file=recording,
            audio_format="wav",
            language="zh",
            text="The transcript of the recording.",
        )
        print("voice", voice.voice_id)


if __name__ == "__main__":
    main()
