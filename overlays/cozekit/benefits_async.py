"""`coze.benefits`: the generated operations, with waiting for exports of bills; the async form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi.resources_async.benefits import AsyncBenefits as GeneratedAsyncBenefits
from coze_openapi.resources_async.benefits_bill_tasks import AsyncBenefitsBillTasks as GeneratedAsyncBillTasks

from .following import Following, follow_async, outcome
from .polling import POLL_TIMEOUT, arguments_of
from .signatures import takes
from .task_results import bill_reason, only

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.benefits_bill_tasks.create import Arguments as CreateArguments
    from coze_openapi.models.benefits_bill_tasks import BillTask


class AsyncBenefits(GeneratedAsyncBenefits):
    """The async form of `Benefits`."""

    __slots__ = ()

    @property
    def bill_tasks(self) -> AsyncBillTasks:
        """Exports of bills."""
        return AsyncBillTasks(self._client)


class AsyncBillTasks(GeneratedAsyncBillTasks):
    """The async form of `BillTasks`."""

    __slots__ = ()

    @takes(GeneratedAsyncBillTasks.create)
    async def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> BillTask:
        """Exports bills and waits until the files are there; as `BillTasks.create_and_poll`."""
        from coze_openapi.api.benefits_bill_tasks.create import WAITER

        ids = arguments_of(WAITER, await self.create(**arguments), arguments)
        wait = await follow_async(self._client, WAITER, ids, Following.of(poll_timeout, poll_interval, arguments))
        return only(outcome(wait, bill_reason))

    async def wait(self, task_id: str, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None) -> BillTask:
        """Waits for an export that was started before; as `BillTasks.wait`."""
        from coze_openapi.api.benefits_bill_tasks.create import WAITER

        wait = await follow_async(self._client, WAITER, {"task_ids": [task_id]}, Following.already(poll_timeout, poll_interval))
        return only(outcome(wait, bill_reason))
