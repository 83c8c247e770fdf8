"""The full output of the nodes of a run, which the run itself may truncate.

Reads COZE_API_TOKEN and COZE_WORKFLOW_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    workflow_id = os.environ["COZE_WORKFLOW_ID"]
    with Coze() as coze:
        history = coze.workflows.runs.create_and_poll(workflow_id=workflow_id)
        assert history.execute_id is not None
        for name, node in (history.node_execute_status or {}).items():
            assert node.node_execute_uuid is not None
            output = coze.workflows.runs.run_histories.execute_nodes.retrieve(
                workflow_id, history.execute_id, node.node_execute_uuid
            )
            print(f"{name}: {output.node_output}")


if __name__ == "__main__":
    main()
