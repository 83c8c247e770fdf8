"""Organizations of an enterprise and their members.

Reads COZE_API_TOKEN and COZE_ENTERPRISE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        for organization in coze.enterprises.organizations.list(os.environ["COZE_ENTERPRISE_ID"]):
            print(organization.organization_id, organization.organization_name)
            assert organization.organization_id is not None
            for member in coze.organizations.members.list(organization.organization_id):
                print("   ", member.user_id, member.user_nickname, member.organization_role_type)


if __name__ == "__main__":
    main()
