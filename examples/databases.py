"""Creates a database, inserts, queries, updates and deletes rows, and reads rows from a file.

Reads COZE_API_TOKEN and COZE_WORKSPACE_ID. Set COZE_API_BASE for a site other than
https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze, databases
from cozekit.models import DatabaseAccessMode, DatabaseField, DatabaseFieldType, RecordOrder


def main() -> None:
    with Coze() as coze:
        columns = [
            DatabaseField(name="word", type=DatabaseFieldType.STRING, is_required=True),
            DatabaseField(name="level", type=DatabaseFieldType.INTEGER, is_required=True),
        ]
        created = coze.databases.create(
            workspace_id=os.environ["COZE_WORKSPACE_ID"],
            table_name="words",
            fields=columns,
            rw_mode=DatabaseAccessMode.UNLIMITED_READ_WRITE,
        )
        assert created.database_id is not None
        words, records = created.database_id, coze.databases.records
        rows = [databases.row({"word": "otter", "level": 1}), {"word": "kelp", "level": "2"}]
        print("inserted:", records.insert(words, insert_rows=rows).affected_rows)

        records.update(
            words,
            update_fields=databases.changes({"level": 3}),
            filter=databases.where("word", "=", "otter"),
        )
        hard = databases.all_of(
            databases.where("level", ">=", 2), databases.where("word", "is not null")
        )
        order = [RecordOrder(field_name="level", direction="desc")]
        for row in records.query(words, filter=hard, order_by=order):
            print(row["word"], row["level"])

        task = records.query_and_poll(words, filter=hard)
        print("in the file:", len(coze.databases.tasks.rows(task=task)))
        gone = records.delete_and_poll(words, filter=databases.where("level", ">", 0))
        print("deleted:", gone.affected_rows)
        coze.databases.delete(words)


if __name__ == "__main__":
    main()
