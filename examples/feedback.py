"""Feedback on an answer: a dislike with a reason, which is then withdrawn.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze, messages


def main() -> None:
    question = [messages.user_text("What is the capital of Otterland?")]
    with Coze() as coze:
        result = coze.chat.run(
            bot_id=os.environ["COZE_BOT_ID"], user_id="user-1", additional_messages=question
        )
        answer = next(message for message in result.messages if message.type == "answer")
        assert answer.id is not None
        conversation_id = result.chat.conversation_id
        coze.conversations.messages.feedback.create(
            conversation_id,
            answer.id,
            feedback_type="unlike",
            reason_types=["wrong"],
            comment="There is no such country.",
        )
        coze.conversations.messages.feedback.delete(conversation_id, answer.id)
        print("stored and withdrawn for message", answer.id)


if __name__ == "__main__":
    main()
