"""A local web server that receives the browser when the consent page redirects it back."""

from __future__ import annotations

import html
import sys
import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Self
from urllib.parse import urlsplit

from ..errors import OAuthError
from ._concurrency import SingleFlight
from ._token_response import OAuthSetupError, code_from_redirect

_LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1"}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1.1em/1.5 system-ui;max-width:32em;margin:15vh auto;padding:0 1em}}</style>
<h1>{title}</h1><p>{text}</p></html>"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Connection": "close",
}


def show_page(url: str) -> None:
    """Opens the address in the user's browser, or prints it if there is none."""
    try:
        opened = webbrowser.open(url)
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        print(f"Open this address in a browser to sign in:\n{url}", file=sys.stderr, flush=True)


class LoopbackServer:
    """Listens on the port of `redirect_uri` until the browser comes back.

    Args:
        redirect_uri: An http address of this machine.
        state: The `state` that the browser must bring back.

    Raises:
        OAuthSetupError: The address is not on this machine, or its port is in use.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        parts = urlsplit(redirect_uri)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
            raise OAuthSetupError(
                "login() receives the browser on this machine and needs a redirect_uri such as "
                f"http://localhost:8080/callback, not {redirect_uri}; a web application uses "
                "begin() and finish()",
                argument="redirect_uri",
            )
        address = (_LOOPBACK[parts.hostname], parts.port or 80)
        self._code: SingleFlight[str] = SingleFlight(in_loop=False)
        try:
            self._server = _Server(address, parts.path or "/", state, self._code)
        except OSError as error:
            raise OAuthSetupError(
                f"port {address[1]} of redirect_uri cannot be opened ({error.strerror}); free "
                "it or register another",
                argument="redirect_uri",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="cozekit-login", daemon=True
        )

    def wait(self, timeout: float) -> str:
        """Waits for the browser and returns the authorization code.

        Raises:
            OAuthError: The browser brought no valid code, or did not come back in time.
        """
        return self._code.wait(timeout) or self._fail(timeout)

    async def wait_async(self, timeout: float) -> str:  # noqa: ASYNC109
        """The async form of `wait`."""
        return await self._code.wait_async(timeout) or self._fail(timeout)

    def _fail(self, timeout: float) -> str:
        raise OAuthError(
            f"the user did not finish the sign-in within {timeout:g} s; start it again",
            error="login_timeout",
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """One thread per connection, since browsers open idle connections in advance."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = sys.platform != "win32"

    def __init__(
        self, address: tuple[str, int], path: str, state: str, code: SingleFlight[str]
    ) -> None:
        self.path, self.state, self.code = path, state, code
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The parent class also looks up the host name, which can take seconds.
        TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores lost connections; the parent class would print them, including the code."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 10.0

    def do_GET(self) -> None:
        """Handles the redirect of the browser."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if urlsplit(self.path).path != self.server.path or host not in _LOOPBACK:
            text = "This address only completes a sign-in."
            self._respond(404, "Not found", text)
            return
        try:
            code = code_from_redirect(self.path, self.server.state)
        except OAuthError as error:
            text = f"{error.description or error}. You can close this page."
            self._respond(400, "The sign-in failed", text)
            self.server.code.resolve(error=error)
        else:
            self._respond(200, "Signed in", "You can close this page and return to the program.")
            self.server.code.resolve(code)

    def _respond(self, status: int, title: str, text: str) -> None:
        body = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing; the parent class would print the request with its code."""
