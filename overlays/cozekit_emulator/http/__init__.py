"""Requests and responses, once for all operations.

* `request`: a validated request. `response_fields`: records as the response of an operation.
* `crud`: the usual handlers. `pagination`: pages of a list.
* `responses`: envelope, errors, event streams. `failures`: failures on demand.
"""
