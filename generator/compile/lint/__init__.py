"""The rules of docs/description.md, executable.

gaps        texts of drafts that somebody has still to write
files       files and the document as a whole: size, circles, what nothing uses, language
schemas     schemas and known values
operations  names, texts, parameters, bodies, responses, paging
streams     event streams, kinds of streams, errors that carry models
methods     waits, helpers, calls that may come too late
limits      limits of schemas and parameters
tables      tables of events
senders     senders of those events
keys        keys that nobody reads; whether data has the keys that it needs

Each rule is a function that yields messages of the form `where: what is wrong; how to fix it`.
"""

from __future__ import annotations

from pathlib import Path

from ..bundle import Bundle
from .files import lint_files
from .gaps import lint_gaps
from .keys import unknown_keys
from .limits import lint_limits
from .operations import lint_operations
from .schemas import lint_schemas
from .streams import lint_streams
from .tables import lint_tables


def lint(bundle: Bundle, spec: Path) -> list[str]:
    """Every departure from the rules, sorted; empty when the description is sound."""
    messages = {
        *lint_files(bundle, spec),
        *lint_gaps(bundle),
        *lint_schemas(bundle),
        *lint_operations(bundle),
        *lint_streams(bundle),
        *lint_limits(bundle),
        *lint_tables(bundle),
        *unknown_keys("", bundle.document),
    }
    return sorted(messages)
