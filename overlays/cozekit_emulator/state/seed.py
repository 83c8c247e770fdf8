"""Fills a fresh state: the scripted bots and workflows, the OAuth apps, and a finished chat and run
to look at.
"""

from __future__ import annotations

from . import bots, oauth_apps, workflows
from .ids import API_CHANNEL, CONVERSATION, ENTERPRISE, NODE, USER, WORKSPACE
from .store import Record, State

NEVER_PUBLISHED: Record = {
    "is_published": False,
    "published_at": None,
    "publish_time": None,
    "bot_name": None,
    "_published": None,
}
"""Fields of a bot that was never published; `None` is not shown."""


def publication_fields(name: str | None, time: int) -> Record:
    """What the lists of bots show of a publication, each under other names.

    Args:
        name: Name of the bot.
        time: Time of the publication, Unix seconds.
    """
    return {"bot_name": name, "published_at": time, "publish_time": str(time)}


def populate(state: State) -> None:
    """Adds everything that exists from the start.

    Args:
        state: A fresh state.
    """
    _add_bots(state)
    _add_workflows(state)
    _finish_samples(state)
    state.oauth.apps.update(oauth_apps.samples(USER, ENTERPRISE))


def _add_bots(state: State) -> None:
    for bot_id, script in bots.SCRIPTS.items():
        bot = state.examples.fields("Bot", "BotSummary")
        bot.update(
            bot_id=bot_id,
            id=bot_id,
            name=script.name,
            is_published=script.published,
            workspace_id=WORKSPACE,
            owner_user_id=USER,
            folder_id="",
        )
        bot.update(
            publication_fields(script.name, bot["published_at"])
            if script.published
            else NEVER_PUBLISHED
        )
        bot["_published"] = {**bot} if script.published else None
        state.collection("bots").add(bot)
        if script.published:
            version = state.examples.fields("BotVersion")
            state.collection("bot_versions").add({**version, "connector_id": API_CHANNEL}, bot_id)


def _add_workflows(state: State) -> None:
    for workflow_id, script in workflows.SCRIPTS.items():
        workflow = state.examples.fields("WorkflowSummary")
        workflow.update(
            workflow_id=workflow_id,
            workflow_name=script.name,
            workspace_id=WORKSPACE,
            app_id="",
            _mode=script.mode,
            _published=script.published,
        )
        state.collection("workflows").add(workflow)
        version = state.examples.fields("WorkflowVersion")
        state.collection("workflow_versions").add(
            {**version, "workflow_id": workflow_id, "_published": True}, workflow_id
        )


def _finish_samples(state: State) -> None:
    """Brings the sample chat and the sample run to their end."""
    chat = state.collection("chats").get("*")
    chat.update(
        conversation_id=CONVERSATION,
        bot_id=bots.ANSWERING,
        status="completed",
        last_error={"code": 0, "msg": ""},
    )
    chat.pop("required_action", None)
    message = state.examples.fields("Message")
    ids = {"conversation_id": CONVERSATION, "chat_id": chat["chat_id"], "bot_id": bots.ANSWERING}
    answer = state.collection("messages").add(
        {**message, **ids, "role": "assistant", "type": "answer"}, CONVERSATION
    )
    chat["_messages"] = [answer]
    state.collection("conversations").get("*").update(
        bot_id=bots.ANSWERING, connector_id=API_CHANNEL
    )
    run = state.collection("runs").get("*")
    run.update(execute_status="Success", workflow_id=workflows.PLAIN, run_mode=0, bot_id="0")
    run.pop("interrupt_data")
    run["node_execute_status"] = {
        "Message": {"node_id": "100", "is_finish": True, "node_execute_uuid": NODE}
    }
    run["_nodes"] = {NODE: {"is_finish": True, "node_output": "0《零的奇妙冒险》"}}
