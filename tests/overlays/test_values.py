"""What calls return and take can be pickled and copied, and no secret goes along."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from coze_openapi.models.bots import Bot
from coze_openapi.models.chat import Chat, ChatStatus
from coze_openapi.types import DEFAULT, NULL, CallOptions, Drift
from cozekit import RetryPolicy, Timeout
from cozekit import errors as errors_module
from cozekit.errors import CozeError
from tests.overlays.chunk_server import LOGID, ChunkServer, reply, stream
from tests.overlays.wire import ASK, BOT, CHAT, TOKEN, coze

DUPLICATES: dict[str, Callable[[Any], Any]] = {
    **{f"pickle {number}": lambda value, number=number: pickle.loads(pickle.dumps(value, number)) for number in (2, 4, 5)},
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
@pytest.mark.parametrize(
    "value",
    [Timeout(read=3), RetryPolicy(max_retries=3), CallOptions({"a": "b"}, timeout=3), Drift("o", "$", "a", "b"), ChatStatus("new")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_options_and_facts_are_equal_again(value: Any, duplicate: Callable[[Any], Any]) -> None:
    assert duplicate(value) == value


@each_duplicate
@pytest.mark.parametrize("single", [NULL, DEFAULT], ids=repr)
def test_markers_stay_the_one_object_that_they_are(single: Any, duplicate: Callable[[Any], Any]) -> None:
    assert duplicate(single) is single


KINDS = [kind for _, kind in sorted(vars(errors_module).items()) if isinstance(kind, type) and issubclass(kind, CozeError)]
NEEDED: dict[str, dict[str, Any]] = {"OAuthError": {"error": "invalid_grant"}}


@each_duplicate
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_can_be_duplicated_with_its_facts(kind: type[CozeError], duplicate: Callable[[Any], Any]) -> None:
    error = kind("text", **NEEDED.get(kind.__name__, {}))
    error.logid, error.__dict__["extra"] = "L", {"chat": Chat(id="c", conversation_id="v", status=ChatStatus.FAILED)}
    again = duplicate(error)
    assert type(again) is kind
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize("show", [repr, str, lambda value: repr(vars(value)), lambda value: repr(value.with_options(timeout=3))])
def test_no_way_to_show_a_client_shows_its_token(show: Callable[[Any], str]) -> None:
    with coze("http://127.0.0.1:1") as client:
        assert TOKEN not in show(client)
