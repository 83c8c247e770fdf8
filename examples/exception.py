"""What goes wrong, and how a program tells it apart.

Reads COZE_API_TOKEN; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import (
    APIConnectionError,
    APIError,
    ArgumentError,
    AuthenticationError,
    Coze,
    NotFoundError,
    RateLimitError,
)


def main() -> None:
    with Coze() as coze:
        try:
            coze.bots.retrieve("1")
        except NotFoundError as error:
            print(f"no such bot: code {error.code}, {error.msg}, log id {error.logid}")
        try:
            coze.bots.retrieve("")
        except ArgumentError as error:
            print("refused before anything was sent:", error)
    with Coze("pat_wrong") as stranger:
        try:
            stranger.users.me()
        except AuthenticationError as error:
            print("signed in wrongly:", error.code)
        except RateLimitError as error:
            print("too fast, wait", error.retry_after, "seconds")
        except APIError as error:
            print("the API said no:", error.code, error.http_status)
        except APIConnectionError as error:
            print("no answer:", error)


if __name__ == "__main__":
    main()
