"""A local Coze for demos and tests: every documented operation answers, with state and real event
streams, on loopback.

It imitates the documented behaviour and is not Coze. Start it with `python -m cozekit_emulator`,
with `Emulator` in a `with` block, or with the fixture of `cozekit_emulator.pytest_plugin`. Scripted
bots and workflows are in `bots` and `workflows`, OAuth apps in `oauth_apps`, failures on demand in
`failures`, ids that are there from the beginning in `kinds`.

It is an authorization server too (`Emulator.register_app`, `Emulator.person`), speaks on the four
voice sockets (`Emulator.say`, `Emulator.frames`), and delivers callbacks (`Emulator.deliver`,
`Emulator.deliveries`); `Emulator.clock` moves the time by which tokens end and callbacks are
repeated.
"""

from __future__ import annotations

from . import bots, oauth_apps, workflows
from .server import TOKEN, Emulator

__all__ = ["TOKEN", "Emulator", "bots", "oauth_apps", "workflows"]
