"""The kinds of resources: how each is named, who owns it, and what the sample of each looks like.

A new resource with the usual life (created, listed, read, changed, deleted) is one line here and
one line per operation in `handlers.py`.
"""

from __future__ import annotations

from . import bots, workflows
from .store import Kind

WORKSPACE = "7400000000000000001"
"""The workspace that is there from the beginning, and that holds the samples."""
ENTERPRISE = "volcano_2100000001"
ORGANIZATION = "7400000000000000002"
DATASET = "7400000000000000003"
CONVERSATION = "7400000000000000004"
VOICE = "7400000000000000005"
FOLDER = "7400000000000000006"
USER = "7400000000000000007"
"""The owner of the token."""

_HERE = {"workspace_id": WORKSPACE, "space_id": WORKSPACE}
_SETTINGS = {
    "space_id": "workspace_id",
    "model_info_config": "model_info",
    "icon_file_id": "_icon_file_id",
    "plugin_id_list": "_plugin_id_list",
    "workflow_id_list": "_workflow_id_list",
    "knowledge": "_knowledge",
}

_TABLE = (
    Kind(
        "workspaces",
        ("workspace_id", "id"),
        ("Workspace",),
        WORKSPACE,
        made=(),
        touched=(),
        fixed={"owner_uid": USER, "admin_uids": [USER]},
        fresh={
            "owner_uid": USER,
            "admin_uids": [USER],
            "role_type": "owner",
            "workspace_type": "team",
            "joined_status": "joined",
        },
    ),
    Kind(
        "workspace_members",
        ("user_id",),
        ("WorkspaceMember",),
        USER,
        within="workspaces",
        made=(),
        touched=(),
        fixed={"role_type": "owner"},
    ),
    Kind("enterprises", ("enterprise_id",), (), ENTERPRISE),
    Kind(
        "enterprise_members",
        ("user_id",),
        ("EnterpriseMember",),
        USER,
        within="enterprises",
        made=(),
        touched=(),
        fixed={"role": "enterprise_admin"},
    ),
    Kind(
        "organizations",
        ("organization_id",),
        ("Organization",),
        ORGANIZATION,
        rename={"name": "organization_name"},
        fixed={"enterprise_id": ENTERPRISE, "is_default_organization": True},
        fresh={"is_default_organization": False},
    ),
    Kind(
        "organization_members",
        ("user_id",),
        ("OrganizationMember",),
        USER,
        within="organizations",
        touched=(),
        fixed={"organization_role_type": "organization_super_admin"},
        fresh={"is_valid": True, "people_type": "employee"},
    ),
    Kind(
        "bots",
        ("bot_id", "id"),
        ("Bot", "BotSummary"),
        bots.ANSWERING,
        rename=_SETTINGS,
        fresh={"bot_mode": 0, "owner_user_id": USER, "is_published": False, "folder_id": ""},
    ),
    Kind(
        "bot_versions", ("_key",), ("BotVersion",), within="bots", touched=()
    ),  # one version stands on several channels
    Kind(
        "bot_collaborators",
        ("user_id",),
        (),
        USER,
        within="bots",
        made=(),
        touched=(),
        duplicate=4201,
    ),
    Kind(
        "apps",
        ("app_id", "id"),
        ("AppSummary",),
        "7400000000000000011",
        fixed={**_HERE, "is_published": True},
    ),
    Kind(
        "app_collaborators",
        ("user_id",),
        (),
        USER,
        within="apps",
        made=(),
        touched=(),
        duplicate=4201,
    ),
    Kind(
        "workflow_collaborators",
        ("user_id",),
        (),
        USER,
        within="workflows",
        made=(),
        touched=(),
        duplicate=4201,
    ),
    Kind("workflows", ("workflow_id",), ("WorkflowSummary",), workflows.PLAIN, text_times=True),
    Kind(
        "workflow_versions",
        ("version",),
        ("WorkflowVersion",),
        "v0.0.1",
        within="workflows",
        text_times=True,
    ),
    Kind(
        "folders",
        ("folder_id", "id"),
        ("Folder",),
        FOLDER,
        fixed={**_HERE, "parent_folder_id": "", "folder_type": "development"},
    ),
    Kind("conversations", ("conversation_id", "id"), ("Conversation",), CONVERSATION, 4002),
    Kind(
        "messages",
        ("message_id", "id"),
        ("Message",),
        "7400000000000000012",
        4005,
        "conversations",
        fixed={"conversation_id": CONVERSATION, "role": "user", "type": "question"},
    ),
    Kind(
        "feedback",
        ("message_id",),
        ("CreateMessageFeedbackRequest",),
        "7400000000000000012",
        4005,
        "messages",
    ),
    Kind("chats", ("chat_id", "id"), ("Chat",), "7400000000000000013", 4001, touched=()),
    Kind("files", ("file_id", "id"), ("File",), "7400000000000000014", touched=()),
    Kind(
        "datasets",
        ("dataset_id",),
        ("Dataset",),
        DATASET,
        fixed=_HERE,
        fresh={
            "status": 1,
            "can_edit": True,
            "creator_id": USER,
            "doc_count": 0,
            "slice_count": 0,
            "hit_count": 0,
            "bot_used_count": 0,
            "all_file_size": "0",
            "file_list": [],
            "failed_file_list": [],
            "processing_file_list": [],
            "processing_file_id_list": [],
        },
    ),
    Kind(
        "documents",
        ("document_id",),
        ("Document", "DatasetImage", "DocumentProgress"),
        "7400000000000000015",
        rename={"document_name": "name"},
        fixed={"dataset_id": DATASET, "format_type": 2, "status": 1, "progress": 100},
    ),
    Kind("variables", ("keyword",), ("UserVariable",), scope=("app_id", "bot_id", "connector_uid")),
    Kind(
        "voices",
        ("voice_id",),
        ("Voice",),
        VOICE,
        rename={"voice_name": "name", "language": "language_code"},
        fixed={"state": "cloned", "is_system_voice": False},
        fresh={
            "state": "cloned",
            "is_system_voice": False,
            "model_type": "big",
            "language_code": "zh",
            "available_training_times": 9,
        },
    ),
    Kind("lives", ("live_id",), ("Live",), "7400000000000000016"),
    Kind(
        "voiceprint_groups",
        ("group_id", "id"),
        ("VoiceprintGroup",),
        "7400000000000000017",
        fixed={"feature_count": 1},
        fresh={"feature_count": 0},
    ),
    Kind(
        "voiceprints",
        ("feature_id", "id"),
        ("Voiceprint",),
        "7400000000000000018",
        within="voiceprint_groups",
    ),
    Kind("api_apps", ("api_app_id", "id"), ("ApiApp",), "7512045450401153075"),
    Kind(
        "api_app_events",
        ("event_type",),
        ("ApiAppEvent",),
        "bot.published",
        within="api_apps",
        made=(),
        touched=(),
    ),
    Kind(
        "limitations",
        ("benefit_id",),
        ("BenefitLimitation",),
        "7400000000000000019",
        fixed={"benefit_type": "resource_point", "status": "valid"},
        fresh={"status": "valid"},
    ),
    Kind(
        "bill_tasks",
        ("task_id",),
        ("BillTask",),
        "123",
        touched=(),
        fixed={"status": "succeed"},
        fresh={"status": "init", "file_urls": []},
    ),
    Kind(
        "copy_tasks",
        ("task_id",),
        ("CopyTask",),
        "7400000000000000020",
        fixed={"task_status": "successful", "failed_reasons": []},
    ),
    Kind("plugins", ("plugin_id",), ("Plugin",), "7400000000000000021"),
    Kind("store_plugins", ("product_id",), ("StorePlugin",), "7400000000000000022"),
    Kind("plugin_categories", ("category_id", "id"), ("PluginCategory",), "7400000000000000023"),
    Kind("templates", ("template_id",), (), "7400000000000000024"),
    Kind("connectors", ("connector_id",), (), "1024"),
    Kind("runs", ("execute_id",), ("WorkflowRunHistory",), "7400000000000000025", 4314),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}
