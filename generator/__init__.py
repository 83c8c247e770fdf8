"""Compiles the description in `spec/` into the package in `generated/`.

compile/    the description: joined, checked against its rules, written as Python
pages/      the official pages: compared with the description; and what people read about it
templates/  the text of generated files that repeats
__main__    the command line: `python -m generator --help`

`pages` imports `compile`, never the other way round.
"""
