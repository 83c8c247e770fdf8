"""The ground under the generated package: everything about calls that no description says.

| Where | What is there |
|---|---|
| `client`, `async_client`, `settings` … | clients, and the way from a call to a request |
| `auth` | what a client asks of a source of tokens |
| `calls` | carrying out a call: retries, hooks, raw responses, custom requests |
| `_http` | the HTTP library |
| `codec`, `convert`, `failures` | bytes to models and back, whatever their shape; errors |
| `models`, `types`, `operation`, `errors` | base classes and values |
| `paging`, `page_parser` | lists that come in pages |
| `multipart` | uploads |
| `limits` | the one check of the limits that the description states |
| `senders` | what the generated senders of events are made of |
| `deadlines` | idle time and deadline of a stream |
| `streams` | event streams: decoding, typed events, how a chat and a run add up |
| `polling` | waiting for an outcome |
| `loops` | helpers that make several calls: running tools, answering a run that asks |

Nothing here imports the generated package or `cozekit`.
"""

from __future__ import annotations

__version__ = "0.1.0"
