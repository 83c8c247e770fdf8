"""The low-code apps of a workspace.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        for app in coze.apps.list(
            workspace_id=os.environ["COZE_WORKSPACE_ID"], publish_status="all"
        ):
            print(app.id, app.name, "published" if app.is_published else "draft")


if __name__ == "__main__":
    main()
