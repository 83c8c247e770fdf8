"""The ground under the generated package: everything about calls that no description says.

| Where | What is there |
|---|---|
| `client`, `base_client` | the clients |
| `operation`, `types`, `models`, `errors`, `auth` | values and base classes |
| `serialization` | bytes to models and back, whatever their shape; uploads; errors of responses |
| `limits` | the one check of the limits that the description states |
| `senders` | what the generated senders of events are made of |
| `calls` | carrying out a call: settings, retries, hooks, raw responses, custom requests |
| `_http` | the HTTP library |
| `paging`, `page_parser` | lists that come in pages |
| `streams` | event streams: decoding, typed events, how a chat and a run add up |
| `polling` | waiting for an outcome |
| `loops` | helpers that make several calls: running tools, answering a run that asks |
| `steps` | one text for sync and async code |

Nothing here imports the generated package or `cozekit`.
"""

from __future__ import annotations

__version__ = "0.1.0"
