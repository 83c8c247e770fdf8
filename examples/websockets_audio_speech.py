"""Text to speech over a voice socket: to a WAV file, and piece by piece.

Set COZE_API_TOKEN, and COZE_API_BASE=https://api.coze.com for the international site. Needs the
extra `ws`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from cozekit import Coze


def main() -> None:
    """Writes to the file named on the command line, or to one in a new directory."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "speech.wav"
    with Coze() as coze:
        size = coze.websockets.speech().say_file("今天天气不错，适合出去走走。", target)
        print(f"{target.name}: {size / 48_000:.1f} s of audio")

        for number, piece in enumerate(coze.websockets.speech().say_stream("你好！"), 1):
            print(f"piece {number}: {len(piece)} bytes, ready to play")


if __name__ == "__main__":
    main()
