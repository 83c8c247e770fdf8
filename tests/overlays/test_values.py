"""What calls return and take can be pickled and copied, and no secret goes along."""

from __future__ import annotations

import copy
import json
import pickle
import pkgutil
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

import coze_openapi
import coze_runtime
import cozekit
from coze_openapi.models.bots import Bot
from coze_openapi.models.chat import Chat, ChatStatus, Message
from coze_openapi.models.plugins import Plugin
from coze_runtime.models import Model
from coze_runtime.operation import CallOptions
from coze_runtime.types import DEFAULT, NULL, Drift
from cozekit import RetryPolicy, Timeout, events
from cozekit import errors as errors_module
from cozekit.errors import CozeError
from cozekit.events import UnknownEvent
from tests.contract.catalogue import description, merged
from tests.each import each
from tests.overlays.chunk_server import LOGID, ChunkServer, reply, stream
from tests.overlays.wire import ASK, BOT, CHAT, CREATED, DONE, HELLO, TOKEN, coze, event

DUPLICATES: dict[str, Callable[[Any], Any]] = {
    **{
        f"pickle {number}": lambda value, number=number: pickle.loads(pickle.dumps(value, number))
        for number in (2, 4, 5)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
each_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)


@each_duplicate
def test_models_keep_everything_and_their_log_id(duplicate: Callable[[Any], Any]) -> None:
    with ChunkServer(reply(BOT)) as server, coze(server) as client:
        found = client.bots.retrieve("b1")
    again = duplicate(found)
    assert (again, again.logid) == (found, LOGID)
    assert duplicate(Bot(name="x")).logid is None


@each_duplicate
def test_results_of_streams_keep_everything(duplicate: Callable[[Any], Any]) -> None:
    with ChunkServer(stream(*CHAT)) as server, coze(server) as client:
        found = client.chat.stream(**ASK).until_done()
    again = duplicate(found)
    assert (again, again.answer, again.logid) == (found, "Hello", LOGID)


@each_duplicate
def test_events_keep_everything(duplicate: Callable[[Any], Any]) -> None:
    news = event("conversation.news", {"a": [1]})
    with ChunkServer(stream(CREATED, news, HELLO, DONE)) as server, coze(server) as client:
        found = list(client.chat.stream(**ASK))
    again = [duplicate(item) for item in found]
    assert [type(item) for item in again] == [
        events.ChatCreatedEvent,
        events.UnknownEvent,
        events.ChatMessageDeltaEvent,
        events.ChatDoneEvent,
    ]
    for item, other in zip(found, again, strict=True):
        assert (other.event, other.data, other.logid) == (item.event, item.data, LOGID)


def test_every_class_that_says_it_lives_in_cozekit_is_found_there() -> None:
    """Otherwise it could not be pickled, and whoever reads its name could not import it."""
    homeless = set()
    for package in (coze_runtime, coze_openapi, cozekit):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for value in list(vars(import_module(found.name)).values()):
                if isinstance(value, type) and value.__module__.partition(".")[0] == "cozekit":
                    home: Any = import_module(value.__module__)
                    for name in value.__qualname__.split("."):
                        home = getattr(home, name, None)
                    if home is not value:
                        homeless.add(f"{value.__module__}.{value.__qualname__}")
    assert homeless == set()


@each_duplicate
@each(
    "value",
    {
        "Timeout": Timeout(read=3),
        "RetryPolicy": RetryPolicy(max_retries=3),
        "CallOptions": CallOptions({"a": "b"}, timeout=3),
        "Drift": Drift("o", "$", "a", "b"),
        "ChatStatus": ChatStatus("new"),
    },
)
def test_options_and_facts_are_equal_again(value: Any, duplicate: Callable[[Any], Any]) -> None:
    assert duplicate(value) == value


@each_duplicate
@each("single", {"NULL": NULL, "DEFAULT": DEFAULT})
def test_markers_stay_the_one_object_that_they_are(
    single: Any, duplicate: Callable[[Any], Any]
) -> None:
    assert duplicate(single) is single


KINDS = [
    kind
    for _, kind in sorted(vars(errors_module).items())
    if isinstance(kind, type) and issubclass(kind, CozeError)
]
NEEDED: dict[str, dict[str, Any]] = {"OAuthError": {"error": "invalid_grant"}}


@each_duplicate
@each("kind", {kind.__name__: kind for kind in KINDS})
def test_every_error_can_be_duplicated_with_its_facts(
    kind: type[CozeError], duplicate: Callable[[Any], Any]
) -> None:
    error = kind("text", **NEEDED.get(kind.__name__, {}))
    error.logid, error.__dict__["extra"] = (
        "L",
        {"chat": Chat(id="c", conversation_id="v", status=ChatStatus.FAILED)},
    )
    again = duplicate(error)
    assert type(again) is kind
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize(
    "show",
    [repr, str, lambda value: repr(vars(value)), lambda value: repr(value.with_options(timeout=3))],
)
def test_no_way_to_show_a_client_shows_its_token(show: Callable[[Any], str]) -> None:
    with coze("http://127.0.0.1:1") as client:
        assert TOKEN not in show(client)


FIRST_CALLS = """
import threading
from coze_runtime.operation import Operation, Response, Service
from coze_runtime.serialization.codec import decode
from cozekit import models

cls = models.RetrieveBotResponse if hasattr(models, "RetrieveBotResponse") else models.Bot
names = [n for n in models.__all__ if n.endswith("Response")][:40]
classes = [getattr(models, n) for n in names]
start = threading.Barrier(8)

def work():
    start.wait()
    for cls in classes:
        response = Response(
            status=200, headers={}, content=b"{}", operation=Operation("x", "GET", "/"),
            url="u", base_url="b", service=Service(),
        )
        decode(response, cls)

threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(classes))
"""


SIGNED = "https://tos.example/cat.png?lk3s=1&x-expires=17&x-signature=CANARY%2Bx%3D"
LONGER_TEXTS = {
    "signed URL": (Message, {"content": f"see {SIGNED}&a=1"}),
    "signed URL in JSON": (Message, {"content": json.dumps([{"type": "image", "url": SIGNED}])}),
    "configuration": (Plugin, {"mcp_json": '{"Authorization":"Bearer CANARY"}'}),
    "header in a text": (Message, {"content": "curl -H 'authorization: bearer CANARY' x"}),
    "token in a URL": (Message, {"meta_data": {"a": "https://x.example/?access_token=CANARY"}}),
    "inside another model": (Chat, {"last_error": {"msg": f"cannot read {SIGNED}"}}),
}


@each("cls, data", LONGER_TEXTS)
def test_no_secret_inside_a_longer_text_is_shown(cls: type[Model], data: dict[str, Any]) -> None:
    model = cls.from_dict(data)
    for shown in (repr(model), str([model]), repr(UnknownEvent(event="x", data=model))):
        assert "CANARY" not in shown
        assert "***" in shown
    assert model.to_dict() == data


def test_what_only_looks_like_a_secret_is_shown() -> None:
    text = "The design key=value and x?page_num=2&keyword=bearer"
    assert text in repr(Message.from_dict({"content": text}))


SAID_TO_BE_SECRET = re.compile(r"\bsecret\b|\bthe token; send it|one use\.", re.IGNORECASE)


def test_what_the_description_calls_a_secret_is_masked() -> None:
    shown = [
        f"{name}.{key}"
        for name, schema in description()["components"]["schemas"].items()
        for key, below in merged(schema)["properties"].items()
        if merged(below).get("type") == "string"
        and (SAID_TO_BE_SECRET.search(below.get("description", "")) or key in SECRET_NAMES)
        and below.get("format") != "password"
    ]
    assert shown == []


SECRET_NAMES = (
    "access_token client_secret code_verifier device_code mcp_json password private_key "
    "refresh_token secret verify_token"
).split()


def test_threads_that_make_the_first_calls_together_do_not_meet_half_made_decoders() -> None:
    import subprocess
    import sys

    command = [sys.executable, "-X", "faulthandler", "-c", FIRST_CALLS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "40"), done.stderr
