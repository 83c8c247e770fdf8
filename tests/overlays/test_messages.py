"""Builders of chat messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cozekit import messages
from cozekit.errors import ArgumentError
from cozekit_emulator import bots
from tests.overlays.chunk_server import ChunkServer, reply
from tests.overlays.either import client as client_of
from tests.overlays.either import coze, each_kind, local, server
from tests.overlays.wire import ASK, chat

__all__ = ["coze", "local", "server"]


def test_a_question_in_text() -> None:
    assert messages.user_text("Hi").to_dict() == {
        "role": "user",
        "type": "question",
        "content": "Hi",
        "content_type": "text",
    }


def test_an_earlier_answer_in_text() -> None:
    made = messages.assistant_text("Hello", meta_data={"a": "b"}).to_dict()
    assert made == {
        "role": "assistant",
        "type": "answer",
        "content": "Hello",
        "content_type": "text",
        "meta_data": {"a": "b"},
    }


def test_parts_are_serialised_into_the_content() -> None:
    made = messages.user_objects(
        [
            messages.text("看图 🖼️"),
            messages.image(file_id="1"),
            messages.file(url="https://x/a.pdf"),
            messages.audio(file_id="2"),
        ]
    ).to_dict()
    assert made["content_type"] == "object_string"
    assert json.loads(made["content"]) == [
        {"type": "text", "text": "看图 🖼️"},
        {"type": "image", "file_id": "1"},
        {"type": "file", "file_url": "https://x/a.pdf"},
        {"type": "audio", "file_id": "2"},
    ]


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([], "at least one part"),
        ([messages.text("a")], "with user_text"),
        ([messages.text("a"), messages.text("b"), messages.image(file_id="1")], "one text part"),
    ],
)
def test_parts_that_coze_would_not_accept_are_refused(items: Any, problem: str) -> None:
    with pytest.raises(ArgumentError, match=problem):
        messages.user_objects(items)


@pytest.mark.parametrize("part", [messages.image, messages.file, messages.audio])
@pytest.mark.parametrize(
    "given", [{}, {"file_id": "1", "url": "https://x"}, {"file_id": "", "url": ""}]
)
def test_a_file_part_has_either_an_id_or_an_address(part: Any, given: Any) -> None:
    with pytest.raises(ArgumentError, match="needs either file_id or url"):
        part(**given)


def test_a_question_of_parts_is_understood(coze: Any) -> None:
    question = messages.user_objects(
        [messages.text("What is this?"), messages.image(file_id="7001")]
    )
    result = coze.chat.run(bot_id=bots.ANSWERING, user_id="u", additional_messages=[question])
    assert "What is this?" in result.answer
    assert "1 个文件" in result.answer


@each_kind
def test_a_question_is_sent_without_the_fields_that_it_does_not_have(kind: str) -> None:
    with (
        ChunkServer(reply({"code": 0, "msg": "", "data": chat("created")})) as server,
        client_of(kind, server.url) as client,
    ):
        client.chat.create(**ASK, additional_messages=[messages.user_text("Hi")])
    question = {"role": "user", "type": "question", "content": "Hi", "content_type": "text"}
    assert server.requests[0].json == {**ASK, "stream": False, "additional_messages": [question]}
