"""Uses a proxy: from the environment (HTTPS_PROXY, NO_PROXY), or with your own HTTP client.

Reads COZE_API_TOKEN, optionally COZE_PROXY, the URL of a proxy. Set COZE_API_BASE for a site other
than https://api.coze.cn.
"""

from __future__ import annotations

import os

import httpx

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        print("proxy from the environment:", coze.users.me().user_name)
    with (
        httpx.Client(proxy=os.environ.get("COZE_PROXY")) as http_client,
        Coze(http_client=http_client) as coze,
    ):
        print("proxy from the HTTP client:", coze.users.me().user_name)


if __name__ == "__main__":
    main()
