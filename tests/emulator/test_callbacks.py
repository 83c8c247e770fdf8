"""Callbacks of the local Coze: registering, signing, delivering, repeating, reviewing."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from coze_openapi import Client
from coze_openapi.events.callbacks import EVENTS
from coze_runtime.errors import APIError
from cozekit import webhooks
from cozekit_emulator import Emulator, bots
from cozekit_emulator.callbacks import signature
from cozekit_emulator.errors import ApiError
from cozekit_emulator.state.ids import USER, WORKSPACE
from tests.emulator.callback_server import CallbackServer, ReceivedRequest

BOT_EVENTS = ["bot.published", "bot.deleted", "bot.unpublished"]
CHANNEL = "7400000000000000901"


@pytest.fixture
def local(coze_emulator: Emulator) -> Emulator:
    return coze_emulator


@pytest.fixture
def listener() -> Iterator[CallbackServer]:
    with CallbackServer() as found:
        yield found


def subscribe(client: Client, url: str, *events: str, channel: str = "") -> Any:
    """A callback application with an address and events."""
    made = client.api_apps.create(
        app_type="connector" if channel else "normal",
        name=None if channel else "mine",
        connector_id=channel or None,
    )
    client.api_apps.update(made.id, callback_url=url)
    client.api_apps.events.create(made.id, event_types=list(events or BOT_EVENTS))
    return made


def audit(status: int, reason: str = "") -> tuple[int, bytes]:
    return 200, json.dumps({"audit": {"audit_status": status, "reason": reason}}).encode()


def new_bot(client: Client) -> str:
    return str(client.bots.create(space_id=WORKSPACE, name="天气助手", description="查天气").bot_id)


# Registering


def test_a_new_application_has_a_token_of_its_own_and_no_address(client: Client) -> None:
    one, other = (client.api_apps.create(app_type="normal", name=name) for name in ("a", "b"))
    assert one.verify_token != other.verify_token
    assert (one.callback_url, one.connector_id, one.name) == (None, None, "a")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"app_type": "normal"}, "body.name"),
        ({"app_type": "connector"}, "body.connector_id"),
        ({"app_type": "x", "name": "n"}, "app_type"),
    ],
)
def test_a_kind_of_application_needs_its_fields(
    client: Client, given: dict[str, str], field: str
) -> None:
    with pytest.raises(APIError, match=field):
        client.api_apps.create(**given)


def test_an_address_is_checked_before_it_is_taken(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    made = subscribe(client, listener.url)
    (check,) = listener.requests
    assert check.data["header"]["event_type"] == "url_verification"
    assert check.data["event"].keys() == {"challenge"}
    assert [app.callback_url for app in client.api_apps.list() if app.id == made.id] == [
        listener.url
    ]
    assert [delivery.event_type for delivery in local.deliveries()] == ["url_verification"]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b'{"challenge":"another"}'),
        (200, b"{}"),
        (200, b"[]"),
        (200, b"no json"),
        (500, b"{}"),
        (302, b""),
    ],
)
def test_an_address_that_fails_the_check_is_not_taken(
    client: Client, listener: CallbackServer, answer: tuple[int, bytes]
) -> None:
    made = client.api_apps.create(app_type="normal", name="mine")
    listener.answers.append(answer)
    with pytest.raises(APIError, match="did not return the challenge"):
        client.api_apps.update(made.id, callback_url=listener.url, name="renamed")
    assert [
        (app.callback_url, app.name) for app in client.api_apps.list() if app.id == made.id
    ] == [(None, "mine")]


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "no address", "http://"])
def test_an_address_is_an_http_address(client: Client, url: str) -> None:
    made = client.api_apps.create(app_type="normal", name="mine")
    with pytest.raises(APIError, match="not an http address"):
        client.api_apps.update(made.id, callback_url=url)


def test_an_address_that_nobody_serves_is_not_taken(
    client: Client, listener: CallbackServer
) -> None:
    made = client.api_apps.create(app_type="normal", name="mine")
    with pytest.raises(APIError, match="ConnectError"):
        client.api_apps.update(made.id, callback_url="http://127.0.0.1:1/callback")


def test_the_domains_of_examples_are_never_contacted(local: Emulator, client: Client) -> None:
    subscribe(client, "https://callback.example.com/path")
    client.bots.publish(bot_id=bots.ANSWERING, connector_ids=["1024"])
    assert local.deliveries() == []


# Delivery


def test_the_signature_is_the_plain_hash_of_the_joined_text() -> None:
    body = b'{"header":{"event_type":"url_verification"},"event":{"challenge":"abc"}}'
    assert (
        signature("1613427443000", "nonce123", "token-abc", body)
        == "89cfda0f7110159863bfa38fbfe7b317c0e3d5bd"
    )


def published(
    client: Client, local: Emulator, listener: CallbackServer, *channels: str
) -> ReceivedRequest:
    client.bots.publish(bot_id=bots.ANSWERING, connector_ids=["1024", *channels])
    local.deliveries()
    return listener.events("bot.published")[-1]


def test_a_delivery_is_signed_over_the_raw_body(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    made = subscribe(client, listener.url)
    request = published(client, local, listener)
    timestamp, nonce = request.headers["x-coze-timestamp"], request.headers["x-coze-nonce"]
    expected = hashlib.sha1(
        f"{timestamp}{nonce}{made.verify_token}".encode() + request.body
    ).hexdigest()
    assert request.headers["x-coze-signature"] == expected
    assert abs(int(timestamp) / 1000 - local.clock.time()) < 10
    webhooks.verify(request.headers, request.body, made.verify_token)


def test_a_published_bot_is_told_with_ids_as_numbers(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    made = subscribe(client, listener.url)
    request = published(client, local, listener)
    header, event = request.data["header"], request.data["event"]
    assert header["api_app_id"] == made.id
    assert header["coze_account_id"] == USER
    assert header["created_at"] > 1_600_000_000_000
    assert "connector_id" not in header
    assert (event["bot_id_str"], event["user_id_str"], event["space_id"]) == (
        int(bots.ANSWERING),
        int(USER),
        WORKSPACE,
    )
    assert webhooks.published_bot_id(webhooks.parse(request.body)) == bots.ANSWERING


def test_an_unpublished_bot_is_told_with_its_channel(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url)
    client.bots.unpublish(bots.ANSWERING, connector_id="1024")
    local.deliveries()
    (request,) = listener.events("bot.unpublished")
    event = webhooks.parse(request.body).event
    assert (event.bot_id, event.connector_id, event.space_id) == (bots.ANSWERING, "1024", WORKSPACE)


def test_a_deleted_bot_is_told_and_gone(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url)
    bot = new_bot(client)
    local.delete_bot(bot)
    local.deliveries()
    (request,) = listener.events("bot.deleted")
    assert request.data["event"] == {
        "bot_id": bot,
        "space_id": WORKSPACE,
        "bot_name": "天气助手",
        "description": "查天气",
    }
    with pytest.raises(APIError, match="4200"):
        client.bots.retrieve(bot, is_published=False)
    with pytest.raises(ApiError):
        local.delete_bot(bot)


@pytest.mark.parametrize(
    "event_type", [event_type for event_type in EVENTS if event_type != "url_verification"]
)
def test_every_event_can_be_delivered_and_has_its_model(
    local: Emulator, client: Client, listener: CallbackServer, event_type: str
) -> None:
    made = subscribe(client, listener.url, event_type)
    local.deliver(event_type)
    local.deliveries()
    (request,) = listener.events(event_type)
    webhooks.verify(request.headers, request.body, made.verify_token)
    assert isinstance(webhooks.parse(request.body), EVENTS[event_type])


def test_nobody_gets_what_he_is_not_subscribed_to(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    made = subscribe(client, listener.url, "bot.deleted", "bot.published")
    client.api_apps.events.delete(made.id, event_types=["bot.published"])
    client.bots.publish(bot_id=bots.ANSWERING, connector_ids=["1024"])
    local.deliver("bot.deleted")
    local.deliveries()
    assert [request.data["header"]["event_type"] for request in listener.requests] == [
        "url_verification",
        "bot.deleted",
    ]


def test_a_deleted_application_gets_nothing(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    made = subscribe(client, listener.url)
    client.api_apps.delete(made.id)
    local.deliver("bot.deleted")
    assert [delivery.event_type for delivery in local.deliveries()] == ["url_verification"]


def test_events_have_different_ids_in_different_applications(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    for _ in range(2):
        subscribe(client, listener.url)
    local.deliver("bot.deleted")
    local.deliveries()
    ids = [request.data["header"]["event_id"] for request in listener.events("bot.deleted")]
    assert len(set(ids)) == 2


def test_applications_of_channels_get_no_event_about_plugins(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url, "benefit.plugin.scale.expired", channel=CHANNEL)
    local.deliver("benefit.plugin.scale.expired", connector_ids=[CHANNEL])
    assert [delivery.event_type for delivery in local.deliveries()] == ["url_verification"]


# Repeating


def test_an_event_without_an_answer_comes_again_until_it_is_answered(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url)
    listener.answers += [(500, b""), (503, b"")]
    local.deliver("bot.deleted")
    assert [delivery.delivered for delivery in local.deliveries()] == [True, False]
    local.clock.advance(4.9)
    assert len(listener.events("bot.deleted")) == 1
    local.clock.advance(0.2)
    local.clock.advance(30)
    requests = listener.events("bot.deleted")
    delivery = local.deliveries()[-1]
    assert [attempt.status for attempt in delivery.attempts] == [500, 503, 200]
    assert (delivery.delivered, delivery.due) == (True, None)
    assert len({one.body for one in requests}) == 1, "the same event with the same id"
    assert len({one.headers["x-coze-nonce"] for one in requests}) == 3, "signed again each time"
    local.clock.advance(3600)
    assert len(listener.events("bot.deleted")) == 3


def test_an_event_that_nobody_answers_is_given_up(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url)
    listener.answers += [(500, b"")] * 10
    local.deliver("bot.deleted")
    local.deliveries()
    for _ in range(6):
        local.clock.advance(200)
    delivery = local.deliveries()[-1]
    assert (len(delivery.attempts), delivery.due, delivery.delivered) == (
        1 + len(local.callbacks.retry_after),
        None,
        False,
    )


def test_an_answer_that_takes_too_long_is_none(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url)
    local.callbacks.timeouts["bot.deleted"] = 0.05
    late = threading.Event()

    def waiting() -> tuple[int, bytes]:
        late.wait(10)
        return 200, b"{}"

    listener.answers.append(waiting)
    local.deliver("bot.deleted")
    (attempt,) = local.deliveries()[-1].attempts
    late.set()
    assert (attempt.status, attempt.error) == (0, "no response within 0.05 s")
    local.clock.advance(5)
    assert local.deliveries()[-1].delivered


def test_a_receiver_that_was_away_gets_the_event_later(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url)
    local.callbacks.retry_after = (0.0,)
    listener.answers.append((500, b""))
    local.deliver("bot.deleted")
    local.deliveries()
    local.clock.advance(0)
    assert local.deliveries()[-1].delivered


def test_events_of_an_emulator_that_does_not_run_are_an_error() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        Emulator().deliver("bot.deleted")


# Reviews of channels


def versions(client: Client, bot: str, channel: str) -> int:
    return len(list(client.bots.versions.list(bot, connector_id=channel)))


@pytest.mark.parametrize(
    ("answer", "listed"),
    [
        (audit(2), 1),
        (audit(3, "头像无法通过审核"), 0),
        (audit(1), 0),
        ((200, b"{}"), 0),
        ((200, b'{"audit":[]}'), 0),
        ((500, b""), 0),
    ],
    ids=["passed", "refused", "in review", "no result", "an array", "no answer"],
)
def test_publishing_to_a_channel_needs_its_good_review(
    client: Client, listener: CallbackServer, answer: tuple[int, bytes], listed: int
) -> None:
    subscribe(client, listener.url, channel=CHANNEL)
    listener.answers.append(answer)
    bot = new_bot(client)
    client.bots.publish(bot_id=bot, connector_ids=["1024", CHANNEL])
    assert (versions(client, bot, "1024"), versions(client, bot, CHANNEL)) == (1, listed)


def test_a_channel_without_callbacks_publishes_at_once(client: Client) -> None:
    bot = new_bot(client)
    client.bots.publish(bot_id=bot, connector_ids=["1024", CHANNEL])
    assert versions(client, bot, CHANNEL) == 1


def test_a_review_that_takes_longer_is_reported_later(
    client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url, channel=CHANNEL)
    listener.answers.append(audit(1))
    bot = new_bot(client)
    client.bots.publish(bot_id=bot, connector_ids=["1024", CHANNEL])
    client.connectors.bots.update(CHANNEL, bot, audit_status=3, reason="no")
    assert versions(client, bot, CHANNEL) == 0
    client.connectors.bots.update(CHANNEL, bot, audit_status=2)
    client.connectors.bots.update(CHANNEL, bot, audit_status=2)
    assert versions(client, bot, CHANNEL) == 1


def test_a_channel_learns_of_its_own_bots_only_and_not_where_they_live(
    local: Emulator, client: Client, listener: CallbackServer
) -> None:
    subscribe(client, listener.url, channel=CHANNEL)
    bot = new_bot(client)
    listener.answers.append(audit(2))
    client.bots.publish(bot_id=bot, connector_ids=["1024", CHANNEL])
    client.bots.unpublish(bot, connector_id="1024")
    client.bots.unpublish(bot, connector_id=CHANNEL)
    local.deliveries()
    assert [request.data["header"]["event_type"] for request in listener.requests] == [
        "url_verification",
        "bot.published",
        "bot.unpublished",
    ]
    for request in listener.requests[1:]:
        assert request.data["header"]["connector_id"] == CHANNEL
        assert "space_id" not in request.data["event"]


def test_a_bot_off_one_channel_stays_on_the_others(client: Client) -> None:
    bot = new_bot(client)
    client.bots.publish(bot_id=bot, connector_ids=["1024", CHANNEL])
    client.bots.unpublish(bot, connector_id=CHANNEL)
    assert client.bots.retrieve(bot).bot_id == bot
    client.bots.unpublish(bot, connector_id="1024")
    with pytest.raises(APIError, match="not published"):
        client.bots.retrieve(bot)
