"""The owner of the token.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        me = coze.users.me()
        print(me.user_id, me.user_name, me.nick_name)


if __name__ == "__main__":
    main()
