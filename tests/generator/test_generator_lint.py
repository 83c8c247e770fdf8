"""Every rule of docs/description.md: a description that breaks it once gets exactly its message,
which names the fix.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import pytest
import yaml

from generator.compile.lint import lint, methods, operations, schemas, shape, streams, values, whole
from generator.yaml_files import parse_yaml
from tests.generator.tiny import SPEC, Description

GADGETS = "spec/resources/gadgets.yaml: "
RUNS = "spec/resources/gadgets_runs.yaml: "
TALKS = "spec/resources/gadgets_talks.yaml: "
SEE = "see docs/description.md"


class Case(NamedTuple):
    """A departure from one rule, and what the linter says of it."""

    name: str
    mutate: Callable[[Description], object]
    expected: tuple[str, ...]


CASES: list[Case] = []


def bad(
    *expected: str,
) -> Callable[[Callable[[Description], object]], Callable[[Description], object]]:
    """Adds a description to the table: a function that spoils it, and every message that it must
    yield.
    """

    def add(mutate: Callable[[Description], object]) -> Callable[[Description], object]:
        CASES.append(Case(mutate.__name__, mutate, expected))
        return mutate

    return add


# ---- files


@bad(
    f'{GADGETS}openapi: "3.0.3" cannot be here; begin with `openapi: 3.1.0`, so that the '
    "file is valid alone",
)
def file_has_another_openapi_version(d: Description) -> None:
    d.gadgets["openapi"] = "3.0.3"


@bad(
    f"{GADGETS}gadgets_runs_retrieve.tags: move the operation to "
    "resources/gadgets_runs.yaml, the file of its tag",
)
def operation_stands_in_the_file_of_another_tag(d: Description) -> None:
    item = d.gadgets["paths"]["/v1/runs/{run_id}"] = d.runs["paths"].pop("/v1/runs/{run_id}")
    item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] = (
        "gadgets_runs.yaml#/components/schemas/RunResponse"
    )


@bad(
    "spec/openapi.yaml: no x-coze-environment; name the environment variables of the clients",
)
def variables_of_the_clients_have_no_names(d: Description) -> None:
    del d.node("openapi.yaml")["x-coze-environment"]


@bad(
    "spec/openapi.yaml: x-coze-environment: no token; name an environment variable",
    "spec/openapi.yaml: x-coze-environment: unknown key tokens; did you mean token?",
)
def variable_of_the_token_is_misspelt(d: Description) -> None:
    variables = d.node("openapi.yaml")["x-coze-environment"]
    variables["tokens"] = variables.pop("token")


# ---- schemas


@bad(
    f"{GADGETS}maker_2: not a name that can be here; name a schema in CapitalizedWords",
)
def schema_name_is_not_capitalized(d: Description) -> None:
    d.gadgets["components"]["schemas"]["maker_2"] = {
        "type": "object",
        "description": "A maker.",
        "x-coze-used-by": "cozekit.webhooks",
    }


@bad(
    f"{GADGETS}Journey.from_: has the Python name of from; they cannot both be fields",
)
def field_has_the_python_name_of_another_one(d: Description) -> None:
    d.node("Journey")["properties"]["from_"] = {
        "type": "string",
        "description": "Where it began, again.",
        "example": "A",
    }


@bad(
    f"{GADGETS}Maker: no description; say what it is, in English",
)
def schema_has_no_description(d: Description) -> None:
    del d.node("Maker")["description"]


@bad(
    f"{GADGETS}Gadget.weight.type: this list cannot be here; give string, integer, "
    "number, boolean, array or object; a union is of scalars only: [string, integer]",
)
def union_holds_an_object(d: Description) -> None:
    d.node("Gadget")["properties"]["weight"]["type"] = ["string", "object"]


@bad(
    f"{GADGETS}Maker.name: no additionalProperties; write `true`, or describe the values",
    f"{GADGETS}Maker.name: unknown key properties; this needs a name: put it under "
    "components/schemas and point to it",
)
def object_has_no_name(d: Description) -> None:
    inner = {"first": {"type": "boolean", "description": "Whether it is the first name."}}
    d.node("Maker")["properties"]["name"] = {
        "type": "object",
        "description": "Name.",
        "properties": inner,
    }


@bad(
    f"{GADGETS}Gadget.makers[]: no additionalProperties; write `true`, or describe the values",
    f"{GADGETS}Gadget.makers[]: unknown key properties; this needs a name: put it under "
    "components/schemas and point to it",
)
def object_in_an_array_has_no_name(d: Description) -> None:
    d.node("Maker")["x-coze-used-by"] = "cozekit.webhooks"
    inner = {"first": {"type": "boolean", "description": "Whether it is the first name."}}
    d.node("Gadget")["properties"]["makers"]["items"] = {"type": "object", "properties": inner}


@bad(
    f"{GADGETS}Maker.name: unknown key x-known-values; this needs a name: put it under "
    "components/schemas and point to it",
)
def list_of_values_has_no_name(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["x-known-values"] = {"ada": "A maker."}


@bad(
    f"{GADGETS}Gadget.maker: no type; give string, integer, number, boolean, array or "
    "object; a union is of scalars only: [string, integer]",
)
def joined_schema_has_no_name(d: Description) -> None:
    d.node("Gadget")["properties"]["maker"] = {
        "description": "Who made it.",
        "allOf": [{"$ref": "#/components/schemas/Maker"}],
    }


@bad(f"{GADGETS}Maker.Name: has the Python name of name; they cannot both be fields")
def two_fields_have_the_same_python_name(d: Description) -> None:
    d.node("Maker")["properties"]["Name"] = {
        "type": "string",
        "description": "Name.",
        "example": "Ada",
    }


@bad(
    f"{GADGETS}Maker.name: no description; give meaning, unit, range and what absence "
    "means, in English",
)
def property_has_no_description(d: Description) -> None:
    del d.node("Maker")["properties"]["name"]["description"]


@bad(
    f"{GADGETS}Maker.required[0]: nickname is not a property; fix the name",
)
def required_names_no_property(d: Description) -> None:
    d.node("Maker")["required"] = ["nickname"]


@bad(f"{GADGETS}Maker.name: no example; take one from the official page")
def property_has_no_example(d: Description) -> None:
    del d.node("Maker")["properties"]["name"]["example"]


@bad(f"{GADGETS}Gadget.labels: no example; take one from the official page")
def map_of_scalars_has_no_example(d: Description) -> None:
    del d.node("Gadget")["properties"]["labels"]["example"]


@bad(f"{GADGETS}gadgets_list(kinds): no example; take one from the official page")
def parameter_has_no_example(d: Description) -> None:
    del d.parameter("gadgets_list", "kinds")["example"]


@bad(
    f'{GADGETS}GadgetState.type: "number" cannot be here; write string or integer',
)
def known_values_are_of_another_type(d: Description) -> None:
    d.node("GadgetState")["type"] = "number"


@bad(
    f'{GADGETS}GadgetKind.x-known-values.lamp: "" cannot be here; give a meaning in '
    f"English, or {{name: …, description: …}}",
)
def known_value_has_no_meaning(d: Description) -> None:
    d.node("GadgetKind")["x-known-values"]["lamp"] = ""


@bad(
    f"{GADGETS}GadgetKind.x-known-values.2d: no name in Python; write '2d' as {{name: …, "
    "description: …}",
)
def known_value_has_no_python_name(d: Description) -> None:
    d.node("GadgetKind")["x-known-values"]["2d"] = "It is flat."


@bad(
    f"{GADGETS}GadgetKind.x-known-values.LAMP: 'lamp' and 'LAMP' are both LAMP; give one "
    f"{{name: …, description: …}}",
)
def known_values_have_the_same_python_name(d: Description) -> None:
    d.node("GadgetKind")["x-known-values"]["LAMP"] = "It shines loudly."


@bad(
    f"{GADGETS}GadgetKind.x-known-values[3]: 3 is not of the type of the list; quote it, or do not",
)
def known_value_is_of_another_type(d: Description) -> None:
    d.node("GadgetKind")["x-known-values"][3] = {"name": "three", "description": "It is three."}


@bad(f"{GADGETS}Spare: nothing uses it; delete it, or add `x-coze-used-by`")
def schema_is_used_by_nothing(d: Description) -> None:
    d.gadgets["components"]["schemas"]["Spare"] = {"type": "object", "description": "A spare."}


CIRCLE = (
    "its schemas and those of another file need each other; move what both need to spec/shared.yaml"
)


@bad(f"{GADGETS}{CIRCLE}", f"{RUNS}{CIRCLE}")
def schemas_of_two_files_need_each_other(d: Description) -> None:
    d.node("Run")["properties"]["maker"] = {
        "$ref": "gadgets.yaml#/components/schemas/Maker",
        "description": "Who made it.",
    }
    d.node("Maker")["properties"]["run"] = {
        "$ref": "gadgets_runs.yaml#/components/schemas/Run",
        "description": "The last run.",
    }


@bad(
    f'{GADGETS}Maker.name.description: "名字" cannot be here; give meaning, unit, range and '
    "what absence means, in English",
)
def description_of_a_schema_is_chinese(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["description"] = "名字"


@bad(
    f'{GADGETS}gadgets_list.summary: "列表" cannot be here; give 1 to 72 characters of '
    "English without a full stop",
)
def summary_is_chinese(d: Description) -> None:
    d.node("gadgets_list")["summary"] = "列表"


# ---- names and words of an operation


@bad(
    "spec/openapi.yaml: tags[3]: tag widgets has no operation; delete it",
)
def tag_has_no_operation(d: Description) -> None:
    d.node("openapi.yaml")["tags"].append({"name": "widgets", "description": "Widgets."})


@bad(
    f"{GADGETS}gadgets_upload.tags: this list cannot be here; give exactly one tag of "
    "spec/openapi.yaml",
)
def operation_has_no_tag(d: Description) -> None:
    d.node("gadgets_upload")["tags"] = []


@bad(
    f"{GADGETS}gadgets_upload.tags: this list cannot be here; give exactly one tag of "
    "spec/openapi.yaml",
)
def operation_has_two_tags(d: Description) -> None:
    d.node("gadgets_upload")["tags"] = ["gadgets", "gadgets.runs"]


@bad(
    f"{GADGETS}upload_gadget.operationId: does not begin with gadgets_, as its tag; rename it",
)
def operation_id_does_not_begin_with_the_tag(d: Description) -> None:
    d.node("gadgets_upload")["operationId"] = "upload_gadget"


@bad(
    f"{GADGETS}gadgets_upload_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.operationId: "
    '"gadgets_upload_aaaaaaaaaaaaaaaaaaaaaaaa… cannot be here; give <tag>_<method>, at '
    "most 60 characters",
)
def operation_id_is_too_long(d: Description) -> None:
    d.node("gadgets_upload")["operationId"] = f"gadgets_upload_{'a' * 46}"


@bad(
    f"{GADGETS}gadgets_picture.operationId: no known verb in the method name; use one of "
    f"{', '.join(sorted(operations.VERBS))}, or add it in generator/compile/lint/operations.py",
)
def method_has_no_verb(d: Description) -> None:
    d.node("gadgets_upload")["operationId"] = "gadgets_picture"


@bad(
    f'{GADGETS}gadgets_list.summary: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… cannot be '
    "here; give 1 to 72 characters of English without a full stop",
)
def summary_is_too_long(d: Description) -> None:
    d.node("gadgets_list")["summary"] = "a" * 73


@bad(
    f'{GADGETS}gadgets_list.summary: "List gadgets." cannot be here; give 1 to 72 '
    "characters of English without a full stop",
)
def summary_ends_with_a_full_stop(d: Description) -> None:
    d.node("gadgets_list")["summary"] = "List gadgets."


@bad(
    f"{GADGETS}gadgets_list: no description; say what it does and does not do, limits, "
    "who may call it, in English",
)
def operation_has_no_description(d: Description) -> None:
    del d.node("gadgets_list")["description"]


@bad(
    f"{GADGETS}gadgets_list: incomplete; name the official page in x-coze-page, or "
    "explain by x-coze-deviation that there is none",
)
def operation_has_no_page(d: Description) -> None:
    del d.node("gadgets_list")["x-coze-page"]


@bad(f"{GADGETS}gadgets_list: no x-coze-permission; list the token permissions, [] for none")
def operation_has_no_permission(d: Description) -> None:
    del d.node("gadgets_list")["x-coze-permission"]


@bad(
    f"{GADGETS}gadgets_delete: no x-coze-replaced-by; name the operation to use instead "
    "of a deprecated one",
)
def deprecated_operation_has_no_successor(d: Description) -> None:
    del d.node("gadgets_delete")["x-coze-replaced-by"]


# ---- parameters, body, responses


@bad(
    f"{GADGETS}gadgets_list(kinds): no description; give meaning, unit, range and what "
    "absence means, in English",
)
def parameter_has_no_description(d: Description) -> None:
    del d.parameter("gadgets_list", "kinds")["description"]


@bad(
    f"{GADGETS}gadgets_list(kinds): no schema; give a type or a $ref",
)
def parameter_has_no_schema(d: Description) -> None:
    del d.parameter("gadgets_list", "kinds")["schema"]


@bad(
    f"{GADGETS}gadgets_retrieve(maker_id): not a field of the path; fix the name",
)
def path_parameter_is_not_in_the_path(d: Description) -> None:
    d.node("gadgets_retrieve")["parameters"].append(
        {**d.parameter("gadgets_retrieve", "gadget_id"), "name": "maker_id"}
    )


@bad(
    f"{GADGETS}gadgets_retrieve.parameters: field gadget_id of the path is not described; add it",
)
def path_field_is_not_described(d: Description) -> None:
    del d.node("gadgets_retrieve")["parameters"]


@bad(
    f"{RUNS}gadgets_runs_resume.requestBody.content: a map cannot be here; give exactly "
    "one content type with a schema",
    f"{RUNS}gadgets_runs_resume.requestBody.content: unknown key "
    "application/x-www-form-urlencoded; use application/json, multipart/form-data",
)
def body_has_two_content_types(d: Description) -> None:
    content = d.node("gadgets_runs_resume")["requestBody"]["content"]
    content["application/x-www-form-urlencoded"] = copy.deepcopy(content["application/json"])


@bad(
    f"{RUNS}gadgets_runs_resume.requestBody.content.application/json.schema: no $ref; "
    "give `#/components/schemas/Name`, after the file if it is another one",
    f"{RUNS}gadgets_runs_resume.requestBody.content.application/json.schema: unknown key "
    "type; use $ref",
)
def body_has_no_named_schema(d: Description) -> None:
    d.node("ResumeRunRequest")["x-coze-used-by"] = "cozekit.webhooks"
    d.node("gadgets_runs_resume")["requestBody"]["content"]["application/json"]["schema"] = {
        "type": "object"
    }


@bad(
    f"{RUNS}gadgets_runs_create(kind): is a field of the body too; keep one",
)
def argument_stands_in_body_and_query(d: Description) -> None:
    parameter = {
        "name": "kind",
        "in": "query",
        "description": "Kind.",
        "schema": {"type": "string"},
        "example": "lamp",
    }
    d.node("gadgets_runs_create")["parameters"].append(parameter)


@bad(
    f"{GADGETS}gadgets_delete.responses: incomplete; give a success and a default response",
)
def operation_has_no_success(d: Description) -> None:
    del d.node("gadgets_delete")["responses"]["200"]


@bad(
    f"{GADGETS}gadgets_delete.responses: no default; point it to "
    "shared.yaml#/components/responses/Error",
)
def operation_has_no_default_response(d: Description) -> None:
    del d.node("gadgets_delete")["responses"]["default"]


# ---- what the method returns


@bad(
    f"{GADGETS}gadgets_list.x-coze-unwrap: not here; delete it",
)
def pager_unwraps(d: Description) -> None:
    d.node("gadgets_list")["x-coze-unwrap"] = "data"


@bad(
    f"{GADGETS}gadgets_retrieve: no x-coze-unwrap; say what the method returns: a path in "
    "the response, body, nothing, content or location",
)
def operation_does_not_say_what_it_returns(d: Description) -> None:
    del d.node("gadgets_retrieve")["x-coze-unwrap"]


@bad(
    f"{GADGETS}gadgets_retrieve.x-coze-unwrap: data.makers.name is not a path in the "
    "response; fix it",
)
def unwrap_leads_nowhere(d: Description) -> None:
    d.node("gadgets_retrieve")["x-coze-unwrap"] = "data.makers.name"


@bad(
    f"{GADGETS}gadgets_retrieve.x-coze-errors[0]: 4999 is not in x-coze-error-codes; add "
    "it to spec/shared.yaml",
)
def error_code_is_unknown(d: Description) -> None:
    d.node("gadgets_retrieve")["x-coze-errors"] = [4999]


@bad(
    f'{GADGETS}gadgets_delete.x-coze-replaced-by: "gadgets_vanish" is not a known '
    "operation; name the operation to use instead of a deprecated one",
)
def successor_is_no_operation(d: Description) -> None:
    d.node("gadgets_delete")["x-coze-replaced-by"] = "gadgets_vanish"


# ---- pagers, streams, waiters


@bad(
    f"{GADGETS}gadgets_list.x-coze-pager: no items; give its path in the response",
    f"{GADGETS}gadgets_list.x-coze-pager: no size; name the field of the request that holds it",
)
def pager_lacks_keys(d: Description) -> None:
    for key in ("items", "size"):
        del d.node("gadgets_list")["x-coze-pager"][key]


@bad(
    f"{GADGETS}gadgets_list.x-coze-pager: unknown key next; use style, in, size, items, "
    "total, has_more, page, id",
)
def pager_has_the_key_of_another_style(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["next"] = "data.total"


@bad(
    f"{GADGETS}gadgets_list.x-coze-pager.id: data.gadgets.*.gadget_no is not a path in the "
    "response; fix it",
)
def pager_id(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["id"] = "gadget_no"


@bad(
    f'{GADGETS}gadgets_list.x-coze-pager.style: "offset" cannot be here; write number, '
    "token or cursor",
)
def pager_style_is_unknown(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["style"] = "offset"


@bad(
    f"{GADGETS}gadgets_list.x-coze-pager.page: page_no is not a query field; fix the name",
)
def pager_names_no_field(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["page"] = "page_no"


@bad(
    f"{GADGETS}gadgets_list.x-coze-pager.page: page_num is not a body field; fix the name",
    f"{GADGETS}gadgets_list.x-coze-pager.size: page_size is not a body field; fix the name",
)
def pager_looks_in_the_wrong_place(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["in"] = "body"


@bad(
    f"{GADGETS}gadgets_list.x-coze-pager.items: data.bots is not a path in the response; fix it",
)
def pager_path_leads_nowhere(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["items"] = "data.bots"


@bad(
    f"{RUNS}gadgets_runs_create: responds with an event stream; name its events in x-coze-stream",
)
def event_stream_is_not_described(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-stream"]


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-stream: no text/event-stream response; add the content type",
)
def stream_has_no_content_type(d: Description) -> None:
    del d.node("gadgets_runs_create")["responses"]["200"]["content"]["text/event-stream"]


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-stream: no kind; name a kind that "
    "x-coze-stream-kind describes",
)
def stream_lacks_a_key(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-stream"]["kind"]


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-stream: unknown key end; use method, kind, switch, recover, "
    "events",
)
def stream_has_an_unknown_key(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["end"] = ["done"]


@bad(
    f'{RUNS}gadgets_runs_create.x-coze-stream.kind: "talk" is not a known kind of '
    "streams; name a kind that x-coze-stream-kind describes",
)
def stream_is_of_a_kind_that_is_not_described(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["kind"] = "talk"


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-stream.events.done: unknown key type; use $ref",
)
def event_payload_has_no_name(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["events"]["done"] = {"type": "string"}


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-stream.recover: gadgets_runs_retrieve has no x-coze-waiter; "
    "name an operation that has one",
)
def stream_recovers_by_what_cannot_wait(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["recover"] = "gadgets_runs_retrieve"


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-stream.switch: streaming is not a field of the "
    "body; fix the name",
)
def stream_switch_is_no_field(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["switch"] = "streaming"


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-waiter: no state; give the path of the state in "
    "the polled response",
)
def waiter_lacks_a_key(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-waiter"]["state"]


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-waiter: unknown key timeout; see docs/description.md",
)
def waiter_has_an_unknown_key(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-waiter"]["timeout"] = 10


@bad(
    f'{RUNS}gadgets_runs_create.x-coze-waiter.operation: "gadgets_runs_poll" is not a '
    "known operation; give the operationId of an operation",
)
def waiter_polls_no_operation(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-waiter"]["operation"] = "gadgets_runs_poll"


# ---- kinds of streams

CHAT = f"{TALKS}x-coze-stream-kind."


def workflow(d: Description) -> Any:
    return d.runs["x-coze-stream-kind"]


def chat(d: Description) -> Any:
    return d.files["resources/gadgets_talks.yaml"]["x-coze-stream-kind"]


@bad(
    f'{TALKS}x-coze-stream-kind.kind: "talk" cannot be here; write chat or workflow; '
    "another kind needs a template and a class of the runtime",
)
def kind_of_stream_has_no_template(d: Description) -> None:
    chat(d)["kind"] = "talk"


@bad(
    f"{RUNS}x-coze-stream-kind: no parameter_model; point to a schema: {{$ref: …}}",
)
def kind_of_stream_lacks_a_key(d: Description) -> None:
    del workflow(d)["parameter_model"]
    d.node("RunParameter")["x-coze-used-by"] = "cozekit.webhooks"


@bad(
    f"{RUNS}x-coze-stream-kind: unknown key settled; see docs/description.md",
)
def kind_of_stream_has_the_key_of_the_other_kind(d: Description) -> None:
    workflow(d)["settled"] = ["completed"]


@bad(
    f'{RUNS}x-coze-stream-kind.usage_model: "Usage" cannot be here; point to a schema: {{$ref: …}}',
)
def model_of_a_kind_of_stream_is_no_reference(d: Description) -> None:
    workflow(d)["usage_model"] = "Usage"


@bad(
    f'{RUNS}x-coze-stream-kind.names: "RunEventType" cannot be here; point to a schema: '
    f"{{$ref: …}}",
)
def names_of_the_events_are_no_reference(d: Description) -> None:
    d.node("RunEventType")["x-coze-used-by"] = "cozekit.webhooks"
    workflow(d)["names"] = "RunEventType"


@bad(
    f'{RUNS}x-coze-stream-kind.failed: "RunBroke" is not a known error class; give a '
    "class of coze_runtime/errors.py or of x-coze-error-classes",
)
def failure_of_a_stream_is_no_error(d: Description) -> None:
    workflow(d)["failed"] = "RunBroke"


@bad(
    f"{RUNS}x-coze-stream-kind.roles: unknown key last; use delta, message, state, "
    "interrupt, failure, end, heartbeat",
)
def role_of_an_event_is_unknown(d: Description) -> None:
    workflow(d)["roles"]["last"] = ["done"]


@bad(
    f"{RUNS}x-coze-stream-kind.roles.end: no operation has event finished; fix the name",
)
def stream_ends_with_an_unknown_event(d: Description) -> None:
    workflow(d)["roles"]["end"] = ["done", "finished"]


@bad(
    f"{RUNS}x-coze-stream-kind.roles.end: error is a failure, which ends the stream; leave it out",
)
def failure_is_named_as_an_end(d: Description) -> None:
    d.runs["x-coze-stream-kind"]["roles"]["end"].append("error")


@bad(
    f"{RUNS}x-coze-stream-kind.roles.failure: no operation has event talk.waits; fix the name",
)
def role_names_an_event_of_the_other_kind(d: Description) -> None:
    workflow(d)["roles"]["failure"] = ["error", "talk.waits"]


@bad(
    f"{TALKS}x-coze-stream-kind.roles: no end; list the events after which nothing follows",
)
def stream_has_no_end(d: Description) -> None:
    del chat(d)["roles"]["end"]


@bad(
    f"{RUNS}x-coze-stream-kind.names: event done is not in RunEventType; add it there",
)
def event_has_no_known_name(d: Description) -> None:
    del d.node("RunEventType")["x-known-values"]["done"]


@bad(
    f"{RUNS}x-coze-stream-kind.names: event done would be the class WorkflowDoneEvent, as "
    "schema WorkflowDoneEvent; rename one",
)
def event_has_the_class_name_of_a_schema(d: Description) -> None:
    d.gadgets["components"]["schemas"]["WorkflowDoneEvent"] = {
        "type": "object",
        "description": "The run has ended.",
        "x-coze-used-by": "cozekit.webhooks",
    }


@bad(
    f"{RUNS}x-coze-stream-kind.names: the union of the events would be the class "
    "WorkflowEvent, as schema WorkflowEvent; rename one",
)
def union_of_events_has_the_class_name_of_a_schema(d: Description) -> None:
    d.gadgets["components"]["schemas"]["WorkflowEvent"] = {
        "type": "object",
        "description": "Something has happened.",
        "x-coze-used-by": "cozekit.webhooks",
    }


@bad(
    f"{RUNS}x-coze-stream-kind.names: event workflow would be the class WorkflowEvent, as "
    "the union of the events; rename one",
)
def event_has_the_class_name_of_the_union(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["events"]["workflow"] = {}
    d.node("RunEventType")["x-known-values"]["workflow"] = "The workflow has begun."


@bad(
    f"{RUNS}x-coze-stream-kind.names: event workflow.done would be the class "
    "WorkflowDoneEvent, as event done; rename one",
)
def two_events_have_the_same_class_name(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["events"]["workflow.done"] = {}
    d.node("RunEventType")["x-known-values"]["workflow.done"] = "The workflow has ended."


@bad(
    f"{TALKS}x-coze-stream-kind.settled: Talk.status does not have ended; fix the name",
)
def settled_state_is_unknown(d: Description) -> None:
    chat(d)["settled"].append("ended")


@bad(
    f"{TALKS}x-coze-stream-kind.waiting: Talk.status does not have asks; fix the name",
)
def waiting_state_is_unknown(d: Description) -> None:
    chat(d)["waiting"] = ["asks"]


@bad(
    f"{TALKS}x-coze-stream-kind.message_types: unknown key verbose; use answer, follow_up",
)
def part_of_the_message_types_is_unknown(d: Description) -> None:
    chat(d)["message_types"]["verbose"] = ["answer"]


@bad(
    f"{TALKS}x-coze-stream-kind.message_types.answer: messages do not have type reply; "
    "fix the name",
)
def type_of_messages_is_unknown(d: Description) -> None:
    chat(d)["message_types"]["answer"] = ["reply"]


@bad(
    f"{TALKS}x-coze-stream-kind.tool_calls: action.call is not a path in Talk; fix it",
)
def path_of_the_tool_calls_leads_nowhere(d: Description) -> None:
    chat(d)["tool_calls"] = "action.call"


# ---- classes of errors


def run_failed(d: Description) -> Any:
    return d.runs["x-coze-error-classes"]["RunFailed"]


@bad(
    f"{RUNS}x-coze-error-classes.RunFailed: another class has this name; rename the error",
)
def error_has_the_name_of_a_schema(d: Description) -> None:
    d.gadgets["components"]["schemas"]["RunFailed"] = {
        "type": "object",
        "description": "A failed run.",
        "x-coze-used-by": "cozekit.webhooks",
    }


@bad(
    f"{RUNS}x-coze-error-classes.RunFailed: no description; say what it is, in English",
)
def error_has_no_description(d: Description) -> None:
    del run_failed(d)["description"]


@bad(
    f"{RUNS}x-coze-error-classes.RunFailed: unknown key colour; use base, description, properties",
)
def error_has_an_unknown_key(d: Description) -> None:
    run_failed(d)["colour"] = "red"


@bad(
    f'{RUNS}x-coze-error-classes.RunFailed: "A run of a gadget ended in failure." cannot '
    "be here; give description and properties, perhaps base, and nothing else",
)
def error_is_plain_text(d: Description) -> None:
    d.runs["x-coze-error-classes"]["RunFailed"] = "A run of a gadget ended in failure."


@bad(
    f"{RUNS}x-coze-error-classes.RunFailed.properties.run_id: no description; give "
    "meaning, unit, range and what absence means, in English",
)
def field_of_an_error_has_no_description(d: Description) -> None:
    del run_failed(d)["properties"]["run_id"]["description"]


@bad(
    f'{RUNS}x-coze-error-classes.RunFailed.properties.run_id.type: "integer" cannot be '
    "here; write `string`, or point to a schema",
)
def field_of_an_error_is_a_number(d: Description) -> None:
    run_failed(d)["properties"]["run_id"]["type"] = "integer"


# ---- extensions


@bad(
    f"{GADGETS}gadgets_list: unknown key x-coze-pages; did you mean x-coze-page?",
)
def extension_is_misspelt(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pages"] = "list_gadgets"


@bad(
    f"{GADGETS}Maker.x-coze-deviation: no evidence; say where this can be seen",
)
def deviation_is_not_explained(d: Description) -> None:
    d.node("Maker")["x-coze-deviation"] = {"what": "Another name.", "why": "Nobody knows."}


CREATE = f"{RUNS}gadgets_runs_create"


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-waiter: no returns; say what the method returns",
)
def waiter_does_not_say_what_it_returns(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-waiter"]["returns"]


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-waiter: incomplete; give poll, or wait, or both",
)
def waiter_makes_no_method(d: Description) -> None:
    waiter = d.node("gadgets_runs_create")["x-coze-waiter"]
    del waiter["poll"], waiter["wait"]


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-waiter.poll: no summary; give 1 to 72 characters "
    "of English without a full stop",
)
def waiting_method_has_no_summary(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-waiter"]["poll"]["summary"]


@bad(
    f'{RUNS}gadgets_runs_create.x-coze-waiter.failures.failed.error: "RunBroke" is not a '
    "known error class; give a class of coze_runtime/errors.py or of "
    "x-coze-error-classes",
)
def failure_of_a_waiter_is_no_error(d: Description) -> None:
    waiter = d.node("gadgets_runs_create")["x-coze-waiter"]
    waiter["failures"] = {"failed": {"error": "RunBroke", "text": "it failed"}}


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-waiter.failures.lost: 'lost' is not in failure: "
    "failed; fix it",
)
def failure_of_a_waiter_is_no_state(d: Description) -> None:
    waiter = d.node("gadgets_runs_create")["x-coze-waiter"]
    waiter["failures"] = {"lost": {"error": "RunFailed", "text": "it was lost"}}


@bad(
    f'{RUNS}gadgets_runs_create.x-coze-ended.operation: "gadgets_runs_find" is not a '
    "known operation; give the operationId of an operation",
)
def what_had_ended_is_read_by_no_operation(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-ended"] = {
        "codes": [4104],
        "operation": "gadgets_runs_find",
        "state": "status",
        "states": ["completed"],
    }


@bad(
    f'{RUNS}gadgets_runs_create.x-coze-helpers.run.parameters[1]: "hurry" is not a known '
    "parameter; name one of x-coze-parameters of spec/shared.yaml",
)
def helper_has_an_unknown_parameter(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-helpers"]["run"]["parameters"].append("hurry")


@bad(
    f'{RUNS}gadgets_runs_create.x-coze-helpers.run.takes[1]: "clock" cannot be here; '
    "write client, result_type, stream_spec or waiter",
)
def helper_takes_what_nobody_gives(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-helpers"]["run"]["takes"].append("clock")


# ---- misspelt words


@bad(
    f"{GADGETS}Gadget: unknown key requried; did you mean required?",
)
def required_is_misspelt(d: Description) -> None:
    d.node("Gadget")["requried"] = d.node("Gadget").pop("required")


@bad(
    f"{GADGETS}Maker: unknown key propertys; did you mean properties?",
)
def properties_are_misspelt(d: Description) -> None:
    d.node("Maker")["propertys"] = d.node("Maker").pop("properties")


@bad(
    f"{GADGETS}Maker.name: unknown key maxLenght; did you mean maxLength?",
)
def a_limit_is_misspelt(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["maxLenght"] = 5


@bad(
    f"{GADGETS}Maker.name: unknown key nulable; see docs/description.md",
)
def an_unknown_key_holds_nothing(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["nulable"] = None


@bad(
    f"{GADGETS}Maker.name.type: null cannot be here; give string, integer, number, boolean, array "
    "or object; a union is of scalars only: [string, integer]",
)
def a_type_is_empty(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["type"] = None


@bad(
    f'{GADGETS}gadgets_list(kinds).in: "cookie" cannot be here; write path, query or header',
)
def a_parameter_is_a_cookie(d: Description) -> None:
    d.parameter("gadgets_list", "kinds")["in"] = "cookie"


@bad(
    f"{GADGETS}paths./v1/gadgets: unknown key parameters; the generator reads those of operations; "
    "repeat them there",
)
def parameters_stand_on_a_path(d: Description) -> None:
    item = d.gadgets["paths"]["/v1/gadgets"]
    item["parameters"] = item["get"].pop("parameters")


@bad(
    f"{GADGETS}paths.v1/gadgets: not a name that can be here; begin a path with `/`; put fields "
    "into {}",
)
def a_path_does_not_begin_with_a_slash(d: Description) -> None:
    d.gadgets["paths"]["v1/gadgets"] = d.gadgets["paths"].pop("/v1/gadgets")


@bad(
    f'{RUNS}gadgets_runs_create.x-coze-billed: "no" cannot be here; write `true`, or leave it out',
)
def billed_is_a_word(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-billed"] = "no"


@bad(
    'spec/shared.yaml: x-coze-error-codes[4000].error: "InvalidRequestErorr" is not a known error '
    "class; give a class of coze_runtime/errors.py or of x-coze-error-classes",
)
def the_class_of_a_code_is_misspelt(d: Description) -> None:
    d.node("shared.yaml")["x-coze-error-codes"][4000]["error"] = "InvalidRequestErorr"


# ---- values


@bad(
    f'{GADGETS}Maker.name.example: does not fit the schema: 7 is not of type "string"; fix one of '
    "them",
)
def an_example_is_of_another_type(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["example"] = 7


@bad(
    f"{GADGETS}Gadget.kind.default: 'lanp' is not among the known values; fix it, or add the value",
)
def a_default_is_unknown(d: Description) -> None:
    d.node("Gadget")["properties"]["kind"]["default"] = "lanp"


@bad(
    f"{GADGETS}Maker.x-coze-conditions[0]: title is not a path in the schema; fix it",
)
def a_condition_names_no_property(d: Description) -> None:
    d.node("Maker")["x-coze-conditions"] = [{"when": {"name": []}, "required": ["title"]}]


@bad(
    f"{RUNS}gadgets_runs_resume.requestBody: RunStatus is not an object; its properties become "
    "keyword arguments",
)
def a_body_is_a_list_of_values(d: Description) -> None:
    d.node("ResumeRunRequest")["x-coze-used-by"] = "cozekit.webhooks"
    content = d.node("gadgets_runs_resume")["requestBody"]["content"]
    content["application/json"]["schema"]["$ref"] = "#/components/schemas/RunStatus"


# ---- paths of waiters

WAITER = f"{RUNS}gadgets_runs_create.x-coze-waiter"


def waiter(d: Description) -> Any:
    return d.node("gadgets_runs_create")["x-coze-waiter"]


@bad(f"{WAITER}.state: not a path in the polled response; fix it")
def the_state_of_a_waiter_leads_nowhere(d: Description) -> None:
    waiter(d)["state"] = "statuss"


@bad(f"{WAITER}.success[0]: 'complete' is not a known value: running, completed, failed; fix it")
def a_state_of_a_waiter_is_unknown(d: Description) -> None:
    waiter(d)["success"] = ["complete"]


@bad(f"{WAITER}.waits.states[0]: 'asks' is not a known value: running, completed, failed; fix it")
def a_state_that_may_wait_is_unknown(d: Description) -> None:
    waiter(d)["waits"] = {"path": "output", "states": ["asks"]}


@bad(
    f"{WAITER}.arguments.run_id: ids is neither a path in the first response nor $argument; fix it",
)
def an_argument_of_a_waiter_comes_from_nowhere(d: Description) -> None:
    waiter(d)["arguments"]["run_id"] = "ids"


@bad(
    f"{WAITER}.arguments.run: 'run' is not an argument of gadgets_runs_retrieve: run_id; fix it",
    f"{WAITER}.wait.positional[0]: 'run_id' is not an argument: run; fix it",
)
def an_argument_of_the_polled_operation_is_misspelt(d: Description) -> None:
    waiter(d)["arguments"] = {"run": "id"}


@bad(f"{WAITER}.keep: 'runs' is not a property of RunFailed: run, run_id; fix it")
def an_error_cannot_keep_what_it_is_to_keep(d: Description) -> None:
    waiter(d)["keep"] = "runs"
    waiter(d)["failures"] = {"failed": {"error": "RunFailed", "text": "it failed"}}


@bad(
    f"{WAITER}.code: error.code leads nowhere; fix the path",
    f"{WAITER}.pick: output.0 leads nowhere; fix the path",
    f"{WAITER}.reasons.items: parts leads nowhere; fix the path",
    f"{WAITER}.reasons.names[0]: name leads nowhere; fix the path",
    f"{WAITER}.reasons.text: why leads nowhere; fix the path",
    f"{WAITER}.unless.answered: makers.*.names leads nowhere; fix the path",
    f"{WAITER}.unless.asked: questions.*.id leads nowhere; fix the path",
    f"{WAITER}.waits.path: question leads nowhere; fix the path",
)
def paths_of_a_waiter_lead_nowhere(d: Description) -> None:
    waiter(d).update(
        code="error.code",
        pick="output.0",
        reasons={"items": "parts", "names": ["name"], "text": "why"},
        unless={"answered": "makers.*.names", "asked": "questions.*.id"},
        waits={"path": "question", "states": ["running"]},
    )


@bad(f"{RUNS}gadgets_runs_create.x-coze-ended.codes[0]: 4200 is not in x-coze-errors; add it")
def a_code_that_comes_too_late_is_not_documented(d: Description) -> None:
    node = d.node("gadgets_runs_create")
    node["x-coze-errors"] = [4000]
    node["x-coze-ended"] = {
        "codes": [4200],
        "operation": "gadgets_runs_retrieve",
        "state": "status",
        "states": ["completed"],
    }


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-helpers.run.without[0]: 'speed' is not an argument of the "
    "operation: gadget_id, input, kind, makers, journey, class_, stream; fix it",
)
def a_helper_leaves_out_what_is_not_there(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-helpers"]["run"]["without"] = ["speed"]


@bad(
    f"{RUNS}gadgets_runs_create.x-coze-helpers.run.raises.RunBroke: not a name that can be here; "
    "give a class of coze_runtime/errors.py or of x-coze-error-classes",
)
def a_helper_raises_an_unknown_error(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-helpers"]["run"]["raises"] = {"RunBroke": "It broke."}


@bad(f"{CHAT}questions: calls do not have type ask; fix the name")
def the_type_of_a_question_is_unknown(d: Description) -> None:
    d.node("TalkCall")["properties"]["type"] = {
        "$ref": "#/components/schemas/TalkMessageType",
        "description": "Type of the call.",
    }
    chat(d)["questions"] = ["ask"]


SHAPE = yaml.safe_load(Path(shape.__file__).with_name("shape.yaml").read_text(encoding="utf-8"))
FORBIDDEN = SHAPE["$defs"]["text"]["x-forbidden"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_description_gets_exactly_the_message_that_names_the_fix(
    case: Case,
) -> None:
    description = Description()
    case.mutate(description)
    assert sorted(description.lint()) == sorted(case.expected)


@pytest.mark.parametrize("word", ["title", "enum", "const", "nullable", "oneOf", "anyOf"])
def test_a_forbidden_word_is_named_together_with_its_fix(word: str) -> None:
    description = Description()
    description.node("Maker")["properties"]["name"][word] = ["anything"]
    assert description.lint() == [f"{GADGETS}Maker.name: unknown key {word}; {FORBIDDEN[word]}"]


@pytest.mark.parametrize(
    "name",
    [
        *("EventType", "StreamSpec", "UnknownEvent", "WorkflowStream", "AsyncChatStream"),
        *("Model", "OpenStrEnum", "Waiter", "Request", "Client", "Limit", "Any", "Mapping"),
    ],
)
def test_a_schema_cannot_have_the_name_of_a_class_of_the_generated_package(
    name: str,
) -> None:
    description = Description()
    description.gadgets["components"]["schemas"][name] = copy.deepcopy(description.node("Maker"))
    description.node("Gadget")["properties"]["model"] = {
        "$ref": f"#/components/schemas/{name}",
        "description": "Its model.",
    }
    assert description.lint() == [
        f"{GADGETS}{name}: the generated package has a class of this name; rename the schema"
    ]


def test_a_file_of_more_than_1000_lines_is_named() -> None:
    files = dict(Description().originals)
    name = "resources/gadgets.yaml"
    text = (SPEC / name).read_text(encoding="utf-8")
    files[name] = parse_yaml(text + "\n" * (1001 - text.count("\n")), f"spec/{name}")
    assert lint(files) == [
        f"spec/{name}:1: 1001 lines, 1000 allowed; cut it by sub-resource",
    ]


def test_the_tiny_description_is_sound() -> None:
    assert Description().lint() == []


def test_several_departures_are_all_reported_in_order() -> None:
    description = Description()
    chosen = [
        case
        for case in CASES
        if case.name
        in ("property_has_no_description", "waiter_lacks_a_key", "pager_style_is_unknown")
    ]
    for case in chosen:
        case.mutate(description)
    assert description.lint() == sorted(message for case in chosen for message in case.expected)


# ---- no rule without a case

MODULES = {
    str(module.__file__): ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for module in (methods, operations, schemas, shape, streams, values, whole)
}
RULES = {
    (file, line): f"{Path(file).name}:{node.lineno}"
    for file, tree in MODULES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.Yield)
    for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
}
"""Each line of a statement that yields a message → the place where the statement begins."""


@pytest.fixture(scope="module")
def reached() -> set[str]:
    """The rules that the table runs through."""
    found: set[str] = set()

    @cache
    def rules_of(code: CodeType) -> frozenset[str]:
        return frozenset(
            RULES[place]
            for _, _, line in code.co_lines()
            if line and (place := (code.co_filename, line)) in RULES
        )

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if event == "line" and (place := (frame.f_code.co_filename, frame.f_lineno)) in RULES:
            found.add(RULES[place])
        # A function that has no rule, or none that is still to be reached, runs without being
        # watched.
        return None if rules_of(frame.f_code) <= found else trace

    def forbid(description: Description) -> None:
        description.node("Maker")["properties"]["name"]["title"] = "Name"

    def reserve(description: Description) -> None:
        components = description.gadgets["components"]["schemas"]
        components["EventType"] = copy.deepcopy(description.node("Maker"))

    def lint_long_file(_: Description) -> None:
        test_a_file_of_more_than_1000_lines_is_named()

    for mutate in [lint_long_file, forbid, reserve, *(case.mutate for case in reversed(CASES))]:
        description = Description()
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            mutate(description)
            description.lint()
        finally:
            sys.settrace(before)
    return found


@pytest.mark.parametrize("rule", sorted(set(RULES.values())))
def test_every_rule_of_the_linter_has_a_bad_description(rule: str, reached: set[str]) -> None:
    assert rule in reached, (
        f"no description of this file breaks the rule at generator/{rule}; add one to the table"
    )
