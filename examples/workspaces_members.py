"""The members of a workspace: invites one, lists all, removes the guest.

Reads COZE_API_TOKEN, COZE_WORKSPACE_ID, COZE_GUEST_ID (the user to invite). Set COZE_API_BASE for a
site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze
from cozekit.models import WorkspaceInvitation


def main() -> None:
    workspace_id, guest_id = os.environ["COZE_WORKSPACE_ID"], os.environ["COZE_GUEST_ID"]
    with Coze() as coze:
        added = coze.workspaces.members.create(
            workspace_id, users=[WorkspaceInvitation(user_id=guest_id, role_type="member")]
        )
        print("added:", added.added_success_user_ids)
        for member in coze.workspaces.members.list(workspace_id):
            print(member.user_id, member.user_nickname, member.role_type)
        removed = coze.workspaces.members.delete(workspace_id, user_ids=[guest_id])
        print("removed:", removed.removed_success_user_ids)


if __name__ == "__main__":
    main()
