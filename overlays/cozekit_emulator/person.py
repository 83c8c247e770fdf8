"""The person in front of the browser, for tests and examples that have none."""

from __future__ import annotations

import html
import re
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit


class Person:
    """Goes through the sign-in pages of the emulator as a person would, one request after the
    other.

    Args:
        base_url: Address of the emulator.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def agree(self, url: str) -> str:
        """Opens the address of a sign-in and agrees.

        Returns:
            The address to which the browser is sent back, with `code` and `state`. It is not
            opened.

        Raises:
            PermissionError: The emulator showed an error page; the text is on it.
        """
        return self._decided(url, "agree")

    def refuse(self, url: str) -> str:
        """The same, refusing; the address has `error` and `state`."""
        return self._decided(url, "refuse")

    def browse(self, url: str) -> None:
        """Agrees and lets the browser go back to the program, which must listen on this machine:
        `app.login(show=person.browse)`.
        """
        _request("GET", self.agree(url))

    def enter(self, user_code: str, *, agree: bool = True) -> None:
        """Enters the code of a device and decides.

        Raises:
            PermissionError: The code is unknown or has ended.
        """
        _page(
            _request(
                "POST",
                f"{self._base_url}/device",
                user_code=user_code,
                decision="agree" if agree else "refuse",
            )
        )

    def _decided(self, url: str, decision: str) -> str:
        consent = _location(_request("GET", url))
        text = _page(_request("GET", consent))
        key = html.unescape(re.findall(r'name="authorize_key" value="([^"]*)"', text)[0])
        return _location(
            _request(
                "POST", f"{self._base_url}/oauth/consent", authorize_key=key, decision=decision
            )
        )


def _request(method: str, url: str, **fields: str) -> tuple[HTTPResponse, str]:
    """An answer and its text; redirects are not followed."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        headers = {"Accept": "text/html"}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        target = parts._replace(scheme="", netloc="", fragment="").geturl()
        connection.request(method, target, urlencode(fields) if fields else None, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def _page(found: tuple[HTTPResponse, str]) -> str:
    answer, text = found
    if answer.status != 200:
        words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.S)
        raise PermissionError(f"HTTP {answer.status}: {' '.join(html.unescape(words).split())}")
    return text


def _location(found: tuple[HTTPResponse, str]) -> str:
    answer, _ = found
    target = answer.headers.get("Location")
    if answer.status == 302 and target:
        return target
    _page(found)
    raise PermissionError("the emulator did not send the browser on")
