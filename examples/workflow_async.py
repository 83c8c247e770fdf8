"""A workflow that runs in the background, for up to 24 hours (paid plans).

Reads COZE_API_TOKEN and COZE_WORKFLOW_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import os

from cozekit import Coze, PollTimeout


def main() -> None:
    with Coze() as coze:
        try:
            history = coze.workflows.runs.create_and_poll(
                workflow_id=os.environ["COZE_WORKFLOW_ID"],
                parameters={"city": "Hangzhou"},
                poll_timeout=3600,
            )
        except PollTimeout as error:
            print("still running; wait later with coze.workflows.runs.wait:", error.ids)
            return
        if history.interrupt_data:
            print(
                "it waits for an answer; send it with coze.workflows.runs.resume_and_poll:",
                history.interrupt_data.event_id,
            )
        print(history.execute_status, history.output)


if __name__ == "__main__":
    main()
