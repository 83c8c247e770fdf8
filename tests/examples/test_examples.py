"""Every file in examples/ runs here against the local Coze; a new one must say below what it is
expected to do.
"""

from __future__ import annotations

import ast
import logging
import runpy
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cozekit_emulator import TOKEN, Emulator, bots, ids, workflows
from tests.contract.catalogue import operations
from tests.overlays.chunk_server import ChunkServer, reply

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
ELSEWHERE = ("auth_", "callback_", "websockets_")
"""Beginnings of the names of those that need a browser, a caller or a socket: other tests run them.
"""

CALLS = {
    "apps": "apps_list",
    "audio": "audio_speech_create",
    "audio_rooms": "audio_rooms_create",
    "audio_transcriptions": "audio_transcriptions_create",
    "audio_voices_clone": "audio_voices_clone",
    "audio_voices_list": "audio_voices_list",
    "bot_publish": "bots_create bots_update bots_publish chat_create bots_unpublish",
    "bot_retrieve": "bots_list bots_retrieve bots_versions_list",
    "chat_local_plugin": "chat_create chat_submit_tool_outputs",
    "chat_multimodal_stream": "files_upload chat_create",
    "chat_no_stream": "chat_create chat_retrieve chat_messages_list",
    "chat_simple_audio": "files_upload chat_create",
    "chat_stream": "chat_create",
    "chat_stream_async": "chat_create",
    "concurrency": "chat_create",
    "connectors": "connectors_install connectors_user_configs_create connectors_bots_update",
    "conversation": "conversations_create chat_create conversations_messages_list "
    "conversations_clear conversations_delete",
    "conversation_list": "conversations_create conversations_update conversations_list "
    "conversations_retrieve",
    "databases": "databases_create databases_records_insert databases_records_update "
    "databases_records_query databases_tasks_retrieve databases_records_delete databases_delete",
    "demo": "chat_create workflows_runs_create",
    "dataset_create": "datasets_create datasets_update datasets_list datasets_delete",
    "dataset_images": "files_upload datasets_documents_create datasets_process "
    "datasets_images_list datasets_images_update",
    "document_crud": "datasets_documents_create datasets_documents_update "
    "datasets_documents_list datasets_documents_delete",
    "exception": "bots_retrieve users_me",
    "feedback": "chat_create conversations_messages_feedback_create "
    "conversations_messages_feedback_delete",
    "files_upload": "files_upload files_retrieve",
    "folders": "folders_list folders_retrieve",
    "log": "users_me",
    "log_id": "users_me workspaces_list chat_create bots_retrieve",
    "message_crud": "conversations_messages_create conversations_messages_update "
    "conversations_messages_delete",
    "message_list": "conversations_messages_list",
    "organizations": "enterprises_organizations_list organizations_members_list",
    "plugins": "plugins_categories_list plugins_list plugins_retrieve plugins_tools_call",
    "proxies": "users_me",
    "quotas_and_bills": "benefits_retrieve benefits_limitations_create "
    "benefits_bill_tasks_create benefits_bill_tasks_list",
    "raw_responses": "users_me",
    "retries": "users_me",
    "template_duplicate": "templates_duplicate entities_copy_tasks_create "
    "entities_copy_tasks_retrieve",
    "timeout": "users_me chat_create",
    "users_me": "users_me",
    "variables": "variables_update variables_retrieve",
    "voiceprints": "audio_voiceprint_groups_create audio_voiceprint_groups_features_create "
    "audio_voiceprint_groups_speaker_identify",
    "workflow_async": "workflows_runs_create workflows_runs_run_histories_retrieve",
    "workflow_chat_stream": "workflows_chat_stream",
    "workflow_no_stream": "workflows_runs_create",
    "workflow_node_output": "workflows_runs_run_histories_execute_nodes_retrieve",
    "workflow_stream": "workflows_runs_stream workflows_runs_stream_resume",
    "workspaces_list": "workspaces_list",
    "workspaces_members": "workspaces_members_create workspaces_members_list "
    "workspaces_members_delete",
}
"""Example → operations that it must have called."""

SAYS = {
    "chat_local_plugin": ["asked for the weather in 杭州", '"temperature":21'],
    "chat_stream": ["Why is the sky blue?", "And at dusk?"],
    "chat_multimodal_stream": ["1 个文件"],
    "concurrency": ["0 times 0", "9 times 9"],
    "exception": [
        "no such bot: code 4200",
        "rejected before anything was sent",
        "authentication failed: 700012006",
    ],
    "log": ["cozekit DEBUG", "users_me"],
    "message_crud": ["now: Hello, otter", "left: 0"],
    "message_list": ["page 1: ['line 0', 'line 1']", "page 3: ['line 4']"],
    "raw_responses": ["200 application/json", '"user_id"'.replace('"', "'")],
    "retries": [
        "without retries: failed; retry after 4.0 s",
        "HTTP 429",
        "attempt 1 in 2.0 s",
        "attempt 2 in 3.0 s",
        "with retries: zhangsan",
    ],
    "files_upload": [
        "\r0 of 1000000 bytes",
        "\r131072 of 1000000 bytes",
        "\r1000000 of 1000000 bytes\n",
        "numbers.txt 1000000 bytes",
    ],
    "timeout": ["quick:", "story:"],
    "variables": ["city = Hangzhou"],
    "workflow_stream": [workflows.QUESTION, "Hangzhou, tomorrow ☀️"],
}
"""Example → what it must have printed."""

