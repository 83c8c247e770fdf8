"""The raw response: status, headers, and fields that are not in the description yet.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import json

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        raw = coze.with_raw_response(coze.users.me)()
        print(raw.status, raw.headers["content-type"], raw.logid)
        print("typed:", raw.parsed.user_name)
        print("body: ", json.loads(raw.content))


if __name__ == "__main__":
    main()
