"""Speech to text over a voice socket, with progress; a WAV file on the command line, or a tone that
is made here.

Set COZE_API_TOKEN, and COZE_API_BASE=https://api.coze.com for the international site. Needs the
extra `ws`.
"""

from __future__ import annotations

import math
import struct
import sys
from pathlib import Path

from cozekit import Coze
from cozekit.audio import pcm_to_wav


def tone(seconds: float = 1.0) -> bytes:
    """A WAV file to try things out with."""
    samples = (
        int(8000 * math.sin(2 * math.pi * 220 * step / 24_000))
        for step in range(int(24_000 * seconds))
    )
    return pcm_to_wav(b"".join(struct.pack("<h", sample) for sample in samples))


def main() -> None:
    """Prints what is understood, as it grows."""
    sound = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else tone()
    with Coze() as coze:
        text = coze.websockets.transcriptions().transcribe(
            sound, on_progress=lambda heard: print(f"so far: {heard}")
        )
    print(f"text: {text}")


if __name__ == "__main__":
    main()
