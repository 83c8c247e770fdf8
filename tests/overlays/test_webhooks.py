"""Callbacks: who sent them, what they say, and what is answered."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import anyio
import pytest
import uvicorn
import yaml

from coze_openapi import models as m
from coze_openapi.events.callbacks import EVENTS
from cozekit import webhooks
from cozekit.errors import ArgumentError, CozeError, WebhookError
from cozekit.webhooks import (
    Answer,
    AsgiApp,
    AsyncWebhookReceiver,
    MemoryEventStore,
    Seen,
    UnknownEvent,
    WebhookReceiver,
    WsgiApp,
    audit_in_review,
    audit_passed,
    audit_refused,
    parse,
    published_bot_id,
    sign,
    verify,
)

SPEC = Path(__file__).parents[2] / "spec" / "resources" / "callbacks.yaml"
TOKEN = "token-abc"
NOW = 1613427443.0
VECTOR = b'{"header":{"event_type":"url_verification"},"event":{"challenge":"abc"}}'
VECTOR_SIGNATURE = "89cfda0f7110159863bfa38fbfe7b317c0e3d5bd"
BOT = {
    "bot_id": "7512041635401",
    "space_id": "7309693825197",
    "bot_name": "天气",
    "description": "…",
}
EVENT_DATA: dict[str, dict[str, Any]] = {
    "url_verification": {"challenge": "ajls384k"},
    "bot.published": {
        "user_id_str": 7509745929591717899,
        "bot_id_str": 7512041635401717899,
        "bot_name": "天气",
        "version": "1",
        "space_id": "3",
    },
    "bot.deleted": BOT,
    "bot.unpublished": {**BOT, "connector_id": "10000122"},
    "benefit.usage": {
        "id": "1",
        "consume_time": 1749038258,
        "record_root_id": "2",
        "connector_id": "1024",
        "connector_uid": "u",
        "device_id": "",
        "custom_consumer": "",
        "space_id": "3",
        "root_entity_type": 1,
        "root_entity_id": "4",
        "change_balance": "1.25",
        "balance_type": 2,
        "resource_type": 3,
        "resource_id": "Tts_system_text_to_speech_chars",
        "model_id": "5",
        "model_input_token": 1,
        "model_output_token": 2,
        "tts_char_num": 3,
        "tts_count": 4,
        "asr_audio_length": 5,
        "rtc_duration": 6,
        "rtc_begin_time": 0,
        "rtc_end_time": 0,
        "cost_account_id": "7",
    },
    "benefit.plugin.scale.requested": {
        "apply_id": "1",
        "begin_at": 1,
        "end_at": 2,
        "resource_id": "3",
        "usage_in_30d": 1.5,
        "applicant_info": {"user_id": 7509745929591717899, "user_name": "张三"},
        "extension_type": "QPS",
        "origin_capacity": 10,
        "target_capacity": 50,
    },
    "benefit.plugin.scale.expired": {
        "apply_id": "1",
        "resource_id": "3",
        "applicant_info": {"user_id": 1, "user_name": "张三"},
        "extension_type": "QPS",
        "expired_capacity": 50,
        "current_capacity": 10,
    },
}


def delivery(kind: str = "bot.deleted", event_id: str | None = "e1", event: Any = None) -> bytes:
    header = {
        "event_type": kind,
        "created_at": 1749038258245,
        "coze_account_id": "4",
        "api_app_id": "5",
        "connector_id": "12345",
    }
    if event_id is not None:
        header["event_id"] = event_id
    return json.dumps(
        {"header": header, "event": EVENT_DATA.get(kind, {}) if event is None else event},
        ensure_ascii=False,
    ).encode()


def signed(
    body: bytes, *, at: float = NOW, nonce: str = "nonce123", token: str = TOKEN, **more: str
) -> dict[str, str]:
    timestamp = str(int(at * 1000))
    signature = sign(body, timestamp=timestamp, nonce=nonce, token=token)
    return {
        "X-Coze-Timestamp": timestamp,
        "X-Coze-Nonce": nonce,
        "X-Coze-Signature": signature,
        "Content-Type": "application/json",
        **more,
    }


def now() -> float:
    return NOW


def receiver(**options: Any) -> WebhookReceiver:
    return WebhookReceiver(TOKEN, clock=now, **options)


# --- signature


def test_the_signature_is_that_of_the_known_vector():
    assert (
        sign(VECTOR, timestamp="1613427443000", nonce="nonce123", token=TOKEN) == VECTOR_SIGNATURE
    )


def test_the_signature_is_a_plain_sha1_of_the_joined_text_also_beyond_ascii():
    body = delivery("bot.published")
    assert (
        sign(body, timestamp="1", nonce="2", token="三")
        == hashlib.sha1("12三".encode() + body).hexdigest()
    )


@pytest.mark.parametrize(
    "headers",
    [
        {
            "X-Coze-Timestamp": "1613427443000",
            "X-Coze-Nonce": "nonce123",
            "X-Coze-Signature": VECTOR_SIGNATURE,
        },
        {
            "x-coze-timestamp": "1613427443000",
            "X-COZE-NONCE": "nonce123",
            "x-Coze-Signature": VECTOR_SIGNATURE,
        },
        [
            ("x-coze-timestamp", "1613427443000"),
            ("x-coze-nonce", "nonce123"),
            ("x-coze-signature", VECTOR_SIGNATURE),
        ],
        [
            (b"x-coze-timestamp", b"1613427443000"),
            (b"x-coze-nonce", b"nonce123"),
            (b"x-coze-signature", VECTOR_SIGNATURE.encode()),
        ],
    ],
    ids=["mapping", "other case", "pairs", "pairs of bytes"],
)
def test_a_good_signature_passes_however_the_framework_hands_headers_over(headers):
    verify(headers, VECTOR, TOKEN, clock=now)


def test_one_of_several_tokens_is_enough():
    verify(signed(VECTOR), VECTOR, ["other", TOKEN], clock=now)


@pytest.mark.parametrize(
    "change",
    [
        {"X-Coze-Signature": VECTOR_SIGNATURE.upper()},
        {"X-Coze-Signature": VECTOR_SIGNATURE[:-1]},
        {"X-Coze-Signature": VECTOR_SIGNATURE + "0"},
        {"X-Coze-Signature": "é"},
        {"X-Coze-Signature": ""},
        {"X-Coze-Nonce": "nonce124"},
        {"X-Coze-Nonce": ""},
        {"X-Coze-Timestamp": "1613427443001"},
        {"X-Coze-Timestamp": "１613427443000"},
        {"X-Coze-Timestamp": ""},
    ],
)
def test_a_changed_header_is_refused(change):
    with pytest.raises(WebhookError) as caught:
        verify({**signed(VECTOR), **change}, VECTOR, TOKEN, clock=now)
    assert caught.value.status == 401


@pytest.mark.parametrize("missing", ["X-Coze-Timestamp", "X-Coze-Nonce", "X-Coze-Signature"])
def test_a_missing_header_is_refused(missing):
    headers = signed(VECTOR)
    del headers[missing]
    with pytest.raises(WebhookError, match="not signed") as caught:
        verify(headers, VECTOR, TOKEN, clock=now)
    assert caught.value.status == 401


def test_a_header_that_comes_twice_is_refused():
    headers = [*signed(VECTOR).items(), ("x-coze-signature", VECTOR_SIGNATURE)]
    with pytest.raises(WebhookError, match="once"):
        verify(headers, VECTOR, TOKEN, clock=now)


def test_a_changed_body_is_refused():
    with pytest.raises(WebhookError, match="does not match"):
        verify(signed(VECTOR), VECTOR + b" ", TOKEN, clock=now)


def test_a_signature_of_another_token_is_refused():
    with pytest.raises(WebhookError, match="does not match"):
        verify(signed(VECTOR, token="other"), VECTOR, TOKEN, clock=now)


@pytest.mark.parametrize("age", [300.5, -300.5, 86_400.0])
def test_a_delivery_that_is_too_old_or_from_the_future_is_refused(age):
    with pytest.raises(WebhookError, match="too old") as caught:
        verify(signed(VECTOR, at=NOW - age), VECTOR, TOKEN, clock=now)
    assert caught.value.status == 401


@pytest.mark.parametrize("age", [300.0, 0.0, -300.0])
def test_a_delivery_within_the_age_passes(age):
    verify(signed(VECTOR, at=NOW - age), VECTOR, TOKEN, clock=now)


def test_the_age_is_not_looked_at_when_it_is_switched_off():
    verify(signed(VECTOR, at=1.0), VECTOR, TOKEN, max_age=None, clock=now)


@pytest.mark.parametrize("moved", [1, -1])
def test_digits_moved_between_timestamp_and_nonce_do_not_make_an_old_delivery_young(moved):
    joined = "1613427443000" + "123abc"
    timestamp, nonce = joined[: 13 + moved], joined[13 + moved :]
    signature = sign(VECTOR, timestamp="1613427443000", nonce="123abc", token=TOKEN)
    headers = {"X-Coze-Timestamp": timestamp, "X-Coze-Nonce": nonce, "X-Coze-Signature": signature}
    with pytest.raises(WebhookError, match="too old"):
        verify(headers, VECTOR, TOKEN, clock=now)


@pytest.mark.parametrize(
    "text", ["+1613427443000", " 1613427443000", "1_613_427_443_000", "1613427443000.0", "-1"]
)
def test_a_timestamp_is_digits_only(text):
    headers = {
        "X-Coze-Timestamp": text,
        "X-Coze-Nonce": "n",
        "X-Coze-Signature": sign(VECTOR, timestamp=text, nonce="n", token=TOKEN),
    }
    with pytest.raises(WebhookError, match="too old"):
        verify(headers, VECTOR, TOKEN, clock=now)


def test_a_timestamp_of_many_digits_costs_no_time_and_no_crash():
    text = "9" * 5000
    headers = {
        "X-Coze-Timestamp": text,
        "X-Coze-Nonce": "n",
        "X-Coze-Signature": sign(VECTOR, timestamp=text, nonce="n", token=TOKEN),
    }
    with pytest.raises(WebhookError, match="too old"):
        verify(headers, VECTOR, TOKEN, clock=now)


@pytest.mark.parametrize("token", ["", [], ["a", ""]])
def test_an_empty_token_is_refused(token):
    with pytest.raises(ArgumentError, match="token"):
        verify(signed(VECTOR), VECTOR, token, clock=now)
    with pytest.raises(ArgumentError, match="token"):
        WebhookReceiver(token)


def test_text_instead_of_the_raw_body_is_refused():
    with pytest.raises(ArgumentError, match="raw bytes"):
        verify(signed(VECTOR), VECTOR.decode(), TOKEN, clock=now)  # type: ignore[arg-type]


# --- events


def test_the_table_of_events_is_that_of_the_description():
    described = yaml.safe_load(SPEC.read_text(encoding="utf-8"))["x-coze-callbacks"]["events"]
    assert {kind: model.__name__ for kind, model in EVENTS.items()} == {
        kind: node["schema"]["$ref"].rpartition("/")[2] for kind, node in described.items()
    }


def test_no_event_is_left_out_by_these_tests():
    assert EVENT_DATA.keys() == EVENTS.keys()


@pytest.mark.parametrize("kind", EVENT_DATA)
def test_every_event_becomes_its_model_and_back(kind):
    body = delivery(kind)
    event = parse(body)
    assert type(event) is EVENTS[kind]
    assert event.to_dict() == json.loads(body)


def test_an_unknown_event_is_handed_on_with_its_data():
    event = parse(delivery("moon.phase", event=["full"]))
    assert isinstance(event, UnknownEvent)
    assert (event.header.event_type, event.header.event_id, event.event) == (
        "moon.phase",
        "e1",
        ["full"],
    )


@pytest.mark.parametrize(
    "data",
    [
        {"bot_id_str": 7512041635401717899},
        {"bot_id_str": "7512041635401717899"},
        {"bot_id": 7512041635401717899},
        {"bot_id": "7512041635401717899"},
    ],
)
def test_the_id_of_a_published_bot_is_found_under_both_names_and_types(data):
    event = parse(delivery("bot.published", event=data))
    assert isinstance(event, m.CallbackBotPublishedEvent)
    assert published_bot_id(event) == "7512041635401717899"


def test_a_published_bot_without_id_has_none():
    event = parse(b'{"header":{"event_type":"bot.published"}}')
    assert isinstance(event, m.CallbackBotPublishedEvent)
    assert published_bot_id(event) is None


def test_a_field_of_another_type_does_not_stop_an_event():
    event = parse(
        delivery("bot.deleted", event={**BOT, "bot_name": 5, "bot_id": 7512041635401, "new": 1})
    )
    assert isinstance(event, m.CallbackBotDeletedEvent)
    assert event.event is not None
    assert event.event.bot_id == "7512041635401"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"header":[]}',
        b'{"header":{}}',
        b'{"header":{"event_type":5}}',
        b'{"header":{"event_type":""}}',
        b'{"header":{"event_type":"bot.deleted","event_id":["e"]},"event":{}}',
        b'{"header":{"event_type":"bot.deleted"},"event":[]}',
        b'{"header":{"event_type":"bot.deleted"},"event":"\xff"}',
        '{"header":{"event_type":"bot.deleted"}'.encode("utf-16"),
        b"[" * 100_000,
    ],
)
def test_what_is_no_callback_is_refused(body):
    with pytest.raises(WebhookError) as caught:
        parse(body)
    assert caught.value.status == 400


def test_the_refusal_is_an_error_of_this_package_and_does_not_quote_the_body():
    with pytest.raises(CozeError) as caught:
        parse(b'{"header": secret}')
    assert "secret" not in str(caught.value)


# --- receiver


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Type": "application/json"}], ids=["bare", "json"]
)
def test_the_unsigned_check_of_an_address_is_answered_with_its_challenge(headers):
    assert receiver().handle(headers, VECTOR) == Answer(200, b'{"challenge":"abc"}')


def test_the_signed_check_of_an_address_is_answered_with_its_challenge():
    assert receiver(answer_unsigned_check=False).handle(signed(VECTOR), VECTOR) == Answer(
        200, b'{"challenge":"abc"}'
    )


def test_the_unsigned_check_is_refused_when_that_is_wanted():
    assert receiver(answer_unsigned_check=False).handle({}, VECTOR).status == 401


def test_a_check_with_a_wrong_signature_is_refused():
    assert receiver().handle(signed(VECTOR, token="other"), VECTOR).status == 401


@pytest.mark.parametrize("event", [{}, {"challenge": ""}, {"challenge": ["a"]}])
def test_a_check_without_challenge_is_refused(event):
    assert receiver().handle({}, delivery("url_verification", event=event)).status == 400


def test_the_handler_of_the_event_runs_and_the_others_do_not():
    seen: list[Any] = []
    target = receiver()
    target.on(m.CallbackBotDeletedEvent)(
        lambda event: seen.append(("deleted", event.event and event.event.bot_id))
    )
    target.on(m.CallbackBotUnpublishedEvent)(lambda event: seen.append(("unpublished", None)))
    body = delivery()
    assert target.handle(signed(body), body) == Answer(200, b"{}")
    assert seen == [("deleted", "7512041635401")]


def test_an_event_without_handler_is_answered_all_the_same():
    body = delivery("moon.phase")
    assert receiver().handle(signed(body), body).status == 200


def test_unknown_events_have_a_handler_of_their_own():
    seen: list[str] = []
    target = receiver()
    target.on(UnknownEvent)(lambda event: seen.append(event.header.event_type))
    body = delivery("moon.phase")
    assert target.handle(signed(body), body).status == 200
    assert seen == ["moon.phase"]


@pytest.mark.parametrize(
    ("audit", "answer"),
    [
        (audit_passed(), {"audit": {"audit_status": 2, "reason": ""}}),
        (audit_refused("头像"), {"audit": {"audit_status": 3, "reason": "头像"}}),
        (audit_in_review(), {"audit": {"audit_status": 1, "reason": ""}}),
    ],
)
def test_a_published_bot_is_answered_with_the_result_of_the_review(audit, answer):
    target = receiver()
    target.on(m.CallbackBotPublishedEvent)(lambda event: audit)
    body = delivery("bot.published")
    assert json.loads(target.handle(signed(body), body).body) == answer


def test_a_repeated_delivery_runs_no_handler_and_gets_the_same_answer():
    runs: list[int] = []

    def published(event: m.CallbackBotPublishedEvent) -> m.CallbackAudit:
        runs.append(1)
        return audit_refused("no")

    target = receiver()
    target.on(m.CallbackBotPublishedEvent)(published)
    body = delivery("bot.published")
    first = target.handle(signed(body), body)
    assert target.handle(signed(body, at=NOW + 1, nonce="again"), body) == first
    assert runs == [1]


def test_events_without_id_are_not_taken_for_repeats():
    runs: list[int] = []
    target = receiver()
    target.on(m.CallbackBotDeletedEvent)(lambda event: runs.append(1))
    body = delivery(event_id=None)
    for _ in range(2):
        assert target.handle(signed(body), body).status == 200
    assert runs == [1, 1]


def test_a_handler_that_fails_has_the_event_delivered_again():
    runs: list[int] = []

    def deleted(event: m.CallbackBotDeletedEvent) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise OSError("the database is away")

    target = receiver()
    target.on(m.CallbackBotDeletedEvent)(deleted)
    body = delivery()
    assert [target.handle(signed(body), body).status for _ in range(3)] == [500, 200, 200]
    assert runs == [1, 1]


def test_a_repeat_that_comes_while_the_handler_runs_is_put_off():
    inner: list[Answer] = []
    target = receiver()
    body = delivery()
    target.on(m.CallbackBotDeletedEvent)(
        lambda event: inner.append(target.handle(signed(body), body))
    )
    assert target.handle(signed(body), body).status == 200
    assert [answer.status for answer in inner] == [503]


class BrokenStore(MemoryEventStore):
    def begin(self, event_id: str) -> Seen:
        raise ConnectionError("the store is away")


def test_a_store_that_fails_is_reported_to_the_server():
    target = receiver(store=BrokenStore())
    target.on(m.CallbackBotDeletedEvent)(lambda event: None)
    body = delivery()
    with pytest.raises(ConnectionError):
        target.handle(signed(body), body)


@pytest.mark.parametrize("kind", [WebhookReceiver, AsyncWebhookReceiver])
def test_a_second_handler_for_an_event_is_refused(kind):
    target = kind(TOKEN)
    target.on(m.CallbackBotDeletedEvent)(lambda event: None)
    with pytest.raises(ArgumentError, match="already"):
        target.on(m.CallbackBotDeletedEvent)(lambda event: None)


def test_the_check_of_an_address_takes_no_handler():
    with pytest.raises(ArgumentError, match="itself"):
        receiver().on(m.CallbackUrlVerificationEvent)(lambda event: None)


def test_a_coroutine_is_no_handler_of_the_sync_receiver():
    async def deleted(event: m.CallbackBotDeletedEvent) -> None:
        raise AssertionError("never runs")

    with pytest.raises(ArgumentError, match="AsyncWebhookReceiver"):
        receiver().on(m.CallbackBotDeletedEvent)(deleted)  # type: ignore[arg-type]


def test_a_coroutine_that_a_handler_of_the_sync_receiver_returns_is_a_failure(caplog):
    async def published(event: m.CallbackBotPublishedEvent) -> m.CallbackAudit:
        raise AssertionError("never runs")

    target, body = receiver(), delivery("bot.published")
    target.on(m.CallbackBotPublishedEvent)(lambda event: published(event))
    assert target.handle(signed(body), body).status == 500
    assert "published is async, and a sync call cannot await it" in caplog.text


REFUSED = [
    pytest.param(lambda body: ({}, body), 401, id="not signed"),
    pytest.param(
        lambda body: (signed(body, token="other"), body), 401, id="signed by somebody else"
    ),
    pytest.param(lambda body: (signed(body, at=NOW - 301), body), 401, id="sent again later"),
    pytest.param(lambda body: (signed(b"{"), b"{"), 400, id="no JSON"),
    pytest.param(lambda body: (signed(b"{}"), b"{}"), 400, id="no callback"),
    pytest.param(
        lambda body: (signed(body + b" " * 5000), body + b" " * 5000), 413, id="too large"
    ),
    pytest.param(
        lambda body: (signed(body, **{"Content-Length": "5000"}), body),
        413,
        id="too large by its own word",
    ),
    pytest.param(
        lambda body: (signed(body, **{"Content-Length": "9" * 5000}), body),
        413,
        id="absurdly large",
    ),
    pytest.param(
        lambda body: (signed(body, **{"Content-Length": "+5"}), body), 400, id="length is no number"
    ),
    pytest.param(
        lambda body: (signed(body, **{"Content-Type": "text/plain"}), body),
        415,
        id="other content type",
    ),
    pytest.param(
        lambda body: (signed(body, **{"Content-Type": "application/json; charset=gbk"}), body),
        415,
        id="other charset",
    ),
    pytest.param(
        lambda body: (signed(body, **{"Content-Encoding": "gzip"}), gzip.compress(body)),
        415,
        id="compressed",
    ),
    pytest.param(
        lambda body: (signed(body.decode().encode("gbk")), body.decode().encode("gbk")),
        400,
        id="not in UTF-8",
    ),
]


@pytest.mark.parametrize(("request_of", "status"), REFUSED)
async def test_a_bad_request_gets_its_status_and_no_handler_sync_and_async(request_of, status):
    def never(event: m.CallbackBotDeletedEvent) -> None:
        raise AssertionError("a refused request reached the handler")

    headers, body = request_of(delivery(event={**BOT, "description": "描述"}))
    target, other = receiver(max_body=2000), AsyncWebhookReceiver(TOKEN, max_body=2000, clock=now)
    target.on(m.CallbackBotDeletedEvent)(never)
    other.on(m.CallbackBotDeletedEvent)(never)
    assert target.handle(headers, body) == Answer(status, b"{}")
    assert await other.handle(headers, body) == Answer(status, b"{}")


@pytest.mark.parametrize(("request_of", "status"), REFUSED)
def test_a_refusal_is_logged_without_anything_of_the_request(request_of, status, caplog):
    headers, body = request_of(delivery())
    with caplog.at_level(logging.DEBUG, "cozekit"):
        receiver(max_body=2000).handle(headers, body)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"rejected with {status}" in record.getMessage()
    for secret in (
        TOKEN,
        "nonce123",
        headers.get("X-Coze-Signature", TOKEN),
        "7512041635401",
        "天气",
    ):
        assert secret not in record.getMessage()


def test_a_failing_handler_is_logged_with_its_reason(caplog):
    def deleted(event: m.CallbackBotDeletedEvent) -> None:
        raise OSError("the database is away")

    target = receiver()
    target.on(m.CallbackBotDeletedEvent)(deleted)
    body = delivery()
    target.handle(signed(body), body)
    assert "the database is away" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("kind", [WebhookReceiver, AsyncWebhookReceiver])
def test_the_token_is_not_shown(kind):
    target = kind(TOKEN)
    target.on(m.CallbackBotDeletedEvent)(lambda event: None)
    assert TOKEN not in repr(target)
    assert "CallbackBotDeletedEvent" in repr(target)


@pytest.mark.parametrize(
    "media",
    [
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/problem+json",
        "",
    ],
)
def test_usual_ways_to_say_json_are_taken(media):
    body = delivery()
    assert receiver().handle(signed(body, **{"Content-Type": media}), body).status == 200


# --- coroutines


class AsyncStore:
    """A store whose methods are coroutines, on top of the one in memory."""

    def __init__(self) -> None:
        self.memory = MemoryEventStore()

    async def begin(self, event_id: str) -> Seen:
        await anyio.lowlevel.checkpoint()
        return self.memory.begin(event_id)

    async def finish(self, event_id: str, answer: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        self.memory.finish(event_id, answer)

    async def forget(self, event_id: str) -> None:
        await anyio.lowlevel.checkpoint()
        self.memory.forget(event_id)


@pytest.mark.parametrize("store", [MemoryEventStore, AsyncStore])
async def test_coroutines_are_awaited_and_a_failure_is_delivered_again(store):
    runs: list[int] = []

    async def published(event: m.CallbackBotPublishedEvent) -> m.CallbackAudit:
        await anyio.lowlevel.checkpoint()
        runs.append(1)
        if len(runs) == 1:
            raise OSError("away")
        return audit_passed()

    target = AsyncWebhookReceiver(TOKEN, store=store(), clock=now)
    target.on(m.CallbackBotPublishedEvent)(published)
    body = delivery("bot.published")
    answers = [await target.handle(signed(body), body) for _ in range(3)]
    assert [answer.status for answer in answers] == [500, 200, 200]
    assert answers[1] == answers[2] == Answer(200, b'{"audit":{"audit_status":2,"reason":""}}')
    assert runs == [1, 1]


async def test_two_deliveries_at_once_run_one_handler():
    entered, leave = anyio.Event(), anyio.Event()

    async def deleted(event: m.CallbackBotDeletedEvent) -> None:
        entered.set()
        await leave.wait()

    target = AsyncWebhookReceiver(TOKEN, clock=now)
    target.on(m.CallbackBotDeletedEvent)(deleted)
    body = delivery()
    answers: list[int] = []

    async def first() -> None:
        answers.append((await target.handle(signed(body), body)).status)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await entered.wait()
        assert (await target.handle(signed(body), body)).status == 503
        leave.set()
    assert answers == [200]


async def test_a_plain_function_is_a_handler_as_well():
    seen: list[str] = []
    target = AsyncWebhookReceiver(TOKEN, clock=now)
    target.on(UnknownEvent)(lambda event: seen.append(event.header.event_type))
    body = delivery("moon.phase")
    assert (await target.handle(signed(body), body)).status == 200
    assert seen == ["moon.phase"]


# --- store


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_event_is_new_once_then_running_then_done():
    store = MemoryEventStore()
    assert store.begin("a") == Seen("new")
    assert store.begin("a") == Seen("running")
    store.finish("a", b"answer")
    assert store.begin("a") == Seen("done", b"answer")
    assert store.begin("b") == Seen("new")


def test_a_claim_that_is_never_finished_lapses():
    clock = Clock()
    store = MemoryEventStore(lease=60, clock=clock)
    store.begin("a")
    clock.now = 59.9
    assert store.begin("a").state == "running"
    clock.now = 60.0
    assert store.begin("a").state == "new"


def test_a_finished_event_is_forgotten_after_its_time():
    clock = Clock()
    store = MemoryEventStore(keep=100, clock=clock)
    store.begin("a")
    store.finish("a", b"")
    clock.now = 99.9
    assert store.begin("a").state == "done"
    clock.now = 100.0
    assert store.begin("a").state == "new"


def test_the_oldest_events_make_room():
    store = MemoryEventStore(max_events=2)
    for name in ("a", "b", "c"):
        store.begin(name)
    assert len(store) == 2
    assert store.begin("c").state == "running"
    assert store.begin("a").state == "new"


def test_a_store_needs_room_for_one_event():
    with pytest.raises(ArgumentError, match="max_events"):
        MemoryEventStore(max_events=0)


def test_of_many_threads_one_gets_the_event():
    store = MemoryEventStore()
    gate = threading.Barrier(8)
    found: list[str] = []

    def claim() -> None:
        gate.wait()
        found.append(store.begin("a").state)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["new", *["running"] * 7]


# --- servers

Server = Callable[[Any, int], Any]


def _handled(target: Any) -> list[str]:
    """Registers handlers that note what arrives."""
    seen: list[str] = []

    def published(event: m.CallbackBotPublishedEvent) -> m.CallbackAudit:
        seen.append(event.header.event_type)
        return audit_passed()

    target.on(m.CallbackBotPublishedEvent)(published)
    target.on(m.CallbackBotDeletedEvent)(lambda event: seen.append(event.header.event_type))
    return seen


@contextmanager
def asgi_server(max_body: int) -> Iterator[tuple[int, list[str]]]:
    target = AsyncWebhookReceiver(TOKEN, clock=now, max_body=max_body)
    seen = _handled(target)
    config = uvicorn.Config(
        AsgiApp(target), log_level="error", ws="none", lifespan="on", http="h11"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1], seen
        finally:
            server.should_exit = True
            thread.join()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not printed."""


