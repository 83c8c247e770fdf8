"""Who the token belongs to.

Reads COZE_API_TOKEN; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        me = coze.users.me()
        print(me.user_id, me.user_name, me.nick_name)


if __name__ == "__main__":
    main()
