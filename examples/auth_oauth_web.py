"""The web flow on your own machine: opens the browser, handles its return, refreshes automatically.

Set COZE_WEB_OAUTH_CLIENT_ID, COZE_WEB_OAUTH_CLIENT_SECRET and COZE_WEB_OAUTH_REDIRECT_URI (such as
http://localhost:8080/callback, registered with the app). For a web server, see auth_web_app.py.
With --workspace ID the token only gives access to that workspace.
"""

from __future__ import annotations

import os
import sys

from cozekit import Coze
from cozekit.auth import WebOAuth


def main() -> None:
    """Signs in, shows the user, refreshes once."""
    workspace_id = sys.argv[2] if sys.argv[1:2] == ["--workspace"] else None
    app = WebOAuth(
        os.environ["COZE_WEB_OAUTH_CLIENT_ID"],
        os.environ["COZE_WEB_OAUTH_CLIENT_SECRET"],
        os.environ.get("COZE_WEB_OAUTH_REDIRECT_URI", "http://localhost:8080/callback"),
    )
    token = app.login(workspace_id=workspace_id)
    print(f"signed in: {token}")

    # Manually: each refresh uses up the refresh token, so keep the new one.
    token = app.refresh(token)
    print(f"refreshed: {token}")

    # Automatically: before the token expires, once for all threads.
    with Coze(auth=app.auth(token), base_url=app.base_url) as coze:
        print(f"user:      {coze.users.me().user_name}")


if __name__ == "__main__":
    main()
