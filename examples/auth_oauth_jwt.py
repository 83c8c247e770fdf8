"""The JWT flow: a service signs in as itself. `python auth_oauth_jwt.py SCENARIO`, where SCENARIO
is one of

developer    the app's own workspaces
session      a token for each of your users, with separate conversations and variables
channel      a channel app, with a token that may only chat with one bot (COZE_BOT_ID)
account      the resources of another account or organization (COZE_ACCOUNT_ID)
enterprise   members, organizations and bills of an enterprise (COZE_ENTERPRISE_ID)
signer       a key that never leaves its device: your own function signs

Set COZE_JWT_OAUTH_CLIENT_ID, COZE_JWT_OAUTH_PRIVATE_KEY (the PEM text) and
COZE_JWT_OAUTH_PUBLIC_KEY_ID.
"""

from __future__ import annotations

import os
import sys

from cozekit import Coze
from cozekit.auth import JWTOAuth, key_signer
from cozekit.models import (
    JWTDeviceInfo,
    JWTSessionContext,
    OAuthScope,
    OAuthScopeBots,
    OAuthScopeConstraint,
    OAuthScopePermission,
)

CLIENT_ID = os.environ["COZE_JWT_OAUTH_CLIENT_ID"]
PRIVATE_KEY = os.environ["COZE_JWT_OAUTH_PRIVATE_KEY"]
PUBLIC_KEY_ID = os.environ["COZE_JWT_OAUTH_PUBLIC_KEY_ID"]


def developer() -> JWTOAuth:
    """The app's own workspaces, with tokens valid for an hour."""
    return JWTOAuth(CLIENT_ID, PRIVATE_KEY, PUBLIC_KEY_ID, duration_seconds=3600)


def session() -> JWTOAuth:
    """One of your users. The key is parsed once and shared."""
    app = developer()
    context = JWTSessionContext(device_info=JWTDeviceInfo(custom_consumer="team-a"))
    return app.for_session("user-4711", session_context=context)


def channel() -> JWTOAuth:
    """No more permissions than needed."""
    bots = OAuthScopeBots(bot_id_list=[os.environ.get("COZE_BOT_ID", "7384012000000000001")])
    scope = OAuthScope(
        account_permission=OAuthScopePermission(permission_list=["Connector.botChat"]),
        attribute_constraint=OAuthScopeConstraint(connector_bot_chat_attribute=bots),
    )
    return JWTOAuth(CLIENT_ID, PRIVATE_KEY, PUBLIC_KEY_ID, scope=scope)


def account() -> JWTOAuth:
    """Another account whose owner has consented, or an organization."""
    return JWTOAuth(
        CLIENT_ID,
        PRIVATE_KEY,
        PUBLIC_KEY_ID,
        account_id=os.environ.get("COZE_ACCOUNT_ID", "7490888144456000001"),
    )


def enterprise() -> JWTOAuth:
    """An enterprise privileged app."""
    return JWTOAuth(
        CLIENT_ID,
        PRIVATE_KEY,
        PUBLIC_KEY_ID,
        enterprise_id=os.environ.get("COZE_ENTERPRISE_ID", "volcano_210195001"),
    )


def signer() -> JWTOAuth:
    """Call your key service here: bytes in, RS256 signature out."""
    sign_with_key = key_signer(PRIVATE_KEY)

    def sign(message: bytes) -> bytes:
        return sign_with_key(message)

    return JWTOAuth(CLIENT_ID, public_key_id=PUBLIC_KEY_ID, signer=sign)


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (developer, session, channel, account, enterprise, signer)
}


def main(scenario: str) -> None:
    """Signs in and makes two calls with the same token."""
    with Coze(auth=SCENARIOS[scenario]()) as coze:
        for _ in range(2):
            print(f"{scenario}: {coze.users.me().user_name}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "developer")
