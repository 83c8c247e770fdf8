"""The available voices: system voices and cloned ones.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

from itertools import islice

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        for voice in islice(coze.audio.voices.list(voice_state="all", page_size=100), 20):
            print(
                voice.voice_id,
                voice.name,
                voice.language_code,
                "system" if voice.is_system_voice else "cloned",
            )


if __name__ == "__main__":
    main()
