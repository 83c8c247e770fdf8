"""Fills a fresh world: the scripted bots and workflows, and a finished chat and run to look at."""

from __future__ import annotations

from . import bots, oauth_apps, workflows
from .kinds import CONVERSATION, ENTERPRISE, USER, WORKSPACE
from .publishing import NEVER_PUBLISHED, publication
from .store import World

NODE = "7400000000000000026"
"""The execution of the output node of the finished run."""


def populate(world: World) -> None:
    """Makes what is there from the beginning."""
    for bot_id, bot in bots.SCRIPTS.items():
        record = world.examples.fields("Bot", "BotSummary")
        record.update(
            bot_id=bot_id,
            id=bot_id,
            name=bot.name,
            is_published=bot.published,
            workspace_id=WORKSPACE,
            owner_user_id=USER,
        )
        record["folder_id"] = ""
        record.update(
            publication(bot.name, record["published_at"]) if bot.published else NEVER_PUBLISHED
        )
        record["_published"] = dict(record) if bot.published else None
        world.collection("bots").add(record)
        if bot.published:
            version = world.examples.fields("BotVersion")
            world.collection("bot_versions").add({**version, "connector_id": "1024"}, bot_id)
    for workflow_id, workflow in workflows.SCRIPTS.items():
        record = world.examples.fields("WorkflowSummary")
        record.update(
            workflow_id=workflow_id, workflow_name=workflow.name, workspace_id=WORKSPACE, app_id=""
        )
        record.update(_mode=workflow.mode, _published=workflow.published)
        world.collection("workflows").add(record)
        version = world.examples.fields("WorkflowVersion")
        world.collection("workflow_versions").add(
            {**version, "workflow_id": workflow_id, "_published": True}, workflow_id
        )
    _finished(world)
    world.oauth.apps.update(oauth_apps.samples(USER, ENTERPRISE))


def _finished(world: World) -> None:
    """A chat and a run that are over."""
    chat = world.collection("chats").get("*")
    chat.update(
        conversation_id=CONVERSATION,
        bot_id=bots.ANSWERING,
        status="completed",
        last_error={"code": 0, "msg": ""},
    )
    chat.pop("required_action", None)
    message = world.examples.fields("Message")
    ids = {"conversation_id": CONVERSATION, "chat_id": chat["chat_id"], "bot_id": bots.ANSWERING}
    answer = world.collection("messages").add(
        {**message, **ids, "role": "assistant", "type": "answer"}, CONVERSATION
    )
    chat["_messages"] = [answer]
    world.collection("conversations").get("*").update(bot_id=bots.ANSWERING, connector_id="1024")
    run = world.collection("runs").get("*")
    run.update(execute_status="Success", workflow_id=workflows.PLAIN, run_mode=0, bot_id="0")
    run.pop("interrupt_data")
    run["node_execute_status"] = {
        "Message": {"node_id": "100", "is_finish": True, "node_execute_uuid": NODE}
    }
    run["_nodes"] = {NODE: {"is_finish": True, "node_output": "0《零的奇妙冒险》"}}
