"""Which calls are retried, how often, and how to be notified.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze, RateLimitError, Retry, RetryPolicy


def report(retry: Retry) -> None:
    """Called before each wait. Billed calls are retried only when the server cannot have received
    them.
    """
    print(
        f"{retry.operation} failed ({retry.error}), attempt {retry.attempt} in {retry.delay:.1f} s"
    )


def main() -> None:
    with Coze(max_retries=RetryPolicy(max_retries=4, first_delay=0.5, on_retry=report)) as coze:
        try:
            print("without retries:", coze.with_options(max_retries=0).users.me().user_name)
        except RateLimitError as error:
            print(f"without retries: failed; retry after {error.retry_after} s ({error.msg})")
        print("with retries:", coze.users.me().user_name)


if __name__ == "__main__":
    main()
