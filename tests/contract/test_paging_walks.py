"""Walking through lists, by every style of paging and every operation that pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from coze_openapi import AsyncClient, Client
from coze_runtime.errors import ResponseError
from tests.contract.catalogue import (
    Op,
    merged,
    operations,
    sample,
    sample_argument,
    split_arguments,
)
from tests.contract.server import LoopbackServer, Received, Reply, json_reply
from tests.each import each

PAGED = [op for op in operations().values() if op.pager]
every_list = each("op", {op.id: op for op in PAGED})
ONE_OF_EACH_STYLE = (
    "bots_list",
    "conversations_list",
    "api_apps_list",
    "conversations_messages_list",
)
BY_STYLE = [pytest.param(operations()[name], id=name) for name in ONE_OF_EACH_STYLE]
every_style = pytest.mark.parametrize("op", BY_STYLE)
SIZE = 2


def put(body: dict[str, Any], path: str | None, value: Any) -> None:
    if path is not None:
        *steps, last = path.split(".")
        for step in steps:
            body = body.setdefault(step, {})
        body[last] = value


def item(op: Op, number: int) -> Any:
    """An item of the list; its id, and its first text at any depth, tell which."""
    schema = op.answer_schema or {}
    for step in op.result_path:
        schema = merged(merged(schema)["properties"][step])
    found = json.loads(
        json.dumps(sample(schema["items"])).replace(json.dumps("text ü"), f'"item {number}"', 1)
    )
    put(found, (op.pager or {}).get("id"), f"id {number}")
    return found


class Shelf:
    """A server that keeps a list and pages through it as the description says."""

    def __init__(self, op: Op, count: int, holes: tuple[int, ...] = ()) -> None:
        self.op = op
        self.pager = op.pager or {}
        self.items = [item(op, number) for number in range(count)]
        self.holes = holes
        """Numbers of pages that come empty although more follow."""
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: Received) -> Reply:
        asked = request.json() if self.pager["in"] == "body" else dict(request.query)
        self.asked.append(asked)
        return json_reply(self.answer(asked), x_tt_logid=f"log-{len(self.asked)}")

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        pages = [self.items[at : at + SIZE] for at in range(0, len(self.items), SIZE)] or [[]]
        for hole in self.holes:
            pages.insert(hole, [])
        number = self.number_of(asked)
        last = number >= len(pages) - 1
        body: dict[str, Any] = {"code": 0, "msg": ""}
        put(body, self.pager["items"], pages[number] if number < len(pages) else [])
        put(
            body, self.pager.get("total"), len(self.items) + SIZE * len(self.holes)
        )  # what a filter takes out is counted, too
        put(body, self.pager.get("has_more"), not last)
        put(body, self.pager.get("next"), "" if last else f"token {number + 1}")
        put(body, self.pager.get("next_before"), f"first {number + 1}")
        put(body, self.pager.get("next_after"), f"last {number + 1}")
        return body

    def number_of(self, asked: dict[str, Any]) -> int:
        """Which page is asked for, from 0."""
        match self.pager["style"]:
            case "number":
                return int(asked.get(self.pager["page"]) or 1) - 1
            case "token":
                return int((asked.get(self.pager["page"]) or "token 0").split()[1])
            case _:
                cursor = (
                    asked.get(self.pager["before"]) or asked.get(self.pager["after"]) or "start 0"
                )
                return 0 if cursor.startswith("start") else int(cursor.split()[1])


def plain(item: Any) -> Any:
    """An item as it travels; a row is a dictionary already."""
    return item if isinstance(item, dict) else item.to_dict()


def arguments_of(op: Op, **more: Any) -> dict[str, Any]:
    required = {p.argument: sample_argument(p) for p in op.parameters if p.required}
    pager = op.pager or {}
    # A list that requires its page number starts with the first.
    first = {pager["page"]: 1} if pager.get("page") in required else {}
    size = {pager["size"]: SIZE} if pager["size"] in {p.argument for p in op.parameters} else {}
    return {**required, **first, **size, **more}


def listed(op: Op, client: Client, **more: Any) -> Any:
    positional, named = split_arguments(op, arguments_of(op, **more))
    with pytest.warns(DeprecationWarning) if op.node.get("deprecated") else _no_warning():
        return op.method_of(client)(*positional, **named)


def listed_async(op: Op, client: AsyncClient, **more: Any) -> Any:
    positional, named = split_arguments(op, arguments_of(op, **more))
    with pytest.warns(DeprecationWarning) if op.node.get("deprecated") else _no_warning():
        return op.method_of(client)(*positional, **named)


class _no_warning:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@every_list
def test_all_items_of_all_pages_come_in_order(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    shelf = Shelf(op, 5)
    server.answer(shelf)
    assert [plain(found) for found in listed(op, client)] == shelf.items
    assert len(shelf.asked) == 3


@every_list
async def test_the_async_walk_asks_and_finds_the_same(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    shelf, twin = Shelf(op, 5), Shelf(op, 5)
    server.answer(shelf)
    found = [plain(entry) for entry in listed(op, client)]
    server.answer(twin)
    assert [plain(entry) async for entry in listed_async(op, async_client)] == found
    first = await listed_async(op, async_client)
    assert [plain(entry) for entry in first.items] == found[:SIZE]
    assert twin.asked[:3] == shelf.asked


@every_list
def test_pages_tell_items_total_and_log_id_of_their_own_call(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    server.answer(Shelf(op, 5))
    pages = list(listed(op, client).pages())
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert [page.logid for page in pages] == ["log-1", "log-2", "log-3"]
    assert [page.has_more for page in pages] == [True, True, False]
    total = 5 if op.pager and "total" in op.pager else None
    assert [page.total for page in pages] == [total] * 3
    assert pages[-1].next_page() is None


@every_list
async def test_async_pages_tell_the_same(
    op: Op, async_client: AsyncClient, server: LoopbackServer
) -> None:
    server.answer(Shelf(op, 5))
    pages = [page async for page in listed_async(op, async_client).pages()]
    assert [(len(page.items), page.logid, page.has_more) for page in pages] == [
        (2, "log-1", True),
        (2, "log-2", True),
        (1, "log-3", False),
    ]


@every_list
def test_every_request_of_a_walk_repeats_the_arguments_of_the_call(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    shelf = Shelf(op, 5)
    server.answer(shelf)
    list(listed(op, client, extra_headers={"X-Walk": "7"}))
    moving = (
        {op.pager[key] for key in ("page", "before", "after") if key in op.pager}
        if op.pager
        else set()
    )
    fixed = [
        {key: value for key, value in asked.items() if key not in moving} for asked in shelf.asked
    ]
    assert fixed == [fixed[0]] * 3
    assert {request.headers["x-walk"] for request in server.received} == {"7"}
    assert len({request.path for request in server.received}) == 1


@every_list
def test_an_empty_list_is_one_request(op: Op, client: Client, server: LoopbackServer) -> None:
    shelf = Shelf(op, 0)
    server.answer(shelf)
    assert list(listed(op, client)) == []
    assert len(shelf.asked) == 1


@every_list
@pytest.mark.parametrize("empty", [None, "absent"])
def test_items_that_are_null_or_absent_are_an_empty_list(
    op: Op, empty: str | None, client: Client, server: LoopbackServer
) -> None:
    body: dict[str, Any] = {"code": 0, "msg": ""}
    if empty is None:
        put(body, op.pager["items"] if op.pager else None, None)
    server.answer(json_reply(body))
    page = listed(op, client)
    assert (page.items, page.has_more, list(page)) == ([], False, [])
    assert len(server.received) == 1


def listless(op: Op, total: int, absent: bool = True, **more: Any) -> dict[str, Any]:
    """A page that tells a total and has no list."""
    pager = op.pager or {}
    body: dict[str, Any] = {"code": 0, "msg": ""}
    put(body, pager["items"].rpartition(".")[0] or None, {})
    put(body, None if absent else pager["items"], None)
    put(body, pager.get("total"), total)
    put(body, pager.get("has_more"), False)
    return {**body, **more}


WITH_TOTAL = [op for op in PAGED if op.pager and "total" in op.pager]
every_total = each("op", {op.id: op for op in WITH_TOTAL})


@every_total
@pytest.mark.parametrize("absent", [True, False], ids=["absent", "null"])
async def test_a_first_page_without_its_list_is_an_error_when_its_total_is_above_zero(
    op: Op, absent: bool, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    server.answer(json_reply(listless(op, 5, absent), x_tt_logid="log-1"))
    with pytest.raises(ResponseError, match=rf"^{op.call}: .* is missing \(total: 5\)") as caught:
        listed(op, client)
    error = caught.value
    assert (error.logid, error.http_status, error.request and error.request.operation) == (
        "log-1",
        200,
        op.id,
    )
    with pytest.raises(ResponseError, match="is missing"):
        await listed_async(op, async_client)
    with pytest.raises(ResponseError, match="is missing"):
        [entry async for entry in listed_async(op, async_client)]
    assert len(server.received) == 3


@every_total
async def test_a_first_page_without_its_list_is_empty_when_its_total_is_zero(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    server.answer(json_reply(listless(op, 0)))
    assert list(listed(op, client)) == []
    assert [entry async for entry in listed_async(op, async_client)] == []
    assert len(server.received) == 2


@every_total
async def test_a_later_page_without_its_list_ends_the_walk_in_silence(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    """What stood on it may have been taken away since the page before."""
    shelf = Shelf(op, 3)

    def answers(request: Received) -> Reply:
        return (
            shelf(request)
            if len(shelf.asked) % 2 == 0
            else json_reply(shelf.asked.append({}) or listless(op, SIZE))
        )

    server.answer(answers)
    assert [plain(found) for found in listed(op, client)] == shelf.items[:SIZE]
    assert [plain(entry) async for entry in listed_async(op, async_client)] == shelf.items[:SIZE]
    assert len(server.received) == 4


# Behind the last page, whatever the size of a page is; behind it with pages of two; before it.
STARTS = [
    ({"page": 9}, True),
    ({"page": 4, "size": 2}, True),
    ({"page": 3, "size": 2}, False),
    ({"page": 1, "size": 2}, False),
]


@every_total
@pytest.mark.parametrize(("start", "quiet"), STARTS, ids=["9", "4 of 2", "3 of 2", "1 of 2"])
async def test_a_walk_that_starts_behind_the_last_page_is_empty(
    op: Op,
    start: dict[str, int],
    quiet: bool,
    client: Client,
    async_client: AsyncClient,
    server: LoopbackServer,
) -> None:
    pager = op.pager or {}
    asked = {pager[key]: value for key, value in start.items()}
    left_out = {} if "size" in start else {pager["size"]: None}
    server.answer(json_reply(listless(op, 5)))
    if quiet:
        assert list(listed(op, client, **asked, **left_out)) == []
        assert [entry async for entry in listed_async(op, async_client, **asked, **left_out)] == []
    else:
        with pytest.raises(ResponseError, match="is missing"):
            listed(op, client, **asked)
        with pytest.raises(ResponseError, match="is missing"):
            await listed_async(op, async_client, **asked)


def renamed(body: dict[str, Any], path: str) -> dict[str, Any]:
    """The same answer with the last bit of a key turned."""
    found = body
    *steps, last = path.split(".")
    for step in steps:
        found = found[step]
    found[last[:-1] + chr(ord(last[-1]) ^ 1)] = found.pop(last)
    return body


def keys_above(path: str) -> list[str]:
    steps = path.split(".")
    return [".".join(steps[: number + 1]) for number in range(len(steps))]


# The fields of a row are not described, so another list of objects might be anything.
DESCRIBED = [op for op in PAGED if op.id != "databases_records_query"]
EVERY_KEY = {
    f"{op.id} {path}": (op, path)
    for op in DESCRIBED
    for path in keys_above((op.pager or {})["items"])
}


@pytest.mark.parametrize("number", [1, 2])
@each("op, path", EVERY_KEY)
async def test_a_list_under_a_name_that_nobody_described_is_an_error_on_every_page(
    op: Op,
    path: str,
    number: int,
    client: Client,
    async_client: AsyncClient,
    server: LoopbackServer,
) -> None:
    """Whether the whole answer is under that name, so that its total is not known either, or the
    list alone.
    """
    shelf = Shelf(op, 5)

    def answers(request: Received) -> Reply:
        reply = shelf(request)
        return (
            reply
            if len(shelf.asked) % number
            else json_reply(renamed(json.loads(reply.body), path))
        )

    server.answer(answers)
    with pytest.raises(ResponseError, match=rf"^{op.call}: .* is not a list, but the response has"):
        list(listed(op, client))
    with pytest.raises(ResponseError, match="is not a list, but the response has"):
        [entry async for entry in listed_async(op, async_client)]
    assert len(server.received) == 2 * number


@every_list
def test_what_is_new_beside_a_list_that_is_not_there_leaves_it_empty(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    """The service may add what it likes, and leave out lists that are empty."""
    news = {
        "new_owner": {"id": "1", "name": "Otter"},
        "new_ids": ["1", "2"],
        "new_things": [{"colour": "red", "weight": 3, "name": "x"}],
    }
    body = listless(op, 0)
    found = body
    for step in ["", *(op.pager or {})["items"].split(".")[:-1]]:
        found = found[step] if step else found
        found.update(news)
    server.answer(json_reply(body))
    assert list(listed(op, client)) == []


@every_list
def test_a_mapping_in_place_of_the_list_is_an_error_and_no_empty_list(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    pager = op.pager or {}
    body = listless(op, 0)
    put(body, pager["items"], {"0": item(op, 0)})
    server.answer(json_reply(body))
    with pytest.raises(
        ResponseError,
        match=f"is not a list, but the response has '{pager['items']}'",
    ):
        listed(op, client)


@every_list
def test_an_empty_page_in_the_middle_does_not_end_the_walk(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    shelf = Shelf(op, 5, holes=(1,))
    server.answer(shelf)
    assert [plain(found) for found in listed(op, client)] == shelf.items
    assert len(shelf.asked) == 4


@every_list
async def test_a_page_in_the_middle_whose_list_is_null_does_not_end_the_walk(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    """A filter may have taken out all of it, and a server that makes no difference between nothing
    and an empty list says null.
    """
    shelf = Shelf(op, 5, holes=(1,))
    pager = op.pager or {}

    def answers(request: Received) -> Reply:
        reply = shelf(request)
        body = json.loads(reply.body)
        if len(shelf.asked) % 4 == 2:
            put(body, pager["items"], None)
        return json_reply(body)

    server.answer(answers)
    assert [plain(found) for found in listed(op, client)] == shelf.items
    assert [plain(entry) async for entry in listed_async(op, async_client)] == shelf.items
    assert len(shelf.asked) == 8


@every_list
async def test_endless_empty_pages_end_with_an_error_after_two(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    """The server says every time that there is more; each cursor is new."""
    count = 0

    def endless(_: Received) -> Reply:
        nonlocal count
        count += 1
        body: dict[str, Any] = {"code": 0, "msg": ""}
        pager = op.pager or {}
        put(body, pager["items"], [])
        put(body, pager.get("total"), 1000)
        put(body, pager.get("has_more"), True)
        for key in ("next", "next_before", "next_after"):
            put(body, pager.get(key), f"cursor {count}")
        return json_reply(body, x_tt_logid=f"log-{count}")

    server.answer(endless)
    with pytest.raises(ResponseError, match=f"{op.call}.*nothing new") as caught:
        list(listed(op, client))
    assert caught.value.logid == f"log-{count}"
    assert count <= 3
    count = 0
    with pytest.raises(ResponseError, match="nothing new"):
        [entry async for entry in listed_async(op, async_client)]
    assert count <= 3


WITH_CURSOR = [op for op in PAGED if op.pager and op.pager["style"] != "number"]


@pytest.mark.parametrize("cursor", ["the same", "", None], ids=["repeated", "empty", "absent"])
@each("op", {op.id: op for op in WITH_CURSOR})
async def test_a_cursor_that_does_not_move_ends_with_an_error(
    op: Op, cursor: str | None, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    pager = op.pager or {}
    body: dict[str, Any] = {"code": 0, "msg": ""}
    put(body, pager["items"], [item(op, 1)])
    put(body, pager.get("has_more"), True)
    for key in ("next", "next_before", "next_after"):
        if cursor is not None:
            put(body, pager.get(key), cursor)
    server.answer(json_reply(body, x_tt_logid="log-stuck"))
    with pytest.raises(ResponseError, match=op.call) as caught:
        list(listed(op, client))
    assert caught.value.logid == "log-stuck"
    assert len(server.received) <= 2
    server.reset()
    server.answer(json_reply(body))
    with pytest.raises(ResponseError, match=op.call):
        [entry async for entry in listed_async(op, async_client)]
    assert len(server.received) <= 2


@every_list
def test_the_items_of_a_page_are_there_although_the_next_cannot_be_found(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    """What came is not lost: the first page is returned, and only going on fails."""
    pager = op.pager or {}
    body: dict[str, Any] = {"code": 0, "msg": ""}
    put(body, pager["items"], [item(op, 1)])
    put(body, pager.get("has_more"), True)
    put(body, pager.get("total"), 2)
    server.answer(json_reply(body))
    page = listed(op, client)
    assert [plain(found) for found in page.items] == [item(op, 1)]


@every_list
def test_a_walk_starts_where_the_call_says(op: Op, client: Client, server: LoopbackServer) -> None:
    pager = op.pager or {}
    starts = {"number": ("page", 2), "token": ("page", "token 1"), "cursor": ("after", "last 1")}
    key, value = starts[pager["style"]]
    start = {pager[key]: value}
    shelf = Shelf(op, 5)
    server.answer(shelf)
    assert [plain(found) for found in listed(op, client, **start)] == shelf.items[SIZE:]
    assert len(shelf.asked) == 2


def test_a_backward_walk_keeps_asking_with_before(client: Client, server: LoopbackServer) -> None:
    op = operations()["conversations_messages_list"]
    shelf = Shelf(op, 5)
    server.answer(shelf)
    assert [plain(found) for found in listed(op, client, before_id="start 0")] == shelf.items
    assert [asked.get("before_id") for asked in shelf.asked] == ["start 0", "first 1", "first 2"]
    assert not any("after_id" in asked for asked in shelf.asked)


def test_a_forward_walk_asks_with_after(client: Client, server: LoopbackServer) -> None:
    op = operations()["conversations_messages_list"]
    shelf = Shelf(op, 5)
    server.answer(shelf)
    list(listed(op, client))
    assert [asked.get("after_id") for asked in shelf.asked] == [None, "last 1", "last 2"]
    assert not any("before_id" in asked for asked in shelf.asked)


@every_style
def test_a_page_is_fetched_once_however_often_it_is_asked_for(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    server.answer(Shelf(op, 5))
    page = listed(op, client)
    second = page.next_page()
    assert page.next_page() is second
    assert [plain(found) for found in page] == [plain(found) for found in page]
    assert len(server.received) == 3


@every_style
async def test_nothing_is_asked_before_an_async_list_is_used(
    op: Op, async_client: AsyncClient, server: LoopbackServer
) -> None:
    listed_async(op, async_client)
    assert server.received == []


@every_style
def test_an_error_in_the_middle_of_a_walk_comes_after_the_items_before_it(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    shelf = Shelf(op, 5)
    first: Callable[[Received], Reply] = shelf
    server.answer(first, json_reply({"code": 4000, "msg": "no more"}))
    found = []
    with pytest.raises(Exception, match="no more"):
        for entry in listed(op, client):
            found.append(plain(entry))
    assert found == shelf.items[:SIZE]


@every_list
def test_the_pager_of_the_package_is_that_of_the_description(op: Op) -> None:
    found = {key: value for key, value in op.module.PAGER._asdict().items() if value is not None}
    assert json.dumps(found, sort_keys=True) == json.dumps(
        {k: v for k, v in (op.pager or {}).items() if k != "in"}, sort_keys=True
    )


@each("op", {op.id: op for op in PAGED if op.pager and op.pager["style"] == "number"})
async def test_a_list_without_total_and_without_an_end_mark_is_walked_to_its_empty_page(
    op: Op, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    shelf = Shelf(op, 6)
    pager = op.pager or {}

    def unmarked(request: Received) -> Reply:
        body = json.loads(shelf(request).body)
        for mark in ("total", "has_more"):
            put(body, pager.get(mark), None)
        return json_reply(body)

    server.answer(unmarked)
    assert [plain(entry) for entry in listed(op, client)] == shelf.items
    assert [plain(entry) async for entry in listed_async(op, async_client)] == shelf.items
    assert len(shelf.asked) == 8


def test_the_items_of_a_page_are_a_list_that_may_be_changed(
    client: Client, server: LoopbackServer
) -> None:
    body = {"code": 0, "msg": "", "data": {"items": [{"id": "b1"}, {"id": "b2"}], "total": 2}}
    server.answer(json_reply(body))
    items = client.bots.list(workspace_id="w1").items
    items[0] = items[1]
    assert [bot.id for bot in items] == ["b2", "b2"]


# ---- walks that make no progress, and lists that change meanwhile


class Frozen(Shelf):
    """A server that sends the first page whatever it is asked for, each time with a new cursor."""

    def __init__(self, op: Op, marks: tuple[str, ...]) -> None:
        super().__init__(op, 5)
        self.marks = marks

    def number_of(self, asked: dict[str, Any]) -> int:
        return 0

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        body = super().answer(asked)
        for mark in {"total", "has_more"} - set(self.marks):
            put(body, self.pager.get(mark), None)
        for key in ("next", "next_before", "next_after"):
            put(body, self.pager.get(key), f"cursor {len(self.asked)}")
        return body


def cursor_of(op: Op, asked: dict[str, Any]) -> str:
    pager = op.pager or {}
    name = pager.get("page") or pager["after"]
    value = asked[name]
    return f"{name}={int(value) if pager['style'] == 'number' else value!r}"


@pytest.mark.parametrize("marks", [("total", "has_more"), ("total",), ("has_more",), ()])
@pytest.mark.parametrize("with_ids", [True, False], ids=["ids", "no ids"])
@every_list
async def test_a_server_that_ignores_the_cursor_is_told_after_two_requests_without_progress(
    op: Op,
    with_ids: bool,
    marks: tuple[str, ...],
    client: Client,
    async_client: AsyncClient,
    server: LoopbackServer,
) -> None:
    pager = op.pager or {}
    if pager["style"] == "cursor" and "has_more" not in marks:
        return  # without this flag the list ends at its first empty page

    def frozen() -> Frozen:
        shelf = Frozen(op, marks)
        for found in shelf.items if not with_ids and "id" in pager else ():
            put(found, pager["id"], None)
        return shelf

    shelf, twin = frozen(), frozen()
    server.answer(shelf)
    found = []
    with pytest.raises(ResponseError, match=f"^{op.call}: .*nothing new") as caught:
        for entry in listed(op, client):
            found.append(plain(entry))
    assert len(shelf.asked) <= 3
    assert cursor_of(op, shelf.asked[-1]) in str(caught.value)
    server.answer(twin)
    with pytest.raises(ResponseError, match="nothing new"):
        [entry async for entry in listed_async(op, async_client)]
    assert len(twin.asked) == len(shelf.asked)
    if with_ids and "id" in pager:
        assert len(found) == SIZE


BY_NUMBER = each(
    "op",
    {op.id: op for op in PAGED if op.pager and op.pager["style"] == "number" and "id" in op.pager},
)


@BY_NUMBER
@pytest.mark.parametrize("arriving", [1, 2, 3])
async def test_items_that_arrive_during_a_walk_by_number_repeat_no_other(
    op: Op, arriving: int, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    """They come in front and move the others to later pages."""

    class Growing(Shelf):
        def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
            body = super().answer(asked)
            if len(self.asked) == 1:
                self.items = [item(op, 10 + number) for number in range(arriving)] + self.items
            return body

    old = [item(op, number) for number in range(5)]
    server.answer(shelf := Growing(op, 5))
    found = [plain(entry) for entry in listed(op, client)]
    assert [entry for entry in found if entry in old] == old
    assert all(found.count(entry) == 1 for entry in found)
    assert len(shelf.asked) <= 3 + arriving
    server.answer(Growing(op, 5))
    assert [plain(entry) async for entry in listed_async(op, async_client)] == found


@BY_NUMBER
def test_a_server_with_smaller_pages_than_asked_for_is_walked_to_the_end(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    server.answer(shelf := Shelf(op, 5))
    size = {(op.pager or {})["size"]: 4}
    if next(iter(size)) in {p.argument for p in op.parameters}:
        assert [plain(entry) for entry in listed(op, client, **size)] == shelf.items
        assert len(shelf.asked) == 3


class Conversation:
    """A server that pages through messages 1 to 30 before or after one of them."""

    def __init__(self, *, nearest_first: bool, inclusive: bool) -> None:
        self.nearest_first = nearest_first
        self.inclusive = inclusive
        self.asked = 0

    def __call__(self, request: Received) -> Reply:
        self.asked += 1
        asked, keep = request.json(), self.inclusive
        if before := asked.get("before_id"):
            found = list(range(int(before) - 1 + keep, 0, -1))
        else:
            found = list(range(int(asked.get("after_id") or 0) + 1 - keep, 31))
        page, more = found[: asked["limit"]], len(found) > asked["limit"]
        page = page if self.nearest_first else page[::-1]
        ends = {"first_id": f"{page[0]}", "last_id": f"{page[-1]}"} if page else {}
        return json_reply(
            {"code": 0, "data": [{"id": f"{id_}"} for id_ in page], "has_more": more, **ends}
        )


@pytest.mark.parametrize("inclusive", [False, True], ids=["without", "with the message asked for"])
@pytest.mark.parametrize("nearest_first", [True, False], ids=["nearest first", "farthest first"])
@pytest.mark.parametrize("start", [{"before_id": "31"}, {"after_id": "1"}], ids=str)
async def test_messages_come_once_whichever_end_of_a_page_the_server_puts_first(
    start: dict[str, str],
    nearest_first: bool,
    inclusive: bool,
    client: Client,
    async_client: AsyncClient,
    server: LoopbackServer,
) -> None:
    asked: dict[str, Any] = {"conversation_id": "1", "limit": 7, **start}
    expected = range(1, 31 + inclusive) if "before_id" in start else range(2 - inclusive, 31)
    server.answer(told := Conversation(nearest_first=nearest_first, inclusive=inclusive))
    found = [int(message.id or 0) for message in client.conversations.messages.list(**asked)]
    assert sorted(found) == [*expected]
    if nearest_first:
        assert found == sorted(found, reverse="before_id" in start)
    assert told.asked <= 7  # five or six pages, and one to notice the order
    server.answer(Conversation(nearest_first=nearest_first, inclusive=inclusive))
    walk = async_client.conversations.messages.list(**asked)
    assert [int(message.id or 0) async for message in walk] == found


# ---- lists at another place


NESTED = {op.id: op for op in DESCRIBED if "." in (op.pager or {})["items"]}
ELSEWHERE: dict[str, Callable[[list[Any], str], dict[str, Any]]] = {
    "directly": lambda items, name: {"data": items},
    "above": lambda items, name: {name: items, "data": {}},
    "alone": lambda items, name: {name: items},
    "deeper": lambda items, name: {"data": {"page": {name: items}}},
    "far deeper": lambda items, name: {"data": {"a": {"b": {"c": items}}}},
    "as a text": lambda items, name: {"data": json.dumps(items)},
    "as a text inside": lambda items, name: {"data": {name: json.dumps(items)}},
    "as a number": lambda items, name: {"data": {name: len(items)}},
}


@pytest.mark.parametrize("place", ELSEWHERE)
@each("op", NESTED)
async def test_a_list_at_another_place_is_an_error_and_no_empty_list(
    op: Op, place: str, client: Client, async_client: AsyncClient, server: LoopbackServer
) -> None:
    name = (op.pager or {})["items"].partition(".")[2]
    body = {"code": 0, **ELSEWHERE[place]([item(op, 1), item(op, 2)], name)}
    server.answer(json_reply(body))
    with pytest.raises(ResponseError, match=rf"^{op.call}: .* is not a list, but the response has"):
        listed(op, client)
    with pytest.raises(ResponseError, match="is not a list, but the response has"):
        await listed_async(op, async_client)


@pytest.mark.parametrize("nothing", [[], "", 0, False, {}])
@each("op", NESTED)
def test_nothing_of_another_type_is_an_empty_list(
    op: Op, nothing: Any, client: Client, server: LoopbackServer
) -> None:
    """Some servers write an empty object as an empty list."""
    server.answer(json_reply({"code": 0, "data": nothing}))
    assert listed(op, client).items == []
    server.answer(json_reply({"code": 0, "data": {(op.pager or {})["items"][5:]: nothing}}))
    assert listed(op, client).items == []


@each("op", {op.id: op for op in PAGED if "has_more" in (op.pager or {})})
def test_a_flag_that_is_a_text_is_read_as_what_it_says(
    op: Op, client: Client, server: LoopbackServer
) -> None:
    shelf = Shelf(op, 5)

    def answers(request: Received) -> Reply:
        body = json.loads(shelf(request).body)
        steps = (op.pager or {})["has_more"].split(".")
        flag = body[steps[0]] if len(steps) == 1 else body[steps[0]][steps[1]]
        put(body, ".".join(steps), "true" if flag else "false")
        return json_reply(body)

    server.answer(answers)
    assert [plain(entry) for entry in listed(op, client)] == shelf.items
    assert len(shelf.asked) == 3
