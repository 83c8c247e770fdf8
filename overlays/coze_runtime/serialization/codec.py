"""Bytes to models and back.

On the fast path msgspec decodes JSON directly into the attrs classes. If a response differs from
the description, a slower path keeps the values that do not fit as they came and reports them: a new
version of the service must not break programs that do not use its changes.
"""

from __future__ import annotations

import math
import os
import threading
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from ..errors import ArgumentError
from ..models import Model, ResultBytes, ResultDict, ResultList, ResultText
from ..operation import Operation, Response
from ..types import DriftHook
from .convert import (
    JSON_TYPES,
    DriftReporter,
    fields_of,
    fit,
    from_wire,
    get_path,
    read_json,
    to_wire,
    write_json,
)
from .error_responses import NO_ERROR, failure, is_error_envelope, shape_error

M = TypeVar("M", bound=Model)
T = TypeVar("T")

_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_decoder_lock = threading.RLock()


def _after_fork() -> None:
    global _decoder_lock  # noqa: PLW0603  # a thread of the parent may hold the old one
    _decoder_lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def encode(body: Mapping[str, Any]) -> bytes:
    """Encodes a request body as JSON. `None` fields of models are left out; `NULL` becomes null.

    Raises:
        ArgumentError: A value cannot be written as JSON, such as NaN.
    """
    try:
        wire = to_wire(body)
        _check_numbers(wire)
        return write_json(wire)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"the body cannot be written as JSON: {error}") from None


