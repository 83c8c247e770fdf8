"""The handler of each operation. An operation that is not listed gets the example of the
description as its response, if its path names an id of the examples.
"""

from __future__ import annotations

from .http.crud import create, create_each, delete, delete_each, list_page, retrieve, update
from .http.request import Handler
from .http.response_fields import example_response
from .oauth import endpoints
from .operations import (
    audio,
    bots,
    callback_apps,
    chats,
    conversations,
    databases,
    datasets,
    jobs,
    members,
    workflows,
)
from .operations.bots import has_publish_status

_WORKSPACE = {"workspaces": "workspace_id"}

HANDLERS: dict[str, Handler] = {
    # Callback applications
    "api_apps_create": callback_apps.create_app,
    "api_apps_list": list_page("api_apps", {"app_type": "app_type"}),
    "api_apps_update": callback_apps.update_app,
    "api_apps_delete": delete("api_apps"),
    "api_apps_events_create": create_each(
        "api_app_events", "event_types", element_field="event_type"
    ),
    "api_apps_events_delete": delete_each("api_app_events", "event_types"),
    "api_apps_events_list": list_page("api_app_events"),
    # Apps
    "apps_list": list_page(
        "apps", {"workspace_id": "workspace_id"}, has_publish_status, requires=_WORKSPACE
    ),
    "apps_collaborators_create": create_each("app_collaborators", "collaborators", fills=False),
    "apps_collaborators_delete": delete("app_collaborators"),
    # Audio
    "audio_live_retrieve": retrieve("lives"),
    "audio_speech_create": audio.synthesize_speech,
    "audio_transcriptions_create": audio.requires_file(example_response),
    "audio_voices_list": list_page("voices", None, audio.voice_matches),
    "audio_voices_clone": audio.requires_file(audio.clone_voice),
    "audio_voiceprint_groups_create": create("voiceprint_groups", audio.set_creator),
    "audio_voiceprint_groups_list": list_page(
        "voiceprint_groups", {"group_id": "group_id"}, audio.name_starts_with
    ),
    "audio_voiceprint_groups_update": update("voiceprint_groups"),
    "audio_voiceprint_groups_delete": delete("voiceprint_groups"),
    "audio_voiceprint_groups_features_create": audio.requires_file(
        create("voiceprints", audio.after_create_voiceprint)
    ),
    "audio_voiceprint_groups_features_list": list_page("voiceprints"),
    "audio_voiceprint_groups_features_update": update("voiceprints"),
    "audio_voiceprint_groups_features_delete": audio.delete_voiceprint,
    "audio_voiceprint_groups_speaker_identify": audio.requires_file(audio.identify_speaker),
    # Quotas and bills
    "benefits_retrieve": jobs.retrieve_benefits,
    "benefits_bill_tasks_create": create("bill_tasks"),
    "benefits_bill_tasks_list": jobs.list_bills,
    "benefits_limitations_create": jobs.create_limitation,
    "benefits_limitations_list": list_page(
        "limitations", jobs.LIMITATION_FILTERS, jobs.limitation_has_status
    ),
    "benefits_limitations_update": update("limitations"),
    # Bots
    "bots_create": create("bots", bots.after_create, requires={"workspaces": "space_id"}),
    "bots_update": update("bots", bots.after_update),
    "bots_list": list_page(
        "bots", {"workspace_id": "workspace_id"}, has_publish_status, requires=_WORKSPACE
    ),
    "bots_list_published": list_page(
        "bots",
        {"workspace_id": "space_id"},
        has_publish_status,
        requires={"workspaces": "space_id"},
    ),
    "bots_retrieve": bots.retrieve,
    "bots_retrieve_published": bots.retrieve,
    "bots_publish": bots.publish,
    "bots_unpublish": bots.unpublish,
    "bots_versions_list": list_page(
        "bot_versions", {"connector_id": "connector_id"}, bots.version_has_publish_status
    ),
    "bots_collaboration_modes_update": update("bots"),
    "bots_collaborators_create": create_each("bot_collaborators", "collaborators", fills=False),
    "bots_collaborators_delete": delete("bot_collaborators"),
    "connectors_bots_update": bots.report_review,
    # There is no way to make a channel, so any is taken for granted.
    "connectors_install": example_response,
    "connectors_user_configs_create": example_response,
    # Chats
    "chat_create": chats.create,
    "chat_retrieve": chats.retrieve,
    "chat_cancel": chats.cancel,
    "chat_submit_tool_outputs": chats.submit_tool_outputs,
    "chat_messages_list": chats.list_messages,
    "workflows_chat_stream": chats.stream_chatflow,
    # Conversations
    "conversations_create": conversations.create,
    "conversations_list": conversations.list_all,
    "conversations_retrieve": retrieve("conversations"),
    "conversations_update": update("conversations"),
    "conversations_delete": delete("conversations"),
    "conversations_clear": conversations.clear,
    "conversations_messages_create": conversations.create_message,
    "conversations_messages_list": conversations.list_messages,
    "conversations_messages_retrieve": retrieve("messages"),
    "conversations_messages_update": update("messages"),
    "conversations_messages_delete": delete("messages"),
    "conversations_messages_feedback_create": conversations.set_feedback,
    "conversations_messages_feedback_delete": delete("feedback"),
    # Databases
    "databases_create": create("databases", requires=_WORKSPACE),
    "databases_list": list_page("databases", {"workspace_id": "workspace_id"}, requires=_WORKSPACE),
    "databases_delete": delete("databases", databases.delete_rows_of),
    "databases_records_insert": databases.insert,
    "databases_records_update": databases.update,
    "databases_records_delete": databases.delete,
    "databases_records_query": databases.query,
    "databases_tasks_retrieve": databases.retrieve_task,
    # Knowledge
    "datasets_create": create("datasets", requires={"workspaces": "space_id"}),
    "datasets_list": list_page(
        "datasets",
        {"space_id": "space_id", "format_type": "format_type"},
        datasets.name_contains,
        requires={"workspaces": "space_id"},
    ),
    "datasets_update": update("datasets"),
    "datasets_delete": delete("datasets", datasets.delete_documents_of),
    "datasets_process": datasets.list_progress,
    "datasets_documents_create": datasets.create_documents,
    "datasets_documents_list": datasets.list_documents,
    "datasets_documents_update": update("documents", datasets.update_dataset_of),
    "datasets_documents_delete": datasets.delete_documents,
    "datasets_images_list": datasets.list_images,
    "datasets_images_update": update("documents", datasets.update_dataset_of),
    # Enterprises, organizations, workspaces
    "enterprises_members_create": create_each("enterprise_members", "users", fills=False),
    "enterprises_members_update": update("enterprise_members"),
    "enterprises_members_delete": delete("enterprise_members"),
    "enterprises_organizations_create": create(
        "organizations", members.add_organization_admin, requires={"enterprises": "enterprise_id"}
    ),
    "enterprises_organizations_list": list_page(
        "organizations",
        {"enterprise_id": "enterprise_id"},
        requires={"enterprises": "enterprise_id"},
    ),
    "organizations_update": update("organizations"),
    "organizations_members_create": create_each("organization_members", "organization_people"),
    "organizations_members_list": list_page("organization_members"),
    "organizations_members_update": update("organization_members"),
    "organizations_members_delete": delete("organization_members", members.keep_last_admin),
    "workspaces_create": create("workspaces", members.add_workspace_owner),
    "workspaces_list": list_page("workspaces"),
    "workspaces_update": update("workspaces"),
    "workspaces_members_create": members.add_to_workspace,
    "workspaces_members_list": list_page("workspace_members"),
    "workspaces_members_delete": members.remove_from_workspace,
    # Copies and templates
    "entities_copy_tasks_create": jobs.create_copy,
    "entities_copy_tasks_retrieve": jobs.retrieve_copy,
    "templates_duplicate": bots.duplicate_template,
    # Files and folders
    "files_upload": audio.upload_file,
    "files_retrieve": retrieve("files"),
    "folders_list": list_page(
        "folders",
        {"workspace_id": "workspace_id", "folder_type": "folder_type"},
        bots.is_in_parent_folder,
        requires=_WORKSPACE,
    ),
    "folders_retrieve": retrieve("folders"),
    # Sign-in
    "oauth_account_token": endpoints.account_token,
    "oauth_authorize": endpoints.authorize,
    "oauth_authorize_workspace": endpoints.authorize,
    "oauth_device_code": endpoints.device_code,
    "oauth_device_code_workspace": endpoints.device_code,
    "oauth_enterprise_token": endpoints.enterprise_token,
    "oauth_token": endpoints.token,
    # Plugins
    "plugins_list": list_page("store_plugins"),
    "plugins_categories_list": list_page("plugin_categories"),
    "plugins_retrieve": retrieve("plugins"),
    "plugins_retrieve_many": jobs.retrieve_plugins,
    "plugins_tools_call": jobs.call_plugin,
    # Variables
    "variables_retrieve": members.get_variables,
    "variables_update": members.set_variables,
    # Workflows
    "workflows_list": list_page(
        "workflows",
        {"workspace_id": "workspace_id", "app_id": "app_id"},
        workflows.has_mode,
        requires=_WORKSPACE,
    ),
    "workflows_retrieve": workflows.retrieve,
    "workflows_versions_list": list_page("workflow_versions", None, has_publish_status),
    "workflows_collaboration_modes_update": update("workflows"),
    "workflows_collaborators_create": create_each(
        "workflow_collaborators", "collaborators", fills=False
    ),
    "workflows_collaborators_delete": delete("workflow_collaborators"),
    "workflows_runs_create": workflows.create_run,
    "workflows_runs_stream": workflows.stream_run,
    "workflows_runs_stream_resume": workflows.stream_resumed_run,
    "workflows_runs_resume": workflows.resume_run,
    "workflows_runs_run_histories_retrieve": workflows.retrieve_history,
    "workflows_runs_run_histories_execute_nodes_retrieve": workflows.retrieve_node,
}
