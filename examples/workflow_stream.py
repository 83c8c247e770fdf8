"""Streams a workflow run, and answers its questions.

Reads COZE_API_TOKEN and COZE_WORKFLOW_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import os

from cozekit import Coze, Interruption, WorkflowEvent


def answer(interruption: Interruption) -> str:
    """Would ask the user; here the answer is already known."""
    print(f"\n{interruption.question or 'The workflow asks.'} -> Hangzhou, tomorrow")
    return "Hangzhou, tomorrow"


def show(event: WorkflowEvent) -> None:
    """Prints the output of the nodes."""
    if event.message:
        print(event.message.content, end="", flush=True)


def main() -> None:
    workflow_id = os.environ["COZE_WORKFLOW_ID"]
    with Coze() as coze:
        result = coze.workflows.runs.run_interactive(
            workflow_id=workflow_id,
            answer=answer,
            on_event=show,
        )
        print("\nnodes:", [node.title for node in result.nodes])
        print("result:", result.output)
        print("debug page:", result.debug_url)


if __name__ == "__main__":
    main()
