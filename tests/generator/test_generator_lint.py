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

from generator.compile.bundle import bundle
from generator.compile.lint import files, keys, lint, methods, operations, schemas, streams
from generator.compile.lint.operations import VERBS
from tests.generator.tiny import Description

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


@bad(f"{GADGETS}1001 lines, 1000 allowed; cut it by sub-resource")
def file_is_too_long(d: Description) -> None:
    d.lines["resources/gadgets.yaml"] = 1001


@bad(f"{GADGETS}not valid alone; begin it with `openapi: 3.1.0` and `info`")
def file_has_another_openapi_version(d: Description) -> None:
    d.gadgets["openapi"] = "3.0.3"


@bad(
    f"{GADGETS}GET /v1/runs/{{run_id}} has tag gadgets.runs; move it to resources/gadgets_runs.yaml"
)
def operation_stands_in_the_file_of_another_tag(d: Description) -> None:
    item = d.gadgets["paths"]["/v1/runs/{run_id}"] = d.runs["paths"].pop("/v1/runs/{run_id}")
    item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] = (
        "gadgets_runs.yaml#/components/schemas/RunResponse"
    )


@bad(f"spec/openapi.yaml: x-coze-environment lacks base_url, token; {SEE}")
def variables_of_the_clients_have_no_names(d: Description) -> None:
    del d.node("openapi.yaml")["x-coze-environment"]


@bad(
    f"spec/openapi.yaml: x-coze-environment has unknown tokens; {SEE}",
    f"spec/openapi.yaml: x-coze-environment lacks token; {SEE}",
)
def variable_of_the_token_is_misspelt(d: Description) -> None:
    variables = d.node("openapi.yaml")["x-coze-environment"]
    variables["tokens"] = variables.pop("token")


# ---- schemas


@bad(f"{GADGETS}maker_2: schema names are CapitalizedWords; rename it")
def schema_name_is_not_capitalized(d: Description) -> None:
    d.gadgets["components"]["schemas"]["maker_2"] = {
        "type": "object",
        "description": "A maker.",
        "x-coze-used-by": "nobody",
    }


@bad(f"{GADGETS}Maker.to_dict: models use this name themselves; a field cannot have it")
def field_has_the_name_of_a_method_of_models(d: Description) -> None:
    d.node("Maker")["properties"]["to_dict"] = {
        "type": "string",
        "description": "Dictionary of the maker.",
        "example": "A",
    }


@bad(f"{GADGETS}Maker: no description; say what it is")
def schema_has_no_description(d: Description) -> None:
    del d.node("Maker")["description"]


@bad(f"{GADGETS}Gadget.weight: unions are of scalars only; give the object or array a named schema")
def union_holds_an_object(d: Description) -> None:
    d.node("Gadget")["properties"]["weight"]["type"] = ["string", "object"]


@bad(
    f"{GADGETS}Maker.name: object in place; give it a name under components/schemas and point to it"
)
def object_has_no_name(d: Description) -> None:
    inner = {"first": {"type": "boolean", "description": "Whether it is the first name."}}
    d.node("Maker")["properties"]["name"] = {
        "type": "object",
        "description": "Name.",
        "properties": inner,
    }


@bad(
    f"{GADGETS}Gadget.makers[]: object in place; give it a name under components/schemas and "
    "point to it"
)
def object_in_an_array_has_no_name(d: Description) -> None:
    d.node("Maker")["x-coze-used-by"] = "nobody"
    inner = {"first": {"type": "boolean", "description": "Whether it is the first name."}}
    d.node("Gadget")["properties"]["makers"]["items"] = {"type": "object", "properties": inner}


