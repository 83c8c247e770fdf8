"""From an official page to the draft of its operation, with a marked gap for each English text.

facts      what Chinese texts say: types, limits, defaults, values, examples
naming     tag, operationId and names of schemas
schemas    tables of fields as schemas; those that the description has already are used again
draft      a request of a page as an operation
exchanges  the examples of a page as a documented exchange
files      writes drafts into the files, which keep everything else as it is
command    `python -m generator adopt PAGE`
"""
