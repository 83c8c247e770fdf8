"""Uploads a picture and asks a question about it.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import base64
import os

from cozekit import Coze, messages

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlE"
    "QVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of a single pixel."""


def main() -> None:
    with Coze() as coze:
        picture = coze.files.upload(file=("dot.png", base64.b64decode(PNG)))
        assert picture.id is not None
        question = messages.user_objects(
            [messages.text("What is in this picture?"), messages.image(file_id=picture.id)]
        )
        with coze.chat.stream(
            bot_id=os.environ["COZE_BOT_ID"], user_id="user-1", additional_messages=[question]
        ) as stream:
            for piece in stream.text_stream():
                print(piece, end="", flush=True)
        print()


if __name__ == "__main__":
    main()
