"""A file of any size, sent piece by piece, with its progress.

Reads COZE_API_TOKEN, optionally COZE_FILE, the path of the file; COZE_API_BASE for another site
than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def show(sent: int, total: int | None) -> None:
    """Prints how far the upload is."""
    print(f"\r{sent} of {total or '?'} bytes", end="", flush=True)


def main() -> None:
    with Coze() as coze:
        file = coze.files.upload(
            file=os.environ.get("COZE_FILE") or ("numbers.txt", b"1234567890" * 100_000),
            on_progress=show,
        )
        print()
        assert file.id is not None
        print(file.id, file.file_name, coze.files.retrieve(file_id=file.id).bytes, "bytes")


if __name__ == "__main__":
    main()
