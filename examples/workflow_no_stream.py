"""Runs a workflow and waits for its result.

Reads COZE_API_TOKEN and COZE_WORKFLOW_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
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
        print("debug page:", run.debug_url)
        if run.usage:
            print("tokens:", run.usage.token_count)


if __name__ == "__main__":
    main()
