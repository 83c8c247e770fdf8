"""Bytes to models and back.

The fast path lets msgspec read JSON straight into the attrs classes. When an answer has another
shape than described, a second, slower reading keeps every value as it came where it does not fit,
and reports the place: a new version of the service must never break a program that does not use the
new thing.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from ..errors import ArgumentError
from ..models import Model, ResultBytes, ResultDict, ResultList, ResultText
from ..operation import Operation, Response
from ..types import DriftHook
from .convert import JSON_KINDS, DriftReporter, fit, from_wire, get_path, to_wire
from .error_responses import failure, is_error_envelope, shape_error

M = TypeVar("M", bound=Model)
T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def encode(body: Mapping[str, Any]) -> bytes:
    """A request body as JSON: `None` inside models is left out, `NULL` becomes null."""
    try:
        wire = to_wire(body)
        _check_numbers(wire)
        return _encoder.encode(wire)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise ArgumentError(f"the body cannot be written as JSON: {error}") from None


def _check_numbers(value: Any) -> None:
    """JSON has no word for infinity and for what is no number; msgspec would write null and say
    nothing.
    """
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
    found = _decoders.get(cls)
    if found is None:
        found = _decoders[cls] = msgspec.json.Decoder(cls)
    return found


def decode(response: Response, cls: type[M]) -> M:
    """The answer as a model.

    Raises:
        APIError: The HTTP status or the code of the envelope says that the call failed.
        ResponseError: The answer is no JSON object.
    """
    if response.status >= 300:
        raise failure(response)
    try:
        answer = _decoder(cls).decode(response.content)
    except msgspec.ValidationError:
        return _decode_leniently(response, cls)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise shape_error(response, f"the response is not valid JSON ({error})") from None
    code = getattr(answer, "code", None)
    if code:
        raise failure(response)
    return answer


def result(value: T | None, response: Response) -> T:
    """What an operation returns, with the log id on it.

    Raises:
        ResponseError: The answer says success but holds no data.
    """
    if value is None:
        raise shape_error(response, "the answer holds no data")
    found: Any = value
    if isinstance(found, Model):
        found.set_logid(response.logid)
    elif isinstance(found, list):
        found = result_list(found, response)
    elif isinstance(found, dict):
        found = result_dict(found, response)
    return typing.cast(T, found)


def result_list(value: list[T] | None, response: Response) -> ResultList[T]:
    """As `result`, for a list."""
    if value is None:
        raise shape_error(response, "the answer holds no data")
    found = ResultList(value)
    found.logid = response.logid
    return found


def result_dict(value: dict[str, T] | None, response: Response) -> ResultDict[T]:
    """As `result`, for a mapping."""
    if value is None:
        raise shape_error(response, "the answer holds no data")
    found = ResultDict(value)
    found.logid = response.logid
    return found


def event_decoder(cls: type[M]) -> Callable[[bytes], M]:
    """The fast reading of a payload; it raises where `decode_event` would take the slower one."""
    return _decoder(cls).decode


def decode_event(
    data: bytes, cls: type[M], operation: Operation, on_drift: DriftHook | None = None
) -> M:
    """The payload of one event.

    Raises:
        msgspec.DecodeError: It is no JSON.
    """
    try:
        return _decoder(cls).decode(data)
    except msgspec.ValidationError:
        return from_wire(cls, msgspec.json.decode(data), DriftReporter(operation.id, on_drift))


def read_as(response: Response, kind: Any, path: str | None) -> Any:
    """What stands at a path of the answer, as a model, a list of models or plain data; for
    operations that nobody described.

    Args:
        response: The answer.
        kind: `Response`, `bytes`, a model, `list[…]`, `dict[…]`, a scalar, or None for plain data.
        path: Dotted path below the body; None for `data` where there is one, otherwise for the
            body.

    Raises:
        APIError: The HTTP status or the code of the envelope says that the call failed.
        ResponseError: The answer is no JSON, or nothing stands there.
    """
    if kind is Response:
        return response
    if kind is bytes:
        return content(response)
    if response.status >= 300 or is_error_envelope(response.content):
        raise failure(response)
    body = parse_json(response)
    if path is None:
        path = "data" if isinstance(body, dict) and "data" in body else ""
    value = get_path(body, path) if path else body
    if kind is None:
        return value
    return result(
        fit(kind, value, f"$.{path}", DriftReporter(response.operation.id, response.on_drift)),
        response,
    )


def parse_json(response: Response) -> Any:
    """The body as plain JSON data.

    Raises:
        ResponseError: It is not valid JSON.
    """
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise shape_error(response, f"the response is not valid JSON ({error})") from None


def _decode_leniently(response: Response, cls: type[M]) -> M:
    data = parse_json(response)
    if not isinstance(data, dict):
        raise shape_error(
            response,
            f"the answer is a JSON {JSON_KINDS.get(type(data), 'value')} instead of an object",
        )
    if data.get("code") not in (None, 0, "0", ""):
        raise failure(response)
    return from_wire(cls, data, DriftReporter(response.operation.id, response.on_drift))


def is_binary(content_type: str) -> bool:
    """Whether a body of this type can be the file that was asked for: neither JSON nor the page of
    a gateway.
    """
    return content_type != "application/json" and not content_type.startswith("text/")


def content(response: Response) -> ResultBytes:
    """The bytes of an answer that is no JSON.

    Raises:
        APIError: The API answered with an error envelope instead.
        ResponseError: The answer is text, empty, or JSON without an error.
    """
    if response.status >= 300:
        raise failure(response)
    if not is_binary(response.content_type):
        error = failure(response)
        raise (
            error
            if error.code or is_error_envelope(response.content)
            else shape_error(response, "bytes were promised")
        )
    if not response.content:
        raise shape_error(response, "the answer is empty")
    found = ResultBytes(response.content)
    found.logid = response.logid
    return found


def location(response: Response) -> ResultText:
    """The target of a redirect.

    Raises:
        APIError: The answer is an error.
        ResponseError: The answer is no redirect.
    """
    if response.status >= 400:
        raise failure(response)
    target = response.headers.get("location")
    if not target:
        raise shape_error(response, "a redirect was promised")
    found = ResultText(target)
    found.logid = response.logid
    return found
