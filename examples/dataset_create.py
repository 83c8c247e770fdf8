"""A knowledge base: made, listed, changed, deleted.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    space_id = os.environ["COZE_WORKSPACE_ID"]
    with Coze() as coze:
        made = coze.datasets.create(
            name="Otters", space_id=space_id, format_type=0, description="Facts about otters"
        )
        assert made.dataset_id is not None
        coze.datasets.update(
            made.dataset_id, name="Otters and beavers", description="Facts about both"
        )
        for dataset in coze.datasets.list(space_id=space_id, name="Otters"):
            print(dataset.dataset_id, dataset.name, dataset.doc_count, "documents")
        coze.datasets.delete(made.dataset_id)
        print("deleted", made.dataset_id)


if __name__ == "__main__":
    main()
