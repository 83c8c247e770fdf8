"""The one check of limits: every kind of limit, at the limit and beyond it, and what passes it."""

from __future__ import annotations

from collections import UserDict, UserList
from typing import Any

import pytest

from coze_openapi import models as m
from coze_runtime.errors import ArgumentError
from coze_runtime.limits import Condition, Limit, check
from coze_runtime.types import NULL

G711 = Condition("codec", ("g711a",), ("format",), {"format": ("pcm",), "pcm.rate": (8000,)})
CASES: list[tuple[Limit, list[Any], list[tuple[Any, str]]]] = [
    (Limit(minimum=0), [0, 1, 5.5], [(-1, "x must be at least 0, not -1")]),
    (Limit(maximum=3000), [3000, -1], [(3001, "x must be at most 3,000, not 3001")]),
    (Limit(minimum=1, maximum=5), [1, 5.0], [(0.5, "x must be 1 to 5, not 0.5")]),
    (Limit(minimum=1), [float("inf")], [(float("nan"), "x must be at least 1, not nan")]),
    (Limit(max_length=2), ["", "好好"], [("abc", "x must have at most 2 characters, not 3")]),
    (Limit(min_length=1), ["a"], [("", "x must have at least 1 characters, not 0")]),
    (Limit(max_bytes=3), ["好"], [("好a", "x must have at most 3 bytes of UTF-8, not 4")]),
    (Limit(min_bytes=1, max_bytes=1), ["a"], [("", "x must have exactly 1 bytes of UTF-8, not 0")]),
    (Limit(max_bytes=3), ["\ud800"], [("\ud800\ud800", "not 6")]),
    (Limit(max_items=1), [[], [7]], [([7, 8], "x must have at most 1 elements, not 2")]),
    (Limit(max_items=1), [(7,)], [((7, 8), "not 2"), (UserList([7, 8]), "not 2")]),
    (Limit(min_items=1), [[7]], [([], "x must have at least 1 elements, not 0")]),
    (Limit(max_pairs=1), [{"a": 1}], [({"a": 1, "b": 2}, "x must have at most 1 pairs, not 2")]),
    (Limit(allowed=("a", "b")), ["a"], [("c", "x must be one of a, b, not c")]),
    (Limit(allowed=(8000,)), [8000, 8000.0], [(9000, "x must be 8000, not 9000")]),
    (Limit(each=Limit(maximum=1)), [[1, None], {"k": 1}], [([0, 2], r"x[1] must be at most 1")]),
    (Limit(each=Limit(maximum=1)), [], [({"k": 2}, "x.k must be at most 1")]),
    (Limit(keys=Limit(max_length=1)), [{"a": 1}], [({"ab": 1}, "a key of x must have at most 1")]),
    (Limit(fields={"a": Limit(maximum=1)}), [{"a": 1}, {}], [({"a": 2}, "x.a must be at most 1")]),
    (
        Limit(conditions=(G711,)),
        [{"codec": "pcm"}, {}, {"codec": "g711a", "format": "pcm", "pcm": {"rate": 8000}}],
        [
            ({"codec": "g711a"}, "x: codec g711a needs format to be pcm"),
            ({"codec": "g711a", "format": "wav"}, "x: codec g711a needs format to be pcm, not wav"),
            (
                {"codec": "g711a", "format": "pcm", "pcm": {"rate": 9}},
                "x: codec g711a needs pcm.rate to be 8000, not 9",
            ),
        ],
    ),
    (
        Limit(conditions=(Condition("limit", required=("frame",)),)),
        [{"frame": 1}, {"limit": {}, "frame": 0}],
        [({"limit": {}}, "x: limit needs frame")],
    ),
]


@pytest.mark.parametrize(("limit", "passing", "refused"), CASES)
def test_what_keeps_to_a_limit_passes_and_what_does_not_is_refused(
    limit: Limit, passing: list[Any], refused: list[tuple[Any, str]]
) -> None:
    for value in passing:
        check({"x": value}, {"x": limit})
    for value, message in refused:
        with pytest.raises(ArgumentError) as caught:
            check({"x": value}, {"x": limit})
        assert message in str(caught.value)
        assert caught.value.argument == "x"


def test_models_are_looked_into_like_mappings() -> None:
    limits = {"audio": Limit(fields={"pcm_config": Limit(fields={"frame_size_ms": Limit(0, 9)})})}
    check({"audio": m.OutputAudio(pcm_config=m.PcmConfig(frame_size_ms=9))}, limits)
    with pytest.raises(ArgumentError, match=r"^audio\.pcm_config\.frame_size_ms must be 0 to 9"):
        check({"audio": m.OutputAudio(pcm_config=m.PcmConfig(frame_size_ms=10))}, limits)
    with pytest.raises(ArgumentError, match=r"^audio\.pcm_config\.frame_size_ms must be 0 to 9"):
        check({"audio": UserDict(pcm_config=m.PcmConfig(frame_size_ms=10))}, limits)


@pytest.mark.parametrize("value", [None, NULL])
def test_what_is_not_sent_or_cleared_is_not_checked(value: Any) -> None:
    limits = {"x": Limit(minimum=1, min_length=1, min_items=1, allowed=(1,))}
    check({"x": value}, limits)
    check({}, limits)
    check({"x": {"a": value}}, {"x": Limit(fields={"a": limits["x"]})})


@pytest.mark.parametrize("value", ["12", b"12", object(), [3], {"a": 1}])
def test_a_value_of_another_type_than_the_limit_speaks_of_passes(value: Any) -> None:
    check({"x": value}, {"x": Limit(maximum=1)})
    check({"x": 5}, {"x": Limit(max_length=0, max_items=0, max_pairs=0, max_bytes=0)})


def test_open_enums_count_as_their_values() -> None:
    limits = {"x": Limit(allowed=("pcm", 8000))}
    check({"x": m.OutputAudioCodec.PCM}, limits)
    check({"x": m.SpeechSampleRate(8000)}, limits)
    with pytest.raises(ArgumentError, match="not mp3"):
        check({"x": m.OutputAudioCodec.MP3}, limits)


def test_a_long_value_is_not_repeated_in_the_message() -> None:
    with pytest.raises(ArgumentError) as caught:
        check({"x": "s" * 1000}, {"x": Limit(allowed=("a",))})
    assert len(str(caught.value)) < 100


def test_the_first_argument_beyond_its_limit_is_named() -> None:
    with pytest.raises(ArgumentError) as caught:
        check({"a": 1, "b": 9, "c": 9}, {"a": Limit(0, 5), "b": Limit(0, 5), "c": Limit(0, 5)})
    assert caught.value.argument == "b"
