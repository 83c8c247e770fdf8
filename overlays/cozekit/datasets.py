"""`coze.datasets`: the generated operations, with waiting for documents to be processed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coze_openapi.resources.datasets import Datasets as GeneratedDatasets
from coze_openapi.resources.datasets_documents import DatasetsDocuments as GeneratedDocuments

from .following import Following, follow, outcome
from .polling import POLL_TIMEOUT, arguments_of
from .signatures import takes
from .task_results import documents_reason

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.datasets_documents.create import Arguments as CreateArguments
    from coze_openapi.models.datasets import DocumentProgress


class Datasets(GeneratedDatasets):
    """Knowledge bases."""

    __slots__ = ()

    @property
    def documents(self) -> Documents:
        """Documents of a knowledge base."""
        return Documents(self._client)


class Documents(GeneratedDocuments):
    """Documents of a knowledge base."""

    __slots__ = ()

    @takes(GeneratedDocuments.create)
    def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> Sequence[DocumentProgress]:
        """Adds files to a knowledge base and waits until they are processed; arguments as `create`.

        Args:
            poll_timeout: Seconds to wait until all of them are ready.
            poll_interval: Seconds before the first look, 1 by default. Later looks are rarer.
            arguments: As `create`; `cozekit.documents` builds the `document_bases`.

        Returns:
            The progress of each file; all are completed.

        Raises:
            TaskFailed: Processing of a file failed; `last` holds the progress of all.
            PollTimeout: They were not ready in time; the error holds their ids, and `wait` goes on waiting.
            APIError: The service refused the files.

        Source: https://www.coze.cn/open/docs/developer_guides/get_dataset_progress
        """
        from coze_openapi.api.datasets_documents.create import WAITER

        made = self.create(**arguments)
        how = Following.of(poll_timeout, poll_interval, arguments)
        return outcome(follow(self._client, WAITER, arguments_of(WAITER, made, arguments), how), documents_reason)

    def wait(
        self, *, dataset_id: str, document_ids: Sequence[str], poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None
    ) -> Sequence[DocumentProgress]:
        """Waits until files that were added before are processed; as `create_and_poll`.

        Source: https://www.coze.cn/open/docs/developer_guides/get_dataset_progress
        """
        from coze_openapi.api.datasets_documents.create import WAITER

        ids = {"dataset_id": dataset_id, "document_ids": list(document_ids)}
        return outcome(follow(self._client, WAITER, ids, Following.already(poll_timeout, poll_interval)), documents_reason)
