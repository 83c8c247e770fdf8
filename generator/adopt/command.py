"""`python -m generator adopt PAGE`: drafts the operations that a page documents and that nobody has
described.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import define

from ..compile.bundle import Bundle, bundle
from ..compile.lint.gaps import GAP
from ..compile.nodes import pages_of
from ..pages.blocks import PageError
from ..pages.ledger import known_pages
from ..pages.page import Page, Request
from ..pages.page_parser import read_page, read_pages
from .draft import Draft, draft
from .exchanges import documented, exchanges_of
from .files import write_exchanges, write_ledger, write_operation
from .schemas import gap


@define
class Adoption:
    """Where pages come from and drafts go to."""

    spec: Path
    pages: Path
    """Folder in which a page is looked up by its slug."""
    contract: Path
    """Folder of exchanges.json and documented.json."""

    def read(self, page: str) -> Page:
        """A page by its file or its slug.

        Raises:
            PageError: There is none, or it cannot be read.
        """
        if Path(page).is_file():
            return read_page(Path(page))
        pages = read_pages(self.pages)
        if page in pages.unreadable:
            raise PageError(pages.unreadable[page])
        if page not in pages.by_slug:
            raise PageError(f"{page}: neither a file nor a page of {self.pages}")
        return pages.by_slug[page]

    def adopt(self, page: Page, name: str = "") -> list[Draft]:
        """Writes the draft of each request that is not described yet."""
        drafts = []
        for request in page.requests:
            joined = bundle(self.spec)
            if _is_described(joined, request):
                continue
            made = draft(joined, page, request, name)
            write_operation(self.spec, made)
            section = _section(self.spec, joined, made.tag)
            write_ledger(self.spec, page.slug, page.title, section, made.name)
            exchanges = exchanges_of(page.slug, request)
            write_exchanges(self.contract, made.name, exchanges, documented(request))
            drafts.append(made)
        return drafts


def _is_described(joined: Bundle, request: Request) -> bool:
    described = {(m, re.sub(r"\{[^}]*\}", "{}", path)) for m, path, _ in joined.operations()}
    path = re.sub(r"\{[^}]*\}", "{}", request.paths[0])
    return (request.method.lower(), path) in described


def _section(spec: Path, joined: Bundle, tag: str) -> str:
    """The section of the ledger in which the pages of a tag are."""
    pages = known_pages(spec) or {}
    for _, _, node in joined.operations():
        for slug in pages_of(node) if node["tags"] == [tag] else ():
            if slug in pages:
                return str(pages[slug]["section"])
    return gap("the group of the table of contents")


def main(adoption: Adoption, page: str, name: str = "") -> int:
    """Prints what was written; 1 when everything is described, 2 when the page cannot be read."""
    try:
        drafts = adoption.adopt(adoption.read(page), name)
    except PageError as error:
        print(error)
        return 2
    for made in drafts:
        print(
            f"{made.name}: {made.method.upper()} {made.path} → {adoption.spec / made.file}, "
            f"{len(made.schemas)} new schemas"
        )
    if drafts:
        print(f"Now write the texts that begin with {GAP} (`make lint-spec` names them).")
    else:
        print(f"{page}: every request of this page is described")
    return 0 if drafts else 1
