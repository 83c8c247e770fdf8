"""A voice chat: asks with a WAV file (named on the command line, or a generated tone), and writes
the spoken answer to another.

Set COZE_API_TOKEN, COZE_BOT_ID, and COZE_API_BASE=https://api.coze.com for the international site.
Needs the extra `ws`.
"""

from __future__ import annotations

import math
import os
import struct
import sys
import tempfile
from pathlib import Path

from cozekit import Coze
from cozekit.audio import pcm_to_wav, read_wav

# Without COZE_BOT_ID: the bot of the local Coze.
BOT_ID = os.environ.get("COZE_BOT_ID", "7400000000000000101")


def tone(seconds: float = 1.0) -> bytes:
    """A WAV file for trying things out."""
    samples = (
        int(8000 * math.sin(2 * math.pi * 220 * step / 24_000))
        for step in range(int(24_000 * seconds))
    )
    return pcm_to_wav(b"".join(struct.pack("<h", sample) for sample in samples))


def main() -> None:
    """A single turn: the question ends where the file ends."""
    question = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else tone()
    answer = bytearray()
    with Coze() as coze, coze.websockets.chat(bot_id=BOT_ID) as socket:
        for step in socket.converse(question, format=read_wav(question).format):
            if step.kind == "heard":
                print(f"you: {step.text}")
            elif step.kind == "audio":
                answer += step.audio
            elif step.kind == "interrupted":
                answer.clear()  # discard what has not been played yet
            elif step.kind == "completed":
                print(f"bot: {step.text}")
    target = Path(tempfile.mkdtemp()) / "answer.wav"
    target.write_bytes(pcm_to_wav(bytes(answer)))
    print(f"{target.name}: {len(answer) / 48_000:.1f} s of audio")


if __name__ == "__main__":
    main()
