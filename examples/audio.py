"""Text to speech: all the audio at once, or written to a file as it arrives.

Reads COZE_API_TOKEN and COZE_VOICE_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    text, voice_id = "你好，我是一只水獭。", os.environ["COZE_VOICE_ID"]
    with Coze() as coze:
        audio = coze.audio.speech.create(input=text, voice_id=voice_id)
        print(len(audio), "bytes of MP3")
        with coze.audio.speech.stream(
            input=text, voice_id=voice_id, response_format="pcm", sample_rate=24000
        ) as stream:
            print("wrote", stream.write_to_file("otter.wav"), "log id", stream.logid)


if __name__ == "__main__":
    main()