@contextmanager
def wsgi_server(max_body: int) -> Iterator[tuple[int, list[str]]]:
    target = WebhookReceiver(TOKEN, clock=now, max_body=max_body)
    seen = _handled(target)
    with make_server("127.0.0.1", 0, validator(WsgiApp(target)), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port, seen
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(params=[asgi_server, wsgi_server], ids=["ASGI", "WSGI"])
def server(request) -> Iterator[tuple[int, list[str]]]:
    with request.param(4000) as found:
        yield found


def call(
    port: int, body: Any, headers: dict[str, str], method: str = "POST"
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, "/any/path?x=1", body=body, headers=headers)
        answer = connection.getresponse()
        return (
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read(),
        )
    finally:
        connection.close()


def test_a_server_takes_events_and_drops_repeats(server):
    port, seen = server
    body = delivery("bot.published")
    for _ in range(2):
        status, headers, answer = call(port, body, signed(body))
        assert (status, headers["content-type"]) == (200, "application/json")
        assert json.loads(answer) == {"audit": {"audit_status": 2, "reason": ""}}
    assert seen == ["bot.published"]


def test_a_server_answers_the_check_of_its_address(server):
    port, _ = server
    status, _, answer = call(port, VECTOR, {"Content-Type": "application/json"})
    assert (status, json.loads(answer)) == (200, {"challenge": "abc"})


def test_a_server_refuses_other_methods(server):
    port, _ = server
    status, headers, _ = call(port, None, {}, "GET")
    assert (status, headers["allow"]) == (405, "POST")


def test_a_server_refuses_what_is_not_signed_by_coze(server):
    port, seen = server
    body = delivery()
    assert call(port, body, {"Content-Type": "application/json"})[0] == 401
    assert call(port, body, signed(body, token="other"))[0] == 401
    assert call(port, body, signed(body, at=NOW - 301))[0] == 401
    assert seen == []


def test_a_server_refuses_what_is_compressed_or_of_another_charset(server):
    port, _ = server
    body = delivery()
    assert call(port, body, signed(body, **{"Content-Encoding": "gzip"}))[0] == 415
    assert (
        call(port, body, signed(body, **{"Content-Type": "application/json; charset=gbk"}))[0]
        == 415
    )


def test_a_server_refuses_a_large_body_without_reading_it(server):
    port, _ = server
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
            b"1000000000\r\n\r\n"
        )
        assert client.recv(100).split(b" ")[1] == b"413"


