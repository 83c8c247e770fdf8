"""Lists that come in pages, sync and async: every style of paging."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from . import publish
from .errors import ResponseError
from .operation import PageData, Pager

T = TypeVar("T")

Fetch = Callable[[dict[str, Any]], PageData[T]]
AsyncFetch = Callable[[dict[str, Any]], Awaitable[PageData[T]]]


class _PageBase(Generic[T]):
    """What sync and async pages share."""

    def __init__(self, walk: Any, fetch: Any, data: PageData[T]) -> None:
        """Created by `first` and `next_page`.

        Args:
            walk: How far the iteration has come, a `Walk`; shared by its pages.
            fetch: Fetches the page for the arguments it is called with.
            data: The parsed page.
        """
        self._walk = walk
        self._fetch = fetch
        self._data: PageData[T]
        self._data, self._arguments = walk.take(data)
        self._next: Any = None

    @property
    def items(self) -> list[T]:
        """The items of this page only, without those that were on earlier pages already. To get the
        items of the following pages too, iterate over the page itself.
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

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self._arguments is not None

    def _next_arguments(self) -> dict[str, Any] | None:
        """Arguments of the next page; None if there is none, or it has been fetched."""
        if isinstance(self._arguments, ResponseError):
            raise self._arguments
        return self._arguments if self._next is None else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.items)} items, total {self.total}>"


class Page(_PageBase[T]):
    """One page of a list. Iterate over it to get its items and those of all following pages, which
    are fetched as needed. Items that come again, because the list changed meanwhile, are left out.

    ```python
    for bot in coze.bots.list(workspace_id="7310000000000000000"):
        print(bot.name)
    ```
    """

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
        from .page_walk import Walk  # calls without pages do not load it

        return cls(Walk(operation, pager, arguments), fetch, fetch(arguments))

    def next_page(self) -> Page[T] | None:
        """Fetches the next page, once; `None` after the last page.

        Raises:
            CozeError: The errors of the list operation.
            ResponseError: The server claims more pages, but two in a row bring nothing new, or it
                sends the same cursor again.
        """
        arguments = self._next_arguments()
        if arguments is not None:
            self._next = Page(self._walk, self._fetch, self._fetch(arguments))
        next_page: Page[T] | None = self._next
        return next_page

    def pages(self) -> Iterator[Page[T]]:
        """Iterates over this page and the following ones, which are fetched as needed."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items


class _AsyncPages(ABC, Generic[T]):
    """What a list and a page of it share: iterating over pages and items."""

    @abstractmethod
    async def _first(self) -> AsyncPage[T]: ...

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Iterates over the pages from the first, or from this one; fetches them as needed."""
        page: AsyncPage[T] | None = await self._first()
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item


class AsyncPage(_PageBase[T], _AsyncPages[T]):
    """One page of a list. Iterate over it with `async for` to get its items and those of all
    following pages, which are fetched as needed. Items that come again, because the list changed
    meanwhile, are left out.
    """

    async def _first(self) -> AsyncPage[T]:
        return self

    async def next_page(self) -> AsyncPage[T] | None:
        """Fetches the next page, once; `None` after the last page.

        Raises:
            CozeError: The errors of the list operation.
            ResponseError: The server claims more pages, but two in a row bring nothing new, or it
                sends the same cursor again.
        """
        arguments = self._next_arguments()
        if arguments is not None:
            self._next = AsyncPage(self._walk, self._fetch, await self._fetch(arguments))
        next_page: AsyncPage[T] | None = self._next
        return next_page


class AsyncPager(_AsyncPages[T]):
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

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:
        return self._first().__await__()

    async def _first(self) -> AsyncPage[T]:
        from .page_walk import Walk

        walk = Walk(self._operation, self._pager, self._arguments)
        return AsyncPage(walk, self._fetch, await self._fetch(self._arguments))


publish(globals(), "cozekit.types")
