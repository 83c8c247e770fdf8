"""`coze.datasets`: the generated operations, with waiting for documents to be processed; the async form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coze_openapi.resources_async.datasets import AsyncDatasets as GeneratedAsyncDatasets
from coze_openapi.resources_async.datasets_documents import AsyncDatasetsDocuments as GeneratedAsyncDocuments

from .following import Following, follow_async, outcome
from .polling import POLL_TIMEOUT, arguments_of
from .signatures import takes
from .task_results import documents_reason

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.datasets_documents.create import Arguments as CreateArguments
    from coze_openapi.models.datasets import DocumentProgress


class AsyncDatasets(GeneratedAsyncDatasets):
    """The async form of `Datasets`."""

    __slots__ = ()

    @property
    def documents(self) -> AsyncDocuments:
        """Documents of a knowledge base."""
        return AsyncDocuments(self._client)


class AsyncDocuments(GeneratedAsyncDocuments):
    """The async form of `Documents`."""

    __slots__ = ()

    @takes(GeneratedAsyncDocuments.create)
    async def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> Sequence[DocumentProgress]:
        """Adds files to a knowledge base and waits until they are processed; as `Documents.create_and_poll`."""
        from coze_openapi.api.datasets_documents.create import WAITER

        made = await self.create(**arguments)
        how = Following.of(poll_timeout, poll_interval, arguments)
        return outcome(await follow_async(self._client, WAITER, arguments_of(WAITER, made, arguments), how), documents_reason)

    async def wait(
        self, *, dataset_id: str, document_ids: Sequence[str], poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None
    ) -> Sequence[DocumentProgress]:
        """Waits until files that were added before are processed; as `Documents.wait`."""
        from coze_openapi.api.datasets_documents.create import WAITER

        ids = {"dataset_id": dataset_id, "document_ids": list(document_ids)}
        return outcome(await follow_async(self._client, WAITER, ids, Following.already(poll_timeout, poll_interval)), documents_reason)
