"""`coze.workflows`: the generated operations, with typed streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi.resources.workflows import Workflows as GeneratedWorkflows
from coze_openapi.resources.workflows_chat import WorkflowsChat as GeneratedChatflows
from coze_openapi.resources.workflows_runs import WorkflowsRuns as GeneratedRuns
from coze_openapi.resources_async.workflows import AsyncWorkflows as GeneratedAsyncWorkflows
from coze_openapi.resources_async.workflows_chat import AsyncWorkflowsChat as GeneratedAsyncChatflows
from coze_openapi.resources_async.workflows_runs import AsyncWorkflowsRuns as GeneratedAsyncRuns

from .signatures import takes

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.workflows_chat.stream import Arguments as ChatArguments
    from coze_openapi.api.workflows_runs.stream import Arguments as RunArguments
    from coze_openapi.api.workflows_runs.stream_resume import Arguments as ResumeArguments

    from .chat_stream import AsyncChatStream, ChatStream
    from .workflow_stream import AsyncWorkflowStream, WorkflowStream


class Workflows(GeneratedWorkflows):
    """Workflows of a workspace: run, stream, resume."""

    __slots__ = ()

    @property
    def runs(self) -> Runs:
        """Running and resuming workflows."""
        return Runs(self._client)

    @property
    def chat(self) -> Chatflows:
        """Chatflows: workflows that answer as a dialogue."""
        return Chatflows(self._client)


class Runs(GeneratedRuns):
    """Running and resuming workflows."""

    __slots__ = ()

    @takes(GeneratedRuns.stream)
    def stream(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[RunArguments]
    ) -> WorkflowStream:
        """Runs a workflow and streams what its nodes put out.

        Args:
            idle_timeout: Seconds without an event until `StreamTimeout`; comments do not count. By default the read timeout.
            deadline: Seconds for the whole stream, until `StreamTimeout`.
            arguments: As the generated method.

        Returns:
            The open stream; it ends by itself at `Done`, or at `Interrupt` when the run waits for an answer.

        Raises:
            WorkflowFailed: The run failed (while iterating).
            APIError: The service refused the run.

        Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
        """
        from coze_openapi.api.workflows_runs.stream import STREAM

        from .workflow_stream import WorkflowReader, WorkflowStream

        return WorkflowStream(super().stream(**arguments), WorkflowReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(GeneratedRuns.stream_resume)
    def stream_resume(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[ResumeArguments]
    ) -> WorkflowStream:
        """Answers an interrupted streaming run and streams how it goes on; events are numbered from 0 again.

        Args:
            idle_timeout: As in `stream`.
            deadline: As in `stream`.
            arguments: As the generated method.

        Source: https://www.coze.cn/open/docs/developer_guides/workflow_resume
        """
        from coze_openapi.api.workflows_runs.stream_resume import STREAM

        from .workflow_stream import WorkflowReader, WorkflowStream

        return WorkflowStream(super().stream_resume(**arguments), WorkflowReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)


class Chatflows(GeneratedChatflows):
    """Chatflows: workflows that answer as a dialogue."""

    __slots__ = ()

    @takes(GeneratedChatflows.stream)
    def stream(self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[ChatArguments]) -> ChatStream:
        """Runs a chatflow and streams what it says.

        Args:
            idle_timeout: Seconds without an event until `StreamTimeout`; comments do not count. By default the read timeout.
            deadline: Seconds for the whole stream, until `StreamTimeout`.
            arguments: As the generated method.

        Source: https://www.coze.cn/open/docs/developer_guides/workflow_chat
        """
        from coze_openapi.api.workflows_chat.stream import STREAM

        from .chat_stream import ChatReader, ChatStream

        return ChatStream(super().stream(**arguments), ChatReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)


class AsyncWorkflows(GeneratedAsyncWorkflows):
    """The async form of `Workflows`."""

    __slots__ = ()

    @property
    def runs(self) -> AsyncRuns:
        """Running and resuming workflows."""
        return AsyncRuns(self._client)

    @property
    def chat(self) -> AsyncChatflows:
        """Chatflows: workflows that answer as a dialogue."""
        return AsyncChatflows(self._client)


class AsyncRuns(GeneratedAsyncRuns):
    """The async form of `Runs`."""

    __slots__ = ()

    @takes(GeneratedAsyncRuns.stream)
    def stream(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[RunArguments]
    ) -> AsyncWorkflowStream:
        """Runs a workflow and streams what its nodes put out; as `Runs.stream`. The request is sent on first use."""
        from coze_openapi.api.workflows_runs.stream import STREAM

        from .workflow_stream import AsyncWorkflowStream, WorkflowReader

        return AsyncWorkflowStream(super().stream(**arguments), WorkflowReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(GeneratedAsyncRuns.stream_resume)
    def stream_resume(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[ResumeArguments]
    ) -> AsyncWorkflowStream:
        """Answers an interrupted streaming run and streams how it goes on; as `Runs.stream_resume`."""
        from coze_openapi.api.workflows_runs.stream_resume import STREAM

        from .workflow_stream import AsyncWorkflowStream, WorkflowReader

        return AsyncWorkflowStream(super().stream_resume(**arguments), WorkflowReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)


class AsyncChatflows(GeneratedAsyncChatflows):
    """The async form of `Chatflows`."""

    __slots__ = ()

    @takes(GeneratedAsyncChatflows.stream)
    def stream(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[ChatArguments]
    ) -> AsyncChatStream:
        """Runs a chatflow and streams what it says; as `Chatflows.stream`. The request is sent on first use."""
        from coze_openapi.api.workflows_chat.stream import STREAM

        from .chat_stream import AsyncChatStream, ChatReader

        return AsyncChatStream(super().stream(**arguments), ChatReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)
