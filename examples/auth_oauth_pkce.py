"""The PKCE flow: a desktop program signs its user in without a secret, here with the async client.

Set COZE_PKCE_OAUTH_CLIENT_ID and COZE_PKCE_OAUTH_REDIRECT_URI (such as
http://localhost:8080/callback, registered with the app).
"""

from __future__ import annotations

import asyncio
import os

from cozekit import AsyncCoze
from cozekit.auth import PKCEOAuth


async def main() -> None:
    """Signs in and shows the user."""
    app = PKCEOAuth(
        os.environ["COZE_PKCE_OAUTH_CLIENT_ID"],
        os.environ.get("COZE_PKCE_OAUTH_REDIRECT_URI", "http://localhost:8080/callback"),
    )
    token = await app.login_async(timeout=120)
    print(f"signed in: {token}")
    async with AsyncCoze(auth=app.auth(token), base_url=app.base_url) as coze:
        print(f"user:      {(await coze.users.me()).user_name}")


if __name__ == "__main__":
    asyncio.run(main())
