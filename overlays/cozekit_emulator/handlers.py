"""Which handler answers which operation. An operation that is not listed is answered from the
examples of the description.
"""

from __future__ import annotations

from . import (
    callback_apps,
    chats,
    conversations,
    knowledge,
    media,
    oauth,
    people,
    publishing,
    runs,
    tasks,
)
from .calls import Handler
from .publishing import by_publication
from .verbs import create, create_each, delete, delete_each, listing, retrieve, update

_SPACE = {"workspaces": "workspace_id"}

HANDLERS: dict[str, Handler] = {
    # Callback applications
    "api_apps_create": callback_apps.create_app,
    "api_apps_list": listing("api_apps", {"app_type": "app_type"}),
    "api_apps_update": callback_apps.update_app,
    "api_apps_delete": delete("api_apps"),
    "api_apps_events_create": create_each("api_app_events", "event_types", name="event_type"),
    "api_apps_events_delete": delete_each("api_app_events", "event_types"),
    "api_apps_events_list": listing("api_app_events"),
    # Apps
    "apps_list": listing("apps", {"workspace_id": "workspace_id"}, by_publication, needs=_SPACE),
    "apps_collaborators_create": create_each("app_collaborators", "collaborators", fills=False),
    "apps_collaborators_delete": delete("app_collaborators"),
    # Sound
    "audio_live_retrieve": retrieve("lives"),
    "audio_speech_create": media.speech,
    "audio_transcriptions_create": media.with_file(media.transcribe),
    "audio_voices_list": listing("voices", None, media.by_voice),
    "audio_voices_clone": media.clone_voice,
    "audio_voiceprint_groups_create": create("voiceprint_groups", media.sign),
    "audio_voiceprint_groups_list": listing(
        "voiceprint_groups", {"group_id": "group_id"}, media.by_group
    ),
    "audio_voiceprint_groups_update": update("voiceprint_groups"),
    "audio_voiceprint_groups_delete": delete("voiceprint_groups"),
    "audio_voiceprint_groups_features_create": media.with_file(
        create("voiceprints", media.add_voiceprint)
    ),
    "audio_voiceprint_groups_features_list": listing("voiceprints"),
    "audio_voiceprint_groups_features_update": update("voiceprints"),
    "audio_voiceprint_groups_features_delete": media.delete_voiceprint,
    "audio_voiceprint_groups_speaker_identify": media.identify_speaker,
    # Quotas and bills
    "benefits_retrieve": tasks.benefits,
    "benefits_bill_tasks_create": create("bill_tasks"),
    "benefits_bill_tasks_list": tasks.list_bill_tasks,
    "benefits_limitations_create": tasks.create_limitation,
    "benefits_limitations_list": listing("limitations", tasks.LIMITATION_FILTERS, tasks.by_status),
    "benefits_limitations_update": update("limitations"),
    # Bots
    "bots_create": create("bots", publishing.founded, needs={"workspaces": "space_id"}),
    "bots_update": update("bots", publishing.edited),
    "bots_list": listing("bots", {"workspace_id": "workspace_id"}, by_publication, needs=_SPACE),
    "bots_list_published": listing(
        "bots", {"workspace_id": "space_id"}, by_publication, needs={"workspaces": "space_id"}
    ),
    "bots_retrieve": publishing.retrieve_bot,
    "bots_retrieve_published": publishing.retrieve_bot,
    "bots_publish": publishing.publish_bot,
    "bots_unpublish": publishing.unpublish_bot,
    "bots_versions_list": listing(
        "bot_versions", {"connector_id": "connector_id"}, publishing.by_version
    ),
    "bots_collaboration_modes_update": update("bots"),
    "bots_collaborators_create": create_each("bot_collaborators", "collaborators", fills=False),
    "bots_collaborators_delete": delete("bot_collaborators"),
    "connectors_bots_update": publishing.report_review,
    # Chats
    "chat_create": chats.create,
    "chat_retrieve": chats.retrieve,
    "chat_cancel": chats.cancel,
    "chat_submit_tool_outputs": chats.submit,
    "chat_messages_list": chats.messages,
    "workflows_chat_stream": chats.chatflow,
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
    # Knowledge
    "datasets_create": create("datasets", needs={"workspaces": "space_id"}),
    "datasets_list": listing(
        "datasets", knowledge.DATASET_FILTERS, knowledge.by_name, needs={"workspaces": "space_id"}
    ),
    "datasets_update": update("datasets"),
    "datasets_delete": delete("datasets", knowledge.delete_contents),
    "datasets_process": knowledge.process_documents,
    "datasets_documents_create": knowledge.create_documents,
    "datasets_documents_list": knowledge.list_documents,
    "datasets_documents_update": update("documents", knowledge.changed),
    "datasets_documents_delete": knowledge.delete_documents,
    "datasets_images_list": knowledge.list_images,
    "datasets_images_update": update("documents", knowledge.changed),
    # Enterprises, organizations, workspaces
    "enterprises_members_create": create_each("enterprise_members", "users", fills=False),
    "enterprises_members_update": update("enterprise_members"),
    "enterprises_members_delete": delete("enterprise_members"),
    "enterprises_organizations_create": create(
        "organizations", people.found_organization, needs={"enterprises": "enterprise_id"}
    ),
    "enterprises_organizations_list": listing(
        "organizations", {"enterprise_id": "enterprise_id"}, needs={"enterprises": "enterprise_id"}
    ),
    "organizations_update": update("organizations"),
    "organizations_members_create": create_each("organization_members", "organization_people"),
    "organizations_members_list": listing("organization_members"),
    "organizations_members_update": update("organization_members"),
    "organizations_members_delete": delete("organization_members", people.keep_last_admin),
    "workspaces_create": create("workspaces", people.found_workspace),
    "workspaces_list": listing("workspaces"),
    "workspaces_update": update("workspaces"),
    "workspaces_members_create": people.add_members,
    "workspaces_members_list": listing("workspace_members"),
    "workspaces_members_delete": people.remove_members,
    # Copies and templates
    "entities_copy_tasks_create": tasks.create_copy_task,
    "entities_copy_tasks_retrieve": tasks.retrieve_copy_task,
    "templates_duplicate": publishing.duplicate_template,
    # Files and folders
    "files_upload": media.upload_file,
    "files_retrieve": retrieve("files"),
    "folders_list": listing(
        "folders",
        {"workspace_id": "workspace_id", "folder_type": "folder_type"},
        publishing.by_folder,
        needs=_SPACE,
    ),
    "folders_retrieve": retrieve("folders"),
    # Sign-in
    "oauth_account_token": oauth.account_token,
    "oauth_authorize": oauth.authorize,
    "oauth_authorize_workspace": oauth.authorize,
    "oauth_device_code": oauth.device_code,
    "oauth_device_code_workspace": oauth.device_code,
    "oauth_enterprise_token": oauth.enterprise_token,
    "oauth_token": oauth.token,
    # Plugins
    "plugins_list": listing("store_plugins"),
    "plugins_categories_list": listing("plugin_categories"),
    "plugins_retrieve": retrieve("plugins"),
    "plugins_retrieve_many": tasks.plugins_by_id,
    "plugins_tools_call": tasks.call_plugin,
    # Variables
    "variables_retrieve": people.get_variables,
    "variables_update": people.set_variables,
    # Workflows
    "workflows_list": listing(
        "workflows",
        {"workspace_id": "workspace_id", "app_id": "app_id"},
        publishing.by_mode,
        needs=_SPACE,
    ),
    "workflows_retrieve": publishing.retrieve_workflow,
    "workflows_versions_list": listing("workflow_versions", None, by_publication),
    "workflows_collaboration_modes_update": update("workflows"),
    "workflows_collaborators_create": create_each(
        "workflow_collaborators", "collaborators", fills=False
    ),
    "workflows_collaborators_delete": delete("workflow_collaborators"),
    "workflows_runs_create": runs.create,
    "workflows_runs_stream": runs.stream,
    "workflows_runs_stream_resume": runs.stream_resume,
    "workflows_runs_resume": runs.resume,
    "workflows_runs_run_histories_retrieve": runs.history,
    "workflows_runs_run_histories_execute_nodes_retrieve": runs.node,
}
