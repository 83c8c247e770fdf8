"""A local Coze for demos and tests: every documented operation answers, with state and real event streams, on loopback.

It imitates the documented behaviour and is not Coze. Start it with `python -m cozekit_emulator`, with `Emulator` in a `with`
block, or with the fixture of `cozekit_emulator.pytest_plugin`. Scripted bots and workflows are in `bots` and `workflows`,
failures on demand in `failures`, ids that are there from the beginning in `kinds`.
"""

from __future__ import annotations

from . import bots, workflows
from .server import TOKEN, Emulator

__all__ = ["TOKEN", "Emulator", "bots", "workflows"]
