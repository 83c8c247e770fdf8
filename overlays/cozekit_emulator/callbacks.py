"""Delivers events to callback applications: signed, with a time limit, and again when nobody
answers.

The signature is the plain SHA-1 of timestamp, nonce, verify token and raw body. How often and when
Coze repeats a delivery is not documented; `CallbackState.retry_after` is the emulator's own rule.
Addresses under the domains that are reserved for examples (`example.com` and the like) are taken
for good and never contacted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import ssl
import uuid
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from .answers import Refusal, compact
from .callback_state import Attempt, Delivery
from .kinds import USER
from .store import Record, World

if TYPE_CHECKING:
    from .app import LocalCoze

_PATIENCE = 3.0
_NORMAL_ONLY = ("benefit.plugin.scale.requested", "benefit.plugin.scale.expired")
_RESERVED = (".example", ".test", ".invalid", "example.com", "example.org", "example.net")
_DONE_IN = 60.0
"""Seconds in which what is due must be done; only a defect takes longer."""


def signature(timestamp: str, nonce: str, token: str, body: bytes) -> str:
    """The signature of a delivery, lower-case hexadecimal."""
    return hashlib.sha1(
        f"{timestamp}{nonce}{token}".encode() + body, usedforsecurity=False
    ).hexdigest()


class Dispatcher:
    """Sends events of one emulator. Its coroutines run in the loop of the server."""

    def __init__(self, local: LocalCoze) -> None:
        self._local = local
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[int] = set()
        """Deliveries under way, so that no two attempts of one overlap."""

    def bind(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """The loop of the server while it runs."""
        self._loop = loop

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs something in the loop of the server and waits for it; for other threads.

        Raises:
            RuntimeError: The emulator does not run.
        """
        if self._loop is None:
            work.close()
            raise RuntimeError("the local emulator is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_DONE_IN)

    def time_passed(self) -> None:
        """Sends what became due when the clock was moved."""
        if self._loop is not None:
            self.call(self._send_due())

    async def settled(self) -> list[Delivery]:
        """All deliveries of this memory, once nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        return list(self._local.world.callbacks.deliveries)

    async def verify(self, app: Record, url: str) -> None:
        """Posts a challenge to an address that an application wants to have.

        Raises:
            Refusal: 4000: it is no address, or the challenge did not come back in time.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refusal(4000, "Request parameter error: body.callback_url is no http address")
        if _reserved(url):
            return
        challenge = secrets.token_urlsafe(16)
        delivery = _delivery(
            self._local.world, app, "url_verification", {"challenge": challenge}, url
        )
        self._local.world.callbacks.deliveries.append(delivery)
        await self._attempt(self._local.world, delivery)
        if (
            not delivery.delivered
            or not isinstance(delivery.answer, dict)
            or delivery.answer.get("challenge") != challenge
        ):
            last = delivery.attempts[-1]
            said = last.error or f"HTTP {last.status}"
            raise Refusal(
                4000,
                "Request parameter error: body.callback_url did not send the challenge back "
                f"({said})",
            )

    def publish(self, kind: str, event: Record, *channels: str) -> list[Delivery]:
        """Begins to deliver an event to every application that is subscribed; to be called in the
        loop.

        Args:
            kind: Type of the event.
            event: Its data.
            channels: The channels that it is about; their applications get the event too, those of
                other channels do not.
        """
        found = [
            self._new(app, kind, event) for app in _subscribed(self._local.world, kind, channels)
        ]
        for delivery in found:
            self._start(self._attempt(self._local.world, delivery))
        return found

    async def publish_to(self, kind: str, event: Record, channels: list[str]) -> None:
        """`publish` for other threads, through `call`."""
        self.publish(kind, event, *channels)

    async def review(self, event: Record, connector_id: str) -> int | None:
        """Asks the applications of a channel about a bot that is published to it.

        Returns:
            The audit status, 0 when there was no good answer; None when nobody is asked.
        """
        apps = [
            app
            for app in _subscribed(self._local.world, "bot.published", (connector_id,))
            if app["app_type"] == "connector"
        ]
        found = [self._new(app, "bot.published", event) for app in apps]
        for delivery in found:
            await self._attempt(self._local.world, delivery)
        return min((delivery.audit_status for delivery in found), default=None)

    def _new(self, app: Record, kind: str, event: Record) -> Delivery:
        if app["app_type"] == "connector":
            event = {name: value for name, value in event.items() if name != "space_id"}
        delivery = _delivery(self._local.world, app, kind, event, app["callback_url"])
        self._local.world.callbacks.deliveries.append(delivery)
        return delivery

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_due(self) -> None:
        world = self._local.world
        now = world.time()
        for delivery in list(world.callbacks.deliveries):
            if (
                delivery.due is not None
                and delivery.due <= now
                and id(delivery) not in self._sending
            ):
                await self._attempt(world, delivery)

    async def _attempt(self, world: World, delivery: Delivery) -> None:
        self._sending.add(id(delivery))
        try:
            attempt = await _post(world, delivery)
        finally:
            self._sending.discard(id(delivery))
        delivery.attempts.append(attempt)
        delivery.due = None
        if attempt.status == 200:
            delivery.answer = _json(attempt.body)
        elif delivery.event_type != "url_verification" and len(delivery.attempts) <= len(
            world.callbacks.retry_after
        ):
            pause = world.callbacks.retry_after[len(delivery.attempts) - 1]
            delivery.due = world.time() + pause
            asyncio.get_running_loop().call_later(pause, lambda: self._start(self._send_due()))


def _subscribed(world: World, kind: str, channels: Sequence[str]) -> list[Record]:
    """The applications that get an event."""
    found = []
    for app in world.collection("api_apps").all():
        events = world.collection("api_app_events").all(app["api_app_id"])
        concerned = app["app_type"] == "normal" or app.get("connector_id") in channels
        if app["app_type"] == "connector" and kind in _NORMAL_ONLY:
            continue
        url = app.get("callback_url")
        if (
            url
            and not _reserved(url)
            and concerned
            and any(event["event_type"] == kind for event in events)
        ):
            found.append(app)
    return found


def _delivery(world: World, app: Record, kind: str, event: Record, url: str) -> Delivery:
    event_id = f"{uuid.uuid4()}-{app['api_app_id']}"
    header = {
        "event_type": kind,
        "event_id": event_id,
        "created_at": int(world.time() * 1000),
        "coze_account_id": USER,
        "api_app_id": app["api_app_id"],
    }
    if app["app_type"] == "connector":
        header["connector_id"] = app["connector_id"]
    body = compact({"header": header, "event": event}).encode()
    return Delivery(kind, event_id, app["api_app_id"], url, body, app["verify_token"])


async def _post(world: World, delivery: Delivery) -> Attempt:
    timestamp, nonce = str(int(world.time() * 1000)), secrets.token_urlsafe(12)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-Coze-Timestamp": timestamp,
        "X-Coze-Nonce": nonce,
        "X-Coze-Signature": signature(timestamp, nonce, delivery.token, delivery.body),
    }
    limit = world.callbacks.patience.get(delivery.event_type, _PATIENCE)
    # Most receivers are on this machine and speak http; loading certificates for them would cost
    # more than the call.
    trust: ssl.SSLContext | bool = (
        ssl.create_default_context() if delivery.url.startswith("https:") else False
    )
    try:
        async with (
            asyncio.timeout(limit),
            httpx.AsyncClient(trust_env=False, verify=trust, timeout=None) as client,
        ):
            answer = await client.post(delivery.url, content=delivery.body, headers=headers)
    except TimeoutError:
        return Attempt(world.time(), error=f"no answer within {limit:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Attempt(world.time(), error=f"{type(error).__name__}: {error}")
    return Attempt(world.time(), answer.status_code, answer.content)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _reserved(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.endswith(_RESERVED)
