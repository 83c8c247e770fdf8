"""Speech to text over a voice socket, with progress: of a WAV file named on the command line, or of
a generated tone.

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
    """A WAV file for trying things out."""
    samples = (
        int(8000 * math.sin(2 * math.pi * 220 * step / 24_000))
        for step in range(int(24_000 * seconds))
    )
    return pcm_to_wav(b"".join(struct.pack("<h", sample) for sample in samples))


def main() -> None:
    """Prints the text as it is recognised."""
    audio = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else tone()
    with Coze() as coze:
        text = coze.websockets.transcriptions().transcribe(
            audio, on_progress=lambda text: print(f"so far: {text}")
        )
    print(f"text: {text}")


if __name__ == "__main__":
    main()
