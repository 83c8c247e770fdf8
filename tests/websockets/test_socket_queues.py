"""Frames that wait to be sent, when the connection is lost or the socket closed meanwhile."""

from __future__ import annotations

import pytest

from cozekit.websockets._event_queue import SendQueue


def frames_of(queue: SendQueue) -> list[str | None]:
    frames = []
    while queue:
        frames.append(queue.take())
        queue.confirm()
    return frames


def filled(*frames: str, settings: str = "") -> SendQueue:
    queue = SendQueue(10)
    for frame in frames:
        assert queue.put(frame, is_settings=frame == settings)
    return queue


def test_a_frame_that_was_lost_with_its_connection_goes_first_on_the_next_one() -> None:
    queue = filled("a", "b")
    assert queue.take() == "a"
    queue.put_back("a")
    queue.restart()
    assert frames_of(queue) == ["a", "b"]


@pytest.mark.parametrize("flush", [True, False])
def test_a_queue_that_was_closed_meanwhile_takes_nothing_back(flush: bool) -> None:
    queue = filled("a", "b")
    assert queue.take() == "a"
    queue.close(flush=flush)
    queue.put_back("a")
    assert not queue.is_sending
    assert frames_of(queue) == (["b"] if flush else [])


def test_closing_again_without_flush_drops_what_a_first_close_still_sends() -> None:
    queue = filled("a", "b")
    queue.close(flush=True)
    queue.close(flush=False)
    assert len(queue) == 0


@pytest.mark.parametrize("late", [False, True], ids=["writer first", "reader first"])
def test_settings_go_before_a_lost_frame_whoever_notices_the_loss_first(late: bool) -> None:
    queue = filled("settings", "a", "b", settings="settings")
    queue.take()
    queue.confirm()
    assert queue.take() == "a"
    if late:
        queue.restart()
        queue.put_back("a")
    else:
        queue.put_back("a")
        queue.restart()
    assert frames_of(queue) == ["settings", "a", "b"]


def test_settings_that_were_lost_themselves_go_once() -> None:
    queue = filled("settings", "a", settings="settings")
    assert queue.take() == "settings"
    queue.put_back("settings")
    queue.restart()
    assert frames_of(queue) == ["settings", "a"]


def test_a_full_queue_takes_nothing_until_a_frame_went() -> None:
    queue = SendQueue(1)
    assert queue.put("a", is_settings=False)
    assert not queue.put("b", is_settings=True)
    assert queue.take() == "a"
    assert queue.put("b", is_settings=True)
    assert frames_of(queue) == ["b"]
