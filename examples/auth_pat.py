"""A personal or service access token: the simplest way to sign in.

Set COZE_API_TOKEN, and COZE_API_BASE=https://api.coze.com for the international site.
"""

from __future__ import annotations

import asyncio

from cozekit import AsyncCoze, Coze


def main() -> None:
    """Shows the owner of the token."""
    with Coze() as coze:
        print(f"sync:  {coze.users.me().user_name} at {coze.base_url}")


async def main_async() -> None:
    """The same, async."""
    async with AsyncCoze() as coze:
        print(f"async: {(await coze.users.me()).user_name}")


if __name__ == "__main__":
    main()
    asyncio.run(main_async())
