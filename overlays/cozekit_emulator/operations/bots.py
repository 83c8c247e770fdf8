"""Bots: publishing and reviews, their drafts, and which of them a list shows; folders and templates
of bots.
"""

from __future__ import annotations

from ..errors import ApiError
from ..http.request import ApiRequest
from ..http.response_fields import record_response
from ..state.ids import API_CHANNEL, USER
from ..state.seed import NEVER_PUBLISHED, publication_fields
from ..state.store import Record

_PASSED = 2
"""The audit status of a review that passed."""


async def publish(request: ApiRequest) -> Record:
    """Takes a snapshot of the draft, which `bots_retrieve` shows from now on.

    If callback applications of a channel are subscribed to `bot.published`, they review the bot. If
    the review does not pass, publishing fails for this channel alone: no version is listed for it.
    """
    bot = request.find("bots")
    version = request.state.new_id()
    bot.update(
        is_published=True,
        version=version,
        _edited=False,
        **publication_fields(bot.get("name"), request.state.now()),
    )
    bot["_published"] = dict(bot)
    event = {
        "user_id_str": int(USER),
        "bot_id_str": int(bot["bot_id"]),
        "space_id": bot.get("workspace_id"),
        "user_name": "本地用户",
        "bot_name": bot.get("name"),
        "description": bot.get("description", ""),
        "version": version,
    }
    for channel in request.arg("connector_ids"):
        audit_status = await request.dispatcher.review(event, channel)
        bot.setdefault("_reviews", {})[channel] = version
        if audit_status in (None, _PASSED):
            _add_version(request, bot, channel)
    await request.dispatcher.publish("bot.published", event)
    return {"data": {"bot_id": bot["bot_id"], "version": version}}


def _add_version(request: ApiRequest, bot: Record, channel: str) -> None:
    """Puts the version under review on a channel."""
    fields = {
        **request.state.examples.fields("BotVersion"),
        "version": bot["_reviews"].pop(channel),
        "publish_status": "published_online",
        "connector_id": channel,
    }
    request.collection("bot_versions").add(fields, str(bot["bot_id"]))
    bot.setdefault("_channels", {API_CHANNEL}).add(channel)


def report_review(request: ApiRequest) -> Record:
    """The late result of a review."""
    bot, channel = request.find("bots"), str(request.arg("connector_id"))
    if request.arg("audit_status") == _PASSED and channel in bot.get("_reviews", {}):
        _add_version(request, bot, channel)
    return {}


async def unpublish(request: ApiRequest) -> Record:
    """Takes the bot off a channel; off the API, its snapshot is lost. The draft stays."""
    bot, channel = request.find("bots"), str(request.arg("connector_id"))
    channels = bot.setdefault("_channels", {API_CHANNEL})
    channels.discard(channel)
    if API_CHANNEL not in channels:
        bot.update(is_published=False, _published=None)
    event = {**deletion_event(bot), "connector_id": channel}
    await request.dispatcher.publish("bot.unpublished", event, (channel,))
    return {}


def deletion_event(bot: Record) -> Record:
    """What callbacks tell of a bot that was deleted or unpublished."""
    names = {
        "bot_id": "bot_id",
        "space_id": "workspace_id",
        "bot_name": "name",
        "description": "description",
    }
    return {name: bot.get(field, "") for name, field in names.items()}


def retrieve(request: ApiRequest) -> Record:
    """The published snapshot, or the draft."""
    bot = request.find("bots")
    draft = request.arg("is_published", True) is False
    record = bot if draft else bot.get("_published")
    if record is None:
        raise ApiError(4200, f"bot_id {bot['bot_id']!r}: not published")
    return record_response(request, record)


def after_create(request: ApiRequest, bot: Record) -> None:
    """A new bot has a draft alone."""
    bot.update(NEVER_PUBLISHED)
    _show_knowledge_and_workflows(request, bot)


def after_update(request: ApiRequest, bot: Record) -> None:
    """Marks a bot as edited since it was published."""
    bot["_edited"] = True
    _show_knowledge_and_workflows(request, bot)


def _show_knowledge_and_workflows(request: ApiRequest, bot: Record) -> None:
    """Requests name knowledge bases and workflows by id, responses show them; unknown ones are left
    out.
    """
    dataset_ids = request.arg("knowledge", {}).get("dataset_ids")
    workflows = request.arg("workflow_id_list", {}).get("ids")
    if dataset_ids is not None:
        datasets = map(request.collection("datasets").get_or_none, dataset_ids)
        bot["knowledge"] = {
            "knowledge_infos": [
                {"id": dataset["dataset_id"], "name": dataset["name"]}
                for dataset in datasets
                if dataset
            ]
        }
    if workflows is not None:
        records = [request.collection("workflows").get_or_none(item["id"]) for item in workflows]
        bot["workflow_info_list"] = [
            {
                "id": workflow["workflow_id"],
                "name": workflow["workflow_name"],
                "icon_url": workflow["icon_url"],
                "description": workflow["description"],
            }
            for workflow in records
            if workflow
        ]


def has_publish_status(record: Record, request: ApiRequest) -> bool:
    """Whether a bot, an app or a workflow is in the `publish_status` that is asked for."""
    published = bool(record.get("is_published", record.get("_published")))
    return {
        "published_online": published,
        "published_draft": published and bool(record.get("_edited")),
        "unpublished_draft": not published,
    }.get(str(request.arg("publish_status", "published_online")), True)


def version_has_publish_status(version: Record, request: ApiRequest) -> bool:
    """Whether a version is in the `publish_status` that is asked for."""
    publish_status = str(request.arg("publish_status", "published_online"))
    return str(version.get("publish_status")) == publish_status


def is_in_parent_folder(folder: Record, request: ApiRequest) -> bool:
    """Whether a folder is directly below the one asked for; `0` and nothing mean the root."""
    parent_id = str(request.arg("parent_folder_id", "0"))
    documented = request.state.is_documented_id(parent_id)
    return documented or (folder.get("parent_folder_id") or "0") == parent_id


def duplicate_template(request: ApiRequest) -> Record:
    """A new bot out of a template."""
    request.find("templates")
    workspace = request.find("workspaces", "workspace_id")
    bots = request.collection("bots")
    fields = {
        **request.state.examples.fields("Bot", "BotSummary"),
        "name": request.arg("name", "副本"),
        "workspace_id": workspace["workspace_id"],
        **NEVER_PUBLISHED,
    }
    for name in bots.type.id_fields:
        del fields[name]
    bot = bots.add(fields)
    return {"data": {"entity_id": bot["bot_id"], "entity_type": "agent"}}
