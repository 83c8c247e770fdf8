"""Run this first: streams a chat, polls a chat, runs a workflow.

Without credentials it starts a local Coze and talks to that. With COZE_API_TOKEN and COZE_BOT_ID
set (and COZE_WORKFLOW_ID, if you have a published workflow) it talks to the real one, at
COZE_API_BASE or https://api.coze.cn.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cozekit import Coze, messages


@contextmanager
def connect() -> Iterator[tuple[Coze, str, str | None]]:
    """A client, a bot and a workflow: the real ones if the environment names them, otherwise local
    ones.
    """
    bot_id = os.environ.get("COZE_BOT_ID")
    if os.environ.get("COZE_API_TOKEN") and bot_id:
        with Coze() as coze:
            yield coze, bot_id, os.environ.get("COZE_WORKFLOW_ID")
        return
    from cozekit_emulator import Emulator, bots, workflows

    with Emulator() as local, Coze(local.token, base_url=local.base_url) as coze:
        yield coze, bots.ANSWERING, workflows.PLAIN


def main() -> None:
    """Shows the three ways to get an answer."""
    with connect() as (coze, bot_id, workflow_id):
        print(f"talking to {coze.base_url}\n")

        print("streamed: ", end="")
        question = [messages.user_text("杭州今天天气怎么样？")]
        with coze.chat.stream(
            bot_id=bot_id, user_id="demo", additional_messages=question
        ) as stream:
            for piece in stream.text_stream():
                print(piece, end="", flush=True)
        print(f"\n          (log id {stream.logid})\n")

        result = coze.chat.create_and_poll(
            bot_id=bot_id, user_id="demo", additional_messages=question
        )
        print(f"polled:   {result.answer}")
        if result.usage:
            print(
                f"          ({result.usage.token_count} tokens: {result.usage.input_count} in, "
                f"{result.usage.output_count} out)\n"
            )

        if workflow_id:
            run = coze.workflows.runs.create(
                workflow_id=workflow_id, parameters={"city": "Hangzhou"}
            )
            print(f"workflow: {run.data}")


if __name__ == "__main__":
    main()
