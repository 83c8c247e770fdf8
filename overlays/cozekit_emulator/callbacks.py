"""Delivers events to callback applications: signed, with a time limit, and again if they fail.

The signature is the plain SHA-1 of timestamp, nonce, verify token and raw body. How often and when
Coze retries a delivery is not documented; `CallbackState.retry_after` is a rule of the emulator.
Addresses under the domains that are reserved for examples (`example.com` and the like) are accepted
and never contacted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import ssl
import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from .errors import invalid_parameter
from .state.deliveries import Attempt, Delivery
from .state.ids import USER
from .state.store import Record, State

_TIMEOUT = 3.0
_NORMAL_APPS_ONLY = ("benefit.plugin.scale.requested", "benefit.plugin.scale.expired")
_RESERVED = (".example", ".test", ".invalid", "example.com", "example.org", "example.net")
_RUN_TIMEOUT = 60.0
"""Seconds until a coroutine that another thread waits for must be done; only a defect takes
longer.
"""


def signature(timestamp: str, nonce: str, token: str, body: bytes) -> str:
    """The signature of a delivery, lower-case hexadecimal.

    Args:
        timestamp: Header `X-Coze-Timestamp`.
        nonce: Header `X-Coze-Nonce`.
        token: Verify token of the application.
        body: The body.
    """
    return hashlib.sha1(
        f"{timestamp}{nonce}{token}".encode() + body, usedforsecurity=False
    ).hexdigest()


class Dispatcher:
    """Delivers the events of one emulator. Its coroutines run in the loop of the server.

    Args:
        current_state: Gives the state of the emulator, which a reset replaces.
    """

    def __init__(self, current_state: Callable[[], State]) -> None:
        self._current_state = current_state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight: set[int] = set()
        """Deliveries that are being sent, so that no two attempts of one overlap."""

    def bind(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Sets the loop of the server.

        Args:
            loop: The loop; None when the server stops.
        """
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine in the loop of the server and waits for its result, from another thread.

        Args:
            work: The coroutine.

        Raises:
            RuntimeError: The emulator does not run.
        """
        if self._loop is None:
            work.close()
            raise RuntimeError("the local emulator is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_RUN_TIMEOUT)

    def send_due(self) -> None:
        """Sends what became due when the clock was advanced."""
        if self._loop is not None:
            self.run(self._send_due())

    async def all_deliveries(self) -> list[Delivery]:
        """All deliveries, once none is being sent."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        return list(self._current_state().callbacks.deliveries)

    async def verify(self, app: Record, url: str) -> None:
        """Posts a challenge to the address that an application asks for.

        Args:
            app: The application.
            url: The address.

        Raises:
            ApiError: 4000: it is not an address, or did not return the challenge in time.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise invalid_parameter("body.callback_url is not an http address")
        if _is_reserved(url):
            return
        challenge = secrets.token_urlsafe(16)
        state = self._current_state()
        delivery = _new_delivery(state, app, "url_verification", {"challenge": challenge}, url)
        await self._attempt(state, delivery)
        response = delivery.response if delivery.delivered else None
        if not isinstance(response, dict) or response.get("challenge") != challenge:
            attempt = delivery.attempts[-1]
            reason = attempt.error or f"HTTP {attempt.status}"
            raise invalid_parameter(f"body.callback_url did not return the challenge ({reason})")

    async def publish(self, event_type: str, event: Record, channels: Sequence[str] = ()) -> None:
        """Starts to deliver an event to every application that is subscribed to it.

        Args:
            event_type: Its type.
            event: Its data.
            channels: The channels that it is about: their applications get the event, those of
                other channels do not.
        """
        state = self._current_state()
        for app in _subscribers(state, event_type, channels):
            self._start(self._attempt(state, _new_event(state, app, event_type, event)))

    async def review(self, event: Record, channel: str) -> int | None:
        """Asks the applications of a channel about a bot that is published to it.

        Args:
            event: Data of the event `bot.published`.
            channel: The channel.

        Returns:
            The audit status, 0 without a valid response; None when no application is asked.
        """
        state = self._current_state()
        deliveries = [
            _new_event(state, app, "bot.published", event)
            for app in _subscribers(state, "bot.published", (channel,))
            if app["app_type"] == "connector"
        ]
        for delivery in deliveries:
            await self._attempt(state, delivery)
        return min((delivery.audit_status for delivery in deliveries), default=None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_due(self) -> None:
        state = self._current_state()
        now = state.time()
        for delivery in list(state.callbacks.deliveries):
            is_due = delivery.due is not None and delivery.due <= now
            if is_due and id(delivery) not in self._in_flight:
                await self._attempt(state, delivery)

    async def _attempt(self, state: State, delivery: Delivery) -> None:
        self._in_flight.add(id(delivery))
        try:
            attempt = await _post(state, delivery)
        finally:
            self._in_flight.discard(id(delivery))
        delivery.attempts.append(attempt)
        delivery.due = None
        pauses = state.callbacks.retry_after
        if attempt.status == 200:
            delivery.response = _json_or_none(attempt.body)
        elif delivery.event_type != "url_verification" and len(delivery.attempts) <= len(pauses):
            pause = pauses[len(delivery.attempts) - 1]
            delivery.due = state.time() + pause
            asyncio.get_running_loop().call_later(pause, lambda: self._start(self._send_due()))


def _subscribers(state: State, event_type: str, channels: Sequence[str]) -> list[Record]:
    """The applications that get an event."""
    return [
        app
        for app in state.collection("api_apps").all()
        if _is_concerned(app, event_type, channels) and _is_subscribed(state, app, event_type)
    ]


def _is_concerned(app: Record, event_type: str, channels: Sequence[str]) -> bool:
    if app["app_type"] == "connector" and event_type in _NORMAL_APPS_ONLY:
        return False
    return app["app_type"] == "normal" or app.get("connector_id") in channels


def _is_subscribed(state: State, app: Record, event_type: str) -> bool:
    url = app.get("callback_url")
    events = state.collection("api_app_events").all(app["api_app_id"])
    return (
        bool(url)
        and not _is_reserved(str(url))
        and any(event["event_type"] == event_type for event in events)
    )


def _new_event(state: State, app: Record, event_type: str, event: Record) -> Delivery:
    if app["app_type"] == "connector":
        event = {name: value for name, value in event.items() if name != "space_id"}
    return _new_delivery(state, app, event_type, event, app["callback_url"])


def _new_delivery(state: State, app: Record, event_type: str, event: Record, url: str) -> Delivery:
    event_id = f"{uuid.uuid4()}-{app['api_app_id']}"
    header = {
        "event_type": event_type,
        "event_id": event_id,
        "created_at": int(state.time() * 1000),
        "coze_account_id": USER,
        "api_app_id": app["api_app_id"],
    }
    if app["app_type"] == "connector":
        header["connector_id"] = app["connector_id"]
    content = {"header": header, "event": event}
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    delivery = Delivery(event_type, event_id, app["api_app_id"], url, body, app["verify_token"])
    state.callbacks.deliveries.append(delivery)
    return delivery


async def _post(state: State, delivery: Delivery) -> Attempt:
    timestamp, nonce = str(int(state.time() * 1000)), secrets.token_urlsafe(12)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-Coze-Timestamp": timestamp,
        "X-Coze-Nonce": nonce,
        "X-Coze-Signature": signature(timestamp, nonce, delivery.token, delivery.body),
    }
    timeout = state.callbacks.timeouts.get(delivery.event_type, _TIMEOUT)
    # Most applications are on this machine and speak http; loading certificates for them would cost
    # more than the request.
    verify: ssl.SSLContext | bool = (
        ssl.create_default_context() if delivery.url.startswith("https:") else False
    )
    try:
        async with (
            asyncio.timeout(timeout),
            httpx.AsyncClient(trust_env=False, verify=verify, timeout=None) as client,
        ):
            response = await client.post(delivery.url, content=delivery.body, headers=headers)
    except TimeoutError:
        return Attempt(state.time(), error=f"no response within {timeout:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Attempt(state.time(), error=f"{type(error).__name__}: {error}")
    return Attempt(state.time(), response.status_code, response.content)


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _is_reserved(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.endswith(_RESERVED)
