"""The device flow: for programs without a browser, such as on a server or a television.

Set COZE_DEVICE_OAUTH_CLIENT_ID. With --workspace ID the token only gives access to that workspace.
"""

from __future__ import annotations

import os
import sys

from cozekit import Coze, OAuthError
from cozekit.auth import DeviceOAuth


def main() -> None:
    """Shows a code and waits until the user has entered it on another device."""
    workspace_id = sys.argv[2] if sys.argv[1:2] == ["--workspace"] else None
    app = DeviceOAuth(os.environ["COZE_DEVICE_OAUTH_CLIENT_ID"])
    device_code = app.start(workspace_id=workspace_id)
    print(f"Open {device_code.verification_uri} and enter {device_code.user_code}", flush=True)
    print(f"(or open {device_code.verification_uri_complete})", flush=True)
    try:
        token = app.wait(device_code)
    except OAuthError as error:
        if error.error in ("access_denied", "expired_token"):
            sys.exit(f"not signed in: {error}")
        raise
    with Coze(auth=app.auth(token), base_url=app.base_url) as coze:
        print(f"signed in as {coze.users.me().user_name}", flush=True)


if __name__ == "__main__":
    main()
