"""Arguments for every operation, out of the examples of the description; what an example cannot
know is in `OVERRIDES`.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Callable
from importlib import resources
from typing import Any

from coze_openapi import Client
from cozekit_emulator import bots, oauth_apps, workflows
from cozekit_emulator.oauth.browser import Browser
from cozekit_emulator.openapi.description import Operation, load
from cozekit_emulator.openapi.examples import Examples
from cozekit_emulator.state.ids import NODE
from tests.emulator.sign_in import JWT_GRANT, REDIRECT, authorize_url, code_of, signed

DESCRIPTION = load()
EXAMPLES = Examples(DESCRIPTION)
FILE = ("sample.wav", b"RIFF\x24\x00\x00\x00WAVE and some more bytes", "audio/wav")


def manifest() -> list[str]:
    """Ids of all operations of generated/manifest.json."""
    path = resources.files("coze_openapi").joinpath("../manifest.json")
    return sorted(json.loads(path.read_text(encoding="utf-8"))["operations"])


def arguments(operation: Operation) -> dict[str, Any]:
    """Examples of all parameters and body fields, under the names of the Python method."""
    found: dict[str, Any] = {}
    for parameter in operation.parameters:
        if "x-coze-constant" not in parameter:
            name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
            name = f"{name}_" if keyword.iskeyword(name) else name
            found[name] = parameter.get("example", EXAMPLES.of(parameter["schema"]))
    if operation.body is not None:
        for name, schema in DESCRIPTION.properties(operation.body[1]).items():
            found[name] = (
                FILE
                if DESCRIPTION.resolve(schema).get("format") == "binary"
                else EXAMPLES.of(schema)
            )
    switches = {
        operation.data.get("x-coze-stream", {}).get("switch"),
        operation.data.get("x-coze-waiter", {}).get("switch") if operation.pager else None,
    }
    return {name: value for name, value in found.items() if name not in switches}


def _running_chat(client: Client) -> dict[str, Any]:
    chat = client.chat.create(
        bot_id=bots.ANSWERING, user_id="u", additional_messages=[question("hello")]
    )
    return {"conversation_id": chat.conversation_id, "chat_id": chat.id}


def _waiting_chat(client: Client) -> dict[str, Any]:
    chat = client.chat.create(
        bot_id=bots.TOOL_CALLING, user_id="u", additional_messages=[question("weather")]
    )
    ids = {"conversation_id": chat.conversation_id, "chat_id": chat.id}
    for _ in range(2):
        chat = client.chat.retrieve(**ids)
    call = chat.required_action.submit_tool_outputs.tool_calls[0]
    return {**ids, "tool_outputs": [{"tool_call_id": call.id, "output": "19"}]}


def _waiting_run(client: Client) -> dict[str, Any]:
    interrupt = client.workflows.runs.create(workflow_id=workflows.INTERRUPTING).interrupt_data
    return {
        "workflow_id": workflows.INTERRUPTING,
        "event_id": interrupt.event_id,
        "interrupt_type": 2,
        "resume_data": "杭州",
    }


def _waiting_stream(client: Client) -> dict[str, Any]:
    with client.workflows.runs.stream(workflow_id=workflows.INTERRUPTING) as stream:
        text = b"".join(stream.iter_bytes()).decode()
    event_id = json.loads(text.rpartition("data: ")[2])["interrupt_data"]["event_id"]
    return {
        "workflow_id": workflows.INTERRUPTING,
        "event_id": event_id,
        "interrupt_type": 2,
        "resume_data": "杭州",
    }


def _second_admin(client: Client) -> dict[str, Any]:
    person = {"user_id": "42", "organization_role_type": "organization_super_admin"}
    client.organizations.members.create("*", organization_people=[person])
    return {}


def _code(client: Client) -> dict[str, Any]:
    back = Browser(client.base_url).agree(authorize_url(client.base_url, oauth_apps.WEB_APP))
    code = {"client_id": oauth_apps.WEB_APP, "code": code_of(back), "redirect_uri": REDIRECT}
    return {
        "authorization": f"Bearer {oauth_apps.WEB_SECRET}",
        "grant_type": "authorization_code",
        **code,
    }


def _jwt(client: Client) -> dict[str, Any]:
    return {"authorization": f"Bearer {signed(client.base_url)}", "grant_type": JWT_GRANT}


def question(text: str) -> Any:
    """A message of the user."""
    return {"role": "user", "content": text, "content_type": "text"}


SETUP: dict[str, Callable[[Client], dict[str, Any]]] = {
    "chat_cancel": _running_chat,
    "chat_submit_tool_outputs": _waiting_chat,
    "chat_submit_tool_outputs_stream": _waiting_chat,
    "workflows_runs_resume": _waiting_run,
    "workflows_runs_stream_resume": _waiting_stream,
    "organizations_members_delete": _second_admin,
    "oauth_token": _code,
    "oauth_account_token": _jwt,
    "oauth_enterprise_token": _jwt,
}
"""What must have happened before, and the arguments that follow from it."""

_APP = {"client_id": oauth_apps.PKCE_APP, "redirect_uri": REDIRECT}

OVERRIDES: dict[str, dict[str, Any]] = {
    "bots_retrieve": {"is_published": False},
    "chat_create": {"bot_version": None, "publish_status": None},
    "chat_create_stream": {"bot_version": None, "publish_status": None},
    "workflows_chat_stream": {"app_id": None},
    "workflows_runs_create": {"app_id": None},
    "workflows_runs_stream": {"app_id": None},
    "workflows_runs_run_histories_execute_nodes_retrieve": {"node_execute_uuid": NODE},
    "datasets_documents_delete": {"document_ids": ["7****"]},
    "benefits_limitations_update": {"benefit_id": "7****"},
    "conversations_messages_list": {"before_id": None},
    "oauth_authorize": _APP,
    "oauth_authorize_workspace": _APP,
    "oauth_device_code": {"client_id": oauth_apps.DEVICE_APP},
    "oauth_device_code_workspace": {"client_id": oauth_apps.DEVICE_APP},
    "oauth_token": {"scope": None},
}
"""Arguments that differ from the examples: those that exclude each other, and ids of this emulator.
"""
