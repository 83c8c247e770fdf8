"""Why tasks failed, in words, and what is left of them when they did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_openapi.models.benefits_bill_tasks import BillTask
    from coze_openapi.models.datasets import DocumentProgress
    from coze_openapi.models.entities_copy_tasks import CopyTask


def documents_reason(documents: Sequence[DocumentProgress]) -> str:
    """The documents that failed, each with its reason."""
    from coze_openapi.models.datasets_documents import DocumentStatus

    failed = [item for item in documents if item.status == DocumentStatus.FAILED]
    return "; ".join(f"{item.document_name or item.document_id}: {item.status_descript or 'no reason given'}" for item in failed)


def copy_reason(task: CopyTask) -> str:
    """What could not be copied, each with its reason."""
    return "; ".join(f"{item.entity_name or item.entity_id}: {item.failed_reason}" for item in task.failed_reasons or [])


def bill_reason(_: Sequence[BillTask]) -> str:
    """The service names none."""
    return ""


def only(tasks: Sequence[BillTask]) -> BillTask:
    """The task out of a list that was asked for one."""
    return tasks[0]
