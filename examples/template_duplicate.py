"""Copies a store template to a workspace, and a bot to another workspace.

Reads COZE_API_TOKEN, COZE_TEMPLATE_ID, COZE_WORKSPACE_ID, COZE_BOT_ID. Set COZE_API_BASE for a site
other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    workspace_id = os.environ["COZE_WORKSPACE_ID"]
    with Coze() as coze:
        copied = coze.templates.duplicate(
            os.environ["COZE_TEMPLATE_ID"], workspace_id=workspace_id, name="My otters"
        )
        print("copied as", copied.entity_type, copied.entity_id)
        bot_id = os.environ["COZE_BOT_ID"]
        task = coze.entities.copy_tasks.create_and_poll(
            entity_id=bot_id, entity_type="bot", to_workspace_id=workspace_id
        )
        print("copied bot:", task.target_entity_id)


if __name__ == "__main__":
    main()
