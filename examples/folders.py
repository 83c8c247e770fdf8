"""The folders of a workspace, with their details.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        for folder in coze.folders.list(
            workspace_id=os.environ["COZE_WORKSPACE_ID"], folder_type="development"
        ):
            assert folder.id is not None
            details = coze.folders.retrieve(folder.id)
            print(details.id, details.name, details.children_count, "entries")


if __name__ == "__main__":
    main()
