"""Logs what the client does: one logger, silent by default, without secrets.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
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