def test_a_server_takes_a_body_up_to_its_limit(server):
    port, seen = server
    body = delivery()
    body += b" " * (4000 - len(body))
    assert call(port, body, signed(body))[0] == 200
    assert seen == ["bot.deleted"]


def test_an_asgi_server_counts_a_body_of_unknown_length():
    with asgi_server(4000) as (port, seen):
        body = delivery()
        assert call(port, iter([body[:10], body[10:]]), signed(body))[0] == 200
        assert call(port, iter([b" " * 3000, b" " * 3000]), signed(b" " * 6000))[0] == 413
        assert seen == ["bot.deleted"]


def test_a_wsgi_server_that_does_not_end_bodies_refuses_one_of_unknown_length():
    with wsgi_server(4000) as (port, _):
        lines = [
            f"{name}: {value}"
            for name, value in {
                **signed(b"{}"),
                "Host": "local",
                "Transfer-Encoding": "chunked",
            }.items()
        ]
        # The head alone: bytes of a body that the server leaves unread could cost its answer.
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall("\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode())
            assert connection.makefile("rb").readline().split()[1] == b"411"


def _wsgi(body: bytes, **environ: Any) -> str:
    import io

    found: list[str] = []
    base = {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(body)}
    base |= {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in signed(body).items()
        if name != "Content-Type"
    }
    app = WsgiApp(receiver(max_body=4000))
    list(app({**base, **environ}, lambda status, headers, exc_info=None: found.append(status)))  # type: ignore[arg-type,return-value]
    return found[0]


def test_a_wsgi_server_that_ends_bodies_may_leave_the_length_out():
    assert _wsgi(delivery(), **{"wsgi.input_terminated": True}) == "200 OK"
    assert _wsgi(b" " * 4001, **{"wsgi.input_terminated": True}).startswith("413 ")


def test_a_wsgi_body_that_ends_early_is_refused():
    body = delivery()
    assert _wsgi(body, CONTENT_LENGTH=str(len(body))) == "200 OK"
    assert _wsgi(body, CONTENT_LENGTH=str(len(body) + 1)) == "400 Bad Request"


async def test_an_asgi_sender_that_goes_away_gets_no_answer_and_reaches_no_handler():
    target = AsyncWebhookReceiver(TOKEN, clock=now)
    seen = _handled(target)
    messages = [
        {"type": "http.request", "body": delivery(), "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await AsgiApp(target)({"type": "http", "method": "POST", "headers": []}, receive, send)
    assert sent == seen == []


async def test_an_asgi_websocket_is_closed():
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await AsgiApp(AsyncWebhookReceiver(TOKEN))({"type": "websocket"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_the_names_of_the_package_are_there():
    assert webhooks.WebhookError is WebhookError
