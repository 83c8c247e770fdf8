"""`coze.benefits`: the generated operations, with waiting for exports of bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi.resources.benefits import Benefits as GeneratedBenefits
from coze_openapi.resources.benefits_bill_tasks import BenefitsBillTasks as GeneratedBillTasks

from .following import Following, follow, outcome
from .polling import POLL_TIMEOUT, arguments_of
from .signatures import takes
from .task_results import bill_reason, only

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.benefits_bill_tasks.create import Arguments as CreateArguments
    from coze_openapi.models.benefits_bill_tasks import BillTask


class Benefits(GeneratedBenefits):
    """Plan and entitlements of an account."""

    __slots__ = ()

    @property
    def bill_tasks(self) -> BillTasks:
        """Exports of bills."""
        return BillTasks(self._client)


class BillTasks(GeneratedBillTasks):
    """Exports of bills."""

    __slots__ = ()

    @takes(GeneratedBillTasks.create)
    def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> BillTask:
        """Exports bills and waits until the files are there; arguments as `create`.

        Args:
            poll_timeout: Seconds to wait for the files.
            poll_interval: Seconds before the first look, 5 by default. Later looks are rarer.
            arguments: As `create`.

        Returns:
            The finished task; `file_urls` holds the links, which expire at `expires_at`.

        Raises:
            TaskFailed: The export failed.
            PollTimeout: It was not ready in time; the error holds the id of the task, and `wait` goes on waiting.
            APIError: The service refused the export.

        Source: https://www.coze.cn/open/docs/developer_guides/billing_file
        """
        from coze_openapi.api.benefits_bill_tasks.create import WAITER

        ids = arguments_of(WAITER, self.create(**arguments), arguments)
        wait = follow(self._client, WAITER, ids, Following.of(poll_timeout, poll_interval, arguments))
        return only(outcome(wait, bill_reason))

    def wait(self, task_id: str, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None) -> BillTask:
        """Waits for an export that was started before; as `create_and_poll`.

        Source: https://www.coze.cn/open/docs/developer_guides/billing_file
        """
        from coze_openapi.api.benefits_bill_tasks.create import WAITER

        wait = follow(self._client, WAITER, {"task_ids": [task_id]}, Following.already(poll_timeout, poll_interval))
        return only(outcome(wait, bill_reason))
