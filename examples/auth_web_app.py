"""A small web application that signs its users in, with only the standard library and cozekit.

Set COZE_WEB_OAUTH_CLIENT_ID, COZE_WEB_OAUTH_CLIENT_SECRET and COZE_WEB_OAUTH_REDIRECT_URI
(http://localhost:8080/callback by default), start it and open http://localhost:8080/. Sessions are
in memory here; a real application keeps them in its database, with a `TokenStore` per user, and
runs behind https.
"""

from __future__ import annotations

import html
import os
import secrets
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from cozekit import Coze, CozeError, OAuthError
from cozekit.auth import Auth, Authorization, WebOAuth

APP = WebOAuth(
    os.environ["COZE_WEB_OAUTH_CLIENT_ID"],
    os.environ["COZE_WEB_OAUTH_CLIENT_SECRET"],
    os.environ.get("COZE_WEB_OAUTH_REDIRECT_URI", "http://localhost:8080/callback"),
)
PENDING: dict[str, Authorization] = {}
"""Cookie → sign-in in progress."""
USERS: dict[str, Auth] = {}
"""Cookie → signed-in user; the token is refreshed automatically."""


class Pages(BaseHTTPRequestHandler):
    """`/` greets the user, `/login` redirects to Coze, `/callback` handles the return, `/logout`
    ends the session.
    """

    def do_GET(self) -> None:
        """Handles a request."""
        page = urlsplit(self.path).path
        if page == "/login":
            self.login()
        elif page == urlsplit(APP.redirect_uri).path:
            self.callback()
        elif page == "/logout":
            USERS.pop(self.cookie(), None)
            self.redirect("/")
        elif page == "/":
            self.home()
        else:
            self.show("Not found", 404)

    def home(self) -> None:
        """Greets the user, or offers to sign in."""
        auth = USERS.get(self.cookie())
        if auth is None:
            self.show('<a href="/login">Sign in with Coze</a>')
            return
        try:
            with Coze(auth=auth, base_url=APP.base_url) as coze:
                name = coze.users.me().user_name
        except OAuthError:
            USERS.pop(self.cookie(), None)  # the session at Coze has ended
            self.redirect("/login")
        except CozeError as error:
            self.show(f"Coze is not available: {html.escape(str(error))}", 502)
        else:
            self.show(f'Hello {html.escape(str(name))}. <a href="/logout">Sign out</a>')

    def login(self) -> None:
        """Starts a sign-in: the state is kept here, bound to this browser by a cookie."""
        session = secrets.token_urlsafe(32)
        authorization = PENDING[session] = APP.begin()
        self.redirect(authorization.url, session)

    def callback(self) -> None:
        """Completes it: checks the state, exchanges the code, and renews the session id."""
        authorization = PENDING.pop(self.cookie(), None)
        if authorization is None:
            self.redirect("/")
            return
        try:
            token = APP.finish(authorization, self.path)
        except CozeError as error:
            self.show(
                f'Not signed in: {html.escape(str(error))}. <a href="/login">Try again</a>', 400
            )
            return
        session = secrets.token_urlsafe(32)
        USERS[session] = APP.auth(token)
        self.redirect("/", session)

    def cookie(self) -> str:
        """The session of this browser."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        return cookie.value if cookie else ""

    def redirect(self, target: str, session: str | None = None) -> None:
        """Redirects the browser, with a cookie that scripts cannot read."""
        self.send_response(303)
        self.send_header("Location", target)
        if session:
            self.send_header("Set-Cookie", f"session={session}; HttpOnly; SameSite=Lax; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def show(self, content: str, status: int = 200) -> None:
        """Sends a page."""
        body = f"<!doctype html><meta charset=utf-8><title>Coze</title><p>{content}</p>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the log would contain the codes of the callback."""


def main() -> None:
    """Serves until interrupted."""
    parts = urlsplit(APP.redirect_uri)
    with ThreadingHTTPServer(("127.0.0.1", parts.port or 8080), Pages) as server:
        print(f"open http://{parts.hostname}:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
