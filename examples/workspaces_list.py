"""The workspaces of the account.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        for workspace in coze.workspaces.list(page_size=50):
            print(workspace.id, workspace.name, workspace.workspace_type, workspace.role_type)


if __name__ == "__main__":
    main()
