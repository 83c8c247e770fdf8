"""A spoken question: the recording is uploaded, and what the bot says is written to answer.wav.

Reads COZE_API_TOKEN, COZE_BOT_ID, optionally COZE_AUDIO_FILE, the recording; COZE_API_BASE for
another site than https://api.coze.cn.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cozekit import Coze, events, messages
from cozekit.audio import AudioFormat, pcm_to_wav


def main() -> None:
    recording = os.environ.get("COZE_AUDIO_FILE")
    with Coze() as coze:
        file = coze.files.upload(file=recording or ("question.wav", pcm_to_wav(bytes(48_000))))
        assert file.id is not None
        question = messages.user_objects([messages.audio(file_id=file.id)])
        sound = b""
        with coze.chat.stream(
            bot_id=os.environ["COZE_BOT_ID"], user_id="user-1", additional_messages=[question]
        ) as stream:
            for event in stream:
                if isinstance(event, events.ChatAudioDeltaEvent):
                    sound += base64.b64decode(event.data.content or "")
        print("text:", stream.text)
        if sound:
            Path("answer.wav").write_bytes(pcm_to_wav(sound, AudioFormat(sample_rate=24_000)))
            print(f"wrote answer.wav, {len(sound)} bytes of sound")


if __name__ == "__main__":
    main()
