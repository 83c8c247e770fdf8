"""Every way in which a call can fail, told by one tree of errors: sync and async, plain calls,
pages and streams.
"""

from __future__ import annotations

import copy
import json
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from coze_openapi import AsyncClient, Client
from coze_openapi.errors import CODES, SERVICE, WorkflowFailed
from coze_runtime.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ArgumentError,
    AuthenticationError,
    ConflictError,
    CozeError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ResponseError,
    ServerError,
    TokenExpiredError,
)
from coze_runtime.operation import Operation, Response
from coze_runtime.serialization import error_responses as failures_module
from tests.contract.catalogue import description
from tests.contract.conftest import TOKEN
from tests.contract.server import LoopbackServer, Reply, json_reply
from tests.each import each

LOGID = "log-of-the-failure"


class Case(NamedTuple):
    id: str
    reply: Reply
    kind: type[CozeError]
    code: int | None = None
    msg: str | None = None
    logid: str | None = LOGID


def envelope(code: Any, msg: str = "it failed", status: int = 200, **more: Any) -> Reply:
    return json_reply({"code": code, "msg": msg, **more}, status, x_tt_logid=LOGID)


def page(body: bytes, status: int, content_type: str | None = "text/html") -> Reply:
    return Reply(body, status, content_type, {"x-tt-logid": LOGID})


