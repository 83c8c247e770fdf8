"""A local Coze for demos and tests: it answers every documented operation, with state and real
event streams, on loopback.

It imitates the documented behaviour and is not Coze. Start it with `python -m cozekit_emulator`,
with `Emulator` in a `with` block, or with the fixture of `cozekit_emulator.pytest_plugin`. What
exists from the start is in `ids`, `bots`, `workflows` and `oauth_apps`.

It makes requests fail on demand (`Emulator.emulate`), signs users in (`Emulator.register_app`,
`Emulator.browser`), talks on the four voice sockets (`Emulator.say`, `Emulator.frames`), and
delivers callbacks (`Emulator.deliver`, `Emulator.deliveries`). `Emulator.clock` advances the time
by which tokens expire and callbacks are retried.

Where to find what; each line imports only lines below it:

* `__main__`: the command line. `pytest_plugin`: fixtures.
* `emulator`: starts a local Coze and controls it. `server`: the web server.
* `app`: routes, and the way of a request. `handlers`: the handler of each operation.
* `sockets`: the voice sockets.
* `operations`, `oauth`: what operations do; sign-in.
* `local_coze`: one local Coze: state, requests seen, tokens accepted.
* `http`: requests, responses, pages of lists, failures on demand.
* `callbacks`: delivers events. `synthesis`: makes sound.
* `state`: everything that is remembered, and what exists from the start.
* `openapi`: the description, its examples, the check of requests.
* `errors`: the errors that are responses.
"""

from __future__ import annotations

from .emulator import TOKEN, Emulator
from .state import bots, ids, oauth_apps, workflows

__all__ = ["TOKEN", "Emulator", "bots", "ids", "oauth_apps", "workflows"]
