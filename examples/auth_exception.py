"""What can go wrong in a sign-in, and what to do about each.

Set COZE_WEB_OAUTH_CLIENT_ID and COZE_WEB_OAUTH_CLIENT_SECRET.
"""

from __future__ import annotations

import os

from cozekit import APIConnectionError, AuthenticationError, Coze, OAuthError
from cozekit.auth import JWTOAuth, OAuthSetupError, WebOAuth


def main() -> None:
    """Four failures, handled."""
    app = WebOAuth(
        os.environ["COZE_WEB_OAUTH_CLIENT_ID"],
        os.environ["COZE_WEB_OAUTH_CLIENT_SECRET"],
        "http://localhost:8080/callback",
    )

    started = app.begin()
    try:
        app.finish(started, "http://localhost:8080/callback?code=code_1&state=of-somebody-else")
    except OAuthError as error:
        print(f"1. refused here, nothing was sent: {error.error}")

    try:
        app.exchange("code_that_was_used_0001")
    except OAuthError as error:
        # error.error is the reason in the words of RFC 6749 and 8628, logid is what support asks
        # for.
        print(f"2. refused by Coze: {error.error}, HTTP {error.http_status}, log id {error.logid}")
    except APIConnectionError as error:
        print(f"2. no answer: {error}")

    try:
        JWTOAuth("1234567", "no key", "fingerprint")
    except OAuthSetupError as error:
        print(f"3. a setting: {error.argument}")

    with Coze("pat_that_nobody_issued", base_url=app.base_url) as coze:
        try:
            coze.users.me()
        except AuthenticationError as error:
            print(
                f"4. the token is refused: HTTP {error.http_status}, code {error.code}, log id "
                f"{error.logid}"
            )


if __name__ == "__main__":
    main()
