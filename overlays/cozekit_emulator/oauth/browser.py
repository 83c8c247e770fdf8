"""A browser with a user in front of it, for tests and examples that have none."""

from __future__ import annotations

import html
import re
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit


class Browser:
    """Goes through the sign-in pages of the emulator as a user would.

    Args:
        base_url: Address of the emulator.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def agree(self, url: str) -> str:
        """Opens the address of a sign-in and agrees.

        Args:
            url: The address.

        Returns:
            The address to which the browser is sent back, with `code` and `state`. It is not
            opened.

        Raises:
            PermissionError: The emulator showed an error page, whose text the error has.
        """
        return self._decide(url, "agree")

    def refuse(self, url: str) -> str:
        """Opens the address of a sign-in and refuses.

        Args:
            url: The address.

        Returns:
            The address to which the browser is sent back, with `error` and `state`. It is not
            opened.

        Raises:
            PermissionError: The emulator showed an error page, whose text the error has.
        """
        return self._decide(url, "refuse")

    def browse(self, url: str) -> None:
        """Agrees and goes back to the program, which must listen on this machine:
        `app.login(show=browser.browse)`.

        Args:
            url: The address of the sign-in.

        Raises:
            PermissionError: The emulator showed an error page, whose text the error has.
        """
        _request("GET", self.agree(url))

    def enter(self, user_code: str, *, agree: bool = True) -> None:
        """Enters the code that a device shows, and decides.

        Args:
            user_code: The code.
            agree: Whether the user agrees.

        Raises:
            PermissionError: The code is unknown or has expired.
        """
        fields = {"user_code": user_code, "decision": "agree" if agree else "refuse"}
        _page(*_request("POST", f"{self._base_url}/device", fields))

    def _decide(self, url: str, decision: str) -> str:
        consent_url = _location(*_request("GET", url))
        page = _page(*_request("GET", consent_url))
        key = html.unescape(re.findall(r'name="authorize_key" value="([^"]*)"', page)[0])
        fields = {"authorize_key": key, "decision": decision}
        return _location(*_request("POST", f"{self._base_url}/oauth/consent", fields))


def _request(
    method: str, url: str, fields: dict[str, str] | None = None
) -> tuple[HTTPResponse, str]:
    """A response and its text; redirects are not followed."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        headers = {"Accept": "text/html"}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        target = parts._replace(scheme="", netloc="", fragment="").geturl()
        connection.request(method, target, urlencode(fields) if fields else None, headers)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def _page(response: HTTPResponse, text: str) -> str:
    if response.status != 200:
        words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.S)
        raise PermissionError(f"HTTP {response.status}: {' '.join(html.unescape(words).split())}")
    return text


def _location(response: HTTPResponse, text: str) -> str:
    location = response.headers.get("Location")
    if response.status == 302 and location:
        return location
    _page(response, text)
    raise PermissionError("the emulator did not redirect the browser")
