"""Speech to text.

Reads COZE_API_TOKEN, optionally COZE_AUDIO_FILE, the recording. Set COZE_API_BASE for a site other
than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze
from cozekit.audio import pcm_to_wav


def main() -> None:
    recording = os.environ.get("COZE_AUDIO_FILE") or ("silence.wav", pcm_to_wav(bytes(48_000)))
    with Coze() as coze:
        print("heard:", coze.audio.transcriptions.create(file=recording).text)


if __name__ == "__main__":
    main()
