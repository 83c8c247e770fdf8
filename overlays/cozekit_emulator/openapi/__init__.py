"""The description of the API, as the emulator reads it.

* `description`: operations, schemas and sockets. `examples`: values that fit a schema.
* `validation`: reads a request and checks it.
"""
