"""Uploads a file of any size piece by piece, and shows the progress.

Reads COZE_API_TOKEN, optionally COZE_FILE, the path of the file. Set COZE_API_BASE for a site other
than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze


def show_progress(sent: int, total: int | None) -> None:
    """Prints the progress of the upload."""
    print(f"\r{sent} of {total or '?'} bytes", end="", flush=True)


def main() -> None:
    with Coze() as coze:
        file = coze.files.upload(
            file=os.environ.get("COZE_FILE") or ("numbers.txt", b"1234567890" * 100_000),
            on_progress=show_progress,
        )
        print()
        assert file.id is not None
        print(file.id, file.file_name, coze.files.retrieve(file_id=file.id).bytes, "bytes")


if __name__ == "__main__":
    main()
