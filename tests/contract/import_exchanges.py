"""Makes `exchanges.json` from catalogues of documented endpoints: `python -m
tests.contract.import_exchanges CATALOGUE…`.

An exchange is one documented request with the answer documented for it. Where a page shows a
request that no client should send (another path than its own table, a body on a GET, …), the
exchange keeps it as `request`, says what the client sends in `sent`, and why in `deviation`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.contract.catalogue import Op, operations

FILE = Path(__file__).with_name("exchanges.json")
PLACEHOLDER_ID = "744668935865830****"
SUBMIT_URL = "https://api.coze.cn/v3/chat/submit_tool_outputs?chat_id=738137187639794****&conversation_id=738136585609548****"
TOOL_OUTPUT = {
    "tool_call_id": "BUJJF0dAQ0NAEBVeQkVKEV5HFURFXhFCEhFeFxdHShcSQEtFSxY****",
    "output": "Tokyo",
}

# Catalogue id and number of the request example → what is sent instead, and why. `None` takes the
# part away.
DEVIATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "remove_bot_collaborator.0": (
        {"body": None},
        "the example sends an empty object with a DELETE; the tables of the page have no body",
    ),
    "create_conversation.0": (
        {"body": {}},
        "the example has no body at all; an empty JSON object says the same",
    ),
    "add_enterprise_member.0": (
        {"url": "https://api.coze.cn/v1/enterprises/volcano_210195***/members"},
        "the address of the example lacks /members, which the base table of the page has",
    ),
    "list_conversations.0": (
        {
            "url": "https://api.coze.cn/v1/conversations?bot_id=73428668*****&page_num=1&page_size=40&sort_order=asc&connector_id=999"
        },
        "the example has sort_order in capitals; since May 2026 the page has it in lower case",
    ),
    "update_voiceprint.0": (
        {
            "url": "https://api.coze.cn/v1/audio/voiceprint_groups/751198840854627***/features/75119956441528***"
        },
        "the address of the example repeats /v1/audio",
    ),
    "list_voiceprint.0": (
        {"method": "GET"},
        "the example says POST, the base table of the page GET",
    ),
    "update_dataset.0": (
        {"url": f"https://api.coze.cn/v1/datasets/{PLACEHOLDER_ID}"},
        "the example has a placeholder in its path in place of an id",
    ),
    "get_dataset_progress.0": (
        {"url": f"https://api.coze.cn/v1/datasets/{PLACEHOLDER_ID}/process"},
        "the example has a placeholder in its path in place of an id",
    ),
    "update_device_quotas.0": (
        {
            "body": {
                "active_mode": "absolute_time",
                "started_at": 1741708800,
                "ended_at": 1741708800,
                "limit": 100,
                "status": "valid",
            }
        },
        "the example repeats benefit_id, which stands in the path, in the body; the tables have "
        "it in the path only",
    ),
    "list_subscribed_callback_message.0": (
        {"body": None},
        "the example sends a body with a GET; the tables of the page have none",
    ),
    "read_variable.0": (
        {
            "url": "https://api.coze.cn/v1/variables?app_id=7448857477636685850&bot_id=74931510***9&connector_id=1024&connector_uid=7432567"
        },
        "the example lacks connector_uid, which the tables of the page require",
    ),
    "chat_submit_tool_outputs.sse": (
        {
            "method": "POST",
            "url": SUBMIT_URL,
            "body": {"tool_outputs": [TOOL_OUTPUT], "stream": True},
        },
        "the page shows the answer of a streaming call without its request",
    ),
    "create_knowledge_files.0": (
        {"format_type": 0},
        "the example lacks format_type, which the tables of the page require",
    ),
    "create_knowledge_files.1": (
        {"format_type": 0},
        "the example lacks format_type, which the tables of the page require",
    ),
    "oauth_device_code#device_code.0": (
        {
            "method": "POST",
            "url": "https://api.coze.cn/api/permission/oauth2/device/code",
            "body": {"client_id": "REDACTED"},
        },
        "the page shows the request of an RFC to another server",
    ),
}

# Catalogue id and number of the answer example → places that the models do not know or keep as they
# came, and why.
ANSWERS: dict[str, dict[str, Any]] = {
    "get_metadata_draft_published.0": {
        "lost": [
            f"$.data.onboarding_info.{key}"
            for key in (
                "Prologue",
                "SuggestedQuestions",
                "OnboardingMode",
                "CustomizedOnboardingPrompt",
                "SuggestedQuestionsShowMode",
            )
        ],
        "reason": "the example has capitalised keys, the tables of the page those of the "
        "description; both are in the raw response",
    },
    "chat_submit_tool_outputs.0": {
        "lost": ["$.data.usage.output_tokens", "$.data.usage.input_tokens"],
        "reason": "the example has old names of the token counts; the tables and all other "
        "examples have input_count and output_count",
    },
    "create_bill_task.0": {
        "kept": ["$.data.file_urls"],
        "reason": "the example has an empty text in place of an empty list; it is kept as it "
        "came and reported as a drift",
    },
}

_TYPED_BY_HAND = {
    "unquoted": ["compleated_at"],
    "lost": ["$.compleated_at", "$.chat_id", "$.usage.output_tokens", "$.usage.input_tokens"],
    "reason": "the payloads are typed by hand: a misspelt key without quotation marks, and old "
    "names of the token counts",
}
ANSWERS["chat_v3.0"] = ANSWERS["chat_submit_tool_outputs.2"] = _TYPED_BY_HAND


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries(arguments):
        op = operation_of(entry)
        found.setdefault(op.id, []).extend(exchanges(op, entry))
    ordered = {name: found[name] for name in sorted(found) if found[name]}
    FILE.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    kept = [exchange for listed in ordered.values() for exchange in listed]
    requests = len({exchange["source"] for exchange in kept if "request" in exchange})
    answers = sum("answer" in exchange for exchange in kept)
    print(
        f"{len(kept)} exchanges of {len(ordered)} operations: {requests} documented requests, "
        f"{answers} documented answers"
    )
    return 0


def entries(catalogues: list[str]) -> Iterator[dict[str, Any]]:
    """The documented endpoints of all catalogues."""
    for name in catalogues:
        yield from json.loads(Path(name).read_text(encoding="utf-8"))


def operation_of(entry: dict[str, Any]) -> Op:
    for op in operations().values():
        same_path = re.sub(r"\{[^}]*}", "{}", op.path) == re.sub(r"\{[^}]*}", "{}", entry["path"])
        if same_path and op.method == entry["method"]:
            return op
    raise SystemExit(f"{entry['id']}: no operation for {entry['method']} {entry['path']}")


def exchanges(op: Op, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Pairs requests and answers in their order; streaming ones among themselves. The last request
    of a kind has all further answers.
    """
    requests = list(enumerate(entry["request_examples"]))
    for streaming in (False, True):
        asked = [item for item in requests if is_streaming(op, item[1]) is streaming]
        answers = [
            item
            for item in enumerate(entry["response_examples"])
            if (item[1]["kind"] == "sse") is streaming
        ]
        for number in range(max(len(asked), len(answers))):
            index, request = asked[min(number, len(asked) - 1)] if asked else (None, None)
            kept = exchange(
                f"{entry['id']}.{'sse' if index is None and streaming else index or 0}", request
            )
            if number < len(answers):
                at, answer = answers[number]
                kept["answer"] = {
                    key: answer[key]
                    for key in ("kind", "value", "text", "repaired")
                    if key in answer
                }
                kept.update(
                    {"answer_deviation": ANSWERS[f"{entry['id']}.{at}"]}
                    if f"{entry['id']}.{at}" in ANSWERS
                    else {}
                )
            yield kept


def is_streaming(op: Op, request: dict[str, Any]) -> bool:
    return op.only_streams or bool(op.switch and request.get("body", {}).get(op.switch))


def exchange(source: str, request: dict[str, Any] | None) -> dict[str, Any]:
    kept: dict[str, Any] = {"source": source}
    if request is not None:
        kept["request"] = {
            key: request[key]
            for key in ("method", "url", "headers", "body", "form")
            if key in request
        }
        if request.get("repaired"):
            kept["repaired"] = request["repaired"]
    if source in DEVIATIONS:
        changes, kept["deviation"] = DEVIATIONS[source]
        kept["sent"] = sent(request or {}, changes)
    return kept


def sent(request: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The parts of the request that are sent otherwise than documented."""
    if "format_type" in changes:
        return {"body": {**request["body"], **changes}}
    return changes


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