CASES = [
    # HTTP 200 with an error envelope.
    Case("code-in-200", envelope(4200), NotFoundError, 4200, "it failed"),
    Case("code-as-text-in-200", envelope("4101"), PermissionDeniedError, 4101, "it failed"),
    Case("code-of-letters-in-200", envelope("rate_limited"), APIError, None, "it failed"),
    Case("code-that-is-a-list-in-200", envelope(["rate_limited"]), APIError, None, "it failed"),
    Case(
        "code-of-letters-in-400",
        envelope("rate_limited", status=400),
        InvalidRequestError,
        None,
        "it failed",
    ),
    Case("negative-code-in-200", envelope(-1), APIError, -1, "it failed"),
    Case("unknown-code-in-200", envelope(999999999), APIError, 999999999, "it failed"),
    Case("huge-code-in-200", envelope(2**70), APIError, 2**70, "it failed"),
    Case("gateway-code-in-200", envelope(700012006), AuthenticationError, 700012006, "it failed"),
    Case(
        "error-with-data-in-200",
        envelope(4000, data={"bot_id": "1"}),
        InvalidRequestError,
        4000,
        "it failed",
    ),
    Case(
        "error-without-msg-in-200", json_reply({"code": 5000}, x_tt_logid=LOGID), ServerError, 5000
    ),
    Case(
        "error-with-null-msg-in-200",
        json_reply({"code": 5000, "msg": None}, x_tt_logid=LOGID),
        ServerError,
        5000,
    ),
    # An error without `code`, by the fields of the other envelopes.
    Case(
        "error-code-in-200",
        json_reply({"error_code": 4000, "error_message": "bad input"}, x_tt_logid=LOGID),
        InvalidRequestError,
        4000,
        "bad input",
    ),
    Case(
        "error-code-beside-null-code-in-200",
        json_reply({"code": None, "error_code": "4101", "data": {}}, x_tt_logid=LOGID),
        PermissionDeniedError,
        4101,
    ),
    Case(
        "error-message-in-200",
        json_reply({"error_code": 0, "error_message": "bad input"}, x_tt_logid=LOGID),
        APIError,
        0,
        "bad input",
    ),
    Case(
        "error-of-letters-in-200",
        json_reply({"error": "access_deny"}, x_tt_logid=LOGID),
        APIError,
        None,
        "access_deny",
    ),
    Case(
        "error-object-in-200",
        json_reply({"error": {"message": "overloaded", "logid": "inner"}}),
        APIError,
        None,
        "overloaded",
        "inner",
    ),
    # The forms of the envelope.
    Case(
        "detail-with-logid",
        json_reply({"code": 4016, "msg": "busy", "detail": {"logid": "inner"}}),
        ConflictError,
        4016,
        "busy",
        "inner",
    ),
    Case(
        "older-form",
        json_reply({"code": 4000, "msg": "bad", "error": {"logid": "older", "detail": "d"}}, 400),
        InvalidRequestError,
        4000,
        "bad",
        "older",
    ),
    Case(
        "oauth-form",
        json_reply(
            {
                "error": "invalid_client",
                "error_code": "invalid_client",
                "error_message": "no such client",
            },
            401,
            x_tt_logid=LOGID,
        ),
        AuthenticationError,
        None,
        "no such client",
    ),
    Case(
        "oauth-form-without-message",
        json_reply({"error": "access_deny"}, 403, x_tt_logid=LOGID),
        PermissionDeniedError,
        None,
        "access_deny",
    ),
    Case(
        "workflow-form",
        json_reply({"error_code": 4000, "error_message": "bad input"}, 400, x_tt_logid=LOGID),
        InvalidRequestError,
        4000,
        "bad input",
    ),
    Case("no-code-at-all", json_reply({"message": "what"}, 500, x_tt_logid=LOGID), ServerError),
    # Each documented HTTP status, with a code that the table does not know.
    *(
        Case(f"http-{status}", envelope(123456789, status=status), kind, 123456789, "it failed")
        for status, kind in {
            400: InvalidRequestError,
            401: AuthenticationError,
            403: PermissionDeniedError,
            404: NotFoundError,
            408: APIError,
            409: ConflictError,
            413: InvalidRequestError,
            415: InvalidRequestError,
            418: APIError,
            422: InvalidRequestError,
            429: RateLimitError,
            499: APIError,
            500: ServerError,
            502: ServerError,
            503: ServerError,
            504: ServerError,
            520: ServerError,
            599: ServerError,
        }.items()
    ),
    Case("code-wins-over-status", envelope(4020, status=400), RateLimitError, 4020, "it failed"),
    Case("zero-code-with-http-error", envelope(0, "", status=500), ServerError, 0),
    Case(
        "expired-token",
        envelope(700012006, "access token expired", 401),
        TokenExpiredError,
        700012006,
        "access token expired",
    ),
    Case("quota", envelope(4011), QuotaExceededError, 4011, "it failed"),
    # No envelope at all.
    *(
        Case(f"{name}-in-{status}", page(body, status, kind), expected)
        for status, expected in (
            (404, NotFoundError),
            (499, APIError),
            (502, ServerError),
            (520, ServerError),
        )
        for name, body, kind in (
            ("html", b"<html><h1>Bad gateway</h1></html>", "text/html; charset=utf-8"),
            ("nothing", b"", None),
            ("broken-json", b'{"code": 4000, "ms', "application/json"),
            ("list", b"[1]", "application/json"),
            ("null", b"null", "application/json"),
            ("no-utf-8", b"\xff\xfe{", "application/json"),
        )
    ),
    *(
        Case(
            f"redirect-{status}",
            Reply(b"", status, None, {"location": "/elsewhere", "x-tt-logid": LOGID}),
            APIError,
        )
        for status in (301, 302, 307)
    ),
    # Success that is none.
    *(
        Case(f"{name}-in-200", page(body, 200, kind), ResponseError)
        for name, body, kind in (
            ("html", b"<html>Sign in</html>", "text/html"),
            ("nothing", b"", None),
            ("broken-json", b'{"code": 0, "dat', "application/json"),
            ("deep-json", b"[" * 100_000, "application/json"),
            ("list", b"[1]", "application/json"),
            ("null", b"null", "application/json"),
            ("text", b'"ok"', "application/json"),
            ("no-utf-8", b"\xff\xfe{", "application/json"),
        )
    ),
]

# Without data a plain call has nothing to return; a list without items is an empty list, and a
# stream was not opened either way.
NO_DATA = Case("no-data-in-200", envelope(0, ""), ResponseError)

every_case = each("case", {case.id: case for case in CASES})


