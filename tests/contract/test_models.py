"""Every model and every open enum: whatever the platform sends, decoding goes on and keeps it."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import logging
import pickle
import warnings
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest
from attrs import define

from coze_openapi import models
from coze_runtime.errors import ArgumentError, ResponseError
from coze_runtime.models import Model, OpenIntEnum, OpenStrEnum
from coze_runtime.operation import Operation, Response
from coze_runtime.serialization import codec, convert
from coze_runtime.types import Drift
from tests.contract.catalogue import (
    GENERATED,
    description,
    merged,
    model_of,
    operations,
    reference,
    sample,
    schema_of,
)
from tests.each import each

SCHEMAS = {name: schema_of(name) for name in description()["components"]["schemas"]}
ENUMS = [
    name for name, schema in SCHEMAS.items() if "x-known-values" in schema and hasattr(models, name)
]
MODELS = [name for name in SCHEMAS if model_of({"$ref": f"#/{name}"}) is not None]
OPERATION = Operation("sample_operation", "GET", "/sample")
SECRETS = {
    "OAuthToken": {"access_token", "refresh_token"},
    "ExchangeOAuthTokenResponse": {"access_token", "refresh_token"},
    "DeviceCode": {"device_code"},
    "ApiApp": {"verify_token"},
    "Room": {"token"},
}
# One value of each JSON kind; those that a field takes are left out for it.
WRONG = {
    "object": {"surprise": 1},
    "array": ["surprise", 2],
    "string": "surprise",
    "integer": 31,
    "huge integer": 2**70,
    "number": 2.5,
    "boolean": True,
    "empty string": "",
    "deep": [[{"a": [None, {"b": []}]}]],
}


def reachable() -> set[str]:
    """Schemas that the platform sends: answers, payloads of streams, and those of sockets and
    callbacks.
    """
    nodes = [node for item in description()["paths"].values() for node in item.values()]
    todo = [node["responses"] for node in nodes] + [node.get("x-coze-stream") for node in nodes]
    todo += [
        {"$ref": f"#/{name}"} for name, schema in SCHEMAS.items() if "x-coze-used-by" in schema
    ]
    found: set[str] = set()
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            name = reference(node)
            if name in SCHEMAS and name not in found:
                found.add(name)
                todo.append(SCHEMAS[name])
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    return found


ANSWERED = reachable()
ENVELOPES = {reference(op.answer_schema) for op in operations().values() if op.answer_schema}

every_model = each("name", MODELS)
every_enum = each("name", ENUMS)


def read(model: Model, key: str) -> Any:
    """The value of the field with a wire name."""
    return getattr(model, python_names(type(model))[key])


def python_names(cls: type[Model]) -> dict[str, str]:
    """Wire name → name in Python."""
    return {attribute.name: attribute.alias for attribute in cls.__attrs_attrs__}


def cls_of(name: str) -> type[Model]:
    found: type[Model] = getattr(models, name)
    return found


def decode(cls: type[Model], data: Any, hook: Any = None) -> Model:
    """By both ways: the bytes of an answer, and plain data; both have to give the same. What is
    only sent has the second way alone.
    """
    if cls.__name__ not in ANSWERED:
        return convert.from_wire(cls, data, convert.DriftReporter(OPERATION.id, hook))
    content = json.dumps(data, ensure_ascii=False).encode()
    if cls.__name__ not in ENVELOPES:
        payload = codec.decode_event(content, cls, OPERATION, hook)
        assert cls.from_dict(data).to_dict() == payload.to_dict()
        return payload
    answer = codec.decode(
        Response(status=200, headers={}, content=content, operation=OPERATION, on_drift=hook), cls
    )
    assert cls.from_dict(data).to_dict() == answer.to_dict()
    return answer


def without_code(name: str) -> dict[str, Any]:
    """Full sample data of a model; a status code other than 0 would be an error of the call."""
    data: dict[str, Any] = sample({"$ref": f"#/components/schemas/{name}"})
    return {**data, **({"code": 0} if "code" in data and name in ENVELOPES else {})}


def accepted(schema: dict[str, Any]) -> set[str]:
    """JSON kinds that the description allows for a property."""
    whole = merged(schema)
    kinds = whole.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if whole["properties"]:
        kinds.add("object")
    if "number" in kinds:
        kinds |= {"integer", "huge integer"}
    if "integer" in kinds:
        kinds |= {"huge integer"}
    if "string" in kinds:
        kinds |= {"empty string"}
    return kinds or set(WRONG)


def wrong_values(schema: dict[str, Any]) -> Iterator[Any]:
    allowed = accepted(schema)
    for kind, value in WRONG.items():
        if (
            kind not in allowed
            and not ("array" in allowed and kind == "deep")
            and not ("object" in allowed and kind == "object")
        ):
            yield value


def first_of_their_type() -> set[tuple[str, str]]:
    """Model and property of the first field of each Python type."""
    first = {
        str(cls_of(name).__annotations__.get(key)): (name, key)
        for name in reversed(MODELS)
        for key in merged({"$ref": f"#/components/schemas/{name}"})["properties"]
    }
    return set(first.values())


FIRST_OF_THEIR_TYPE = first_of_their_type()


def same_or_converted(raw: Any, kept: Any) -> bool:
    """The value as it came; a number for a text and a text for a number may change sides when
    nothing is lost.
    """
    return raw == kept or (not isinstance(raw, bool) and str(raw) == str(kept))


def test_every_schema_of_the_description_has_a_class() -> None:
    requests = {
        reference(media["schema"])
        for item in description()["paths"].values()
        for node in item.values()
        for media in node.get("requestBody", {}).get("content", {}).values()
    }
    bases = {reference(part) for schema in SCHEMAS.values() for part in schema.get("allOf", [])}
    without = {name for name in SCHEMAS if not hasattr(models, name)}
    assert without <= requests | bases | {"Error"}


@every_model
def test_a_full_answer_survives_the_round_trip(name: str) -> None:
    data = without_code(name)
    drifts: list[Drift] = []
    model = decode(cls_of(name), data, drifts.append)
    assert model.to_dict() == data
    assert cls_of(name).from_dict(model.to_dict()) == model
    assert drifts == []


@every_model
def test_missing_and_null_properties_both_read_none(name: str) -> None:
    data = without_code(name)
    for key in data:
        missing = decode(
            cls_of(name), {other: value for other, value in data.items() if other != key}
        )
        null = decode(cls_of(name), {**data, key: None})
        assert read(missing, key) is None
        assert missing == null
    assert decode(cls_of(name), {}).to_dict() == {}
    assert decode(cls_of(name), dict.fromkeys(data)).to_dict() == {}


@every_model
def test_unknown_properties_do_not_disturb(name: str) -> None:
    data = without_code(name)
    drifts: list[Drift] = []
    assert (
        decode(
            cls_of(name), {**data, "not_yet_described": {"a": [1]}, "": None}, drifts.append
        ).to_dict()
        == data
    )
    assert drifts == []


@every_model
def test_a_value_of_the_wrong_kind_is_kept_and_reported(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "cozekit")
    cls, data = cls_of(name), without_code(name)
    for key, schema in merged({"$ref": f"#/components/schemas/{name}"})["properties"].items():
        if key == "code" and name in ENVELOPES:
            continue  # decides whether the call failed; see test_errors.py
        # A field is read by its type, so the others of a type are asked about one value each.
        most = None if (name, key) in FIRST_OF_THEIR_TYPE else 1
        for value in islice(wrong_values(schema), most):
            drifts: list[Drift] = []
            caplog.clear()
            model = decode(cls, {**data, key: value}, drifts.append)
            assert same_or_converted(value, convert.to_wire(read(model, key))), (
                f"{key}={value!r} became {read(model, key)!r}"
            )
            assert {other: kept for other, kept in model.to_dict().items() if other != key} == {
                k: v for k, v in data.items() if k != key
            }
            assert [drift.path for drift in drifts if drift.path.startswith(f"$.{key}")], (
                f"no drift for {key}={value!r}"
            )
            assert all(drift.operation == OPERATION.id for drift in drifts)
            lines = [
                record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG
            ]
            assert any(f"$.{key}" in line and OPERATION.id in line for line in lines)
            assert not any("surprise" in line for line in lines), "values may be private"


@every_model
def test_wrong_elements_of_lists_and_maps_are_kept_beside_good_ones(name: str) -> None:
    cls, data = cls_of(name), without_code(name)
    for key, schema in merged({"$ref": f"#/components/schemas/{name}"})["properties"].items():
        whole = merged(schema)
        below = whole.get("items") or whole.get("additionalProperties")
        if not isinstance(below, dict) or not below:
            continue
        for value in [None, *wrong_values(below)]:
            good = sample(below)
            mixed: Any = (
                [good, value, good] if "items" in whole else {"a": good, "b": value, "c": good}
            )
            kept = convert.to_wire(read(decode(cls, {**data, key: mixed}), key))
            pairs = (
                zip(mixed, kept, strict=True)
                if isinstance(mixed, list)
                else [(mixed[k], kept[k]) for k in mixed]
            )
            assert all(same_or_converted(*pair) for pair in pairs), (
                f"{key}: {mixed!r} became {kept!r}"
            )


@each("name", [name for name in MODELS if name in ANSWERED])
def test_unknown_enum_values_are_kept_without_a_report(name: str) -> None:
    cls, data = cls_of(name), without_code(name)
    for key, schema in merged({"$ref": f"#/components/schemas/{name}"})["properties"].items():
        whole = merged(schema)
        element = merged(whole["items"]) if "items" in whole else whole
        if "x-known-values" in element:
            new: Any = 987654 if element["type"] == "integer" else "newer_than_this_package"
            drifts: list[Drift] = []
            value = read(
                decode(cls, {**data, key: [new] if "items" in whole else new}, drifts.append), key
            )
            value = value[0] if "items" in whole else value
            assert value == new
            assert value.is_known is False
            assert drifts == []


@every_model
def test_models_can_be_pickled_copied_and_compared(name: str) -> None:
    model = decode(cls_of(name), without_code(name))
    for twin in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert twin == model
        assert twin is not model
        assert twin.to_dict() == model.to_dict()
    assert model != cls_of(name).from_dict({})
    assert model != object()


@every_model
def test_repr_names_fields_and_hides_secrets(name: str) -> None:
    data = {
        key: "very-secret-value" if key in SECRETS.get(name, ()) else value
        for key, value in without_code(name).items()
    }
    shown = repr(decode(cls_of(name), data))
    assert shown.startswith(f"{name}(")
    assert all(f"{python_names(cls_of(name))[key]}=" in shown for key in data)
    assert "very-secret-value" not in shown


@every_enum
def test_known_values_of_an_enum_equal_their_wire_form(name: str) -> None:
    kind = getattr(models, name)
    known = list(SCHEMAS[name]["x-known-values"])
    assert [member.value for member in kind] == known
    for value in known:
        member = kind(value)
        assert member == value
        assert member.is_known is True
        assert value in kind
        assert member is pickle.loads(pickle.dumps(member)) is copy.deepcopy(member)
        assert json.loads(codec.encode({"v": member})) == {"v": value}


@every_enum
def test_an_unknown_value_of_an_enum_is_as_good_as_a_known_one(name: str) -> None:
    kind = getattr(models, name)
    new: Any = 987654 if issubclass(kind, int) else "newer_than_this_package"
    with warnings.catch_warnings(action="error"):
        member = kind(new)
    assert isinstance(member, OpenIntEnum | OpenStrEnum)
    assert isinstance(member, kind)
    assert member == new
    assert member.value == new
    assert hash(member) == hash(new)
    assert member.is_known is False
    assert new not in kind
    assert str(new) in repr(member)
    assert json.loads(codec.encode({"v": member})) == {"v": new}
    for twin in (pickle.loads(pickle.dumps(member)), copy.copy(member), copy.deepcopy(member)):
        assert twin == member
        assert type(twin) is kind
    assert [other.value for other in kind] == list(SCHEMAS[name]["x-known-values"]), (
        "a new value must not become a member"
    )


@every_enum
def test_a_value_of_another_kind_is_no_member_of_an_enum(name: str) -> None:
    kind = getattr(models, name)
    for value in (None, [], "text" if issubclass(kind, int) else 5):
        with pytest.raises(ValueError, match="is not a valid"):
            kind(value)


@each("name", [name for name in dir(models) if inspect.isclass(getattr(models, name))])
def test_every_field_and_every_value_is_explained(name: str) -> None:
    """Docstrings below fields and members, which editors show."""
    assert getattr(models, name).__doc__
    assert list(unexplained(source_of(name))) == []


def unexplained(tree: ast.ClassDef) -> Iterator[str]:
    """Names of the fields and members that no docstring follows."""
    for node, below in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            docstring = below.value if isinstance(below, ast.Expr) else None
            if not isinstance(docstring, ast.Constant) or not str(docstring.value).strip():
                yield getattr(target, "id", "?")


def source_of(name: str) -> ast.ClassDef:
    """A class of models as it is written."""
    return next(
        node
        for node in module_of_models(models._MODULES[name]).body
        if isinstance(node, ast.ClassDef) and node.name == name
    )


@cache
def module_of_models(name: str) -> ast.Module:
    path = GENERATED / "coze_openapi" / "models" / f"{name}.py"
    return ast.parse(path.read_text(encoding="utf-8"))


def test_a_hook_that_fails_does_not_fail_the_call(caplog: pytest.LogCaptureFixture) -> None:
    def hook(drift: Drift) -> None:
        raise LookupError(drift.path)

    model = codec.decode(
        Response(
            status=200,
            headers={},
            content=b'{"code":0,"data":7}',
            operation=OPERATION,
            on_drift=hook,
        ),
        models.CreateBotResponse,
    )
    assert model.data == 7  # type: ignore[comparison-overlap]
    assert "on_drift hook failed" in caplog.text


@pytest.mark.parametrize(
    "content",
    [b"[]", b"null", b"7", b'"text"', b"true"],
    ids=["list", "null", "number", "text", "boolean"],
)
def test_json_that_is_no_object_is_a_response_error(content: bytes) -> None:
    with pytest.raises(ResponseError, match="not an object") as caught:
        codec.decode(
            Response(
                status=200, headers={"x-tt-logid": "log-1"}, content=content, operation=OPERATION
            ),
            models.CreateBotResponse,
        )
    assert caught.value.logid == "log-1"


def test_a_class_of_your_own_built_on_a_model_is_filled_in_too() -> None:
    @define(kw_only=True)
    class Wider(models.Message):
        mood: str | None = None
        tone: str = "plain"

    class Named(models.Message):
        pass

    for cls in (Wider, Named):
        found = codec.decode_event(b'{"id": "1", "mood": "calm"}', cls, OPERATION)
        assert (found.id, found.content, found.created_at) == ("1", None, None)
    wider = codec.decode_event(b'{"id": "1", "mood": "calm"}', Wider, OPERATION)
    assert (wider.mood, wider.tone) == ("calm", "plain")
    assert Wider(id="2").mood is None


def test_a_field_that_is_always_there_is_reported_when_it_is_missing() -> None:
    @define(kw_only=True)
    class Strict(models.Message):
        mood: str

    drifts: list[Drift] = []
    found = codec.decode_event(b'{"id": "1"}', Strict, OPERATION, drifts.append)
    assert (found.id, found.mood) == ("1", None)
    assert [drift.path for drift in drifts] == ["$.mood"]


def test_a_new_model_has_its_optional_fields_before_it_is_filled_in_and_no_other() -> None:
    """msgspec asks for a field that is not there, at great cost; that one has to be missing is told
    by its absence.
    """
    from coze_openapi.models.chat import Chat

    blank = object.__new__(Chat)
    Chat.__attrs_pre_init__(blank)  # type: ignore[operator]
    fields = {attribute.name: attribute.default is None for attribute in Chat.__attrs_attrs__}
    assert {name: hasattr(blank, name) for name in fields} == fields
    assert set(fields.values()) == {True, False}


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_json_has_no_word_for_is_refused_before_it_is_sent(number: float) -> None:
    for body in (
        {"speed": number},
        {"nested": [{"speed": number}]},
        {"model": models.Message(created_at=number)},
    ):  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="is not a JSON number"):
            codec.encode(body)
