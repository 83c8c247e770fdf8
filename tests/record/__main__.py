"""Records live answers into tests/cassettes/recorded/: `python -m tests.record OPERATION …
[--base-url URL] [--arguments FILE]`.

The token is that of COZE_API_TOKEN. OPERATION is an operationId (`bots_list`) or a tag (`bots`,
`conversations.messages`). Of a tag only what reads is called, unless `--writes` is given: the rest
would create, change and delete things of your account. A call takes what it requires from the
examples of the description; a YAML or JSON file gives ids of your own, by argument, or below an
operationId for that operation alone:

    workspace_id: "7391…"
    bots_list: {page_size: 2}
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from coze_openapi import Client
from coze_runtime.errors import CozeError
from tests.contract.catalogue import Op, operations
from tests.record.recorder import RECORDED, SecretFound, record
from tests.record.samples import read


def main(argv: list[str] | None = None) -> int:
    """0 when everything asked for is recorded, 1 when some of it is not, 2 when the command line
    cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.record",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("operations", nargs="+", metavar="OPERATION", help="operationIds and tags")
    parser.add_argument(
        "--base-url",
        default=os.environ.get("COZE_API_BASE") or "https://api.coze.cn",
        help="default: %(default)s",
    )
    parser.add_argument("--arguments", type=Path, metavar="FILE", help="arguments of your own")
    parser.add_argument(
        "--writes", action="store_true", help="of a tag, call also what changes things"
    )
    parser.add_argument("--folder", type=Path, default=RECORDED, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    token = os.environ.get("COZE_API_TOKEN")
    if not token:
        parser.error("COZE_API_TOKEN is not set")
    wanted = [
        op for name in options.operations for op in named(name, parser, writes=options.writes)
    ]
    given = read(options.arguments) if options.arguments else {}
    failed = 0
    # A repeated call would leave the refusals in its cassette.
    with Client(token, base_url=options.base_url, max_retries=0) as client:
        for op in dict.fromkeys(op.id for op in wanted):
            try:
                print(
                    f"{op}: {record(operations()[op], client, token, given, options.folder).name}"
                )
            except (CozeError, SecretFound) as error:
                failed += 1
                print(f"{op}: not recorded: {error}", file=sys.stderr)
    return 1 if failed else 0


def named(name: str, parser: argparse.ArgumentParser, *, writes: bool) -> list[Op]:
    """The operation of that id, or those of that tag."""
    if name in operations():
        return [operations()[name]]
    of_tag = [op for op in operations().values() if op.tag == name]
    if not of_tag:
        parser.error(f"no operation and no tag is called {name} (docs/operations.md lists them)")
    chosen = [op for op in of_tag if writes or reads(op)]
    for op in of_tag:
        if op not in chosen:
            print(
                f"{op.id}: left out, it may change things (--writes, or name it)", file=sys.stderr
            )
    return chosen


def reads(op: Op) -> bool:
    return op.method == "GET" or op.pager is not None or bool(op.node.get("x-coze-safe"))


if __name__ == "__main__":
    sys.exit(main())
