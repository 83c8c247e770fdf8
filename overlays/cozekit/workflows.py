"""`coze.workflows`: the generated operations, with typed streams, answered interrupts, and waiting for the outcome."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from coze_openapi.resources.workflows import Workflows as GeneratedWorkflows
from coze_openapi.resources.workflows_chat import WorkflowsChat as GeneratedChatflows
from coze_openapi.resources.workflows_runs import WorkflowsRuns as GeneratedRuns

from .chat_rounds import options_of
from .errors import ArgumentError
from .following import Following, follow
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

    from .chat_stream import ChatStream
    from .listening import Listener
    from .workflow_result import Interruption, WorkflowResult
    from .workflow_rounds import Answer
    from .workflow_stream import WorkflowEvent, WorkflowStream


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

        send = partial(super().stream, **arguments)
        return WorkflowStream(send, WorkflowReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)

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

        send = partial(super().stream_resume, **arguments)
        return WorkflowStream(send, WorkflowReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(GeneratedRuns.stream)
    def run_interactive(
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
        """Runs a workflow to its end and answers what it asks on the way; arguments as `stream`.

        ```python
        result = coze.workflows.runs.run_interactive(workflow_id="…", answer=lambda interruption: input(interruption.question))
        print(result.output)
        ```

        Args:
            answer: Called with each `Interruption`; returns the answer, text as it is and anything else as JSON, or None to
                stop here and leave the run waiting.
            max_resumes: How many interruptions are answered. The service takes three; each costs as much as a run.
            on_event: Called with each event; as a mapping from event names to functions, with the events of these names.
            stream: Whether to listen to events; otherwise the run is awaited, which the service allows for 90 seconds. A run that
                is polled goes through `create_and_poll` with an `answer`.
            idle_timeout: As in `stream`, for each part of the run.
            deadline: As in `stream`, for each part of the run.
            arguments: As `stream`.

        Returns:
            The outputs of all parts of the run.

        Raises:
            WorkflowFailed: The run failed.
            TooManyRounds: The run is interrupted again after the allowed answers.
            StreamInterrupted, StreamTimeout: The end of the run did not come.
            APIError: The service refused the run or the answer.

        Source: https://www.coze.cn/open/docs/developer_guides/workflow_resume
        """
        from .workflow_result import of_run

        options = options_of(arguments)
        loop: Interrupts[WorkflowResult] = Interrupts(answer, max_resumes, {"workflow_id": arguments.get("workflow_id")})
        if not stream:
            if on_event is not None:
                raise ArgumentError("on_event needs a stream", argument="on_event")

            def begin() -> WorkflowResult:
                return of_run(self.create(**arguments))

            def resume(waiting: Interruption, reply: str) -> WorkflowResult:
                return of_run(self.resume(**resume_arguments(waiting, arguments["workflow_id"], reply), **options))

            return loop.run(begin, resume)
        limits: dict[str, Any] = {"idle_timeout": idle_timeout, "deadline": deadline}

        def resume_stream(waiting: Interruption, reply: str) -> WorkflowResult:
            opened = self.stream_resume(**resume_arguments(waiting, arguments["workflow_id"], reply), **limits, **options)
            return opened.until_done(on_event)

        return loop.run(lambda: self.stream(**limits, **arguments).until_done(on_event), resume_stream)

    @takes(GeneratedRuns.create)
    def create_and_poll(
        self,
        *,
        answer: Answer | None = None,
        max_resumes: int = MAX_RESUMES,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        **arguments: Unpack[CreateArguments],
    ) -> WorkflowRunHistory:
        """Runs a workflow asynchronously and waits for its end; arguments as `create`. Paid plans only.

        Args:
            answer: Called with each `Interruption` as in `run_interactive`. Without it, a run that waits is returned.
            max_resumes: As in `run_interactive`.
            poll_timeout: Seconds to wait for the end, and again after each answer. Such a run may take 24 hours.
            poll_interval: Seconds before the first look, 1 by default. Later looks are rarer.
            arguments: As `create`; `is_async` is set.

        Returns:
            The run with its `output`; with `interrupt_data` when it waits for an answer.

        Raises:
            WorkflowFailed: The run failed; the error holds its id and debug address.
            PollTimeout: It did not end in time; the error holds its ids, and `wait` goes on waiting.
            TooManyRounds: The run is interrupted again after the allowed answers.
            APIError: The service refused the run.

        Source: https://www.coze.cn/open/docs/developer_guides/workflow_history
        """
        from coze_openapi.api.workflows_runs.create import WAITER

        arguments["is_async"] = True
        how, options = Following.of(poll_timeout, poll_interval, arguments), options_of(arguments)
        ids: dict[str, Any] = {}  # known when the run has begun
        loop = Interrupts["WorkflowRunHistory"](answer, max_resumes, ids) if answer is not None else None

        def begin() -> WorkflowRunHistory:
            ids.update(arguments_of(WAITER, self.create(**arguments), arguments))
            return self._outcome(ids, how)

        def resume(waiting: Interruption, reply: str) -> WorkflowRunHistory:
            self.resume(**resume_arguments(waiting, arguments["workflow_id"], reply), **options)
            return self._outcome(ids, how)

        return begin() if loop is None else loop.run(begin, resume)

    @takes(GeneratedRuns.resume)
    def resume_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[ResumeRunArguments]
    ) -> WorkflowRunHistory:
        """Answers an interrupted asynchronous run and waits until it has ended or asks again; arguments as `resume`.

        Args:
            poll_timeout: As in `create_and_poll`.
            poll_interval: As in `create_and_poll`.
            arguments: As `resume`.

        Raises:
            WorkflowFailed, PollTimeout, APIError: As in `create_and_poll`.

        Source: https://www.coze.cn/open/docs/developer_guides/resume_workflow
        """
        from coze_openapi.api.workflows_runs.resume import WAITER

        ids = arguments_of(WAITER, self.resume(**arguments), arguments)
        return self._outcome(ids, Following.of(poll_timeout, poll_interval, arguments))

    def wait(
        self, *, workflow_id: str, execute_id: str, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None
    ) -> WorkflowRunHistory:
        """Waits for the end of an asynchronous run that was started before; as `create_and_poll`.

        Source: https://www.coze.cn/open/docs/developer_guides/workflow_history
        """
        ids = {"workflow_id": workflow_id, "execute_id": execute_id}
        return self._outcome(ids, Following.already(poll_timeout, poll_interval))

    def _outcome(self, ids: Mapping[str, Any], how: Following) -> WorkflowRunHistory:
        from coze_openapi.api.workflows_runs.create import WAITER

        wait = follow(self._client, WAITER, ids, how, settled=is_waiting)
        return raise_unless_good(cast("WorkflowRunHistory", wait.last), ids)


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

        send = partial(super().stream, **arguments)
        return ChatStream(send, ChatReader(STREAM), idle_timeout=idle_timeout, deadline=deadline)