def check(case: Case, error: CozeError, operation: str, server: LoopbackServer) -> None:
    assert type(error) is case.kind
    assert error.logid == case.logid
    assert error.http_status == case.reply.status  # type: ignore[attr-defined]
    if isinstance(error, APIError):
        assert error.code == case.code
        if case.msg is not None:
            assert error.msg == case.msg
    assert error.request is not None
    assert error.request.operation == operation
    assert error.request.base_url == server.url
    assert error.request.url.startswith(server.url + "/v")
    assert "?" not in error.request.url
    assert error.request.call.replace(".", "_") == f"coze_{operation}"
    text = str(error)
    assert text.startswith(f"{error.request.call}: ")
    assert server.url in text
    if case.logid is not None:
        assert case.logid in text
    if case.code is not None:
        assert str(case.code) in text
    if case.msg:
        assert case.msg in text
    assert "\n" not in text
    check_portable(error)


def check_portable(error: CozeError) -> None:
    """Pickled and copied it is the same, and it tells no token."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert twin.__dict__ == error.__dict__
    for shown in (str(error), repr(error), repr(error.__dict__), repr(error.args)):
        assert TOKEN not in shown
    assert TOKEN.encode() not in pickle.dumps(error)


@every_case
def test_a_failed_plain_call_tells_what_happened(
    case: Case, client: Client, server: LoopbackServer
) -> None:
    server.answer(case.reply)
    with pytest.raises(CozeError) as caught:
        client.bots.retrieve("b1")
    check(case, caught.value, "bots_retrieve", server)


@every_case
def test_a_failed_page_tells_what_happened(
    case: Case, client: Client, server: LoopbackServer
) -> None:
    server.answer(case.reply)
    with pytest.raises(CozeError) as caught:
        client.workspaces.list()
    check(case, caught.value, "workspaces_list", server)


@every_case
def test_a_stream_that_does_not_open_tells_what_happened(
    case: Case, client: Client, server: LoopbackServer
) -> None:
    server.answer(case.reply)
    with pytest.raises(CozeError) as caught:
        client.chat.stream(bot_id="b", user_id="u")
    check(case, caught.value, "chat_create", server)


@every_case
async def test_async_calls_pages_and_streams_fail_in_the_same_way(
    case: Case, async_client: AsyncClient, server: LoopbackServer
) -> None:
    server.answer(case.reply)
    with pytest.raises(CozeError) as plain:
        await async_client.bots.retrieve("b1")
    with pytest.raises(CozeError) as page:
        await async_client.workspaces.list()
    with pytest.raises(CozeError) as stream:
        async with async_client.chat.stream(bot_id="b", user_id="u"):
            pass
    check(case, plain.value, "bots_retrieve", server)
    check(case, page.value, "workspaces_list", server)
    check(case, stream.value, "chat_create", server)


@every_case
def test_calls_for_bytes_and_empty_answers_fail_in_the_same_way(
    case: Case, client: Client, server: LoopbackServer
) -> None:
    server.answer(case.reply)
    with pytest.raises(CozeError) as caught:
        client.bots.collaboration_modes.update("b1", collaboration_mode="single")
    check(case, caught.value, "bots_collaboration_modes_update", server)
    if case.reply.status != 200 or case.code is not None:
        with pytest.raises(CozeError) as sound:
            client.audio.speech.create(input="hello", voice_id="v")
        check(case, sound.value, "audio_speech_create", server)


def test_success_without_data_is_a_response_error(client: Client, server: LoopbackServer) -> None:
    server.answer(NO_DATA.reply)
    with pytest.raises(ResponseError, match="contains no data") as caught:
        client.bots.retrieve("b1")
    check(NO_DATA, caught.value, "bots_retrieve", server)


def test_an_envelope_in_place_of_a_stream_is_a_response_error_even_with_code_zero(
    client: Client, server: LoopbackServer
) -> None:
    server.answer(envelope(0, "", data={"id": "1"}))
    with pytest.raises(ResponseError, match="expected an event stream") as caught:
        client.chat.stream(bot_id="b", user_id="u")
    check(NO_DATA, caught.value, "chat_create", server)


@pytest.mark.parametrize("status", [201, 204])
def test_an_event_stream_needs_status_200(
    status: int, client: Client, server: LoopbackServer
) -> None:
    server.answer(Reply(b"", status, "text/event-stream", {"x-tt-logid": LOGID}))
    with pytest.raises(ResponseError):
        client.chat.stream(bot_id="b", user_id="u")


def test_a_stream_in_place_of_an_answer_is_a_response_error(
    client: Client, server: LoopbackServer
) -> None:
    server.answer(
        Reply(b"event: done\ndata: {}\n\n", 200, "text/event-stream", {"x-tt-logid": LOGID})
    )
    with pytest.raises(ResponseError, match="text/event-stream") as caught:
        client.bots.retrieve("b1")
    check(NO_DATA, caught.value, "bots_retrieve", server)


def test_json_in_place_of_sound_is_an_error(client: Client, server: LoopbackServer) -> None:
    server.answer(envelope(0, ""))
    with pytest.raises(ResponseError, match="expected binary data"):
        client.audio.speech.create(input="hello", voice_id="v")
    server.answer(json_reply({"code": 4000, "msg": "bad voice"}))
    with pytest.raises(InvalidRequestError, match="bad voice"):
        client.audio.speech.create(input="hello", voice_id="v")


def test_the_debug_url_of_a_workflow_is_on_its_error(
    client: Client, server: LoopbackServer
) -> None:
    server.answer(envelope(720701013, debug_url="https://www.coze.cn/work_flow?execute_id=1"))
    with pytest.raises(WorkflowFailed) as caught:
        client.workflows.runs.create(workflow_id="w")
    assert caught.value.debug_url == "https://www.coze.cn/work_flow?execute_id=1"
    assert pickle.loads(pickle.dumps(caught.value)).debug_url == caught.value.debug_url


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(
    header: str, seconds: float | None, client: Client, server: LoopbackServer
) -> None:
    server.answer(json_reply({"code": 4009, "msg": "busy"}, 429, retry_after=header))
    with pytest.raises(RateLimitError) as caught:
        client.bots.retrieve("b1")
    assert caught.value.retry_after == seconds


# Written down from the meaning that the official pages give each code, neither from the description
# nor from the generated table.
DOCUMENTED: dict[type[APIError], tuple[int, ...]] = {
    # Malformed, too long, too large, refused content: the caller has to change the request.
    InvalidRequestError: (
        1109,
        3010,
        4000,
        4003,
        4004,
        4007,
        4010,
        4012,
        4014,
        4021,
        4105,
        4300,
        4301,
        4302,
        4303,
        4304,
        702042162,
    ),
    AuthenticationError: (4100, 700012006),
    PermissionDeniedError: (4101, 4102, 6003),
    # Not there, not visible to this account, or not published.
    NotFoundError: (4001, 4002, 4005, 4006, 4015, 4200, 4314, 720702204),
    # The state of the thing does not allow it.
    ConflictError: (4016, 4029, 4104, 4201, 4315, 777074044),
    # Slower, and it works.
    RateLimitError: (4009, 4020, 702093018),
    # Balances, overdue accounts and limits that waiting a little does not lift.
    QuotaExceededError: (4008, 4011, 4019, 4022, 4027, 4028, 702042018, 777074011),
    ServerError: (4013, 5000, 701231, 720701013, 720702222),
}
KINDS = {code: kind for kind, codes in DOCUMENTED.items() for code in codes}


async def test_a_limit_is_one_of_the_rate_when_the_status_says_so(
    client: Client, server: LoopbackServer
) -> None:
    """Code 4008 stands for the daily limit of a bot and for the rate limit of the API."""
    for status, kind in ((200, QuotaExceededError), (429, RateLimitError)):
        server.answer(envelope(4008, status=status))
        with pytest.raises(APIError) as caught:
            client.bots.retrieve("1")
        assert type(caught.value) is kind


STRANGE = ["rate_limited", "4000x", "9" * 5000, [4000], {"code": 4000}, True]


@pytest.mark.parametrize(
    "code", STRANGE, ids=["letters", "digits and letters", "endless", "list", "mapping", "boolean"]
)
@pytest.mark.parametrize(
    ("status", "kind"), [(200, APIError), (400, InvalidRequestError), (500, ServerError)]
)
async def test_a_code_that_is_no_number_is_an_api_error_all_the_same(
    code: Any, status: int, kind: type[APIError], client: Client, server: LoopbackServer
) -> None:
    server.answer(envelope(code, status=status))
    caught = []
    for call in (
        lambda: client.bots.retrieve("b1"),
        lambda: client.workspaces.list(),
        lambda: client.bots.collaboration_modes.update("b1", collaboration_mode="single"),
    ):
        with pytest.raises(CozeError) as plain:
            call()
        caught.append(plain.value)
    async with AsyncClient(TOKEN, base_url=server.url, max_retries=0) as twin:
        with pytest.raises(CozeError) as parallel:
            await twin.bots.retrieve("b1")
        caught.append(parallel.value)
    for error in caught:
        assert type(error) is kind
        assert isinstance(error, APIError)
        assert (error.msg, error.http_status, error.logid) == ("it failed", status, LOGID)
        assert error.code is None or isinstance(error.code, int)
        check_portable(error)


@each("code", {str(code): code for code in KINDS})
def test_each_known_code_has_the_same_class_at_every_status(
    code: int, client: Client, server: LoopbackServer
) -> None:
    for status in (200, 400, 500):
        server.answer(envelope(code, status=status))
        with pytest.raises(APIError) as caught:
            client.bots.retrieve("b1")
        assert type(caught.value) is KINDS[code]
        assert caught.value.code == code


def test_the_code_table_is_that_of_the_description_and_of_the_documented_meanings() -> None:
    assert sum(map(len, DOCUMENTED.values())) == len(KINDS), "a code stands twice"
    named = {code: kind.__name__ for code, kind in KINDS.items()}
    assert {code: kind.__name__ for code, kind in CODES.items()} == named
    assert {
        int(code): row["error"] for code, row in description()["x-coze-error-codes"].items()
    } == named
    assert {
        int(code): row["error"] for code, row in shared_description()["x-coze-error-codes"].items()
    } == named


def shared_description() -> dict[str, Any]:
    """The file that people write, read without the generator."""
    found: dict[str, Any] = yaml.safe_load(
        (Path(__file__).parents[2] / "spec" / "shared.yaml").read_text(encoding="utf-8")
    )
    return found


def test_the_query_of_a_failed_request_is_not_told(client: Client, server: LoopbackServer) -> None:
    """Signed addresses and user ids stand in queries."""
    server.answer(envelope(4001))
    with pytest.raises(NotFoundError) as caught:
        client.chat.retrieve(conversation_id="private-conversation", chat_id="private-chat")
    assert "private" not in f"{caught.value}{caught.value!r}{caught.value.__dict__}"


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """A port that nobody listens on: bound, so that nobody else can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A port that accepts and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def failures(url: str, **options: Any) -> list[CozeError]:
    """The same call by every way, which all have to fail."""
    found: list[CozeError] = []
    with Client(TOKEN, base_url=url, max_retries=0, **options) as client:
        for attempt in (
            lambda: client.bots.retrieve("b1"),
            lambda: client.bots.list(workspace_id="w"),
            lambda: client.chat.stream(bot_id="b", user_id="u"),
        ):
            with pytest.raises(CozeError) as caught:
                attempt()
            found.append(caught.value)
    async with AsyncClient(TOKEN, base_url=url, max_retries=0, **options) as twin:
        with pytest.raises(CozeError) as caught:
            await twin.bots.retrieve("b1")
        found.append(caught.value)
        with pytest.raises(CozeError) as caught:
            await twin.bots.list(workspace_id="w")
        found.append(caught.value)
        with pytest.raises(CozeError) as caught:
            await twin.chat.stream(bot_id="b", user_id="u").open()
        found.append(caught.value)
    return found


