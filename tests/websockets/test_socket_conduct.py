"""How sockets behave, sync and async: order, waits, errors, ends."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from scripted_sockets import Peer, send, until_closed
from websockets.server import ServerProtocol

from coze_openapi import models as m
from cozekit.auth import TokenCallback
from cozekit.errors import (
    APIConnectionError,
    ArgumentError,
    AuthenticationError,
    CozeError,
    PermissionDeniedError,
    WebSocketError,
)
from cozekit.websockets import (
    Reconnect,
    Reconnected,
    SocketOptions,
    UnknownEvent,
    WebSocketTimeout,
    audio_of,
)

CREATED = "speech.created"
DONE = "speech.audio.completed"


async def workers_ended() -> None:
    """Waits for the threads and tasks behind the sockets of this test."""
    while any(
        name.startswith("cozekit-websockets")
        for name in (
            *(thread.name for thread in threading.enumerate()),
            *(task.get_name() for task in asyncio.all_tasks()),
        )
    ):
        await asyncio.sleep(0.001)


def sound(connection: Any, data: bytes) -> None:
    send(connection, "speech.audio.update", {"delta": base64.b64encode(data).decode()})


async def first_of(ws: Any, count: int) -> list[Any]:
    events: list[Any] = []
    async for event in ws:
        events.append(event)
        if len(events) == count:
            break
    return events


async def test_events_come_in_order_and_unknown_ones_and_noise_are_passed_on(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        connection.send(b"\xff\x00 noise")
        connection.send("not JSON")
        send(connection, "speech.invented", {"x": 1})
        sound(connection, b"one")
        send(connection, DONE)
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url) as ws:
        events = await first_of(ws, 6)
    assert [event.event_type for event in events] == [
        CREATED,
        "",
        "",
        "speech.invented",
        "speech.audio.update",
        DONE,
    ]
    assert (events[1].raw, events[2].raw, events[3].data) == (
        b"\xff\x00 noise",
        b"not JSON",
        {"x": 1},
    )
    assert audio_of(events[4]) == b"one"


async def test_a_thousand_frames_of_sound_arrive_in_order_although_the_socket_is_closed_at_once(
    sync_or_async: Any, peers: Any
) -> None:
    ended = threading.Event()

    def script(connection: Any) -> None:
        try:
            while True:
                peer.take(connection)
        finally:
            ended.set()

    peer = peers(script)
    async with sync_or_async.open(peer.base_url, "transcriptions") as ws:
        for number in range(1000):
            await ws.input_audio_buffer_append(number.to_bytes(2, "big") * 160)
    assert await asyncio.to_thread(ended.wait, 10)
    sent = [base64.b64decode(event["data"]["delta"])[:2] for event in peer.received]
    assert sent == [number.to_bytes(2, "big") for number in range(1000)]


async def test_an_event_from_before_the_wait_is_not_lost(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, "speech.updated")
        send(connection, DONE)
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url) as ws:
        await ws.wait_for(DONE)
        assert (await ws.wait_for(m.SpeechCreatedEvent)).event_type == CREATED
        assert (await ws.wait_for((DONE, "speech.updated"))).event_type == "speech.updated"


async def test_a_close_of_the_server_wakes_every_waiter(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        connection.close(1011, "broken")

    peer = peers(script)
    async with sync_or_async.open(peer.base_url) as ws:
        waits = [asyncio.ensure_future(ws.wait_for(DONE, timeout=10)) for _ in range(3)]
        steps = asyncio.ensure_future(first_of(ws, 1))
        await ws.input_text_buffer_complete()
        for error in await asyncio.gather(*waits, steps, return_exceptions=True):
            assert type(error) is WebSocketError
            assert (error.code, error.msg) == (1011, "broken")
        with pytest.raises(WebSocketError):
            await ws.input_text_buffer_complete()
        assert ws.state == "closed"


async def test_an_error_event_wakes_every_waiter_and_the_socket_goes_on(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        send(connection, "error", {"code": 4000, "msg": "bad"}, detail={"logid": "log1"})
        peer.take(connection)
        send(connection, DONE)
        until_closed(connection)

    peer = peers(script)
    async with sync_or_async.open(peer.base_url) as ws:
        waits = [asyncio.ensure_future(ws.wait_for(DONE, timeout=10)) for _ in range(3)]
        while ws.events.waiting < 3:
            await asyncio.sleep(0)
        await ws.input_text_buffer_append("x")
        for error in await asyncio.gather(*waits, return_exceptions=True):
            assert type(error) is WebSocketError
            assert (error.code, error.msg, error.logid) == (4000, "bad", "log1")
        await ws.input_text_buffer_complete()
        assert (await ws.wait_for(DONE)).event_type == DONE


async def test_an_error_event_is_raised_at_its_place_and_the_iteration_can_be_taken_up_again(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, "error", {"code": 3010, "msg": "too long"})
        send(connection, DONE)
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url) as ws:
        seen = []
        with pytest.raises(WebSocketError, match="3010"):
            async for event in ws:
                seen.append(event.event_type)
        assert seen == [CREATED]
        assert [event.event_type for event in await first_of(ws, 1)] == [DONE]


async def test_an_awaited_error_event_is_returned(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        send(connection, "error", {"code": 1, "msg": "m"})
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url) as ws:
        assert (await ws.wait_for("error")).data.code == 1


async def test_a_close_of_the_server_after_its_last_event_ends_the_iteration(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, DONE)
        connection.close(1000)

    async with sync_or_async.open(peers(script).base_url) as ws:
        assert [event.event_type async for event in ws] == [DONE]


async def test_a_close_of_the_server_before_its_last_event_is_an_error(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        connection.close(1000)

    async with sync_or_async.open(peers(script).base_url) as ws:
        with pytest.raises(WebSocketError, match="code 1000"):
            _ = [event async for event in ws]


async def test_a_new_socket_is_not_open_and_a_closed_one_stays_closed(
    sync_or_async: Any, peers: Any
) -> None:
    async with sync_or_async.resource(peers(until_closed).base_url) as resource:
        ws = sync_or_async.wrap(resource.speech())
        for call in (ws.input_text_buffer_complete, lambda: ws.wait_for(DONE)):
            with pytest.raises(WebSocketError, match="is not open"):
                await call()
        async with ws:
            assert ws.state == "open"
            with pytest.raises(WebSocketError, match="is open"):
                await ws.connect()
            await ws.close()
            await ws.close()
            for call in (ws.input_text_buffer_complete, lambda: ws.wait_for(DONE)):
                with pytest.raises(WebSocketError, match="closed by this program"):
                    await call()
            assert [event async for event in ws] == []
        with pytest.raises(WebSocketError, match="create a new one"):
            await ws.connect()


async def test_a_socket_that_was_never_opened_can_be_closed(sync_or_async: Any) -> None:
    async with sync_or_async.resource("http://127.0.0.1:1") as resource:
        ws = sync_or_async.wrap(resource.speech())
        await ws.close()
        assert ws.state == "closed"


async def test_closing_wakes_whoever_waits(sync_or_async: Any, peers: Any) -> None:
    async with sync_or_async.open(peers(until_closed).base_url) as ws:
        wait = asyncio.ensure_future(ws.wait_for(DONE, timeout=10))
        steps = asyncio.ensure_future(first_of(ws, 1))
        while ws.events.waiting < 1 or not ws.events.iterations:
            await asyncio.sleep(0)
        await ws.close()
        with pytest.raises(WebSocketError, match="closed by this program"):
            await wait
        assert await steps == []


async def test_a_frame_of_two_mebibytes_is_delivered(sync_or_async: Any, peers: Any) -> None:
    data = bytes(range(256)) * 6144

    def script(connection: Any) -> None:
        sound(connection, data)
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url) as ws:
        assert audio_of(await ws.wait_for("speech.audio.update")) == data


async def test_a_frame_above_the_limit_ends_the_socket_with_an_error(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        sound(connection, b"x" * 2000)
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url, max_size=1000) as ws:
        with pytest.raises(WebSocketError) as caught:
            await ws.wait_for(DONE)
    assert caught.value.code == 1009


async def test_a_wait_ends_in_time(sync_or_async: Any, peers: Any) -> None:
    async with sync_or_async.open(peers(until_closed).base_url, idle_timeout=0.05) as ws:
        with pytest.raises(WebSocketTimeout):
            await ws.wait_for(DONE)
        with pytest.raises(WebSocketTimeout):
            await ws.wait_for(DONE, timeout=0.01)
        with pytest.raises(WebSocketTimeout):
            await first_of(ws, 1)
        assert ws.state == "open"


def half_open(listener: socket.socket, released: threading.Event) -> None:
    """Answers the handshake and is silent from then on: reads nothing, sends nothing, closes
    nothing.
    """
    from websockets.server import ServerProtocol

    connection, _ = listener.accept()
    protocol = ServerProtocol()
    while not (requests := protocol.events_received()):
        protocol.receive_data(connection.recv(65536))
    protocol.send_response(protocol.accept(requests[0]))
    for data in protocol.data_to_send():
        connection.sendall(data)
    released.wait(20)
    connection.close()


@pytest.fixture
def silent_url() -> Any:
    released = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=half_open, args=(listener, released), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        released.set()
        thread.join(5)


@pytest.mark.parametrize("flush", [True, False])
@pytest.mark.parametrize("load", [0, 40])
async def test_closing_takes_at_most_a_second_when_the_peer_is_silent(
    sync_or_async: Any, silent_url: str, flush: bool, load: int
) -> None:
    async with sync_or_async.resource(silent_url) as resource:
        ws = sync_or_async.wrap(resource.transcriptions(options=SocketOptions()))
        await ws.connect()
        for _ in range(load):
            await ws.input_audio_buffer_append(bytes(300_000))
        begun = time.monotonic()
        await ws.close(flush=flush)
        assert time.monotonic() - begun <= 1.0


async def test_a_peer_that_answers_no_ping_is_noticed(sync_or_async: Any, silent_url: str) -> None:
    async with sync_or_async.open(silent_url, ping_interval=0.05, ping_timeout=0.05) as ws:
        with pytest.raises(WebSocketError, match=r"no pong within 0\.05 s"):
            await ws.wait_for(DONE, timeout=10)


async def test_a_peer_that_takes_no_data_is_noticed(sync_or_async: Any, silent_url: str) -> None:
    async with sync_or_async.open(
        silent_url, "transcriptions", send_timeout=0.2, max_queue=2
    ) as ws:
        with pytest.raises(WebSocketError):
            for _ in range(100):
                await ws.input_audio_buffer_append(bytes(300_000))
        with pytest.raises(WebSocketError, match="connection was lost") as caught:
            await ws.wait_for("transcriptions.created", timeout=10)
        assert not isinstance(caught.value, WebSocketTimeout)


async def test_pings_keep_a_quiet_connection_open(sync_or_async: Any, peers: Any) -> None:
    from websockets.frames import Opcode

    pinged = threading.Event()

    def script(connection: Any) -> None:
        original = connection.process_event

        def watch(frame: Any) -> None:
            if frame.opcode is Opcode.PING:
                pinged.set()
            original(frame)

        connection.process_event = watch
        assert pinged.wait(10)
        send(connection, DONE)
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url, ping_interval=0.01, ping_timeout=5) as ws:
        assert (await ws.wait_for(DONE, timeout=10)).event_type == DONE


async def test_closing_without_flush_drops_what_is_queued(
    sync_or_async: Any, silent_url: str
) -> None:
    async with sync_or_async.resource(silent_url) as resource:
        ws = sync_or_async.wrap(resource.transcriptions())
        await ws.connect()
        for _ in range(40):
            await ws.input_audio_buffer_append(bytes(300_000))
        assert ws.frames_to_send > 1
        await ws.close(flush=False)
        assert ws.frames_to_send == 0
        await workers_ended()
        assert ws.frames_to_send == 0


async def test_closing_from_several_places_at_once_is_quiet(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        until_closed(connection)

    async with sync_or_async.resource(peers(script).base_url) as resource:
        ws = sync_or_async.wrap(resource.speech())
        # In the sync client this closes at once, in the async one it gives something to await.
        ws.on(CREATED)(lambda event: ws.socket.close(flush=False))
        await ws.connect()
        wait = asyncio.ensure_future(ws.wait_for(DONE, timeout=10))
        await asyncio.gather(*(ws.close(flush=number % 2 == 0) for number in range(8)))
        with pytest.raises(WebSocketError, match="closed by this program"):
            await wait
        assert ws.state == "closed"
        await workers_ended()


async def test_closing_while_a_lost_connection_is_made_again_is_quiet_and_drops_what_waits(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        connection.recv()
        if len(peer.connections) == 1:
            connection.socket.shutdown(socket.SHUT_RDWR)
        until_closed(connection)

    peer = peers(script)
    for delay in (0.0, 0.01, 10.0):
        peer.connections.clear()
        async with sync_or_async.resource(peer.base_url) as resource:
            policy = Reconnect(attempts=3, delay=delay)
            ws = sync_or_async.wrap(
                resource.transcriptions(options=SocketOptions(reconnect=policy))
            )
            await ws.connect()
            for _ in range(20):
                await ws.input_audio_buffer_append(bytes(30_000))
            await asyncio.gather(ws.close(flush=False), ws.close(), ws.close(flush=False))
            await workers_ended()
            assert ws.frames_to_send == 0


async def test_a_slow_consumer_makes_the_server_wait_and_gets_everything(
    sync_or_async: Any, peers: Any
) -> None:
    total, sent, finished = 3000, [0], threading.Event()

    def script(connection: Any) -> None:
        for number in range(total):
            sound(connection, number.to_bytes(4, "big") * 2500)
            sent[0] += 1
        finished.set()
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url, max_events=20) as ws:
        count = 0
        async for event in ws:
            if count == 0:
                # The program is busy: the server must not get rid of its 40 MB.
                assert not await asyncio.to_thread(finished.wait, 0.5)
                assert sent[0] < total
            assert ws.events.stored[0] <= 20
            assert audio_of(event)[:4] == count.to_bytes(4, "big")
            count += 1
            if count == total:
                break
    assert count == total


async def test_the_bytes_that_are_kept_are_bounded_too(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        for _ in range(300):
            sound(connection, bytes(90_000))
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url, max_bytes=500_000) as ws:
        seen = 0
        async for _ in ws:
            seen += 1
            assert ws.events.stored[1] <= 500_000 + 130_000
            if seen == 300:
                break


async def test_with_handlers_only_nothing_stalls_and_memory_stays_bounded(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        for number in range(2000):
            sound(connection, number.to_bytes(4, "big"))
        send(connection, DONE)
        until_closed(connection)

    peer, heard = peers(script), []
    async with sync_or_async.open(peer.base_url, max_events=10) as ws:
        ws.on("speech.audio.update")(lambda event: heard.append(audio_of(event)))
        await ws.input_text_buffer_complete()
        await ws.wait_for(DONE)
        assert ws.events.stored[0] <= 10
    assert heard == [number.to_bytes(4, "big") for number in range(2000)]


async def test_a_wait_passes_over_more_events_than_are_kept(sync_or_async: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        for _ in range(500):
            send(connection, "speech.updated")
        send(connection, DONE)
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url, max_events=10) as ws:
        assert (await ws.wait_for(DONE, timeout=10)).event_type == DONE


async def test_a_handler_that_fails_is_reported_once_and_nothing_stops(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, "speech.updated")
        peer.take(connection)
        send(connection, DONE)
        until_closed(connection)

    peer, called = peers(script), []
    async with sync_or_async.resource(peer.base_url) as resource:
        ws = sync_or_async.wrap(resource.speech())

        @ws.on(CREATED)
        def fail(event: Any) -> None:
            raise LookupError("mine")

        @ws.on("*")
        def note(event: Any) -> None:
            called.append(event.event_type)

        async with ws:
            with pytest.raises(LookupError, match="mine"):
                await ws.wait_for(DONE, timeout=10)
            await ws.input_text_buffer_complete()
            await ws.wait_for(DONE, timeout=10)
    assert called == [CREATED, "speech.updated", DONE]


async def test_the_failure_of_a_handler_is_raised_by_close_when_nobody_waited(
    sync_or_async: Any, peers: Any
) -> None:
    failed = threading.Event()

    def script(connection: Any) -> None:
        send(connection, CREATED)
        until_closed(connection)

    def fail(event: Any) -> None:
        failed.set()
        raise LookupError("mine")

    async with sync_or_async.resource(peers(script).base_url) as resource:
        ws = sync_or_async.wrap(resource.speech())
        ws.on(m.SpeechCreatedEvent)(fail)
        await ws.connect()
        await asyncio.to_thread(failed.wait, 5)
        with pytest.raises(LookupError, match="mine"):
            await ws.close()
        await ws.close()


async def test_handlers_are_checked_when_they_are_registered(sync_or_async: Any) -> None:
    async with sync_or_async.resource("http://127.0.0.1:1") as resource:
        ws = sync_or_async.wrap(resource.speech())
        for wrong in (
            "speech.audio.updat",
            "chat.created",
            m.ChatSocketCreatedEvent,
            int,
            None,
            (),
        ):
            with pytest.raises(ArgumentError):
                ws.on(wrong)
        with pytest.raises(ArgumentError, match=r"did you mean 'speech.audio.update'"):
            ws.on("speech.audio.updat")
        for wrong_function in ("text", lambda: None, lambda a, b: None):
            with pytest.raises(ArgumentError):
                ws.on(CREATED)(wrong_function)


async def test_a_handler_cannot_wait_for_its_own_socket_but_can_close_it(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        connection.recv()
        send(connection, "speech.updated")
        until_closed(connection)

    async with sync_or_async.resource(peers(script).base_url) as resource:
        ws = sync_or_async.wrap(resource.speech())
        # In the sync client both calls are made at once, in the async one they give something to
        # await.
        ws.on(CREATED)(lambda event: ws.socket.wait_for(DONE))
        ws.on(m.SpeechUpdatedEvent)(lambda event: ws.socket.close())
        async with ws:
            with pytest.raises(CozeError, match="cannot wait"):
                await ws.wait_for(DONE, timeout=10)
            await ws.input_text_buffer_complete()
            with pytest.raises(WebSocketError, match="closed by this program"):
                await ws.wait_for(DONE, timeout=10)


async def test_an_iteration_that_was_left_does_not_stall_the_handlers(
    sync_or_async: Any, peers: Any
) -> None:
    heard = threading.Event()

    def script(connection: Any) -> None:
        for _ in range(200):
            send(connection, "speech.updated")
        send(connection, DONE)
        until_closed(connection)

    async with sync_or_async.resource(peers(script).base_url) as resource:
        ws = sync_or_async.wrap(resource.speech(options=SocketOptions(max_events=5)))
        ws.on(DONE)(lambda event: heard.set())
        async with ws:
            async for _ in ws:
                break
            assert await asyncio.to_thread(heard.wait, 10)


async def test_an_async_handler_is_awaited(peers: Any) -> None:
    from scripted_sockets import SyncOrAsync

    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, DONE)
        until_closed(connection)

    seen = []
    async with SyncOrAsync("async").resource(peers(script).base_url) as resource:
        ws = resource.speech()

        @ws.on(m.SpeechCreatedEvent)
        async def handler(event: m.SpeechCreatedEvent) -> None:
            await asyncio.sleep(0)
            seen.append(event.event_type)

        async with ws:
            await ws.wait_for(DONE)
    assert seen == [CREATED]


async def test_a_coroutine_function_is_rejected_as_handler_of_a_sync_socket() -> None:
    from scripted_sockets import SyncOrAsync

    async def handler(event: Any) -> None: ...

    async with SyncOrAsync("sync").resource("http://127.0.0.1:1") as resource:
        with pytest.raises(ArgumentError, match="AsyncCoze"):
            resource.speech().on(CREATED)(handler)


async def test_a_lost_connection_is_made_again_and_gets_the_settings_again(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        first = len(peer.connections) == 1
        peer.take(connection)
        if first:
            connection.close(1012)
            return
        send(connection, DONE)
        until_closed(connection)

    peer = peers(script)
    async with sync_or_async.open(peer.base_url, reconnect=Reconnect(attempts=3, delay=0.01)) as ws:
        await ws.speech_update(output_audio=m.OutputAudio(speech_rate=7))
        events = await first_of(ws, 2)
    assert [type(event) for event in events] == [Reconnected, m.SpeechAudioCompletedEvent]
    assert [event["data"]["output_audio"]["speech_rate"] for event in peer.received] == [7, 7]


async def test_a_connection_that_the_server_refuses_on_purpose_is_not_made_again(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        connection.close(1008, "policy")

    peer = peers(script)
    async with sync_or_async.open(peer.base_url, reconnect=Reconnect(delay=0.01)) as ws:
        with pytest.raises(WebSocketError, match="policy"):
            await ws.wait_for(DONE, timeout=10)
    assert len(peer.connections) == 1


async def test_a_connection_that_cannot_be_made_again_ends_the_socket(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        connection.recv()
        peer._server.socket.close()
        connection.socket.shutdown(socket.SHUT_RDWR)

    peer = peers(script)
    async with sync_or_async.open(peer.base_url, reconnect=Reconnect(attempts=2, delay=0.01)) as ws:
        await ws.input_text_buffer_complete()
        with pytest.raises(WebSocketError, match="reconnecting failed"):
            await ws.wait_for(DONE, timeout=10)


async def test_a_token_source_that_fails_while_reconnecting_ends_the_socket(
    sync_or_async: Any, peers: Any
) -> None:
    tokens = iter(["first"])

    def token() -> str:
        return next(tokens, None) or 1 / 0  # type: ignore[return-value]

    peer = peers(lambda connection: connection.close(1012))
    options = SocketOptions(reconnect=Reconnect(attempts=2, delay=0.01))
    async with (
        sync_or_async.resource(peer.base_url, auth=TokenCallback(token)) as resource,
        sync_or_async.wrap(resource.speech(options=options)) as ws,
    ):
        with pytest.raises(WebSocketError, match="ZeroDivisionError"):
            await ws.wait_for(DONE, timeout=10)


async def test_after_a_failed_connection_the_socket_can_be_opened_again(
    sync_or_async: Any, peers: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with sync_or_async.resource(f"http://127.0.0.1:{port}") as resource:
        ws = sync_or_async.wrap(resource.speech())
        with pytest.raises(APIConnectionError):
            await ws.connect()
        assert ws.state == "new"
        peers(until_closed, port=port)
        await ws.connect()
        assert ws.state == "open"
        await ws.close()


@pytest.mark.parametrize(
    ("status", "expected"), [(401, AuthenticationError), (403, PermissionDeniedError)]
)
async def test_a_refused_handshake_is_an_api_error_with_its_log_id(
    sync_or_async: Any, peers: Any, status: int, expected: type
) -> None:
    def refuse(connection: Any, request: Any) -> Any:
        response = connection.respond(
            status, json.dumps({"code": 4100, "msg": "no"}) if status == 401 else "no"
        )
        response.headers["X-Tt-Logid"] = "log7"
        return response

    async with sync_or_async.resource(
        peers(until_closed, process_request=refuse).base_url
    ) as resource:
        with pytest.raises(expected) as caught:
            await sync_or_async.wrap(resource.speech()).connect()
    assert (caught.value.http_status, caught.value.logid) == (status, "log7")  # type: ignore[attr-defined]
    assert "tok" not in repr(caught.value).replace("token", "")


async def test_a_redirection_is_not_followed_so_that_the_token_stays_here(
    sync_or_async: Any, peers: Any
) -> None:
    other = peers(until_closed)

    def redirect(connection: Any, request: Any) -> Any:
        response = connection.respond(302, "")
        response.headers["Location"] = other.base_url.replace("http", "ws")
        return response

    async with sync_or_async.resource(
        peers(until_closed, process_request=redirect).base_url
    ) as resource:
        with pytest.raises(CozeError):
            await sync_or_async.wrap(resource.speech()).connect()
    assert other.requests == []


async def test_a_server_that_does_not_answer_the_handshake_is_a_timeout(sync_or_async: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with sync_or_async.resource(
            f"http://127.0.0.1:{listener.getsockname()[1]}"
        ) as resource:
            with pytest.raises(APIConnectionError):
                await sync_or_async.wrap(
                    resource.speech(options=SocketOptions(open_timeout=0.1))
                ).connect()


async def test_closing_wakes_whoever_connects(sync_or_async: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with sync_or_async.resource(url) as resource:
            ws = sync_or_async.wrap(resource.speech(options=SocketOptions(open_timeout=60)))
            connect = asyncio.ensure_future(ws.connect())
            peer, _ = await asyncio.to_thread(listener.accept)
            with peer:
                await ws.close()
                with pytest.raises(WebSocketError, match="closed by this program"):
                    await asyncio.wait_for(connect, 10)


async def test_a_connection_that_is_made_after_the_socket_was_closed_is_dropped(
    sync_or_async: Any,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with sync_or_async.resource(url) as resource:
            ws = sync_or_async.wrap(resource.speech(options=SocketOptions(open_timeout=60)))
            connect = asyncio.ensure_future(ws.connect())
            peer, _ = await asyncio.to_thread(listener.accept)
            with peer:
                await ws.close()
                with pytest.raises(WebSocketError):
                    await connect
                await asyncio.to_thread(accept_handshake, peer)
                assert await asyncio.to_thread(read_to_the_end, peer)


def accept_handshake(peer: socket.socket) -> None:
    """Answers the handshake of a client as a server does."""
    protocol = ServerProtocol()
    while data := peer.recv(4096):
        protocol.receive_data(data)
        for request in protocol.events_received():
            protocol.send_response(protocol.accept(request))
            peer.sendall(b"".join(protocol.data_to_send()))
            return


def read_to_the_end(peer: socket.socket) -> bool:
    """Whether the client has closed the connection."""
    peer.settimeout(10)
    with suppress(ConnectionResetError):
        while peer.recv(4096):
            pass
    return True


async def test_the_token_is_in_the_header_and_the_query_is_quoted(
    sync_or_async: Any, peers: Any
) -> None:
    peer: Peer = peers(until_closed)
    async with sync_or_async.resource(peer.base_url + "/gateway", token="secret-token") as resource:
        ws = sync_or_async.wrap(resource.chat("1&admin=1 #?/", device_id="9"))
        await ws.connect()
        await ws.close()
    request = peer.requests[0]
    assert request.headers["Authorization"] == "Bearer secret-token"
    assert request.path == "/gateway/v1/chat?bot_id=1%26admin%3D1+%23%3F%2F&device_id=9"
    assert "secret" not in request.path


async def test_another_address_of_the_sockets_can_be_given(sync_or_async: Any, peers: Any) -> None:
    peer = peers(until_closed)
    async with sync_or_async.resource("https://api.invalid/x") as resource:
        ws = sync_or_async.wrap(
            resource.speech(
                options=SocketOptions(base_url=peer.base_url.replace("http", "ws") + "/deep/")
            )
        )
        await ws.connect()
        await ws.close()
    assert peer.requests[0].path == "/deep/v1/audio/speech"


async def test_a_chat_needs_a_bot(sync_or_async: Any) -> None:
    async with sync_or_async.resource("http://127.0.0.1:1") as resource:
        for empty in ("", "  "):
            with pytest.raises(ArgumentError, match="bot_id"):
                resource.chat(empty)


@pytest.mark.parametrize(
    "options",
    [
        {"open_timeout": 0},
        {"ping_interval": -1},
        {"max_size": 0},
        {"max_queue": 0},
        {"max_events": 0},
        {"idle_timeout": 0},
    ],
)
async def test_options_out_of_range_are_refused(
    sync_or_async: Any, options: dict[str, Any]
) -> None:
    async with sync_or_async.resource("http://127.0.0.1:1") as resource:
        with pytest.raises(ArgumentError):
            resource.speech(options=SocketOptions(**options))


async def test_an_event_of_a_newer_server_can_be_awaited_by_its_class(
    sync_or_async: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, "speech.invented", {"x": 1})
        until_closed(connection)

    async with sync_or_async.open(peers(script).base_url) as ws:
        assert (await ws.wait_for(UnknownEvent)).data == {"x": 1}
