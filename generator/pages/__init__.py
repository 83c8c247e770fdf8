"""What people read: the official pages beside the description, and pages about it.

blocks           headings, tables and code, of which a page of any format consists
markdown_format  reads them out of Markdown, of February 2026 and since May 2026
scrape_format    reads them out of a text scrape
page             what a page documents: requests, tables, rows
page_parser      reads it out of the blocks
places           parameters and properties of the description, each with what is around it
matching         which row of a page documents which place
judgement        what the rows say: differences, and the reasons that the description gives
absences         what the description has and the pages leave out
drift            the command: every page with the operations that name it
ledger           the rules of spec/coverage.yaml
release_note     two descriptions in, a part of the changelog out
operations_page  writes docs/operations.md
"""
