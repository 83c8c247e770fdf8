"""The failure switch, and the server around the answers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from coze_openapi import Client
from coze_runtime.errors import APIError, AuthenticationError, RateLimitError
from cozekit_emulator import Emulator, bots
from cozekit_emulator.http.failures import HEADER, parse
from tests.emulator.arguments import question

ME = "/v1/users/me"
CHAT = {
    "bot_id": bots.ANSWERING,
    "user_id": "u",
    "stream": True,
    "additional_messages": [question("你好")],
}


@pytest.fixture(autouse=True)
def _fresh(coze_emulator: Emulator) -> None:
    """Every test begins with a fresh memory."""


def get(http: httpx.Client, rule: str) -> httpx.Response:
    return http.get(ME, headers={HEADER: rule})


@pytest.mark.parametrize(
    ("status", "code"), [(429, 4020), (503, 5000), (401, 700012006), (404, 4200)]
)
def test_a_status_comes_with_a_matching_code(http: httpx.Client, status: int, code: int) -> None:
    answer = get(http, f"status={status}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_code_comes_with_http_200(http: httpx.Client) -> None:
    answer = get(http, "code=4013")
    assert (answer.status_code, answer.json()["code"], bool(answer.json()["detail"]["logid"])) == (
        200,
        4013,
        True,
    )


def test_the_first_calls_fail_and_the_next_one_goes_through(http: httpx.Client) -> None:
    assert [get(http, "status=503;times=2").status_code for _ in range(6)] == [
        503,
        503,
        200,
        503,
        503,
        200,
    ]


def test_the_count_belongs_to_one_path(http: httpx.Client) -> None:
    get(http, "status=503;times=1")
    assert http.get("/v1/workspaces", headers={HEADER: "status=503;times=1"}).status_code == 503


def test_retry_after_is_a_header(client: Client) -> None:
    with pytest.raises(RateLimitError) as caught:
        client.users.me(extra_headers={HEADER: "retry-after=1"})
    assert caught.value.retry_after == 1


def test_a_gateway_page_is_html(http: httpx.Client) -> None:
    answer = get(http, "html")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")


def test_a_stream_breaks_after_so_many_bytes(http: httpx.Client) -> None:
    received = bytearray()
    with (
        http.stream("POST", "/v3/chat", json=CHAT, headers={HEADER: "cut=120"}) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        for piece in answer.iter_raw():
            received += piece
    assert len(received) == 120
    assert received.startswith(b"event:conversation.chat.created\n")


def test_a_plain_answer_breaks_as_well(http: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        get(http, "cut=5")


def test_a_kept_alive_stream_sends_comments_only(http: httpx.Client) -> None:
    with http.stream(
        "POST", "/v3/chat", json=CHAT, headers={HEADER: "keepalive;delay=0.001"}
    ) as answer:
        pieces = answer.iter_lines()
        lines = [next(pieces) for _ in range(6)]
    assert set(lines) == {": keep-alive", ""}


def test_a_delay_holds_the_answer_back(http: httpx.Client) -> None:
    start = time.monotonic()
    get(http, "delay=0.05")
    assert time.monotonic() - start >= 0.05


def test_a_delayed_stream_pauses_before_each_piece(http: httpx.Client) -> None:
    start = time.monotonic()
    answer = http.post("/v3/chat", json=CHAT, headers={HEADER: "delay=0.002"})
    assert time.monotonic() - start >= 0.002 * answer.text.count("event:")


def test_a_rule_can_wait_for_an_operation(client: Client, coze_emulator: Emulator) -> None:
    coze_emulator.emulate("code=4100", operation="users_me")
    assert client.workspaces.list().items
    with pytest.raises(AuthenticationError):
        client.users.me()
    assert client.users.me().user_id


@pytest.mark.parametrize("rule", ["nonsense", "status=abc", "status"])
def test_a_rule_that_nobody_knows_is_an_error(http: httpx.Client, rule: str) -> None:
    answer = get(http, rule)
    assert (answer.status_code, answer.json()["code"]) == (400, 4000)
    assert HEADER in answer.json()["msg"]


def test_a_rule_is_read_as_written() -> None:
    rule = parse("status=503; times=2;delay=0.5;retry-after=3")
    assert (rule.status, rule.times, rule.delay, rule.retry_after) == (503, 2, 0.5, "3")


def test_every_answer_names_the_emulator_and_a_log_id(
    http: httpx.Client, coze_emulator: Emulator
) -> None:
    answers = [
        http.get(ME),
        http.get("/nowhere"),
        http.post("/v3/chat", json=CHAT),
        get(http, "html"),
        get(http, "status=500"),
    ]
    assert all(
        "emulator" in answer.headers["server"] and "not Coze" in answer.headers["server"]
        for answer in answers
    )
    assert len({answer.headers["x-tt-logid"] for answer in answers}) == len(answers)


def test_an_unknown_path_and_an_unknown_method_are_said_to_be_undescribed(
    http: httpx.Client,
) -> None:
    answers = [http.get("/nowhere"), http.delete(ME)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (404, 4200),
        (405, 4200),
    ]


def test_a_literal_path_wins_over_a_templated_one(
    http: httpx.Client, coze_emulator: Emulator
) -> None:
    http.get("/v1/plugins/mget", params={"ids": "1"})
    assert coze_emulator.requests[-1].operation == "plugins_retrieve_many"


def test_unknown_query_and_body_fields_are_tolerated(http: httpx.Client) -> None:
    answer = http.post("/v1/conversation/create", params={"new": "1"}, json={"new": 1})
    assert answer.json()["code"] == 0


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v1/workspaces", {"page_num": "x"}, "query.page_num"),
        ("/v1/workspaces", {"page_num": "0"}, "query.page_num"),
        ("/v1/bots/7****", {"is_published": "perhaps"}, "query.is_published"),
    ],
)
def test_a_malformed_query_value_is_refused_by_name(
    http: httpx.Client, path: str, query: dict[str, Any], field: str
) -> None:
    answer = http.get(path, params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, 4000)
    assert field in answer.json()["msg"]


def test_a_field_deep_in_the_body_is_named(http: httpx.Client) -> None:
    body = {
        **CHAT,
        "additional_messages": [
            question("a"),
            {"role": "user", "content": 1, "content_type": "text"},
        ],
    }
    assert "body.additional_messages[1].content" in http.post("/v3/chat", json=body).json()["msg"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(http: httpx.Client, body: bytes) -> None:
    assert http.post("/v1/bot/create", content=body).json()["code"] == 4000


def test_requests_are_kept_as_they_came(client: Client, coze_emulator: Emulator) -> None:
    client.bots.update(bot_id=bots.ANSWERING, name="新名字")
    seen = coze_emulator.requests[-1]
    assert (seen.operation, seen.method, seen.path) == ("bots_update", "POST", "/v1/bot/update")
    assert "新名字" in seen.body.decode()
    assert coze_emulator.token not in repr(seen)


def test_an_emulator_with_a_token_of_its_own_refuses_the_usual_one(coze_emulator: Emulator) -> None:
    with (
        Emulator(token="mine") as local,
        Client("mine", base_url=local.base_url, max_retries=0) as mine,
        Client(coze_emulator.token, base_url=local.base_url, max_retries=0) as usual,
    ):
        assert mine.users.me().user_id
        with pytest.raises(AuthenticationError):
            usual.users.me()


def test_stopping_cuts_open_streams_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with Emulator() as local, httpx.Client(trust_env=False) as http:
        headers = {"Authorization": f"Bearer {local.token}", HEADER: "keepalive"}
        with http.stream("POST", f"{local.base_url}/v3/chat", json=CHAT, headers=headers) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            local.stop()
            with pytest.raises(httpx.TransportError):
                for _ in pieces:
                    pass
    assert threading.active_count() == before


def test_a_taken_port_is_an_error(coze_emulator: Emulator) -> None:
    with pytest.raises(OSError, match="in use"):
        Emulator(port=coze_emulator.port).start()


def test_a_defect_of_the_emulator_says_that_it_is_one(
    coze_emulator: Emulator, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cozekit_emulator import app

    def broken(_: Any) -> Any:
        raise KeyError("oops")

    monkeypatch.setitem(app.HANDLERS, "users_me", broken)
    answer = http.get(ME)
    assert (answer.status_code, "defect of the local emulator" in answer.json()["msg"]) == (
        500,
        True,
    )


@pytest.fixture
def command() -> Any:
    """Starts the command line and ends it."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        code = (
            "import sys; sys.path[:0] = ['generated', 'overlays']; from "
            "cozekit_emulator.__main__ import main; sys.exit(main(sys.argv[1:]))"
        )
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_the_command_line_serves_at_the_address_it_prints(
    command: Callable[..., subprocess.Popen[str]],
) -> None:
    start = time.perf_counter()
    process = command("--port", "0", "--token", "shown")
    assert process.stdout is not None
    said, _, base_url = process.stdout.readline().strip().rpartition(" ")
    assert "not Coze" in said
    with httpx.Client(base_url=base_url, trust_env=False) as http:
        answer = http.get(ME, headers={"Authorization": "Bearer shown"})
    print(f"start-up of the emulator, first answer included: {time.perf_counter() - start:.2f} s")
    assert answer.json()["code"] == 0


def test_the_command_line_says_that_a_port_is_taken(
    command: Callable[..., subprocess.Popen[str]], coze_emulator: Emulator
) -> None:
    assert command("--port", str(coze_emulator.port)).wait(20) == 1


def test_an_error_of_the_typed_client_shows_no_token(
    client: Client, coze_emulator: Emulator
) -> None:
    with pytest.raises(APIError) as caught:
        client.bots.retrieve("1")
    assert coze_emulator.token not in str(caught.value)
