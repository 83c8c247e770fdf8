"""Fields whose wire names Python or the models need themselves arrive and are sent under those
names, in the fast decoder too.
"""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import attrs
import httpx
import pytest
from attrs import define

from coze_runtime.models import Model, renamed
from coze_runtime.serialization.codec import encode, event_decoder
from coze_runtime.types import NULL
from cozekit import Coze, models

WIRE = {"from": "Oslo", "class": 2, "a-b": True, "to_dict": "Oxford", "logid": "77", "plain": 1.5}


@renamed(
    {"from_": "from", "class_": "class", "a_b": "a-b", "to_dict_": "to_dict", "logid_": "logid"}
)
@define(kw_only=True, eq=False, repr=False, weakref_slot=False, getstate_setstate=False)
class Journey(Model):
    """A journey."""

    from_: str
    class_: int | None = None
    a_b: bool | None = None
    to_dict_: str | None = None
    logid_: str | None = None
    plain: float | None = None


@define(kw_only=True, eq=False, repr=False, weakref_slot=False, getstate_setstate=False)
class Trip(Model):
    """What holds one."""

    journey: Journey | None = None


def journey() -> Journey:
    return Journey(from_="Oslo", class_=2, a_b=True, to_dict_="Oxford", logid_="77", plain=1.5)


def values(found: Journey) -> list[Any]:
    return [found.from_, found.class_, found.a_b, found.to_dict_, found.logid_, found.plain]


def fast(data: Any) -> Trip:
    return event_decoder(Trip)(json.dumps(data).encode())


@pytest.mark.parametrize("decode", [fast, Trip.from_dict], ids=["fast", "lenient"])
def test_renamed_fields_arrive(decode: Any) -> None:
    found = decode({"journey": WIRE}).journey
    assert values(found) == ["Oslo", 2, True, "Oxford", "77", 1.5]
    assert found.logid is None


@pytest.mark.parametrize("decode", [fast, Trip.from_dict], ids=["fast", "lenient"])
def test_absent_renamed_fields_read_none(decode: Any) -> None:
    assert values(decode({"journey": {"from": "Oslo"}}).journey) == ["Oslo", *[None] * 5]


@pytest.mark.parametrize("decode", [fast, Trip.from_dict], ids=["fast", "lenient"])
def test_python_names_are_not_wire_names(decode: Any) -> None:
    assert decode({"journey": {"from": "Oslo", "class_": 7, "a_b": False}}).journey.class_ is None


def test_renamed_fields_are_sent_under_their_wire_names() -> None:
    assert json.loads(encode({"journey": journey()})) == {"journey": WIRE}
    assert journey().to_dict() == WIRE


def test_an_explicit_null_is_sent_for_a_renamed_field() -> None:
    sent = Journey(from_="Oslo", class_=NULL)  # type: ignore[arg-type]
    assert json.loads(encode({"journey": sent})) == {"journey": {"from": "Oslo", "class": None}}


def test_a_model_with_renamed_fields_is_a_model_like_any_other() -> None:
    one, other = journey(), journey()
    assert one == other
    other.class_ = 3
    assert one != other
    assert repr(one) == (
        "Journey(from_='Oslo', class_=2, a_b=True, to_dict_='Oxford', logid_='77', plain=1.5)"
    )
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    one.set_logid("log-1")
    assert (one.logid, one.logid_) == ("log-1", "77")
    assert attrs.evolve(other, a_b=False).a_b is False


def test_languages_of_an_interpretation_are_sent_as_from_and_to() -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"code": 0, "msg": "", "data": {"room_id": "r"}})

    config = models.RoomConfig(translate_config=models.RoomTranslateConfig(from_="zh", to="en"))
    with Coze("token", http_client=httpx.Client(transport=httpx.MockTransport(answer))) as coze:
        coze.audio.rooms.create(bot_id="7", config=config)
    assert sent == [{"bot_id": "7", "config": {"translate_config": {"from": "zh", "to": "en"}}}]


def test_a_run_has_its_own_log_id_and_that_of_the_call() -> None:
    run = {"execute_id": "1", "execute_status": "Success", "logid": "of-the-run"}

    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"x-tt-logid": "of-the-call"}
        return httpx.Response(200, json={"code": 0, "msg": "", "data": [run]}, headers=headers)

    with Coze("token", http_client=httpx.Client(transport=httpx.MockTransport(answer))) as coze:
        found = coze.workflows.runs.run_histories.retrieve("1", "2")
    assert (found.logid, found.logid_) == ("of-the-call", "of-the-run")
