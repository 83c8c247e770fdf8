"""`coze.workflows`: the generated operations, with typed streams, answered interrupts, and waiting for the outcome; the async form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from coze_openapi.resources_async.workflows import AsyncWorkflows as GeneratedAsyncWorkflows
from coze_openapi.resources_async.workflows_chat import AsyncWorkflowsChat as GeneratedAsyncChatflows
from coze_openapi.resources_async.workflows_runs import AsyncWorkflowsRuns as GeneratedAsyncRuns

from .chat_rounds import options_of
from .errors import ArgumentError
from .following import Following, follow_async
from .polling import POLL_TIMEOUT, arguments_of
from .signatures import takes
from .workflow_rounds import MAX_RESUMES, Interrupts, is_waiting, raise_unless_good, resume_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from coze_openapi.api.workflows_chat.stream import Arguments as ChatArguments
    from coze_openapi.api.workflows_runs.create import Arguments as CreateArguments
    from coze_openapi.api.workflows_runs.resume import Arguments as ResumeRunArguments
    from coze_openapi.api.workflows_runs.stream import Arguments as RunArguments
    from coze_openapi.api.workflows_runs.stream_resume import Arguments as ResumeArguments
    from coze_openapi.models.workflows_runs_run_histories import WorkflowRunHistory

    from .chat_stream import AsyncChatStream
    from .listening import Listener
    from .workflow_result import Interruption, WorkflowResult
    from .workflow_rounds import Answer
    from .workflow_stream import AsyncWorkflowStream, WorkflowEvent


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

    @takes(GeneratedAsyncRuns.stream)
    async def run_interactive(
        self,
        *,
        answer: Answer,
        max_resumes: int = MAX_RESUMES,
        on_event: Listener[WorkflowEvent] | None = None,
        stream: bool = True,
        idle_timeout: float | None = None,
        deadline: float | None = None,
        **arguments: Unpack[RunArguments],
    ) -> WorkflowResult:
        """Runs a workflow to its end and answers what it asks; as `Runs.run_interactive`. The functions may be async."""
        from .workflow_result import of_run

        options = options_of(arguments)
        loop: Interrupts[WorkflowResult] = Interrupts(answer, max_resumes, {"workflow_id": arguments.get("workflow_id")})
        if not stream:
            if on_event is not None:
                raise ArgumentError("on_event needs a stream", argument="on_event")

            async def begin() -> WorkflowResult:
                return of_run(await self.create(**arguments))

            async def resume(waiting: Interruption, reply: str) -> WorkflowResult:
                return of_run(await self.resume(**resume_arguments(waiting, arguments["workflow_id"], reply), **options))

            return await loop.run_async(begin, resume)
        limits: dict[str, Any] = {"idle_timeout": idle_timeout, "deadline": deadline}

        async def resume_stream(waiting: Interruption, reply: str) -> WorkflowResult:
            opened = self.stream_resume(**resume_arguments(waiting, arguments["workflow_id"], reply), **limits, **options)
            return await opened.until_done(on_event)

        return await loop.run_async(lambda: self.stream(**limits, **arguments).until_done(on_event), resume_stream)

    @takes(GeneratedAsyncRuns.create)
    async def create_and_poll(
        self,
        *,
        answer: Answer | None = None,
        max_resumes: int = MAX_RESUMES,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        **arguments: Unpack[CreateArguments],
    ) -> WorkflowRunHistory:
        """Runs a workflow asynchronously and waits for its end; as `Runs.create_and_poll`. `answer` may be async."""
        from coze_openapi.api.workflows_runs.create import WAITER

        arguments["is_async"] = True
        how, options = Following.of(poll_timeout, poll_interval, arguments), options_of(arguments)
        ids: dict[str, Any] = {}  # known when the run has begun
        loop = Interrupts["WorkflowRunHistory"](answer, max_resumes, ids) if answer is not None else None

        async def begin() -> WorkflowRunHistory:
            ids.update(arguments_of(WAITER, await self.create(**arguments), arguments))
            return await self._outcome(ids, how)

        async def resume(waiting: Interruption, reply: str) -> WorkflowRunHistory:
            await self.resume(**resume_arguments(waiting, arguments["workflow_id"], reply), **options)
            return await self._outcome(ids, how)

        return await begin() if loop is None else await loop.run_async(begin, resume)

    @takes(GeneratedAsyncRuns.resume)
    async def resume_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[ResumeRunArguments]
    ) -> WorkflowRunHistory:
        """Answers an interrupted asynchronous run and waits for what comes; as `Runs.resume_and_poll`."""
        from coze_openapi.api.workflows_runs.resume import WAITER

        ids = arguments_of(WAITER, await self.resume(**arguments), arguments)
        return await self._outcome(ids, Following.of(poll_timeout, poll_interval, arguments))

    async def wait(
        self, *, workflow_id: str, execute_id: str, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None
    ) -> WorkflowRunHistory:
        """Waits for the end of an asynchronous run that was started before; as `Runs.wait`."""
        ids = {"workflow_id": workflow_id, "execute_id": execute_id}
        return await self._outcome(ids, Following.already(poll_timeout, poll_interval))

    async def _outcome(self, ids: Mapping[str, Any], how: Following) -> WorkflowRunHistory:
        from coze_openapi.api.workflows_runs.create import WAITER

        wait = await follow_async(self._client, WAITER, ids, how, settled=is_waiting)
        return raise_unless_good(cast("WorkflowRunHistory", wait.last), ids)


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
