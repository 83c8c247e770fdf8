"""Through a proxy: from the environment (HTTPS_PROXY, NO_PROXY), or with your own HTTP client.

Reads COZE_API_TOKEN, optionally COZE_PROXY, the address of a proxy; COZE_API_BASE for another site
than https://api.coze.cn.
"""

from __future__ import annotations

import os

import httpx

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        print("by the environment:", coze.users.me().user_name)
    with (
        httpx.Client(proxy=os.environ.get("COZE_PROXY")) as http_client,
        Coze(http_client=http_client) as coze,
    ):
        print("by a client of mine:", coze.users.me().user_name)


if __name__ == "__main__":
    main()
