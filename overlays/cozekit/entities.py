"""`coze.entities`: the generated operations, with waiting for copies of resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from coze_openapi.resources.entities import Entities as GeneratedEntities
from coze_openapi.resources.entities_copy_tasks import EntitiesCopyTasks as GeneratedCopyTasks

from .following import Following, follow, outcome
from .polling import POLL_TIMEOUT, arguments_of
from .signatures import takes
from .task_results import copy_reason

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.entities_copy_tasks.create import Arguments as CreateArguments
    from coze_openapi.models.entities_copy_tasks import CopyTask


class Entities(GeneratedEntities):
    """Resources of workspaces."""

    __slots__ = ()

    @property
    def copy_tasks(self) -> CopyTasks:
        """Copies of bots, workflows and other resources."""
        return CopyTasks(self._client)


class CopyTasks(GeneratedCopyTasks):
    """Copies of bots, workflows and other resources."""

    __slots__ = ()

    @takes(GeneratedCopyTasks.create)
    def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> CopyTask:
        """Copies a resource and waits until the copy is there; arguments as `create`.

        Args:
            poll_timeout: Seconds to wait for the copy.
            poll_interval: Seconds before the first look, 1 by default. Later looks are rarer.
            arguments: As `create`.

        Returns:
            The finished task; `target_entity_id` is the copy.

        Raises:
            TaskFailed: The copy failed; `last.failed_reasons` says why.
            PollTimeout: It was not there in time; the error holds the id of the task, and `wait` goes on waiting.
            APIError: The service refused the copy.

        Source: https://www.coze.cn/open/docs/developer_guides/query_resource_copy_execution_result
        """
        from coze_openapi.api.entities_copy_tasks.create import WAITER

        ids = arguments_of(WAITER, self.create(**arguments), arguments)
        wait = follow(self._client, WAITER, ids, Following.of(poll_timeout, poll_interval, arguments))
        return cast("CopyTask", outcome(wait, copy_reason))

    def wait(self, task_id: str, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None) -> CopyTask:
        """Waits for a copy that was started before; as `create_and_poll`.

        Source: https://www.coze.cn/open/docs/developer_guides/query_resource_copy_execution_result
        """
        from coze_openapi.api.entities_copy_tasks.create import WAITER

        wait = follow(self._client, WAITER, {"task_id": task_id}, Following.already(poll_timeout, poll_interval))
        return cast("CopyTask", outcome(wait, copy_reason))
