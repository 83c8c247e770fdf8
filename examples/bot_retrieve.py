"""The bots of a workspace, and the configuration and versions of one of them.

Reads COZE_API_TOKEN, COZE_WORKSPACE_ID, COZE_BOT_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        bots = coze.bots.list(workspace_id=os.environ["COZE_WORKSPACE_ID"], publish_status="all")
        print("total:", bots.total)
        for summary in bots:
            print(summary.id, summary.name, "published" if summary.is_published else "draft")
        bot = coze.bots.retrieve(os.environ["COZE_BOT_ID"])
        print(bot.name, "-", bot.description)
        for version in coze.bots.versions.list(os.environ["COZE_BOT_ID"]):
            print("version", version.version, version.changelog)


if __name__ == "__main__":
    main()
