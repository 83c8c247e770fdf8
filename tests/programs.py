"""Programs that run in an interpreter of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs code, the last argument, with the packages of this repository; flags stand before it."""
    paths = f"import sys; sys.path[:0] = {[str(ROOT / 'generated'), str(ROOT / 'overlays')]!r}\n"
    *flags, code = arguments
    return subprocess.run(
        [sys.executable, *flags, "-c", paths + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
