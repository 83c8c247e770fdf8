"""The callback servers of examples/ run as programs, and the local Coze delivers to them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from coze_openapi import Client
from cozekit_emulator import Emulator
from cozekit_emulator.state.ids import WORKSPACE

ROOT = Path(__file__).parents[2]
CHANNEL = "7400000000000000901"
FRAMEWORKS = pytest.mark.parametrize("name", ["starlette", "fastapi", "flask", "django"])


@contextmanager
def running(name: str, token: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The example as a program under `-W error`: its address without a path, and the process."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("generated", "overlays"))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(ROOT / "examples" / f"callback_{name}.py"), "0"],
        env={
            **os.environ,
            "COZE_VERIFY_TOKEN": token,
            "PYTHONPATH": paths,
            "PYTHONUNBUFFERED": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            found = re.search(r"running on (http://127\.0\.0\.1:\d+)", line, re.I)
            if found:
                yield found[1], process
                return
        raise AssertionError("".join(said))
    finally:
        process.kill()
        process.communicate()


@FRAMEWORKS
def test_an_example_takes_what_the_local_coze_delivers(
    coze_emulator: Emulator, client: Client, name: str
) -> None:
    app = client.api_apps.create(app_type="connector", connector_id=CHANNEL)
    with running(name, str(app.verify_token)) as (url, process):
        client.api_apps.update(app.id, callback_url=f"{url}/callback")
        client.api_apps.events.create(
            app.id, event_types=["bot.published", "bot.unpublished", "bot.deleted"]
        )
        bot = str(client.bots.create(space_id=WORKSPACE, name="made").bot_id)
        client.bots.publish(bot_id=bot, connector_ids=["1024", CHANNEL])
        assert len(list(client.bots.versions.list(bot, connector_id=CHANNEL))) == 1, (
            "the review in the answer let it pass"
        )
        client.bots.unpublish(bot, connector_id=CHANNEL)
        coze_emulator.deliveries()  # until it is answered: the lines of two threads may mix
        coze_emulator.deliver("bot.deleted", {"bot_id": bot}, connector_ids=[CHANNEL])
        deliveries = coze_emulator.deliveries()
        # The handlers print before they answer, and everything is answered.
        process.kill()
        told = sorted(line.strip() for line in process.stdout or () if line.endswith(f" {bot}\n"))
    assert told == [f"deleted {bot}", f"published {bot}", f"unpublished {bot}"]
    assert [(one.event_type, one.delivered, len(one.attempts)) for one in deliveries] == [
        ("url_verification", True, 1),
        ("bot.published", True, 1),
        ("bot.unpublished", True, 1),
        ("bot.deleted", True, 1),
    ]


@FRAMEWORKS
def test_an_example_refuses_what_is_not_signed(name: str) -> None:
    with running(name, "token") as (url, _):
        body = b'{"header":{"event_type":"bot.deleted","event_id":"1"},"event":{}}'
        answers = [
            httpx.post(
                f"{url}/callback",
                content=body,
                headers={"Content-Type": "application/json"},
                trust_env=False,
            ),
            httpx.get(f"{url}/callback", trust_env=False),
            httpx.post(
                f"{url}/callback",
                content=b"x",
                headers={"Content-Type": "text/plain"},
                trust_env=False,
            ),
        ]
    assert [answer.status_code for answer in answers] == [401, 405, 415]
