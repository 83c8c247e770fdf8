"""A spoken question: uploads the recording and writes the spoken answer to answer.wav.

Reads COZE_API_TOKEN, COZE_BOT_ID, optionally COZE_AUDIO_FILE, the recording. Set COZE_API_BASE for
a site other than https://api.coze.cn.
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
        audio = b""
        with coze.chat.stream(
            bot_id=os.environ["COZE_BOT_ID"], user_id="user-1", additional_messages=[question]
        ) as stream:
            for event in stream:
                if isinstance(event, events.ChatAudioDeltaEvent):
                    audio += base64.b64decode(event.data.content or "")
        print("text:", stream.text)
        if audio:
            Path("answer.wav").write_bytes(pcm_to_wav(audio, AudioFormat(sample_rate=24_000)))
            print(f"wrote answer.wav, {len(audio)} bytes of audio")


if __name__ == "__main__":
    main()
