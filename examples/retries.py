"""Which calls are repeated, how often, and how a program hears of it.

Reads COZE_API_TOKEN; COZE_API_BASE for another site than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze, RateLimitError, Retry, RetryPolicy


def tell(retry: Retry) -> None:
    """Called before each wait. Chats and runs are repeated only when they cannot have been
    accepted.
    """
    print(
        f"{retry.operation} failed ({retry.error}), attempt {retry.attempt} in {retry.delay:.1f} s"
    )


def main() -> None:
    with Coze(max_retries=RetryPolicy(max_retries=4, first_delay=0.5, on_retry=tell)) as coze:
        try:
            print("hasty:", coze.with_options(max_retries=0).users.me().user_name)
        except RateLimitError as error:
            print(
                f"hasty: not repeated; the server wants {error.retry_after} s of peace "
                f"({error.msg})"
            )
        print("patient:", coze.users.me().user_name)


if __name__ == "__main__":
    main()