async def test_a_refused_connection_is_a_connection_error_that_was_not_sent(
    refusing_url: str,
) -> None:
    for error in await failures(refusing_url):
        assert type(error) is APIConnectionError
        assert error.sent is False
        assert refusing_url in str(error)
        assert error.request is not None
        check_portable(error)


async def test_silence_is_a_timeout_error_that_may_have_been_sent(silent_url: str) -> None:
    for error in await failures(silent_url, timeout=0.05):
        assert type(error) is APITimeoutError
        assert error.sent is True
        assert "timed out while waiting for the response" in str(error)
        check_portable(error)


async def test_a_connection_cut_in_the_body_is_a_connection_error(server: LoopbackServer) -> None:
    server.answer(Reply(b'{"code":0', headers={"content-length": "1000", "connection": "close"}))
    for error in await failures(server.url, timeout=5.0):
        assert type(error) is APIConnectionError
        assert error.sent is True


async def test_a_closed_client_says_so(server: LoopbackServer) -> None:
    client = Client(TOKEN, base_url=server.url, max_retries=0)
    server.answer(envelope(4000))
    with pytest.raises(InvalidRequestError):
        client.bots.retrieve("b1")
    client.close()
    client.close()
    with pytest.raises(CozeError, match="closed"):
        client.bots.retrieve("b1")
    twin = AsyncClient(TOKEN, base_url=server.url, max_retries=0)
    with pytest.raises(InvalidRequestError):
        await twin.bots.retrieve("b1")
    await twin.close()
    with pytest.raises(CozeError, match="closed"):
        await twin.bots.retrieve("b1")


