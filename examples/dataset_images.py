"""Images of a knowledge base: uploads one, adds it with a caption, searches, changes the caption.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze, documents


def main() -> None:
    with Coze() as coze:
        dataset = coze.datasets.create(
            name="Pictures", space_id=os.environ["COZE_WORKSPACE_ID"], format_type=2
        )
        picture = coze.files.upload(file=("otter.png", b"\x89PNG..."))
        assert dataset.dataset_id is not None and picture.id is not None
        processed = coze.datasets.documents.create_and_poll(
            dataset_id=dataset.dataset_id,
            format_type=2,
            chunk_strategy=documents.manual_captions(),
            document_bases=[
                documents.from_image(picture.id, name="otter.png", caption="an otter on a stone")
            ],
        )
        for image in coze.datasets.images.list(dataset.dataset_id, keyword="otter"):
            print(image.document_id, image.name, image.caption)
        if processed[0].document_id:
            coze.datasets.images.update(
                dataset.dataset_id, processed[0].document_id, caption="a sleeping otter"
            )
        coze.datasets.delete(dataset.dataset_id)


if __name__ == "__main__":
    main()
