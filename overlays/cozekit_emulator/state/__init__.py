"""Everything that the emulator remembers, and what exists from the start.

* `ids`, `bots`, `workflows`, `oauth_apps`: constants and scripts that tests and examples name.
* `resource_types`: ids, parent and sample of each type of resource. `store`: the collections.
* `oauth`, `deliveries`, `transcripts`: the state of sign-in, callbacks and voice sockets.
* `seed`: fills a fresh state. `clock`: the time, which tests advance.
"""
