"""Which generated files of the tiny description are kept as golden output, and in which form."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from generator.compile.bundle import bundle, read
from generator.compile.emit import compile_bundle, render
from generator.compile.lint import lint
from tests.generator.tiny import SPEC

# The marker of types, which is empty, and the bundle a second time in another form.
LEFT_OUT = frozenset({"coze_openapi/py.typed", "coze_openapi/openapi.json"})
# The folder is called like the real output, so that formatters and linters leave it alone like the
# real output.
GOLDEN = Path(__file__).resolve().parent / "golden" / "generated"
COMMAND = "python -m tests.generator.renew_golden"


@cache
def rendered() -> dict[str, bytes]:
    """Every generated file of the tiny description."""
    files = read(SPEC)
    assert lint(files) == []
    return render(compile_bundle(bundle(SPEC, files)))


def golden_files() -> dict[str, bytes]:
    """The files that depend on the description. The manifest leaves out hashes and versions, which
    follow the versions of tools and of the package too.
    """
    files = {path: data for path, data in rendered().items() if path not in LEFT_OUT}
    manifest = json.loads(files["manifest.json"])
    del manifest["generator"], manifest["version"]
    manifest["files"] = list(manifest["files"])
    files["manifest.json"] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    return files
