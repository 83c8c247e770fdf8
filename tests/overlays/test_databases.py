"""Databases: builders of filters and rows, tasks in the background and the files they leave."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from cozekit import databases
from cozekit.errors import APIError, ArgumentError, ResponseError, TaskFailed
from cozekit.models import DatabaseTask, RecordFilter, RecordOperator
from cozekit_emulator import Emulator
from cozekit_emulator.state.ids import WORKSPACE
from tests.overlays.chunk_server import ChunkServer, reply
from tests.overlays.either import client, coze, each_kind, local, server

__all__ = ["coze", "local", "server"]

COLUMNS = [
    {"name": "word", "type": "string", "is_required": True},
    {"name": "level", "type": "integer"},
    {"name": "learned", "type": "boolean"},
]
WORDS = [
    {"word": "otter", "level": "10", "learned": "true"},
    {"word": "kelp", "level": "9", "learned": "false"},
    {"word": "seal", "level": "2"},
]


@pytest.fixture
def words(coze: Any) -> str:
    """A database of three words."""
    made = coze.databases.create(
        workspace_id=WORKSPACE, table_name="words", fields=COLUMNS, rw_mode="unlimited_read_write"
    )
    coze.databases.records.insert(made.database_id, insert_rows=WORDS)
    return str(made.database_id)


def found(coze: Any, words: str, filter: RecordFilter | None = None, **named: Any) -> list[str]:
    rows = coze.databases.records.query(words, filter=filter, **named)
    return [row["word"] for row in rows]


# ---- builders


def test_a_condition_is_a_filter_whose_value_is_text() -> None:
    assert databases.where("age", ">=", 18).to_dict() == {
        "logic": "and",
        "conditions": [{"left": "age", "operation": "greater_equal", "right": "18"}],
    }


@pytest.mark.parametrize(
    ("join", "logic"), [(databases.all_of, "and"), (databases.any_of, "or")], ids=["all", "any"]
)
def test_conditions_are_joined(join: Any, logic: str) -> None:
    joined = join(databases.where("a", "=", True), databases.where("b", "is null"))
    assert joined.to_dict() == {
        "logic": logic,
        "conditions": [
            {"left": "a", "operation": "equal", "right": "true"},
            {"left": "b", "operation": "is_null"},
        ],
    }


def test_filters_of_the_same_kind_can_be_joined_again() -> None:
    pair = databases.any_of(databases.where("a", "=", 1), databases.where("a", "=", 2))
    assert len(databases.any_of(pair, databases.where("a", "=", 3)).conditions or ()) == 3


def test_filters_that_the_service_does_not_know_are_refused() -> None:
    pair = databases.any_of(databases.where("a", "=", 1), databases.where("a", "=", 2))
    with pytest.raises(ArgumentError, match="cannot be nested"):
        databases.all_of(pair, databases.where("b", "=", 3))
    with pytest.raises(ArgumentError, match="needs a condition"):
        databases.all_of()


@pytest.mark.parametrize(
    ("operator", "value", "problem"),
    [
        ("==", 1, "'==' is not one of ="),
        ("=", None, "'=' needs a value"),
        ("is null", 1, "'is null' takes no value"),
        ("in", ["a", "b"], "age: list is not str, int, float or bool; pass the text"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(
    operator: Any, value: Any, problem: str
) -> None:
    with pytest.raises(ArgumentError, match=f"^{problem}"):
        databases.where("age", operator, value)


def test_every_operator_of_the_description_can_be_written() -> None:
    written = set()
    for operator in get_args(databases.Operator):
        value = None if operator.endswith("null") else "x"
        (condition,) = databases.where("a", operator, value).conditions or ()
        written.add(condition.operation)
    assert written == set(RecordOperator)


def test_rows_and_changes_are_text() -> None:
    assert databases.row({"word": "otter", "level": 1, "learned": False}) == {
        "word": "otter",
        "level": "1",
        "learned": "false",
    }
    assert [change.to_dict() for change in databases.changes({"level": 2.5})] == [
        {"field_name": "level", "value": "2.5"}
    ]


# ---- rows of the local Coze


def test_rows_are_compared_by_the_type_of_their_column(coze: Any, words: str) -> None:
    assert found(coze, words, databases.where("level", ">", 9)) == ["otter"]
    assert found(coze, words, databases.where("learned", "is null")) == ["seal"]
    either = databases.any_of(
        databases.where("word", "like", "k%"), databases.where("level", "=", 2)
    )
    assert found(coze, words, either) == ["kelp", "seal"]
    assert found(coze, words, databases.where("word", "in", "seal,otter")) == ["otter", "seal"]


def test_rows_come_sorted_page_by_page(coze: Any, words: str, local: Emulator) -> None:
    order: Any = [{"field_name": "level", "direction": "desc"}]
    assert found(coze, words, order_by=order, page_size=2) == ["otter", "kelp", "seal"]
    sent = [json.loads(seen.body) for seen in local.requests if "/query" in seen.path]
    assert [(one.get("page_num"), one["is_async"]) for one in sent] == [(None, False), (2, False)]


def test_columns_of_the_system_are_passed_on_untouched(coze: Any, words: str) -> None:
    (row,) = coze.databases.records.query(words, filter=databases.where("word", "=", "seal"))
    assert {"id", "uuid", "sys_platform", "bstudio_create_time"} <= row.keys()


def test_rows_are_updated_and_deleted(coze: Any, words: str) -> None:
    records = coze.databases.records
    changed = records.update(
        words,
        update_fields=databases.changes({"level": 11}),
        filter=databases.where("level", "<", 10),
    )
    assert changed.affected_rows == 2
    assert records.delete(words, filter=databases.where("level", "=", 11)).affected_rows == 2
    assert found(coze, words) == ["otter"]


def test_another_channel_sees_other_rows(coze: Any, words: str) -> None:
    assert found(coze, words, connector_id="999") == []


def test_a_change_of_all_rows_and_an_unknown_column_are_refused(coze: Any, words: str) -> None:
    with pytest.raises(APIError, match="whole table is not allowed"):
        coze.databases.records.delete(words, filter=RecordFilter(conditions=[]))
    with pytest.raises(APIError, match="no column 'colour'"):
        found(coze, words, databases.where("colour", "=", "red"))
    with pytest.raises(APIError, match="column 'level' is integer, not 'high'"):
        coze.databases.records.insert(words, insert_rows=[{"word": "eel", "level": "high"}])


# ---- tasks


def test_a_task_is_waited_for(coze: Any, words: str) -> None:
    task = coze.databases.records.insert_and_poll(words, insert_rows=WORDS, poll_interval=0)
    assert (task.status, task.task_type, task.affected_rows) == ("succeed", "insert", 3)
    assert len(found(coze, words)) == 6


def test_a_task_that_was_started_earlier_is_waited_for(coze: Any, words: str) -> None:
    records = coze.databases.records
    started = records.delete(words, filter=databases.where("level", ">", 2), is_async=True)
    assert started.affected_rows is None
    assert records.wait(started.task_id, poll_interval=0).affected_rows == 2


def test_a_failed_task_says_why(coze: Any, words: str) -> None:
    with pytest.raises(TaskFailed, match="has no column 'colour'") as caught:
        coze.databases.records.update_and_poll(
            words,
            update_fields=databases.changes({"colour": "red"}),
            filter=databases.where("level", ">", 2),
            poll_interval=0,
        )
    assert caught.value.last.status == "failed"


def test_the_rows_of_a_task_are_read_from_its_file(coze: Any, words: str) -> None:
    select: Any = {"field_names": ["word"]}
    task = coze.databases.records.query_and_poll(
        words, filter=databases.where("level", ">", 2), select_fields=select, poll_interval=0
    )
    assert task.select_total_count == 2
    rows = coze.databases.tasks.rows(task=task)
    assert (rows, rows.logid) == ([{"word": "otter"}, {"word": "kelp"}], task.logid)


def finished(url: str | None) -> DatabaseTask:
    return DatabaseTask(status="succeed", task_type="select", select_items_file_url=url)


@pytest.mark.parametrize("layout", [lambda rows: rows, lambda rows: {"total": 1, "data": rows}])
@each_kind
def test_both_layouts_of_a_file_are_understood(kind: str, layout: Any) -> None:
    file = json.dumps(layout([{"level": 2}])).encode()
    with ChunkServer(reply(file)) as storage, client(kind, "http://127.0.0.1:9") as coze:
        assert coze.databases.tasks.rows(task=finished(storage.url)) == [{"level": 2}]


@each_kind
def test_the_storage_gets_neither_token_nor_headers_of_the_client(kind: str) -> None:
    with (
        ChunkServer(reply(b"[]")) as storage,
        client(kind, "http://127.0.0.1:9", default_headers={"X-Secret": "s"}) as coze,
    ):
        coze.databases.tasks.rows(task=finished(f"{storage.url}/a/b.json?sign=x%2F1"))
        (request,) = storage.requests
    assert (request.method, request.target) == ("GET", "/a/b.json?sign=x%2F1")
    assert not {"authorization", "x-secret"} & request.headers.keys()


@pytest.mark.parametrize("file", [b'"text"', b"[1]", b"{}", b'{"a":[],"b":[]}'])
def test_a_file_that_holds_no_rows_is_an_error(file: bytes) -> None:
    with (
        ChunkServer(reply(file)) as storage,
        client("sync", "http://127.0.0.1:9") as coze,
        pytest.raises(ResponseError, match="the file does not hold rows"),
    ):
        coze.databases.tasks.rows(task=finished(storage.url))


@pytest.mark.parametrize("url", [None, "", "rows.json", "file:///etc/passwd", "http://[::1"])
def test_an_address_that_is_none_is_an_error(url: str | None) -> None:
    with (
        client("sync", "http://127.0.0.1:9") as coze,
        pytest.raises(ResponseError, match=r"no file \(state succeed, type select\)"),
    ):
        coze.databases.tasks.rows(task=finished(url))


def test_a_task_without_a_file_is_an_error(coze: Any, words: str) -> None:
    started = coze.databases.records.delete(
        words, filter=databases.where("level", ">", 2), is_async=True
    )
    with pytest.raises(ResponseError, match=r"no file \(state running, type delete\)"):
        coze.databases.tasks.rows(task=started.task_id)
