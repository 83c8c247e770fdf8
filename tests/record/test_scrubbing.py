"""Secrets and ids planted wherever they can stand: scrubbed where that is possible, and otherwise
nothing is written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from coze_openapi import Client
from tests.contract.catalogue import operations
from tests.contract.server import LoopbackServer, Reply, json_reply
from tests.record.leaks import findings
from tests.record.recorder import SecretFound, record
from tests.record.replay import replay

TOKEN = "pat_7Kq2ZmPlantedTokenOfTheRecorder"
OTHER = "sat_AnotherTokenThatNobodyKnows123"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMTQ4In0.c2lnbmF0dXJl"
SECRETS = {"own token": TOKEN, "foreign token": OTHER, "signed token": JWT}
BOT = "7391234567890123456"
LOGID = "20260102030405ABCDEF0123456789ABCD"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: f"see {secret} here",
    "URL-quoted": lambda secret: quote(f"?access={secret}&x=ü", safe=""),
    "every letter quoted": lambda secret: "".join(f"%{ord(letter):02X}" for letter in secret),
    "base64": lambda secret: encoded(f"user:{secret}"),
    "base64 shifted": lambda secret: encoded(f"a{secret}"),
    "base64 behind a word": lambda secret: "data" + encoded(secret),
    "base64 without padding": lambda secret: encoded(f"12{secret}").rstrip("="),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"ÿÿ?{secret}".encode()).decode(),
    "base64 in lines": lambda secret: "\n".join(
        encoded(f"{'x' * 60}{secret}")[at : at + 76] for at in range(0, 400, 76)
    ),
    "base64 twice": lambda secret: encoded(encoded(secret)),
    "URL-quoted base64": lambda secret: quote(encoded(f"{{{secret}}}~~~"), safe=""),
    "base64 of URL-quoted": lambda secret: encoded(quote(f"/{secret}/", safe="")),
    "JSON in JSON": lambda secret: json.dumps({"a": json.dumps({"b": secret})}),
    "JSON escapes": lambda secret: "".join(f"\\u{ord(letter):04x}" for letter in secret),
}


@pytest.fixture
def client(server: LoopbackServer) -> Any:
    with Client(TOKEN, base_url=server.url, max_retries=0) as client:
        yield client


def recorded(
    client: Client,
    folder: Path,
    answer: Any = None,
    name: str = "bots_retrieve",
    given: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of the cassette after a call with this answer."""
    path = record(operations()[name], client, TOKEN, given or {"bot_id": BOT}, folder)
    return yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_in_a_body_is_scrubbed_or_nothing_is_written(
    secret: str, form: Callable[[str], str], client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    server.answer(json_reply({"code": 0, "msg": "", "data": {"description": form(secret)}}))
    check(client, tmp_path, secret, form)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_in_a_header_is_scrubbed_or_nothing_is_written(
    form: Callable[[str], str], client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    value = form(OTHER).replace("\n", " ")
    server.answer(
        json_reply(
            {"code": 0, "msg": "", "data": {}}, location=f"https://www.coze.cn/?next={value}"
        )
    )
    check(client, tmp_path, OTHER, form)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_in_a_url_is_scrubbed_or_nothing_is_written(
    form: Callable[[str], str], client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    server.answer(json_reply({"code": 0, "msg": "", "data": {}}))
    check(client, tmp_path, OTHER, form, {"bot_id": BOT, "is_published": form(OTHER)})
    check(client, tmp_path, OTHER, form, {"bot_id": form(OTHER)})


def check(
    client: Client,
    folder: Path,
    secret: str,
    form: Callable[[str], str],
    given: dict[str, Any] | None = None,
) -> None:
    try:
        recorded(client, folder, given=given)
    except SecretFound as error:
        assert secret not in str(error)
        assert TOKEN not in str(error)
        assert "interactions[0]" in str(error)
        assert list(folder.iterdir()) == []
        return
    text = (folder / "bots_retrieve.yaml").read_text(encoding="utf-8")
    assert secret not in text
    assert form(secret) not in text
    assert findings(yaml.safe_load(text), [secret, TOKEN]) == []
    (folder / "bots_retrieve.yaml").unlink()


def test_what_can_be_scrubbed_is_not_refused(
    client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    data = {
        "name": f"{TOKEN} {OTHER}",
        "description": json.dumps({"jwt": JWT}),
        "icon_url": f"https://x.cn/a?x-signature={quote('a+b/c=')}",
    }
    server.answer(json_reply({"code": 0, "msg": "", "data": data}))
    answer = json.loads(recorded(client, tmp_path)["response"]["body"]["string"])["data"]
    assert answer["name"] == "secret_1 secret_3" or answer["name"].startswith("secret_")
    assert answer["icon_url"].startswith("https://x.cn/a?x-signature=secret_")


def test_a_token_in_pieces_of_a_stream_is_refused(
    client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    pieces = [OTHER[at : at + 5] for at in range(0, len(OTHER), 5)]
    events = "".join(
        f"event:conversation.message.delta\ndata:{json.dumps({'content': piece})}\n\n"
        for piece in pieces
    )
    server.answer(
        Reply(f"{events}event:done\ndata:[DONE]\n\n".encode(), content_type="text/event-stream")
    )
    with pytest.raises(SecretFound, match="a Coze token"):
        recorded(client, tmp_path, name="workflows_chat_stream", given={})


def test_a_secret_in_bytes_is_scrubbed(
    client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    server.answer(Reply(b"RIFF\xff\xfe" + TOKEN.encode() + b"\x00\x81", content_type="audio/wav"))
    body = recorded(client, tmp_path, name="audio_speech_create", given={})["response"]["body"][
        "string"
    ]
    assert body.startswith(b"RIFF\xff\xfe")
    assert TOKEN.encode() not in body


def test_a_redirect_keeps_its_target_without_the_ids(
    client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    server.answer(
        Reply(
            b"",
            302,
            headers={
                "location": f"{server.url}/sign?client_id=88888888.app.coze"
                f"&state=1294848&token={OTHER}"
            },
        )
    )
    kept = recorded(
        client, tmp_path, name="oauth_authorize", given={"client_id": "88888888.app.coze"}
    )
    assert kept["response"]["headers"]["location"][0].startswith(
        "https://api.coze.cn/sign?client_id=id_"
    )
    assert "state=1294848" in kept["response"]["headers"]["location"][0]
    assert replay(tmp_path / "oauth_authorize.yaml", "sync") == []


def test_a_refusal_keeps_the_older_cassette(
    client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    server.answer(json_reply({"code": 0, "msg": "", "data": {}}))
    before = recorded(client, tmp_path)
    server.answer(json_reply({"code": 0, "msg": "", "data": {"description": encoded(TOKEN)}}))
    with pytest.raises(SecretFound):
        recorded(client, tmp_path)
    assert yaml.safe_load((tmp_path / "bots_retrieve.yaml").read_text(encoding="utf-8"))[
        "interactions"
    ] == [before]


def test_ids_are_scrubbed_alike_in_url_headers_and_body(
    client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    data = {
        "bot_id": BOT,
        "owner_user_id": "volc_7788991",
        "description": f"made by volc_7788991, not by volc_77889912; bot {BOT}",
        "prompt_info": {"prompt": json.dumps({"user_id": "volc_7788991"})},
        "version": "1718289297",
    }
    server.answer(
        json_reply(
            {"code": 0, "msg": "", "data": data, "detail": {"logid": LOGID}}, x_tt_logid=LOGID
        )
    )
    kept = recorded(client, tmp_path)
    body = json.loads(kept["response"]["body"]["string"])
    bot, user = body["data"]["bot_id"], body["data"]["owner_user_id"]
    assert kept["request"]["uri"] == f"https://api.coze.cn/v1/bots/{bot}"
    assert (len(bot), bot.isdigit(), bot == BOT) == (len(BOT), True, False)
    assert body["data"]["description"] == f"made by {user}, not by volc_77889912; bot {bot}"
    assert json.loads(body["data"]["prompt_info"]["prompt"]) == {"user_id": user}
    assert kept["response"]["headers"]["x-tt-logid"] == [body["detail"]["logid"]]
    assert LOGID not in str(kept)
    assert body["data"]["version"] == "1718289297", "a time is no id"


def test_people_are_scrubbed(client: Client, server: LoopbackServer, tmp_path: Path) -> None:
    items = [
        {
            "nick_name": "Zhang San",
            "user_unique_name": "zhangsan99",
            "email": "zhang@corp.example",
            "text": "call 13812345678",
        }
    ]
    server.answer(json_reply({"code": 0, "msg": "", "data": {"description": json.dumps(items)}}))
    text = recorded(client, tmp_path)["response"]["body"]["string"]
    assert not any(
        value in text for value in ("Zhang San", "zhangsan99", "zhang@corp.example", "13812345678")
    )


@pytest.mark.parametrize(
    "name",
    ["access_token", "verify_token", "client_secret", "password", "device_code", "x-signature"],
)
def test_a_field_with_the_name_of_a_secret_is_scrubbed(
    name: str, client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    server.answer(
        json_reply(
            {
                "code": 0,
                "msg": "",
                "data": {"description": json.dumps({name: "hunter2!"}), "a": {name: "hunter2!"}},
            }
        )
    )
    assert "hunter2" not in recorded(client, tmp_path)["response"]["body"]["string"]


def test_words_and_short_values_stay(
    client: Client, server: LoopbackServer, tmp_path: Path
) -> None:
    """A channel is called 1024 for everybody, and an event type is no id."""
    data = {
        "connector_id": "1024",
        "voice_id": "default",
        "description": "default voice of channel 1024",
    }
    server.answer(json_reply({"code": 0, "msg": "", "data": data}))
    assert json.loads(recorded(client, tmp_path)["response"]["body"]["string"])["data"] == data


def test_headers_that_carry_credentials_are_found_whatever_they_hold() -> None:
    for name in ("Authorization", "cookie", "Set-Cookie", "X-API-Key", "proxy-authorization"):
        assert findings({"headers": {name: ["x"]}}) == [
            ".headers.(key): a header with a credential"
        ]


@pytest.mark.parametrize(
    "text",
    [
        "pat_OYDacMzM3WyOWV3Dtj2bHRMymzxP****",
        "Authorization: Bearer ${COZE_API_TOKEN}",
        "the format is Bearer token",
        "compat_mode",
        "pat_1",
    ],
)
def test_what_only_speaks_of_secrets_is_no_finding(text: str) -> None:
    assert findings({"body": text}) == []


def test_a_finding_tells_the_place_and_not_the_secret() -> None:
    found = findings({"interactions": [{"request": {"body": encoded(OTHER)}}]})
    assert found == [".interactions[0].request.body: a Coze token"]
