"""Walking through lists that come in pages: one mechanism for every style, driven by the `Pager`
data of the operation.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from ._publish import publish
from .errors import ResponseError
from .operation import MissingList, PageData, Pager

T = TypeVar("T")

# Empty pages that claim more to come; a filter on the server may cause one, but a list of them
# would never end.
MAX_EMPTY_PAGES = 2

Fetch = Callable[[dict[str, Any]], PageData[T]]
AsyncFetch = Callable[[dict[str, Any]], Awaitable[PageData[T]]]


class _Position:
    """Where a walk stands, and how it goes on. Pure: it asks for nothing itself."""

    __slots__ = ("arguments", "empty", "operation", "pager", "seen", "tokens")

    def __init__(self, operation: str, pager: Pager, arguments: dict[str, Any]) -> None:
        self.operation = operation
        self.pager = pager
        self.arguments = arguments
        self.seen = 0
        self.empty = 0
        self.tokens: set[str] = set()

    def after(self, data: PageData[Any]) -> dict[str, Any] | ResponseError | None:
        """Arguments of the next page; `None` when the page was the last.

        An error when the server says that there is more, but the walk makes no progress: raised
        where the next page is asked for, so that the items of this page are not lost.
        """
        try:
            return self._after(data)
        except ResponseError as error:
            return error

    def checked(self, data: PageData[T], *, first: bool = False) -> PageData[T]:
        """The page, as long as it may be without a list: when nothing matches, or when it stands
        behind the last one.

        Raises:
            ResponseError: There are items, but the answer does not hold them where they belong.
        """
        items: list[Any] = data.items
        if isinstance(items, MissingList) and (
            items.certain or (first and (data.total or 0) > self._skipped())
        ):
            raise items.error
        return data

    def _skipped(self) -> float:
        """How many items stand before the first page of the walk, as far as the arguments tell."""
        start, size = (
            self.arguments.get(name or "") for name in (self.pager.page, self.pager.size)
        )
        if self.pager.style != "number":
            return (
                0
                if not any(
                    self.arguments.get(name or "")
                    for name in (self.pager.page, self.pager.before, self.pager.after)
                )
                else math.inf
            )
        before = int(start or 1) - 1
        return before * int(size) if size else math.inf if before else 0

    def _after(self, data: PageData[Any]) -> dict[str, Any] | None:
        self.seen += len(data.items)
        if not self._has_more(data):
            return None
        self.empty = 0 if data.items else self.empty + 1
        if self.empty >= MAX_EMPTY_PAGES:
            raise self._stuck(f"{self.empty} empty pages one after the other", data)
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
        return {self.pager.page: self._fresh(data.next_token, data)}

    def _next_cursor(self, data: PageData[Any]) -> dict[str, Any]:
        """Goes on in the direction of the call: `before` asks for what stands before the first id,
        else after the last.
        """
        assert self.pager.before is not None and self.pager.after is not None
        if self.arguments.get(self.pager.before):
            return {self.pager.before: self._fresh(data.first_id, data)}
        return {self.pager.after: self._fresh(data.last_id, data)}

    def _fresh(self, token: str | None, data: PageData[Any]) -> str:
        if not token:
            raise self._stuck("no cursor came with the page", data)
        if token in self.tokens:
            raise self._stuck("the same cursor came twice", data)
        self.tokens.add(token)
        return token

    def _stuck(self, problem: str, data: PageData[Any]) -> ResponseError:
        return ResponseError(
            f"{self.operation}: the server says that there are more pages, but {problem} "
            f"(logid {data.logid})",
            logid=data.logid,
        )


class _PageBase(Generic[T]):
    """What a page shows of itself."""

    def __init__(self, data: PageData[T]) -> None:
        self._data = data

    @property
    def items(self) -> list[T]:
        """The items of this page alone; iterate over the page itself for those of all pages from
        here on.
        """
        return self._data.items

    @property
    def total(self) -> int | None:
        """Number of items on all pages; `None` when the server does not tell."""
        return self._data.total

    @property
    def logid(self) -> str | None:
        """Log id of the call that brought this page."""
        return self._data.logid

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.items)} items, total {self.total}>"


class Page(_PageBase[T]):
    """One page of a list; iterating over it goes through its items and then those of the pages
    behind it.
    """

    def __init__(self, data: PageData[T], position: _Position, fetch: Fetch[T]) -> None:
        """Made by `first` and `next_page`.

        Args:
            data: The items, and what the server says of the other pages.
            position: How far the walk has come; shared by its pages.
            fetch: Fetches the page for these arguments.
        """
        super().__init__(data)
        self._position = position
        self._fetch = fetch
        self._next: Page[T] | None = None
        self._arguments = position.after(data)

    @classmethod
    def first(
        cls, operation: str, pager: Pager, arguments: dict[str, Any], fetch: Fetch[T]
    ) -> Page[T]:
        """Fetches the first page; what the methods that list things call.

        Args:
            operation: Id of the operation, for errors.
            pager: How the operation pages.
            arguments: Arguments of the first call.
            fetch: Fetches the page for these arguments.

        Raises:
            CozeError: The call failed.
        """
        position = _Position(operation, pager, arguments)
        return cls(position.checked(fetch(arguments), first=True), position, fetch)

    @property
    def has_more(self) -> bool:
        """Whether there is a page behind this one."""
        return self._arguments is not None

    def next_page(self) -> Page[T] | None:
        """The page behind this one, fetched once; `None` at the end.

        Raises:
            CozeError: As the list operation itself; ResponseError when the server repeats itself
                without end.
        """
        if isinstance(self._arguments, ResponseError):
            raise self._arguments
        if self._next is None and self._arguments is not None:
            self._next = Page(
                self._position.checked(self._fetch(self._arguments)), self._position, self._fetch
            )
        return self._next

    def pages(self) -> Iterator[Page[T]]:
        """The page itself and those behind it, fetched as needed."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items


class AsyncPage(_PageBase[T]):
    """The async form of `Page`."""

    def __init__(self, data: PageData[T], position: _Position, fetch: AsyncFetch[T]) -> None:
        """Made by `AsyncPager` and `next_page`.

        Args:
            data: The items, and what the server says of the other pages.
            position: How far the walk has come; shared by its pages.
            fetch: Fetches the page for these arguments.
        """
        super().__init__(data)
        self._position = position
        self._fetch = fetch
        self._next: AsyncPage[T] | None = None
        self._arguments = position.after(data)

    @property
    def has_more(self) -> bool:
        """Whether there is a page behind this one."""
        return self._arguments is not None

    async def next_page(self) -> AsyncPage[T] | None:
        """The page behind this one, fetched once; `None` at the end.

        Raises:
            CozeError: As the list operation itself; ResponseError when the server repeats itself
                without end.
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
        """The page itself and those behind it, fetched as needed."""
        page: AsyncPage[T] | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item


class AsyncPager(Generic[T]):
    """A list that is fetched on first use: `await` it for the first page, or iterate with `async
    for` over all items.
    """

    def __init__(
        self, operation: str, pager: Pager, arguments: dict[str, Any], fetch: AsyncFetch[T]
    ) -> None:
        """Made by the methods that list things; nothing is fetched yet.

        Args:
            operation: Id of the operation, for errors.
            pager: How the operation pages.
            arguments: Arguments of the first call.
            fetch: Fetches the page for these arguments.
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
        """All pages, fetched as needed."""
        first = await self._first()
        async for page in first.pages():
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item


publish(globals(), "cozekit.types")
