"""Bots and workflows: publishing, and which of them a list shows."""

from __future__ import annotations

from .answers import Refusal
from .calls import Call
from .kinds import USER
from .lists import view
from .store import Record
from .verbs import shown

_PASSED = 2
"""Of an audit status."""


API = "1024"
"""The channel of the API."""
NEVER_PUBLISHED: Record = {
    "is_published": False,
    "published_at": None,
    "publish_time": None,
    "bot_name": None,
    "_published": None,
}
"""Of a bot that is new; `None` is not shown."""


async def publish_bot(call: Call) -> Record:
    """Takes a snapshot of the draft; `bots_retrieve` shows it from now on.

    A channel whose callback application is subscribed to `bot.published` gets the bot when its
    review passes. Else publishing fails for this channel alone: no version is listed for it.
    """
    bot = call.find("bots")
    version = call.world.new_id()
    bot.update(
        is_published=True,
        version=version,
        _edited=False,
        **publication(bot.get("name"), call.world.now()),
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
    for connector in call.arg("connector_ids"):
        verdict = await call.dispatcher.review(event, connector)
        bot.setdefault("_reviews", {})[connector] = version
        if verdict in (None, _PASSED):
            add_version(call, bot, connector)
    call.dispatcher.publish("bot.published", event)
    return {"data": {"bot_id": bot["bot_id"], "version": version}}


def publication(name: str | None, moment: int) -> Record:
    """What the lists of bots show of a publication, each list under names of its own."""
    return {"bot_name": name, "published_at": moment, "publish_time": str(moment)}


def add_version(call: Call, bot: Record, connector: str) -> None:
    """The version under review is on a channel from now on."""
    version = bot["_reviews"].pop(connector)
    fields = {
        **call.world.examples.fields("BotVersion"),
        "version": version,
        "publish_status": "published_online",
    }
    call.collection("bot_versions").add({**fields, "connector_id": connector}, f"{bot['bot_id']}")
    bot.setdefault("_channels", {API}).add(connector)


def report_review(call: Call) -> Record:
    """The late result of a review."""
    bot, connector = call.find("bots"), str(call.arg("connector_id"))
    if call.arg("audit_status") == _PASSED and connector in bot.get("_reviews", {}):
        add_version(call, bot, connector)
    return {}


def unpublish_bot(call: Call) -> Record:
    """Takes the bot off one channel; off the API, its snapshot goes. The draft stays."""
    bot, connector = call.find("bots"), str(call.arg("connector_id"))
    channels = bot.setdefault("_channels", {API})
    channels.discard(connector)
    if API not in channels:
        bot.update(is_published=False, _published=None)
    event = {**deleted_bot(bot), "connector_id": connector}
    call.dispatcher.publish("bot.unpublished", event, connector)
    return {}


def deleted_bot(bot: Record) -> Record:
    """What a callback says of a bot that is gone."""
    names = {
        "bot_id": "bot_id",
        "space_id": "workspace_id",
        "bot_name": "name",
        "description": "description",
    }
    return {name: bot.get(field, "") for name, field in names.items()}


def retrieve_bot(call: Call) -> Record:
    """The published snapshot, or the draft."""
    bot = call.find("bots")
    wanted = bot if call.arg("is_published", True) is False else bot.get("_published")
    if wanted is None:
        raise Refusal(4200, f"bot_id {bot['bot_id']!r}: not published")
    return shown(call, wanted)


def founded(call: Call, record: Record) -> None:
    """A new bot has a draft and nothing else."""
    record.update(NEVER_PUBLISHED)
    _link(call, record)


def by_version(record: Record, call: Call) -> bool:
    """Versions in the stage asked for."""
    return str(record.get("publish_status")) == str(call.arg("publish_status", "published_online"))


def by_folder(record: Record, call: Call) -> bool:
    """Folders right below the one asked for; `0` and nothing mean the root."""
    wanted = str(call.arg("parent_folder_id", "0"))
    return call.world.printed(wanted) or (record.get("parent_folder_id") or "0") == wanted


def edited(call: Call, record: Record) -> None:
    """Marks a bot as changed since it was published."""
    record["_edited"] = True
    _link(call, record)


def _link(call: Call, bot: Record) -> None:
    """Requests name the knowledge bases and workflows of a bot by id, answers show them; what is
    unknown is left out.
    """
    datasets, workflows = (
        call.arg("knowledge", {}).get("dataset_ids"),
        call.arg("workflow_id_list", {}).get("ids"),
    )
    if datasets is not None:
        found = [item for item in map(call.collection("datasets").peek, datasets) if item]
        bot["knowledge"] = {
            "knowledge_infos": [{"id": item["dataset_id"], "name": item["name"]} for item in found]
        }
    if workflows is not None:
        found = [
            item
            for item in (call.collection("workflows").peek(entry["id"]) for entry in workflows)
            if item
        ]
        bot["workflow_info_list"] = [
            {
                "id": item["workflow_id"],
                "name": item["workflow_name"],
                "icon_url": item["icon_url"],
                "description": item["description"],
            }
            for item in found
        ]


def by_publication(record: Record, call: Call) -> bool:
    """Whether a bot, an app or a workflow stands as far as `publish_status` asks."""
    published = bool(record.get("is_published", record.get("_published")))
    wanted = str(call.arg("publish_status", "published_online"))
    return {
        "published_online": published,
        "published_draft": published and bool(record.get("_edited")),
        "unpublished_draft": not published,
    }.get(wanted, True)


def duplicate_template(call: Call) -> Record:
    """A new bot out of a template."""
    call.find("templates")
    workspace = call.find("workspaces", "workspace_id")
    bots = call.collection("bots")
    fields = {
        **call.world.examples.fields("Bot", "BotSummary"),
        "name": call.arg("name", "副本"),
        "workspace_id": workspace["workspace_id"],
    }
    bot = bots.add(
        {
            **{name: value for name, value in fields.items() if name not in bots.kind.ids},
            **NEVER_PUBLISHED,
        }
    )
    return {"data": {"entity_id": bot["bot_id"], "entity_type": "agent"}}


def retrieve_workflow(call: Call) -> Record:
    """Basic data, and with `include_input_output` the signature."""
    record = call.find("workflows")
    schemas = call.world.description.schemas
    found = {"workflow_detail": view(call, schemas["WorkflowSummary"], record)}
    if call.arg("include_input_output", False):
        example = call.world.examples.fields("Workflow")
        found.update(input=example["input"], output=example["output"])
    return {"data": found}


def by_mode(record: Record, call: Call) -> bool:
    """Published as far as asked, and of the kind that was asked for."""
    return by_publication(record, call) and str(call.arg("workflow_mode", record["_mode"])) == str(
        record["_mode"]
    )
