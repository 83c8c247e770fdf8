"""Iterating over lists that come in pages: one mechanism for every style of paging, driven by the
`Pager` of the operation.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from . import publish
from .errors import ResponseError
from .operation import MissingList, PageData, Pager

T = TypeVar("T")

# Empty pages in a row with `has_more`. A filter on the server may cause one; more would never end.
MAX_EMPTY_PAGES = 2

Fetch = Callable[[dict[str, Any]], PageData[T]]
AsyncFetch = Callable[[dict[str, Any]], Awaitable[PageData[T]]]


class _Position:
    """How far an iteration has come: computes the arguments of the next page. Does no I/O."""

    __slots__ = ("arguments", "empty", "operation", "pager", "seen", "tokens")

    def __init__(self, operation: str, pager: Pager, arguments: dict[str, Any]) -> None:
        self.operation = operation
        self.pager = pager
        self.arguments = arguments
        self.seen = 0
        self.empty = 0
        self.tokens: set[str] = set()

    def next_arguments(self, data: PageData[Any]) -> dict[str, Any] | ResponseError | None:
        """Arguments of the next page; `None` if this is the last page.

        An error if the server claims more pages but the iteration makes no progress. It is returned
        and raised when the next page is requested, so that the items of this page are not lost.
        """
        try:
            return self._advance(data)
        except ResponseError as error:
            return error

    def checked(self, data: PageData[T], *, first: bool = False) -> PageData[T]:
        """Returns the page if its list is present or may be missing: because nothing matches, or
        because the page is after the last one.

        Raises:
            ResponseError: The list is missing although there are items.
        """
        items: list[Any] = data.items
        if isinstance(items, MissingList) and (
            items.certain or (first and (data.total or 0) > self._skipped())
        ):
            raise items.error
        return data

    def _skipped(self) -> float:
        """Number of items before the first page, as far as the arguments show; infinity if they
        show that there may be some.
        """
        pager, arguments = self.pager, self.arguments
        if pager.style != "number":
            cursors = (
                arguments.get(name or "") for name in (pager.page, pager.before, pager.after)
            )
            return math.inf if any(cursors) else 0
        pages_before = int(arguments.get(pager.page or "") or 1) - 1
        size = arguments.get(pager.size)
        return pages_before * int(size) if size else math.inf if pages_before else 0

    def _advance(self, data: PageData[Any]) -> dict[str, Any] | None:
        self.seen += len(data.items)
        if not self._has_more(data):
            return None
        self.empty = 0 if data.items else self.empty + 1
        if self.empty >= MAX_EMPTY_PAGES:
            raise self._no_progress(f"{self.empty} empty pages arrived in a row", data)
        changes = {
            "number": self._next_number,
            "token": self._next_token,
            "cursor": self._next_cursor,
        }[self.pager.style](data)
        self.arguments = {**self.arguments, **changes}
        return self.arguments

    def _has_more(self, data: PageData[Any]) -> bool:
        if data.has_more is not None:
            return data.has_more
        if self.pager.style == "token":
            return data.next_token is not None
        if data.total is None:
            return bool(data.items)
        skipped = (int(self.arguments.get(self.pager.page or "") or 1) - 1) * int(
            self.arguments.get(self.pager.size) or len(data.items) or 1
        )
        return max(self.seen, skipped + len(data.items)) < data.total

    def _next_number(self, data: PageData[Any]) -> dict[str, Any]:
        assert self.pager.page is not None
        return {self.pager.page: int(self.arguments.get(self.pager.page) or 1) + 1}

    def _next_token(self, data: PageData[Any]) -> dict[str, Any]:
        assert self.pager.page is not None
        return {self.pager.page: self._new_cursor(data.next_token, data)}

    def _next_cursor(self, data: PageData[Any]) -> dict[str, Any]:
        """Continues in the direction of the first call: before the first id of the page, or after
        the last.
        """
        assert self.pager.before is not None and self.pager.after is not None
        if self.arguments.get(self.pager.before):
            return {self.pager.before: self._new_cursor(data.first_id, data)}
        return {self.pager.after: self._new_cursor(data.last_id, data)}

    def _new_cursor(self, cursor: str | None, data: PageData[Any]) -> str:
        if not cursor:
            raise self._no_progress("the page has no cursor", data)
        if cursor in self.tokens:
            raise self._no_progress("the same cursor appeared twice", data)
        self.tokens.add(cursor)
        return cursor

    def _no_progress(self, problem: str, data: PageData[Any]) -> ResponseError:
        return ResponseError(
            f"{self.operation}: the server claims that there are more pages, but {problem} "
            f"(logid {data.logid})",
            logid=data.logid,
        )


class _PageBase(Generic[T]):
    """What sync and async pages share."""

    def __init__(self, data: PageData[T]) -> None:
        self._data = data

    @property
    def items(self) -> list[T]:
        """The items of this page only. To get the items of the following pages too, iterate over
        the page itself.
        """
        return self._data.items

    @property
    def total(self) -> int | None:
        """Number of items on all pages; `None` if the server does not say."""
        return self._data.total

    @property
    def logid(self) -> str | None:
        """Log id of the call that returned this page."""
        return self._data.logid

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.items)} items, total {self.total}>"


class Page(_PageBase[T]):
    """One page of a list. Iterate over it to get its items and those of all following pages, which
    are fetched as needed.

    ```python
    for bot in coze.bots.list(workspace_id="7310000000000000000"):
        print(bot.name)
    ```
    """

    def __init__(self, data: PageData[T], position: _Position, fetch: Fetch[T]) -> None:
        """Created by `first` and `next_page`.

        Args:
            data: The parsed page.
            position: How far the iteration has come; shared by its pages.
            fetch: Fetches the page for the arguments it is called with.
        """
        super().__init__(data)
        self._position = position
        self._fetch = fetch
        self._next: Page[T] | None = None
        self._arguments = position.next_arguments(data)

    @classmethod
    def first(
        cls, operation: str, pager: Pager, arguments: dict[str, Any], fetch: Fetch[T]
    ) -> Page[T]:
        """Fetches the first page. The `list` methods call this.

        Args:
            operation: Id of the operation, for errors.
            pager: How the operation pages.
            arguments: Arguments of the first call.
            fetch: Fetches the page for the arguments it is called with.

        Raises:
            CozeError: The call failed.
        """
        position = _Position(operation, pager, arguments)
        return cls(position.checked(fetch(arguments), first=True), position, fetch)

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self._arguments is not None

    def next_page(self) -> Page[T] | None:
        """Fetches the next page, once; `None` after the last page.

        Raises:
            CozeError: The errors of the list operation.
            ResponseError: The server claims more pages but sends the same cursor or empty pages.
        """
        if isinstance(self._arguments, ResponseError):
            raise self._arguments
        if self._next is None and self._arguments is not None:
            self._next = Page(
                self._position.checked(self._fetch(self._arguments)), self._position, self._fetch
            )
        return self._next

    def pages(self) -> Iterator[Page[T]]:
        """Iterates over this page and the following ones, which are fetched as needed."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items


