"""Stands in for the user's browser in the tests of the examples: opens the address and follows it
to its end.
"""

from __future__ import annotations

import sys
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=30) as page:
    page.read()
