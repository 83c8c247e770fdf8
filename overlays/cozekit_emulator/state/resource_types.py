"""The types of resources: ids and parent of each, and what its sample looks like.

A new resource that is created, listed, read, changed and deleted in the usual way is one entry here
and one line per operation in `handlers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import bots, workflows
from .ids import (
    API_CHANNEL,
    CONVERSATION,
    DATASET,
    ENTERPRISE,
    FOLDER,
    ORGANIZATION,
    USER,
    VOICE,
    WORKSPACE,
)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What the emulator knows about one type of resource."""

    name: str
    id_fields: tuple[str, ...]
    """Fields that hold the id; the first is the name of the argument."""
    schemas: tuple[str, ...] = ()
    """Named schemas whose examples fill what the server decides and the caller does not."""
    sample_id: str = ""
    """Id of the one resource that exists from the start; none when empty."""
    not_found_code: int = 4200
    """Error code for an unknown id."""
    parent: str = ""
    """The type that owns it: `workspace_members` belong to `workspaces`, and another workspace does
    not see them.
    """
    scope: tuple[str, ...] = ()
    """Arguments whose values separate collections that no other type owns."""
    creation_fields: tuple[str, ...] = ("created_at", "create_time")
    update_fields: tuple[str, ...] = ("updated_at", "update_time")
    times_as_text: bool = False
    duplicate_code: int = 0
    """Error code for adding what exists; with 0 it is replaced."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Field of a request → field of the record."""
    sample_fields: Mapping[str, Any] = field(default_factory=dict)
    """Values of the sample that differ from the examples."""
    initial_fields: Mapping[str, Any] = field(default_factory=dict)
    """Values of a new resource that differ from the examples."""

    @property
    def id_field(self) -> str:
        """Name of the argument that holds the id."""
        return self.id_fields[0]


_IN_WORKSPACE = {"workspace_id": WORKSPACE, "space_id": WORKSPACE}
_BOT_FIELDS = {
    "space_id": "workspace_id",
    "model_info_config": "model_info",
    "icon_file_id": "_icon_file_id",
    "plugin_id_list": "_plugin_id_list",
    "workflow_id_list": "_workflow_id_list",
    "knowledge": "_knowledge",
}