def _check_numbers(value: Any) -> None:
    """Rejects NaN and infinity, which JSON does not have; msgspec would silently write null."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a JSON number")
    elif isinstance(value, dict):
        for item in value.values():
            _check_numbers(item)
    elif isinstance(value, list):
        for item in value:
            _check_numbers(item)


def _decoder(cls: type[M]) -> msgspec.json.Decoder[M]:
    decoder = _decoders.get(cls)
    if decoder is None:
        # msgspec stores what it learns about a class on the class while it makes a decoder; a
        # second thread that finds it half-made crashes the interpreter.
        with _decoder_lock:
            decoder = _decoders[cls] = msgspec.json.Decoder(cls)
    return decoder


def decode(response: Response, cls: type[M], other_places: Sequence[tuple[str, str]] = ()) -> M:
    """Decodes a response to a model.

    Args:
        response: The response.
        cls: The model.
        other_places: Documented places, and where some servers have them instead; looked at where
            a documented place is empty.

    Raises:
        APIError: The API returned an error, by HTTP status or by the code in the body.
        ResponseError: The body is not a JSON object.
    """
    if response.status >= 300:
        raise failure(response)
    try:
        model = _decoder(cls).decode(response.content)
    except (ValueError, RecursionError):
        model = _decode_leniently(response, cls)
    code = getattr(model, "code", None)
    if code != 0 and _reports_error(code, cls, response):
        raise failure(response)
    for place, other in other_places:
        if get_path(model, place) is None and _last(other) in response.content:
            return _from_other_places(response, cls, other_places)
    return model


def _last(path: str) -> bytes:
    """What a body contains that has something at a path: the last name, in quotes."""
    return b"{" if path == "body" else b'"%b"' % path.rpartition(".")[2].encode()


def _from_other_places(
    response: Response, cls: type[M], other_places: Sequence[tuple[str, str]]
) -> M:
    body = parse_json(response)
    envelope = {field.name for field in fields_of(cls)}
    whole = {name: value for name, value in body.items() if name not in envelope}
    for place, other in other_places:
        value = get_path(body, other) if other != "body" else whole
        *steps, last = place.split(".")
        parent = get_path(body, ".".join(steps)) if steps else body
        if isinstance(parent, dict) and parent.get(last) is None and _has_content(value):
            parent[last] = value
    return from_wire(cls, body, DriftReporter(response.operation.id, response.on_drift))


def _has_content(value: Any) -> bool:
    return (
        any(item is not None for item in value.values())
        if isinstance(value, dict)
        else value is not None
    )


def _reports_error(code: object, cls: type[Model], response: Response) -> bool:
    if code is not None:
        return code not in NO_ERROR
    # Where the description has `error_code`, the caller reads it.
    return not hasattr(cls, "error_code") and is_error_envelope(response.content)


def result(value: T | None, response: Response, kind: type[Any] = object) -> T:
    """Returns the result of an operation with the log id set.

    Args:
        value: The result.
        response: The response.
        kind: Type that the result must have.

    Raises:
        ResponseError: There is no data, although the response reports success; or it is of
            another kind, such as a text in place of a list.
    """
    if value is None:
        raise shape_error(response, "the response contains no data")
    data: Any = value
    if not isinstance(data, kind):
        raise shape_error(
            response,
            f"the response contains a JSON {JSON_TYPES.get(type(data), 'object')}, "
            f"not an {JSON_TYPES[kind]}",
        )
    if isinstance(data, Model):
        data.set_logid(response.logid)
    elif isinstance(data, list):
        data = ResultList(data)
        data.logid = response.logid
    elif isinstance(data, dict):
        data = ResultDict(data)
        data.logid = response.logid
    return typing.cast(T, data)


def result_list(value: list[T] | None, response: Response) -> ResultList[T]:
    """`result` for a list."""
    return typing.cast(ResultList[T], result(value, response, list))


def result_dict(value: dict[str, T] | None, response: Response) -> ResultDict[T]:
    """`result` for a mapping."""
    return typing.cast(ResultDict[T], result(value, response, dict))


def event_decoder(cls: type[M]) -> Callable[[bytes], M]:
    """The fast path for the data of an event; raises where `decode_event` takes the slower path."""
    return _decoder(cls).decode


def decode_event(
    data: bytes, cls: type[M], operation: Operation, on_drift: DriftHook | None = None
) -> M:
    """Decodes the data of an event to a model.

    Raises:
        ValueError: The data is not valid JSON.
    """
    try:
        return _decoder(cls).decode(data)
    except (ValueError, RecursionError):
        return from_wire(cls, read_json(data), DriftReporter(operation.id, on_drift))


def read_as(response: Response, cast_to: Any, path: str | None) -> Any:
    """Parses the response of an operation that is not in the description.

    Args:
        response: The response.
        cast_to: `Response`, `bytes`, a model, `list[…]`, `dict[…]`, a scalar type, or None for
            plain data.
        path: Dotted path of the result in the body, "" for the body; None for `data`, or the body
            if it has no `data`.

    Raises:
        APIError: The API returned an error, by HTTP status or by the code in the body.
        ResponseError: The body is not valid JSON, or has nothing at the path.
    """
    if cast_to is Response:
        return response
    if cast_to is bytes:
        return content(response)
    if response.status >= 300 or is_error_envelope(response.content):
        raise failure(response)
    body = parse_json(response)
    if path is None:
        path = "data" if isinstance(body, dict) and "data" in body else ""
    value = get_path(body, path) if path else body
    if cast_to is None:
        return value
    return result(
        fit(cast_to, value, f"$.{path}", DriftReporter(response.operation.id, response.on_drift)),
        response,
    )


def parse_json(response: Response) -> Any:
    """Decodes the body to plain JSON data.

    Raises:
        ResponseError: The body is not valid JSON.
    """
    try:
        return read_json(response.content)
    except ValueError as error:
        raise shape_error(response, "the response is not valid JSON") from error


def _decode_leniently(response: Response, cls: type[M]) -> M:
    data = parse_json(response)
    if not isinstance(data, dict):
        raise shape_error(
            response,
            f"the response is a JSON {JSON_TYPES.get(type(data), 'value')}, not an object",
        )
    if _reports_error(data.get("code"), cls, response):
        raise failure(response)
    return from_wire(cls, data, DriftReporter(response.operation.id, response.on_drift))


def is_binary(content_type: str) -> bool:
    """Whether a body of this type may be a file: not JSON, and not text such as an error page."""
    return content_type != "application/json" and not content_type.startswith("text/")


def content(response: Response) -> ResultBytes:
    """The body of a binary response.

    Raises:
        APIError: The API returned an error.
        ResponseError: The body is empty, text, or JSON without an error.
    """
    if response.status >= 300:
        raise failure(response)
    if not is_binary(response.content_type):
        error = failure(response)
        if error.code or is_error_envelope(response.content):
            raise error
        raise shape_error(response, "expected binary data")
    if not response.content:
        raise shape_error(response, "the response is empty")
    data = ResultBytes(response.content)
    data.logid = response.logid
    return data


def location(response: Response) -> ResultText:
    """The target URL of a redirect.

    Raises:
        APIError: The API returned an error.
        ResponseError: The response is not a redirect.
    """
    if response.status >= 400:
        raise failure(response)
    target = response.headers.get("location")
    if not target:
        raise shape_error(response, "expected a redirect")
    url = ResultText(target)
    url.logid = response.logid
    return url
