"""Signs in once and stays signed in: the token lives in a file that only you can read, and every
process that uses it shares the refresh.

Set COZE_DEVICE_OAUTH_CLIENT_ID, and COZE_TOKEN_FILE if ~/.config/cozekit/token.json is not the
place. With --sign-out the file is removed.
"""

from __future__ import annotations

import os
import sys

from cozekit import Coze, OAuthError
from cozekit.auth import DeviceOAuth, FileStore


def main() -> None:
    """Uses the token of the last run; signs in when there is none or it has ended."""
    app = DeviceOAuth(os.environ["COZE_DEVICE_OAUTH_CLIENT_ID"])
    store = FileStore(os.environ.get("COZE_TOKEN_FILE", "~/.config/cozekit/token.json"))
    if sys.argv[1:] == ["--sign-out"]:
        store.clear()
        print("signed out")
        return
    if store.load() is None:
        store.save(app.login())
        print("signed in")
    try:
        greet(app, store)
    except OAuthError as error:
        print(f"the session has ended ({error.error}); once more")
        store.save(app.login())
        greet(app, store)


def greet(app: DeviceOAuth, store: FileStore) -> None:
    """A call with the stored token, which is refreshed when it is about to end."""
    with Coze(auth=app.auth(store), base_url=app.base_url) as coze:
        print(f"hello {coze.users.me().user_name}")


if __name__ == "__main__":
    main()
