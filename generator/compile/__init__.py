"""From the description to generated files.

bundle      one document out of the files in spec/, references checked
nodes       questions to the nodes of the document: properties, paths, names in Python
lint/       every rule of docs/description.md
schemas     models and enums as plain data, and the types of fields and arguments
operations  operations as plain data
limits      limits as data for the check of the runtime
methods     what each operation becomes for users
docstrings  documentation of the methods
streams     event streams, tables of events, errors
senders     events that a client sends
clashes     names that would meet in the generated package
render      resources as plain data, and what each template prints
emit        every file of the package out of its template
output      formatting, the manifest, writing and comparing

Reading order: `bundle`, `emit`, and from there what it names. Nothing here imports `pages`.
"""
