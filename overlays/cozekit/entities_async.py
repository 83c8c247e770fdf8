"""`coze.entities`: the generated operations, with waiting for copies of resources; the async form."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from coze_openapi.resources_async.entities import AsyncEntities as GeneratedAsyncEntities
from coze_openapi.resources_async.entities_copy_tasks import AsyncEntitiesCopyTasks as GeneratedAsyncCopyTasks

from .following import Following, follow_async, outcome
from .polling import POLL_TIMEOUT, arguments_of
from .signatures import takes
from .task_results import copy_reason

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.entities_copy_tasks.create import Arguments as CreateArguments
    from coze_openapi.models.entities_copy_tasks import CopyTask


class AsyncEntities(GeneratedAsyncEntities):
    """The async form of `Entities`."""

    __slots__ = ()

    @property
    def copy_tasks(self) -> AsyncCopyTasks:
        """Copies of bots, workflows and other resources."""
        return AsyncCopyTasks(self._client)


class AsyncCopyTasks(GeneratedAsyncCopyTasks):
    """The async form of `CopyTasks`."""

    __slots__ = ()

    @takes(GeneratedAsyncCopyTasks.create)
    async def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> CopyTask:
        """Copies a resource and waits until the copy is there; as `CopyTasks.create_and_poll`."""
        from coze_openapi.api.entities_copy_tasks.create import WAITER

        ids = arguments_of(WAITER, await self.create(**arguments), arguments)
        wait = await follow_async(self._client, WAITER, ids, Following.of(poll_timeout, poll_interval, arguments))
        return cast("CopyTask", outcome(wait, copy_reason))

    async def wait(self, task_id: str, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None) -> CopyTask:
        """Waits for a copy that was started before; as `CopyTasks.wait`."""
        from coze_openapi.api.entities_copy_tasks.create import WAITER

        wait = await follow_async(self._client, WAITER, {"task_id": task_id}, Following.already(poll_timeout, poll_interval))
        return cast("CopyTask", outcome(wait, copy_reason))
