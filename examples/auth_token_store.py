"""Signs in once and stays signed in: the token is kept in a file that only you can read, and is
refreshed once for all processes that use it.

Set COZE_DEVICE_OAUTH_CLIENT_ID, and COZE_TOKEN_FILE to keep the token elsewhere than in
~/.config/cozekit/token.json. With --sign-out the file is removed.
"""

from __future__ import annotations

import os
import sys

from cozekit import Coze, OAuthError
from cozekit.auth import DeviceOAuth, FileStore


def main() -> None:
    """Uses the token of the last run; signs in if there is none or the session has ended."""
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
        print(f"the session has ended ({error.error}); signing in again")
        store.save(app.login())
        greet(app, store)


def greet(app: DeviceOAuth, store: FileStore) -> None:
    """Makes a call with the stored token, which is refreshed when it is about to expire."""
    with Coze(auth=app.auth(store), base_url=app.base_url) as coze:
        print(f"hello {coze.users.me().user_name}")


if __name__ == "__main__":
    main()
