"""How fast sound is sent: as fast as it is made, or as `limit_config` asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any


async def paced(pieces: Iterable[bytes], settings: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """The pieces, at most `max_frame_num` in each `period` of seconds; others get their turn
    between two pieces.

    Args:
        pieces: Sound.
        settings: `output_audio` in force.
    """
    limit = settings.get(f"{settings.get('codec', 'pcm')}_config", {}).get("limit_config") or {}
    for number, piece in enumerate(pieces):
        most = limit.get("max_frame_num", 0)
        if most and number and number % most == 0:
            await asyncio.sleep(limit.get("period", 1))
        yield piece
        await asyncio.sleep(0)
