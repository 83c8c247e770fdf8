"""What people read: the official pages beside the description, and pages about it.

page_parser      reads the official pages: requests, tables, rows
places           parameters and properties of the description, each with what is around it
matching         which row of a page documents which place
judgement        what the matches say: differences, and the reasons that the description gives
drift            the command: every page with the operations that name it
ledger           the rules of spec/coverage.yaml
release_note     two descriptions in, a part of the changelog out
operations_page  writes docs/operations.md
"""
