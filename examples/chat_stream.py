"""Prints an answer while the bot writes it: piece by piece, then event by event.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import os

from cozekit import Coze, events, messages


def main() -> None:
    bot_id = os.environ["COZE_BOT_ID"]
    question = [messages.user_text("Why is the sky blue?")]
    with Coze() as coze:
        with coze.chat.stream(
            bot_id=bot_id, user_id="user-1", additional_messages=question
        ) as stream:
            for piece in stream.text_stream():
                print(piece, end="", flush=True)
        print(f"\n(log id {stream.logid})\n")

        question = [messages.user_text("And at dusk?")]
        with coze.chat.stream(
            bot_id=bot_id, user_id="user-1", additional_messages=question, deadline=300
        ) as stream:
            for event in stream:
                match event:
                    case events.ChatMessageDeltaEvent(data=message):
                        print(message.content, end="", flush=True)
                    case events.ChatCompletedEvent(data=chat) if chat.usage:
                        print("\ntokens:", chat.usage.token_count)


if __name__ == "__main__":
    main()
