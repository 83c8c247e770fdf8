"""Which generated files of the tiny description are kept as golden output, and in which form."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from generator.bundle import bundle
from generator.emit import compile_bundle, render
from generator.lint import lint
from tests.generator.tiny import SPEC

# Runtime modules without a single line from the description, and the bundle a second time in another form.
LEFT_OUT = frozenset(f"coze_openapi/{name}" for name in "types.py codec.py uploads.py paging.py _http.py py.typed openapi.json".split())
# The folder is called like the real output, so that formatters and linters leave it alone like the real output.
GOLDEN = Path(__file__).resolve().parent / "golden" / "generated"
COMMAND = "python -m tests.generator.renew_golden"


@cache
def rendered() -> dict[str, bytes]:
    """Every generated file of the tiny description."""
    joined = bundle(SPEC)
    assert lint(joined, SPEC) == []
    return render(compile_bundle(joined))


def golden_files() -> dict[str, bytes]:
    """The files that depend on the description. The manifest leaves out hashes and versions, which follow the runtime modules too."""
    files = {path: data for path, data in rendered().items() if path not in LEFT_OUT}
    manifest = json.loads(files["manifest.json"])
    del manifest["generator"], manifest["version"]
    manifest["files"] = list(manifest["files"])
    files["manifest.json"] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    return files
