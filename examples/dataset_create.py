"""Creates a knowledge base, changes, lists and deletes it.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.

Runs on Coze Studio too, with COZE_SERVER=coze_studio.
"""

from __future__ import annotations

import os

from cozekit import Coze


def main() -> None:
    space_id = os.environ["COZE_WORKSPACE_ID"]
    with Coze() as coze:
        created = coze.datasets.create(
            name="Otters", space_id=space_id, format_type=0, description="Facts about otters"
        )
        assert created.dataset_id is not None
        coze.datasets.update(
            created.dataset_id, name="Otters and beavers", description="Facts about both"
        )
        for dataset in coze.datasets.list(space_id=space_id, name="Otters"):
            print(dataset.dataset_id, dataset.name, dataset.doc_count, "documents")
        coze.datasets.delete(created.dataset_id)
        print("deleted", created.dataset_id)


if __name__ == "__main__":
    main()
