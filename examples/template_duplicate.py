"""A template of the store copied into a workspace, and the copy copied once more into another one.

Reads COZE_API_TOKEN, COZE_TEMPLATE_ID, COZE_WORKSPACE_ID, COZE_BOT_ID; COZE_API_BASE for another
site than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    workspace_id = os.environ["COZE_WORKSPACE_ID"]
    with Coze() as coze:
        made = coze.templates.duplicate(
            os.environ["COZE_TEMPLATE_ID"], workspace_id=workspace_id, name="My otters"
        )
        print("copied as", made.entity_type, made.entity_id)
        bot_id = os.environ["COZE_BOT_ID"]
        task = coze.entities.copy_tasks.create_and_poll(
            entity_id=bot_id, entity_type="bot", to_workspace_id=workspace_id
        )
        print("copied bot:", task.target_entity_id)


if __name__ == "__main__":
    main()
