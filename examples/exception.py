"""What can go wrong, and how to tell errors apart.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
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
            print("rejected before anything was sent:", error)
    with Coze("pat_wrong") as coze:
        try:
            coze.users.me()
        except AuthenticationError as error:
            print("authentication failed:", error.code)
        except RateLimitError as error:
            print("too many requests, wait", error.retry_after, "seconds")
        except APIError as error:
            print("the API returned an error:", error.code, error.http_status)
        except APIConnectionError as error:
            print("no connection:", error)


if __name__ == "__main__":
    main()