@bad(
    f"{GADGETS}Maker.name: list of values in place; give it a name under components/schemas and "
    "point to it"
)
def list_of_values_has_no_name(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["x-known-values"] = {"ada": "A maker."}


@bad(
    f"{GADGETS}Gadget.maker: `allOf` in place; give it a name under components/schemas and "
    "point to it"
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


@bad(f"{GADGETS}Maker.name: no description; give meaning, unit, range and what absence means")
def property_has_no_description(d: Description) -> None:
    del d.node("Maker")["properties"]["name"]["description"]


@bad(f"{GADGETS}Maker: required names nickname, which is not a property; fix the name")
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


@bad(f"{GADGETS}GadgetState: x-known-values needs `type: string` or `type: integer`")
def known_values_are_of_another_type(d: Description) -> None:
    d.node("GadgetState")["type"] = "number"


@bad(f"{GADGETS}GadgetKind: value 'lamp' has no meaning; add one")
def known_value_has_no_meaning(d: Description) -> None:
    d.node("GadgetKind")["x-known-values"]["lamp"] = ""


@bad(f"{GADGETS}GadgetKind: value '2d' has no Python name; write it as {{name: …, description: …}}")
def known_value_has_no_python_name(d: Description) -> None:
    d.node("GadgetKind")["x-known-values"]["2d"] = "It is flat."


@bad(
    f"{GADGETS}GadgetKind: values 'lamp' and 'LAMP' are both LAMP; give one {{name: …, "
    f"description: …}}"
)
def known_values_have_the_same_python_name(d: Description) -> None:
    d.node("GadgetKind")["x-known-values"]["LAMP"] = "It shines loudly."


@bad(
    f"{GADGETS}GadgetKind: value 3 is not of the type of the list; fix the value (quote "
    "numbers in text lists)"
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


@bad(f"{GADGETS}Maker: Chinese text in a description; say it in English")
def description_of_a_schema_is_chinese(d: Description) -> None:
    d.node("Maker")["properties"]["name"]["description"] = "名字"


@bad(f"{GADGETS}/v1/gadgets: Chinese text in a summary; say it in English")
def summary_is_chinese(d: Description) -> None:
    d.node("gadgets_list")["summary"] = "列表"


# ---- names and words of an operation


@bad("spec/openapi.yaml: tag widgets has no operation; delete it")
def tag_has_no_operation(d: Description) -> None:
    d.node("openapi.yaml")["tags"].append({"name": "widgets", "description": "Widgets."})


@bad(f"{GADGETS}gadgets_upload: needs exactly one tag, listed in spec/openapi.yaml; it has []")
def operation_has_no_tag(d: Description) -> None:
    d.node("gadgets_upload")["tags"] = []


@bad(
    f"{GADGETS}gadgets_upload: needs exactly one tag, listed in spec/openapi.yaml; it has "
    "['gadgets', 'gadgets.runs']"
)
def operation_has_two_tags(d: Description) -> None:
    d.node("gadgets_upload")["tags"] = ["gadgets", "gadgets.runs"]


@bad(
    f"{GADGETS}upload_gadget: operationId is not gadgets_<method> of at most 60 characters; "
    "rename it"
)
def operation_id_does_not_begin_with_the_tag(d: Description) -> None:
    d.node("gadgets_upload")["operationId"] = "upload_gadget"


@bad(
    f"{GADGETS}gadgets_upload_{'a' * 46}: operationId is not gadgets_<method> of at most 60 "
    "characters; rename it"
)
def operation_id_is_too_long(d: Description) -> None:
    d.node("gadgets_upload")["operationId"] = f"gadgets_upload_{'a' * 46}"


@bad(
    f"{GADGETS}gadgets_picture: no known verb in the method name; "
    f"use one of {', '.join(sorted(VERBS))}, or add it in generator/compile/lint/operations.py"
)
def method_has_no_verb(d: Description) -> None:
    d.node("gadgets_upload")["operationId"] = "gadgets_picture"


@bad(f"{GADGETS}gadgets_list: summary must have 1 to 72 characters and no full stop; it has 73")
def summary_is_too_long(d: Description) -> None:
    d.node("gadgets_list")["summary"] = "a" * 73


@bad(f"{GADGETS}gadgets_list: summary must have 1 to 72 characters and no full stop; it has 13")
def summary_ends_with_a_full_stop(d: Description) -> None:
    d.node("gadgets_list")["summary"] = "List gadgets."


@bad(
    f"{GADGETS}gadgets_list: no description; say what it does and does not do, limits, who may "
    "call it"
)
def operation_has_no_description(d: Description) -> None:
    del d.node("gadgets_list")["description"]


@bad(
    f"{GADGETS}gadgets_list: no x-coze-page; name the official page, or explain by "
    "x-coze-deviation that there is none"
)
def operation_has_no_page(d: Description) -> None:
    del d.node("gadgets_list")["x-coze-page"]


@bad(f"{GADGETS}gadgets_list: no x-coze-permission; list the token permissions, [] for none")
def operation_has_no_permission(d: Description) -> None:
    del d.node("gadgets_list")["x-coze-permission"]


@bad(
    f"{GADGETS}gadgets_delete: deprecated without x-coze-replaced-by; name the operation to use "
    "instead"
)
def deprecated_operation_has_no_successor(d: Description) -> None:
    del d.node("gadgets_delete")["x-coze-replaced-by"]


# ---- parameters, body, responses


@bad(
    f"{GADGETS}gadgets_list(kinds): no description; give meaning, unit, range and what absence "
    "means"
)
def parameter_has_no_description(d: Description) -> None:
    del d.parameter("gadgets_list", "kinds")["description"]


@bad(f"{GADGETS}gadgets_list(kinds): no schema; give it a type")
def parameter_has_no_schema(d: Description) -> None:
    del d.parameter("gadgets_list", "kinds")["schema"]


@bad(
    f"{GADGETS}gadgets_retrieve(maker_id): a path parameter must be required, and a field of "
    "the path"
)
def path_parameter_is_not_in_the_path(d: Description) -> None:
    d.node("gadgets_retrieve")["parameters"].append(
        {**d.parameter("gadgets_retrieve", "gadget_id"), "name": "maker_id"}
    )


@bad(f"{GADGETS}gadgets_retrieve: path fields gadget_id are not described; add them to parameters")
def path_field_is_not_described(d: Description) -> None:
    del d.node("gadgets_retrieve")["parameters"]


@bad(f"{RUNS}gadgets_runs_resume: a request body needs exactly one content type")
def body_has_two_content_types(d: Description) -> None:
    content = d.node("gadgets_runs_resume")["requestBody"]["content"]
    content["application/x-www-form-urlencoded"] = copy.deepcopy(content["application/json"])


@bad(
    f"{RUNS}gadgets_runs_resume: the request body must point to a named object schema; its "
    "properties become keyword arguments"
)
def body_has_no_named_schema(d: Description) -> None:
    d.node("ResumeRunRequest")["x-coze-used-by"] = "nobody"
    d.node("gadgets_runs_resume")["requestBody"]["content"]["application/json"]["schema"] = {
        "type": "object"
    }


@bad(f"{RUNS}gadgets_runs_create: kind is both in the body and in the parameters; keep one")
def argument_stands_in_body_and_query(d: Description) -> None:
    parameter = {
        "name": "kind",
        "in": "query",
        "description": "Kind.",
        "schema": {"type": "string"},
        "example": "lamp",
    }
    d.node("gadgets_runs_create")["parameters"].append(parameter)


@bad(f"{GADGETS}gadgets_delete: no 2xx response; describe what a success looks like")
def operation_has_no_success(d: Description) -> None:
    del d.node("gadgets_delete")["responses"]["200"]


@bad(
    f"{GADGETS}gadgets_delete: no default response; point it to "
    "shared.yaml#/components/responses/Error"
)
def operation_has_no_default_response(d: Description) -> None:
    del d.node("gadgets_delete")["responses"]["default"]


# ---- what the method returns


@bad(f"{GADGETS}gadgets_list: a pager returns its items; delete x-coze-unwrap")
def pager_unwraps(d: Description) -> None:
    d.node("gadgets_list")["x-coze-unwrap"] = "data"


@bad(
    f"{GADGETS}gadgets_retrieve: no x-coze-unwrap; say what the method returns (data, body, "
    "nothing, content, location)"
)
def operation_does_not_say_what_it_returns(d: Description) -> None:
    del d.node("gadgets_retrieve")["x-coze-unwrap"]


@bad(
    f"{GADGETS}gadgets_retrieve: x-coze-unwrap data.makers.name is not a path in the response; fix "
    "the path"
)
def unwrap_leads_nowhere(d: Description) -> None:
    d.node("gadgets_retrieve")["x-coze-unwrap"] = "data.makers.name"


@bad(
    f"{GADGETS}gadgets_retrieve: error code 4999 is not in x-coze-error-codes; add it to "
    "spec/shared.yaml"
)
def error_code_is_unknown(d: Description) -> None:
    d.node("gadgets_retrieve")["x-coze-errors"] = [4999]


@bad(
    f"{GADGETS}gadgets_delete: x-coze-replaced-by gadgets_vanish is not an operation; fix the name"
)
def successor_is_no_operation(d: Description) -> None:
    d.node("gadgets_delete")["x-coze-replaced-by"] = "gadgets_vanish"


# ---- pagers, streams, waiters


@bad(f"{GADGETS}gadgets_list: x-coze-pager lacks items, size; {SEE}")
def pager_lacks_keys(d: Description) -> None:
    for key in ("items", "size"):
        del d.node("gadgets_list")["x-coze-pager"][key]


@bad(f"{GADGETS}gadgets_list: x-coze-pager has unknown next; {SEE}")
def pager_has_the_key_of_another_style(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["next"] = "data.total"


@bad(
    f"{GADGETS}gadgets_list: x-coze-pager id data.gadgets.*.gadget_no is not a path in the "
    "response; fix the path"
)
def pager_id(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["id"] = "gadget_no"


@bad(f"{GADGETS}gadgets_list: x-coze-pager style offset is unknown; use number, token, cursor")
def pager_style_is_unknown(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["style"] = "offset"


@bad(
    f"{GADGETS}gadgets_list: x-coze-pager page names page_no, which is not a query field; fix the "
    "name"
)
def pager_names_no_field(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["page"] = "page_no"


@bad(
    f"{GADGETS}gadgets_list: x-coze-pager page names page_num, which is not a body field; fix the "
    "name",
    f"{GADGETS}gadgets_list: x-coze-pager size names page_size, which is not a body field; fix "
    "the name",
)
def pager_looks_in_the_wrong_place(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["in"] = "body"


@bad(
    f"{GADGETS}gadgets_list: x-coze-pager items data.bots is not a path in the response; "
    "fix the path"
)
def pager_path_leads_nowhere(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pager"]["items"] = "data.bots"


@bad(
    f"{RUNS}gadgets_runs_create: responds with an event stream but has no x-coze-stream; name "
    "its events"
)
def event_stream_is_not_described(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-stream"]


@bad(
    f"{RUNS}gadgets_runs_create: x-coze-stream without a text/event-stream response; add the "
    "content type"
)
def stream_has_no_content_type(d: Description) -> None:
    del d.node("gadgets_runs_create")["responses"]["200"]["content"]["text/event-stream"]


@bad(f"{RUNS}gadgets_runs_create: x-coze-stream lacks kind; {SEE}")
def stream_lacks_a_key(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-stream"]["kind"]


@bad(f"{RUNS}gadgets_runs_create: x-coze-stream has unknown end; {SEE}")
def stream_has_an_unknown_key(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["end"] = ["done"]


@bad(
    f"{RUNS}gadgets_runs_create: x-coze-stream kind talk is not described; use workflow, chat, "
    "or describe it by x-coze-stream-kind"
)
def stream_is_of_a_kind_that_is_not_described(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["kind"] = "talk"


@bad(f"{RUNS}gadgets_runs_create: payload of event done must be a $ref or {{}}")
def event_payload_has_no_name(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["events"]["done"] = {"type": "string"}


@bad(
    f"{RUNS}gadgets_runs_create: x-coze-stream switch streaming is not a field of the body; fix "
    "the name"
)
def stream_switch_is_no_field(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["switch"] = "streaming"


@bad(f"{RUNS}gadgets_runs_create: x-coze-waiter lacks state; {SEE}")
def waiter_lacks_a_key(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-waiter"]["state"]


@bad(f"{RUNS}gadgets_runs_create: x-coze-waiter has unknown timeout; {SEE}")
def waiter_has_an_unknown_key(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-waiter"]["timeout"] = 10


@bad(
    f"{RUNS}gadgets_runs_create: x-coze-waiter polls gadgets_runs_poll, which is not an operation; "
    "fix the name"
)
def waiter_polls_no_operation(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-waiter"]["operation"] = "gadgets_runs_poll"


# ---- kinds of streams

WORKFLOW = f"{RUNS}x-coze-stream-kind workflow: "
CHAT = f"{TALKS}x-coze-stream-kind chat: "


def workflow(d: Description) -> Any:
    return d.runs["x-coze-stream-kind"]


def chat(d: Description) -> Any:
    return d.files["resources/gadgets_talks.yaml"]["x-coze-stream-kind"]


@bad(
    f"{TALKS}x-coze-stream-kind talk: no such kind; use chat or workflow",
    f"{TALKS}gadgets_talks_create: x-coze-stream kind chat is not described; use workflow, talk, "
    "or describe it by x-coze-stream-kind",
)
def kind_of_stream_has_no_template(d: Description) -> None:
    chat(d)["kind"] = "talk"


@bad(f"{WORKFLOW}lacks parameter_model; {SEE}")
def kind_of_stream_lacks_a_key(d: Description) -> None:
    del workflow(d)["parameter_model"]
    d.node("RunParameter")["x-coze-used-by"] = "nobody"


@bad(f"{WORKFLOW}has unknown settled; {SEE}")
def kind_of_stream_has_the_key_of_the_other_kind(d: Description) -> None:
    workflow(d)["settled"] = ["completed"]


@bad(f"{WORKFLOW}usage_model must be a $ref to a schema")
def model_of_a_kind_of_stream_is_no_reference(d: Description) -> None:
    workflow(d)["usage_model"] = "Usage"


@bad(
    *(
        f"{WORKFLOW}event {name} is not in None; add it there"
        for name in ("PING", "done", "error", "run.progress", "run.question")
    ),
    f"{WORKFLOW}names must be a $ref to a schema",
)
def names_of_the_events_are_no_reference(d: Description) -> None:
    d.node("RunEventType")["x-coze-used-by"] = "nobody"
    workflow(d)["names"] = "RunEventType"


@bad(f"{WORKFLOW}failed names RunBroke, which is not in x-coze-error-classes")
def failure_of_a_stream_is_no_error(d: Description) -> None:
    workflow(d)["failed"] = "RunBroke"


@bad(
    f"{WORKFLOW}role last is unknown; use delta, message, state, interrupt, failure, end, heartbeat"
)
def role_of_an_event_is_unknown(d: Description) -> None:
    workflow(d)["roles"]["last"] = ["done"]


@bad(f"{WORKFLOW}role end names event finished, which no operation has")
def stream_ends_with_an_unknown_event(d: Description) -> None:
    workflow(d)["roles"]["end"] = ["done", "finished"]


@bad(f"{WORKFLOW}event error is a failure, which ends the stream; leave it out of end")
def failure_is_named_as_an_end(d: Description) -> None:
    d.runs["x-coze-stream-kind"]["roles"]["end"].append("error")


@bad(f"{WORKFLOW}role failure names event talk.waits, which no operation has")
def role_names_an_event_of_the_other_kind(d: Description) -> None:
    workflow(d)["roles"]["failure"] = ["error", "talk.waits"]


@bad(f"{CHAT}no event has the role end; name those after which nothing follows")
def stream_has_no_end(d: Description) -> None:
    del chat(d)["roles"]["end"]


@bad(f"{WORKFLOW}event done is not in RunEventType; add it there")
def event_has_no_known_name(d: Description) -> None:
    del d.node("RunEventType")["x-known-values"]["done"]


@bad(
    f"{WORKFLOW}event done would be the class WorkflowDoneEvent, as schema WorkflowDoneEvent; "
    "rename one"
)
def event_has_the_class_name_of_a_schema(d: Description) -> None:
    d.gadgets["components"]["schemas"]["WorkflowDoneEvent"] = {
        "type": "object",
        "description": "The run has ended.",
        "x-coze-used-by": "nobody",
    }


@bad(
    f"{WORKFLOW}the union of the events would be the class WorkflowEvent, as schema "
    "WorkflowEvent; rename one"
)
def union_of_events_has_the_class_name_of_a_schema(d: Description) -> None:
    d.gadgets["components"]["schemas"]["WorkflowEvent"] = {
        "type": "object",
        "description": "Something has happened.",
        "x-coze-used-by": "nobody",
    }


@bad(
    f"{WORKFLOW}event workflow would be the class WorkflowEvent, as the union of the events; "
    "rename one"
)
def event_has_the_class_name_of_the_union(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["events"]["workflow"] = {}
    d.node("RunEventType")["x-known-values"]["workflow"] = "The workflow has begun."


@bad(
    f"{WORKFLOW}event workflow.done would be the class WorkflowDoneEvent, as event done; rename one"
)
def two_events_have_the_same_class_name(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-stream"]["events"]["workflow.done"] = {}
    d.node("RunEventType")["x-known-values"]["workflow.done"] = "The workflow has ended."


@bad(f"{CHAT}settled names state ended, which Talk.status does not have")
def settled_state_is_unknown(d: Description) -> None:
    chat(d)["settled"].append("ended")


@bad(f"{CHAT}waiting names state asks, which Talk.status does not have")
def waiting_state_is_unknown(d: Description) -> None:
    chat(d)["waiting"] = ["asks"]


@bad(f"{CHAT}message_types has unknown verbose; use answer, follow_up")
def part_of_the_message_types_is_unknown(d: Description) -> None:
    chat(d)["message_types"]["verbose"] = ["answer"]


@bad(f"{CHAT}message_types names type reply, which messages do not have")
def type_of_messages_is_unknown(d: Description) -> None:
    chat(d)["message_types"]["answer"] = ["reply"]


@bad(f"{CHAT}tool_calls action.call is not a path in Talk")
def path_of_the_tool_calls_leads_nowhere(d: Description) -> None:
    chat(d)["tool_calls"] = "action.call"


# ---- classes of errors

FAILED = f"{RUNS}x-coze-error-classes RunFailed: "


def run_failed(d: Description) -> Any:
    return d.runs["x-coze-error-classes"]["RunFailed"]


@bad(f"{FAILED}another class has this name; rename the error")
def error_has_the_name_of_a_schema(d: Description) -> None:
    d.gadgets["components"]["schemas"]["RunFailed"] = {
        "type": "object",
        "description": "A failed run.",
        "x-coze-used-by": "nobody",
    }


@bad(f"{FAILED}give description and properties, perhaps base, and nothing else")
def error_has_no_description(d: Description) -> None:
    del run_failed(d)["description"]


@bad(f"{FAILED}give description and properties, perhaps base, and nothing else")
def error_has_an_unknown_key(d: Description) -> None:
    run_failed(d)["colour"] = "red"


@bad(f"{FAILED}give description and properties, perhaps base, and nothing else")
def error_is_plain_text(d: Description) -> None:
    d.runs["x-coze-error-classes"]["RunFailed"] = "A run of a gadget ended in failure."


@bad(f"{FAILED}run_id needs a description, and `type: string` or a $ref")
def field_of_an_error_has_no_description(d: Description) -> None:
    del run_failed(d)["properties"]["run_id"]["description"]


@bad(f"{FAILED}run_id needs a description, and `type: string` or a $ref")
def field_of_an_error_is_a_number(d: Description) -> None:
    run_failed(d)["properties"]["run_id"]["type"] = "integer"


# ---- extensions


@bad(f"/paths//v1/gadgets/get: nothing reads x-coze-pages; {SEE} for the keys")
def extension_is_misspelt(d: Description) -> None:
    d.node("gadgets_list")["x-coze-pages"] = "list_gadgets"


@bad("/components/schemas/Maker: x-coze-deviation needs what, why and evidence")
def deviation_is_not_explained(d: Description) -> None:
    d.node("Maker")["x-coze-deviation"] = {"what": "Another name.", "why": "Nobody knows."}


CREATE = f"{RUNS}gadgets_runs_create"


@bad(f"{CREATE}: x-coze-waiter lacks returns; {SEE}")
def waiter_does_not_say_what_it_returns(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-waiter"]["returns"]


@bad(f"{CREATE}: x-coze-waiter makes no method; give poll or wait")
def waiter_makes_no_method(d: Description) -> None:
    waiter = d.node("gadgets_runs_create")["x-coze-waiter"]
    del waiter["poll"], waiter["wait"]


@bad(f"{CREATE}: x-coze-waiter poll lacks summary; {SEE}")
def waiting_method_has_no_summary(d: Description) -> None:
    del d.node("gadgets_runs_create")["x-coze-waiter"]["poll"]["summary"]


@bad(
    f"{CREATE}: x-coze-waiter: failure failed needs an error out of x-coze-error-classes, "
    "and a text"
)
def failure_of_a_waiter_is_no_error(d: Description) -> None:
    waiter = d.node("gadgets_runs_create")["x-coze-waiter"]
    waiter["failures"] = {"failed": {"error": "RunBroke", "text": "it failed"}}


@bad(f"{CREATE}: x-coze-waiter: failures names state lost, which is not in failure")
def failure_of_a_waiter_is_no_state(d: Description) -> None:
    waiter = d.node("gadgets_runs_create")["x-coze-waiter"]
    waiter["failures"] = {"lost": {"error": "RunFailed", "text": "it was lost"}}


@bad(f"{CREATE}: x-coze-ended polls gadgets_runs_find, which is not an operation; fix the name")
def what_had_ended_is_read_by_no_operation(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-ended"] = {
        "codes": [4104],
        "operation": "gadgets_runs_find",
        "state": "status",
        "states": ["completed"],
    }


@bad(
    f"{CREATE}: x-coze-helpers run: parameter hurry is not in x-coze-parameters of spec/shared.yaml"
)
def helper_has_an_unknown_parameter(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-helpers"]["run"]["parameters"].append("hurry")


@bad(
    f"{CREATE}: x-coze-helpers run: takes has unknown clock; "
    "use client, result_type, stream_spec, waiter"
)
def helper_takes_what_nobody_gives(d: Description) -> None:
    d.node("gadgets_runs_create")["x-coze-helpers"]["run"]["takes"].append("clock")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_description_gets_exactly_the_message_that_names_the_fix(
    case: Case, tmp_path: Path
) -> None:
    description = Description()
    case.mutate(description)
    assert description.lint(tmp_path) == sorted(case.expected)


@pytest.mark.parametrize("word", sorted(schemas.FORBIDDEN))
def test_a_forbidden_word_is_named_together_with_its_fix(word: str, tmp_path: Path) -> None:
    description = Description()
    description.node("Maker")["properties"]["name"][word] = ["anything"]
    assert description.lint(tmp_path) == [
        f"{GADGETS}Maker.name: `{word}` is forbidden: {schemas.FORBIDDEN[word]}"
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("EventType", "StreamSpec", "UnknownEvent", "WorkflowStream", "AsyncChatStream"),
        *("Model", "OpenStrEnum", "Waiter", "Request", "Client", "Limit", "Any", "Mapping"),
    ],
)
def test_a_schema_cannot_have_the_name_of_a_class_of_the_generated_package(
    name: str, tmp_path: Path
) -> None:
    description = Description()
    description.gadgets["components"]["schemas"][name] = copy.deepcopy(description.node("Maker"))
    description.node("Gadget")["properties"]["model"] = {
        "$ref": f"#/components/schemas/{name}",
        "description": "Its model.",
    }
    assert description.lint(tmp_path) == [
        f"{GADGETS}{name}: the generated package has a class of this name; rename the schema"
    ]


def test_the_tiny_description_is_sound(tmp_path: Path) -> None:
    assert Description().lint(tmp_path) == []


def test_several_departures_are_all_reported_in_order(tmp_path: Path) -> None:
    description = Description()
    chosen = [
        case
        for case in CASES
        if case.name
        in ("property_has_no_description", "waiter_lacks_a_key", "tag_has_no_operation")
    ]
    for case in chosen:
        case.mutate(description)
    assert description.lint(tmp_path) == sorted(
        message for case in chosen for message in case.expected
    )


# ---- no rule without a case

MODULES = {
    str(module.__file__): ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for module in (files, keys, methods, operations, schemas, streams)
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
def reached(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
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

    for mutate in [forbid, reserve, *(case.mutate for case in reversed(CASES))]:
        description = Description()
        mutate(description)
        spec = description.write(tmp_path_factory.mktemp("bad"))
        joined = bundle(spec)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            lint(joined, spec)
        finally:
            sys.settrace(before)
    return found


@pytest.mark.parametrize("rule", sorted(set(RULES.values())))
def test_every_rule_of_the_linter_has_a_bad_description(rule: str, reached: set[str]) -> None:
    assert rule in reached, (
        f"no description of this file breaks the rule at generator/{rule}; add one to the table"
    )
