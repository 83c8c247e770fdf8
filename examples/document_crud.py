"""Adds a document to a knowledge base, waits until it is processed, renames, lists and deletes it.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze, documents


def main() -> None:
    with Coze() as coze:
        dataset = coze.datasets.create(
            name="Otters", space_id=os.environ["COZE_WORKSPACE_ID"], format_type=0
        )
        assert dataset.dataset_id is not None
        processed = coze.datasets.documents.create_and_poll(
            dataset_id=dataset.dataset_id,
            format_type=0,
            chunk_strategy=documents.chunks("\n\n", max_tokens=800),
            document_bases=[
                documents.from_file(b"Otters hold hands while they sleep.", name="otters.txt")
            ],
        )
        ids = [item.document_id for item in processed if item.document_id]
        coze.datasets.documents.update(document_id=ids[0], document_name="About otters")
        for document in coze.datasets.documents.list(dataset_id=dataset.dataset_id):
            print(
                document.document_id,
                document.name,
                document.status,
                document.char_count,
                "characters",
            )
        coze.datasets.documents.delete(document_ids=ids)
        coze.datasets.delete(dataset.dataset_id)


if __name__ == "__main__":
    main()
