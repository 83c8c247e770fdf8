"""The workflows that exist from the start, each with a script.

| Constant | In every run |
|---|---|
| `PLAIN` | two nodes send messages piece by piece, then `Done`; the output repeats the parameters |
| `INTERRUPTING` | asks a question (`Interrupt`, type 2), and continues when it is answered |
| `FAILING` | one message, then `Error` 5000 |
| `SLOW` | as `PLAIN`, with heartbeats (`PING`) in between |
| `CHATFLOW` | answers in the chat format (`/v1/workflows/chat`) |
| `UNPUBLISHED` | is rejected with 4200 |

Run as a chatflow, `INTERRUPTING` asks its question as an answer and stops with a verbose message
`interrupt`; the others answer.
"""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = "7400000000000000201"
INTERRUPTING = "7400000000000000202"
FAILING = "7400000000000000203"
SLOW = "7400000000000000204"
CHATFLOW = "7400000000000000205"
UNPUBLISHED = "7400000000000000206"

QUESTION = "请问你想查看哪个城市、哪一天的天气呢？🌦️"
MAX_RESUMES = 3


@dataclass(frozen=True, slots=True)
class WorkflowScript:
    """How a workflow behaves in a run."""

    name: str
    mode: str = "workflow"
    interrupts: bool = False
    fails: bool = False
    heartbeats: int = 0
    published: bool = True


SCRIPTS: dict[str, WorkflowScript] = {
    PLAIN: WorkflowScript("plain"),
    INTERRUPTING: WorkflowScript("interrupting", interrupts=True),
    FAILING: WorkflowScript("failing", fails=True),
    SLOW: WorkflowScript("slow", heartbeats=3),
    CHATFLOW: WorkflowScript("chatflow", mode="chatflow"),
    UNPUBLISHED: WorkflowScript("unpublished", published=False),
}


def script_of(workflow_id: str) -> WorkflowScript:
    """The script of a workflow.

    Args:
        workflow_id: Id of the workflow.
    """
    return SCRIPTS.get(workflow_id, SCRIPTS[PLAIN])
