"""`python -m cozekit_emulator`: the local Coze in the foreground."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .emulator import TOKEN, Emulator
from .state import bots, oauth_apps, workflows


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until interrupted.

    Args:
        arguments: Those of the command line.
    """
    parser = argparse.ArgumentParser(
        "python -m cozekit_emulator",
        description="A local imitation of the Coze Open API; not Coze.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8765,
        help="port to listen on; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--token", default=TOKEN, help="the access token to accept (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    local = Emulator(host=options.host, port=options.port, token=options.token)
    try:
        local.run(lambda: _announce(local))
    except OSError as error:
        parser.exit(1, f"cannot listen on {options.host}:{options.port}: {error.strerror}\n")
    except KeyboardInterrupt:
        pass  # the usual way to stop it
    return 0


def _announce(local: Emulator) -> None:
    print(f"Local emulator, not Coze, on {local.base_url}")
    print(f"  export COZE_API_BASE={local.base_url} COZE_API_TOKEN={local.token}")
    print(
        f"  bots: answering {bots.ANSWERING}, tool calling {bots.TOOL_CALLING}, failing "
        f"{bots.FAILING}"
    )
    print(
        f"  workflows: plain {workflows.PLAIN}, interrupting {workflows.INTERRUPTING}, chatflow "
        f"{workflows.CHATFLOW}"
    )
    print(f"  sign-in: web {oauth_apps.WEB_APP} with secret {oauth_apps.WEB_SECRET}")
    print(
        f"           PKCE {oauth_apps.PKCE_APP}, device {oauth_apps.DEVICE_APP}, page for "
        f"devices {local.base_url}/device"
    )
    print(
        f"  voice sockets: {local.base_url.replace('http', 'ws', 1)}/v1/chat, /v1/audio/speech, "
        "/v1/audio/transcriptions",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
