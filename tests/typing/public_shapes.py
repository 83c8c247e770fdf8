"""What users see of the types. Nobody runs this file: the type checkers read it, and fail when a
shape changes.
"""

from __future__ import annotations

from typing import assert_type

from cozekit import (
    NULL,
    AsyncCoze,
    ChatEvent,
    ChatResult,
    ChatStream,
    Coze,
    UnknownEvent,
    WorkflowEvent,
    WorkflowStream,
    events,
    messages,
)
from cozekit.models import (
    Bot,
    BotSummary,
    Chat,
    ChatFailure,
    File,
    Message,
    WorkflowInterrupt,
    WorkflowMessage,
    WorkflowRunResult,
)
from cozekit.types import AsyncPager, Empty, Page


def sync_calls(coze: Coze) -> None:
    assert_type(coze.bots.retrieve("1"), Bot)
    assert_type(coze.bots.list(workspace_id="1"), Page[BotSummary])
    for bot in coze.bots.list(workspace_id="1"):
        assert_type(bot, BotSummary)
    assert_type(coze.bots.unpublish("1", connector_id="1024"), Empty)
    assert_type(coze.chat.create(bot_id="1", user_id="2"), Chat)
    assert_type(coze.chat.create_and_poll(bot_id="1", user_id="2", poll_timeout=5), ChatResult)
    assert_type(coze.files.upload(file=b"x"), File)
    assert_type(coze.workflows.runs.create(workflow_id="1"), WorkflowRunResult)
    assert_type(coze.with_options(timeout=None), Coze)
    coze.bots.update(bot_id="1", name="n", description=NULL)
    coze.chat.create(bot_id="1", user_id="2", publish_status="something_new")


def sync_streams(coze: Coze) -> None:
    with coze.chat.stream(
        bot_id="1", user_id="2", additional_messages=[messages.user_text("Hi")], idle_timeout=60
    ) as stream:
        assert_type(stream, ChatStream)
        for event in stream:
            assert_type(event, ChatEvent)
            assert_type(event.message, Message | None)
            assert_type(event.chat, Chat | None)
            assert_type(event.logid, str | None)
            if isinstance(event, events.ChatMessageDeltaEvent):
                assert_type(event.data, Message)
                assert_type(event.message, Message)
            match event:
                case events.ChatCompletedEvent(data=chat):
                    assert_type(chat, Chat)
                case events.ChatFailedEvent(data=failure):
                    assert_type(failure, ChatFailure)
                case UnknownEvent(event=name):
                    assert_type(name, str)
    with coze.workflows.runs.stream(workflow_id="1") as run:
        assert_type(run, WorkflowStream)
        for step in run:
            assert_type(step, WorkflowEvent)
            assert_type(step.message, WorkflowMessage | None)
            if isinstance(step, events.WorkflowInterruptEvent):
                assert_type(step.interrupt, WorkflowInterrupt | None)


async def async_calls(coze: AsyncCoze) -> None:
    assert_type(await coze.bots.retrieve("1"), Bot)
    assert_type(coze.bots.list(workspace_id="1"), AsyncPager[BotSummary])
    async for bot in coze.bots.list(workspace_id="1"):
        assert_type(bot, BotSummary)
    assert_type(await coze.chat.create_and_poll(bot_id="1", user_id="2"), ChatResult)
    async with coze.chat.stream(bot_id="1", user_id="2") as stream:
        async for event in stream:
            assert_type(event, ChatEvent)


def mistakes(coze: Coze) -> None:
    """Each of these must be an error; an `ignore` that is not needed fails the check too."""
    coze.bots.retrieve()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    coze.bots.retrieve("1", is_publishd=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    coze.chat.create(bot_id=1, user_id="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    coze.chat.stream(bot_id="1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert events.No  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
