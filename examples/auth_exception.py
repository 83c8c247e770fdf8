"""What can go wrong when signing in, and how to handle it.

Set COZE_WEB_OAUTH_CLIENT_ID and COZE_WEB_OAUTH_CLIENT_SECRET.
"""

from __future__ import annotations

import os

from cozekit import APIConnectionError, AuthenticationError, Coze, OAuthError
from cozekit.auth import JWTOAuth, OAuthSetupError, WebOAuth


def main() -> None:
    """Handles four failures."""
    app = WebOAuth(
        os.environ["COZE_WEB_OAUTH_CLIENT_ID"],
        os.environ["COZE_WEB_OAUTH_CLIENT_SECRET"],
        "http://localhost:8080/callback",
    )

    authorization = app.begin()
    try:
        app.finish(
            authorization, "http://localhost:8080/callback?code=code_1&state=of-somebody-else"
        )
    except OAuthError as error:
        print(f"1. rejected locally, nothing was sent: {error.error}")

    try:
        app.exchange("code_that_was_used_0001")
    except OAuthError as error:
        # error.error is the error code of RFC 6749 and 8628; quote the log id when you contact
        # support.
        print(f"2. rejected by Coze: {error.error}, HTTP {error.http_status}, log id {error.logid}")
    except APIConnectionError as error:
        print(f"2. no connection: {error}")

    try:
        JWTOAuth("1234567", "no key", "fingerprint")
    except OAuthSetupError as error:
        print(f"3. invalid setting: {error.argument}")

    with Coze("pat_that_nobody_issued", base_url=app.base_url) as coze:
        try:
            coze.users.me()
        except AuthenticationError as error:
            print(
                f"4. the token was rejected: HTTP {error.http_status}, code {error.code}, log id "
                f"{error.logid}"
            )


if __name__ == "__main__":
    main()