class AsyncPage(_PageBase[T]):
    """One page of a list. Iterate over it with `async for` to get its items and those of all
    following pages, which are fetched as needed.
    """

    def __init__(self, data: PageData[T], position: _Position, fetch: AsyncFetch[T]) -> None:
        """Created by `AsyncPager` and `next_page`.

        Args:
            data: The parsed page.
            position: How far the iteration has come; shared by its pages.
            fetch: Fetches the page for the arguments it is called with.
        """
        super().__init__(data)
        self._position = position
        self._fetch = fetch
        self._next: AsyncPage[T] | None = None
        self._arguments = position.next_arguments(data)

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self._arguments is not None

    async def next_page(self) -> AsyncPage[T] | None:
        """Fetches the next page, once; `None` after the last page.

        Raises:
            CozeError: The errors of the list operation.
            ResponseError: The server claims more pages but sends the same cursor or empty pages.
        """
        if isinstance(self._arguments, ResponseError):
            raise self._arguments
        if self._next is None and self._arguments is not None:
            self._next = AsyncPage(
                self._position.checked(await self._fetch(self._arguments)),
                self._position,
                self._fetch,
            )
        return self._next

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Iterates over this page and the following ones, which are fetched as needed."""
        page: AsyncPage[T] | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item


class AsyncPager(Generic[T]):
    """A list that is fetched on first use: `await` it to get the first page, or iterate over all
    items with `async for`.

    ```python
    async for bot in coze.bots.list(workspace_id="7310000000000000000"):
        print(bot.name)
    ```
    """

    def __init__(
        self, operation: str, pager: Pager, arguments: dict[str, Any], fetch: AsyncFetch[T]
    ) -> None:
        """Created by the `list` methods. Nothing is fetched yet.

        Args:
            operation: Id of the operation, for errors.
            pager: How the operation pages.
            arguments: Arguments of the first call.
            fetch: Fetches the page for the arguments it is called with.
        """
        self._operation = operation
        self._pager = pager
        self._arguments = arguments
        self._fetch = fetch

    async def _first(self) -> AsyncPage[T]:
        position = _Position(self._operation, self._pager, self._arguments)
        return AsyncPage(
            position.checked(await self._fetch(self._arguments), first=True), position, self._fetch
        )

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:
        return self._first().__await__()

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Iterates over all pages, which are fetched as needed."""
        first = await self._first()
        async for page in first.pages():
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item


publish(globals(), "cozekit.types")