_TYPES = (
    ResourceType(
        "workspaces",
        ("workspace_id", "id"),
        ("Workspace",),
        WORKSPACE,
        creation_fields=(),
        update_fields=(),
        sample_fields={"owner_uid": USER, "admin_uids": [USER]},
        initial_fields={
            "owner_uid": USER,
            "admin_uids": [USER],
            "role_type": "owner",
            "workspace_type": "team",
            "joined_status": "joined",
        },
    ),
    ResourceType(
        "workspace_members",
        ("user_id",),
        ("WorkspaceMember",),
        USER,
        parent="workspaces",
        creation_fields=(),
        update_fields=(),
        sample_fields={"role_type": "owner"},
    ),
    ResourceType("enterprises", ("enterprise_id",), (), ENTERPRISE),
    ResourceType(
        "enterprise_members",
        ("user_id",),
        ("EnterpriseMember",),
        USER,
        parent="enterprises",
        creation_fields=(),
        update_fields=(),
        sample_fields={"role": "enterprise_admin"},
    ),
    ResourceType(
        "organizations",
        ("organization_id",),
        ("Organization",),
        ORGANIZATION,
        renames={"name": "organization_name"},
        sample_fields={"enterprise_id": ENTERPRISE, "is_default_organization": True},
        initial_fields={"is_default_organization": False},
    ),
    ResourceType(
        "organization_members",
        ("user_id",),
        ("OrganizationMember",),
        USER,
        parent="organizations",
        update_fields=(),
        sample_fields={"organization_role_type": "organization_super_admin"},
        initial_fields={"is_valid": True, "people_type": "employee"},
    ),
    ResourceType(
        "bots",
        ("bot_id", "id"),
        ("Bot", "BotSummary"),
        bots.ANSWERING,
        renames=_BOT_FIELDS,
        initial_fields={
            "bot_mode": 0,
            "owner_user_id": USER,
            "is_published": False,
            "folder_id": "",
        },
    ),
    ResourceType(
        "bot_versions", ("_key",), ("BotVersion",), parent="bots", update_fields=()
    ),  # a version can be on several channels
    *(
        ResourceType(
            f"{name}_collaborators",
            ("user_id",),
            (),
            USER,
            parent=f"{name}s",
            creation_fields=(),
            update_fields=(),
            duplicate_code=4201,
        )
        for name in ("bot", "app", "workflow")
    ),
    ResourceType(
        "apps",
        ("app_id", "id"),
        ("AppSummary",),
        "7400000000000000011",
        sample_fields={**_IN_WORKSPACE, "is_published": True},
    ),
    ResourceType(
        "workflows", ("workflow_id",), ("WorkflowSummary",), workflows.PLAIN, times_as_text=True
    ),
    ResourceType(
        "workflow_versions",
        ("version",),
        ("WorkflowVersion",),
        "v0.0.1",
        parent="workflows",
        times_as_text=True,
    ),
    ResourceType(
        "folders",
        ("folder_id", "id"),
        ("Folder",),
        FOLDER,
        sample_fields={**_IN_WORKSPACE, "parent_folder_id": "", "folder_type": "development"},
    ),
    ResourceType("conversations", ("conversation_id", "id"), ("Conversation",), CONVERSATION, 4002),
    ResourceType(
        "messages",
        ("message_id", "id"),
        ("Message",),
        "7400000000000000012",
        4005,
        "conversations",
        sample_fields={"conversation_id": CONVERSATION, "role": "user", "type": "question"},
    ),
    ResourceType(
        "feedback",
        ("message_id",),
        ("CreateMessageFeedbackRequest",),
        "7400000000000000012",
        4005,
        "messages",
    ),
    ResourceType(
        "chats", ("chat_id", "id"), ("Chat",), "7400000000000000013", 4001, update_fields=()
    ),
    ResourceType("files", ("file_id", "id"), ("File",), "7400000000000000014", update_fields=()),
    ResourceType(
        "datasets",
        ("dataset_id",),
        ("Dataset",),
        DATASET,
        sample_fields=_IN_WORKSPACE,
        initial_fields={
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
    ResourceType(
        "documents",
        ("document_id",),
        ("Document", "DatasetImage", "DocumentProgress"),
        "7400000000000000015",
        renames={"document_name": "name"},
        sample_fields={"dataset_id": DATASET, "format_type": 2, "status": 1, "progress": 100},
    ),
    ResourceType(
        "databases",
        ("database_id", "id"),
        ("Database",),
        "7400000000000000027",
        times_as_text=True,
        sample_fields={
            "workspace_id": WORKSPACE,
            "app_id": "0",
            "rw_mode": "unlimited_read_write",
            "fields": [
                {"name": "user_id", "desc": "姓名", "type": "string", "is_required": True},
                {"name": "level", "desc": "等级", "type": "integer", "is_required": True},
            ],
        },
        initial_fields={"app_id": "0", "creator_id": USER},
    ),
    ResourceType(
        "database_rows", ("id",), parent="databases", creation_fields=(), update_fields=()
    ),
    ResourceType(
        "database_tasks",
        ("task_id",),
        ("DatabaseTask",),
        "7400000000000000028",
        creation_fields=(),
        update_fields=(),
        sample_fields={"status": "succeed", "task_type": "insert", "affected_rows": 2},
    ),
    ResourceType(
        "variables", ("keyword",), ("UserVariable",), scope=("app_id", "bot_id", "connector_uid")
    ),
    ResourceType(
        "voices",
        ("voice_id",),
        ("Voice",),
        VOICE,
        renames={"voice_name": "name", "language": "language_code"},
        sample_fields={"state": "cloned", "is_system_voice": False},
        initial_fields={
            "state": "cloned",
            "is_system_voice": False,
            "model_type": "big",
            "language_code": "zh",
            "available_training_times": 9,
        },
    ),
    ResourceType("lives", ("live_id",), ("Live",), "7400000000000000016"),
    ResourceType(
        "voiceprint_groups",
        ("group_id", "id"),
        ("VoiceprintGroup",),
        "7400000000000000017",
        sample_fields={"feature_count": 1},
        initial_fields={"feature_count": 0},
    ),
    ResourceType(
        "voiceprints",
        ("feature_id", "id"),
        ("Voiceprint",),
        "7400000000000000018",
        parent="voiceprint_groups",
    ),
    ResourceType("api_apps", ("api_app_id", "id"), ("ApiApp",), "7512045450401153075"),
    ResourceType(
        "api_app_events",
        ("event_type",),
        ("ApiAppEvent",),
        "bot.published",
        parent="api_apps",
        creation_fields=(),
        update_fields=(),
    ),
    ResourceType(
        "limitations",
        ("benefit_id",),
        ("BenefitLimitation",),
        "7400000000000000019",
        sample_fields={"benefit_type": "resource_point", "status": "valid"},
        initial_fields={"status": "valid"},
    ),
    ResourceType(
        "bill_tasks",
        ("task_id",),
        ("BillTask",),
        "123",
        update_fields=(),
        sample_fields={"status": "succeed"},
        initial_fields={"status": "init", "file_urls": []},
    ),
    ResourceType(
        "copy_tasks",
        ("task_id",),
        ("CopyTask",),
        "7400000000000000020",
        sample_fields={"task_status": "successful", "failed_reasons": []},
    ),
    ResourceType("plugins", ("plugin_id",), ("Plugin",), "7400000000000000021"),
    ResourceType("store_plugins", ("product_id",), ("StorePlugin",), "7400000000000000022"),
    ResourceType(
        "plugin_categories", ("category_id", "id"), ("PluginCategory",), "7400000000000000023"
    ),
    ResourceType("templates", ("template_id",), (), "7400000000000000024"),
    ResourceType("connectors", ("connector_id",), (), API_CHANNEL),
    ResourceType("runs", ("execute_id",), ("WorkflowRunHistory",), "7400000000000000025", 4314),
)

RESOURCE_TYPES = {resource_type.name: resource_type for resource_type in _TYPES}
