"""Compiles the description in `spec/` into the package in `generated/`.

bundle      one document out of the files in spec/, references checked
lint        every rule of docs/description.md
operations  what the templates need to know of an operation, as plain data
schemas     what they need to know of a model or an enum
names       names that would meet in the generated package
emit        templates, formatter, manifest; writing and comparing
__main__    the command line: `python -m generator --help`
"""
