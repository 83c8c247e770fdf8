"""Creates a bot, changes it, publishes it to the API channel, asks it, and unpublishes it.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze, messages
from cozekit.models import ConnectorId, PromptInfo


def main() -> None:
    with Coze() as coze:
        prompt = PromptInfo(prompt="You know everything about otters.")
        created = coze.bots.create(
            space_id=os.environ["COZE_WORKSPACE_ID"], name="Otter expert", prompt_info=prompt
        )
        assert created.bot_id is not None
        coze.bots.update(bot_id=created.bot_id, description="Ask me about otters.")
        published = coze.bots.publish(bot_id=created.bot_id, connector_ids=[ConnectorId.API.value])
        print("published", published.bot_id, "as version", published.version)
        question = [messages.user_text("How long do otters dive?")]
        print(
            coze.chat.create_and_poll(
                bot_id=created.bot_id, user_id="user-1", additional_messages=question
            ).answer
        )
        coze.bots.unpublish(created.bot_id, connector_id=ConnectorId.API.value)


if __name__ == "__main__":
    main()
