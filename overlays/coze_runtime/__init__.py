"""The runtime under the generated package: everything about a call that no description states.

| Module | Contents |
|---|---|
| `client`, `base_client` | the base classes of the clients |
| `operation`, `types`, `models`, `errors`, `auth` | value types and base classes |
| `serialization` | bytes to models and back; uploads; the errors that responses stand for |
| `limits` | checks arguments against the limits in the description |
| `senders` | base class and helpers of the generated event senders |
| `calls` | executes a call: settings, retries, hooks, raw responses, custom requests |
| `_http` | the only code that touches the HTTP library |
| `paging`, `page_walk` | lists that come in pages |
| `streams` | event streams: SSE decoding, typed events, results of chats and runs |
| `polling` | waits for the outcome of work |
| `loops` | helpers that make several calls: running tools, resuming interrupted runs |
| `steps` | lets one generator serve the sync and the async client |

Nothing here imports the generated package or `cozekit`.
"""

from __future__ import annotations

__version__ = "0.1.0"