ENVIRONMENT = {
    "COZE_API_TOKEN": TOKEN,
    "COZE_BOT_ID": bots.ANSWERING,
    "COZE_WORKFLOW_ID": workflows.PLAIN,
    "COZE_CHATFLOW_ID": workflows.CHATFLOW,
    "COZE_WORKSPACE_ID": ids.WORKSPACE,
    "COZE_ENTERPRISE_ID": ids.ENTERPRISE,
    "COZE_VOICE_ID": ids.VOICE,
    "COZE_GUEST_ID": "7400000000000000777",
    "COZE_CONNECTOR_ID": "1024",
    "COZE_TEMPLATE_ID": "7400000000000000024",
    "COZE_PLUGIN_ID": "7400000000000000021",
    "COZE_PLUGIN_TOOL": "get_weather",
}
FAILURES = {"retries": ["retry-after=4", "retry-after=2", "retry-after=3"]}
"""Example → how its first calls go wrong, one after the other."""

SPECIAL = {
    "chat_local_plugin": {"COZE_BOT_ID": bots.TOOL_CALLING},
    "workflow_stream": {"COZE_WORKFLOW_ID": workflows.INTERRUPTING},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator() as local:
        yield local


@pytest.fixture
def local(server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """The local Coze as the environment names it, an empty directory to write into, and no waiting
    between two polls.
    """
    server.reset()
    for name, value in {**ENVIRONMENT, "COZE_API_BASE": server.base_url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return server


@contextmanager
def fresh_logging() -> Iterator[None]:
    """Examples may set up logging as a program does."""
    root, client = logging.getLogger(), logging.getLogger("cozekit")
    handlers, levels = list(root.handlers), (root.level, client.level)
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        client.setLevel(levels[1])


def ours() -> list[str]:
    return [name for name in EXAMPLES if not name.startswith(ELSEWHERE)]


def run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    with fresh_logging():
        runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")


def test_examples_that_run_on_coze_studio_call_what_it_has() -> None:
    marked = [
        path.stem
        for path in (ROOT / "examples").glob("*.py")
        if "Runs on Coze Studio too" in path.read_text(encoding="utf-8")
    ]
    called = {name for stem in marked for name in CALLS[stem].split()}
    assert len(marked) > 8
    assert [n for n in called if "x-coze-also-on" not in operations()[n].node] == []


@pytest.mark.parametrize("name", ours())
def test_an_example_runs_and_does_what_it_shows(
    name: str, local: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, value in SPECIAL.get(name, {}).items():
        monkeypatch.setenv(key, value)
    for rule in FAILURES.get(name, []):
        local.emulate(rule)
    run(name, monkeypatch)
    printed = capsys.readouterr()
    assert printed.out.strip()
    for text in SAYS.get(name, []):
        assert text in printed.out + printed.err
    called = {seen.operation for seen in local.requests}
    assert set(CALLS[name].split()) <= called


def test_the_proxy_example_goes_through_the_proxy_in_both_ways(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address is one that only the proxy knows."""
    for name in ("ALL_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with ChunkServer(reply({"code": 0, "msg": "", "data": {"user_name": "Otter"}})) as proxy:
        for name, value in {
            "HTTP_PROXY": proxy.url,
            "COZE_PROXY": proxy.url,
            "COZE_API_BASE": "http://coze.test",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COZE_API_TOKEN", TOKEN)
        run("proxies", monkeypatch)
    assert capsys.readouterr().out.splitlines() == [
        "proxy from the environment: Otter",
        "proxy from the HTTP client: Otter",
    ]
    assert [request.target for request in proxy.requests] == ["http://coze.test/v1/users/me"] * 2
    assert proxy.connections == 2, "each client has its own connections"


def test_no_example_is_forgotten() -> None:
    assert ours() == sorted(CALLS)
    assert set(SAYS) | set(FAILURES) <= set(CALLS)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.startswith(ELSEWHERE)])
def test_an_example_that_does_not_run_here_is_named_in_another_test(name: str) -> None:
    """By its name, or by the beginning of it in a pattern such as `callback_*.py` or
    `f"callback_{framework}"`.
    """
    beginning = next(part for part in ELSEWHERE if name.startswith(part))
    tests = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__)
    ]
    named = (name, f"{beginning}*", f"{beginning}{{")
    assert any(part in text for text in tests for part in named), f"no test runs examples/{name}.py"


@pytest.mark.parametrize("name", ours())
def test_an_example_is_short_and_says_what_it_shows_and_reads(name: str) -> None:
    text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 70
    says = ast.get_docstring(ast.parse(text)) or ""
    assert says.partition("\n")[0].endswith(".")
    for variable in set(ENVIRONMENT) & {
        word.strip('"[]().,') for word in text.replace("(", " ").replace("[", " ").split()
    }:
        assert variable in says
