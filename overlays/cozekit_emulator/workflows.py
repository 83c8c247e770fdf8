"""The workflows that are there from the beginning, each with a script.

| Constant | On every run |
|---|---|
| `PLAIN` | two nodes send messages piece by piece, then `Done`; the output repeats the parameters |
| `INTERRUPTING` | asks a question (`Interrupt`, type 2); goes on with an answer |
| `FAILING` | one message, then `Error` 5000 |
| `SLOW` | as `PLAIN`, with heartbeats (`PING`) between |
| `CHATFLOW` | answers in the chat format (`/v1/workflows/chat`) |
| `UNPUBLISHED` | refuses with 4200 |

Run as a chatflow, `INTERRUPTING` asks its question as an answer and stops at a verbose `interrupt`;
the others answer.
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
class Script:
    """How a workflow behaves in a run."""

    name: str
    mode: str = "workflow"
    interrupts: bool = False
    fails: bool = False
    heartbeats: int = 0
    published: bool = True


SCRIPTS: dict[str, Script] = {
    PLAIN: Script("plain"),
    INTERRUPTING: Script("interrupting", interrupts=True),
    FAILING: Script("failing", fails=True),
    SLOW: Script("slow", heartbeats=3),
    CHATFLOW: Script("chatflow", mode="chatflow"),
    UNPUBLISHED: Script("unpublished", published=False),
}
