"""A workflow run whose result is awaited.

Reads COZE_API_TOKEN and COZE_WORKFLOW_ID; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

import json
import os

from cozekit import Coze


def main() -> None:
    with Coze() as coze:
        run = coze.workflows.runs.create(
            workflow_id=os.environ["COZE_WORKFLOW_ID"], parameters={"city": "Hangzhou"}
        )
        print("output:", json.loads(run.data or "{}"))
        print("look at it:", run.debug_url)
        if run.usage:
            print("tokens:", run.usage.token_count)


if __name__ == "__main__":
    main()