@pytest.mark.parametrize(
    "token",
    ["pat_ä", "pat_7\n", "pat_7\r\nX-Injected: 1", "pat_7\x00"],
    ids=["umlaut", "newline", "injection", "zero"],
)
async def test_a_token_that_no_header_can_hold_is_an_argument_error(
    token: str, server: LoopbackServer
) -> None:
    with pytest.raises(CozeError) as caught:
        Client(token, base_url=server.url, max_retries=0).users.me()
    assert isinstance(caught.value, ArgumentError)
    assert token.strip() not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__dict__}"
    with pytest.raises(ArgumentError):
        await AsyncClient(token, base_url=server.url, max_retries=0).users.me()
    assert server.received == []


@pytest.mark.parametrize(
    "url", ["", "api.coze.cn", "ftp://api.coze.cn", "https://", "http://[::1", "http://host:port"]
)
def test_a_base_url_that_is_none_is_an_argument_error(url: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Client(TOKEN, base_url=url, max_retries=0)
    assert caught.value.argument == "base_url"


@pytest.mark.parametrize(
    "value",
    [{1, 2}, object(), b"bytes", float("nan"), float("inf")],
    ids=["set", "object", "bytes", "nan", "inf"],
)
def test_a_body_that_is_no_json_is_an_argument_error_or_sound_json(
    value: Any, client: Client, server: LoopbackServer
) -> None:
    """Never an error of a library, never a broken body."""
    server.answer(envelope(0, "", data="{}"))
    try:
        client.workflows.runs.create(workflow_id="w", parameters={"value": value})
    except ArgumentError as error:
        assert "object at" not in str(error)
        assert server.received == []
    else:
        json.loads(server.only_request().body, parse_constant=pytest.fail)


def test_clients_and_their_parts_show_no_token(client: Client) -> None:
    shown = [
        repr(client),
        str(client),
        repr(client.bots),
        repr(AsyncClient(TOKEN)),
        repr(client.chat.messages),
    ]
    assert not any(TOKEN in text for text in shown)


@pytest.mark.parametrize(
    ("base_url", "other"),
    [
        ("https://api.coze.cn", "https://api.coze.com"),
        ("https://api.coze.com", "https://api.coze.cn"),
    ],
)
def test_a_refused_token_names_the_other_site(base_url: str, other: str) -> None:
    operation = Operation("bots_retrieve", "GET", "/v1/bots/{bot_id}")
    answer = Response(
        status=401,
        headers={},
        content=b'{"code":4100,"msg":"no"}',
        operation=operation,
        url=base_url,
        base_url=base_url,
        service=SERVICE,
    )
    text = str(failures_module.failure(answer))
    assert f"at {base_url}" in text
    assert f"base_url='{other}'" in text


def test_a_refused_token_of_a_host_of_ones_own_names_no_other_site() -> None:
    operation = Operation("bots_retrieve", "GET", "/v1/bots/{bot_id}")
    answer = Response(
        status=401,
        headers={},
        content=b"{}",
        operation=operation,
        url="https://gw",
        base_url="https://gw.example.com/coze",
        service=SERVICE,
    )
    assert "other site" not in str(failures_module.failure(answer))
