"""What the client does, in the log: one logger, quiet until it is asked, and no secrets in it.

Reads COZE_API_TOKEN; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

import logging

from cozekit import Coze


def main() -> None:
    logging.basicConfig(format="%(name)s %(levelname)s %(message)s")
    logging.getLogger("cozekit").setLevel(logging.DEBUG)
    with Coze() as coze:
        print("hello,", coze.users.me().user_name)


if __name__ == "__main__":
    main()
