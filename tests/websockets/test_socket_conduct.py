"""How sockets behave, sync and async: order, waits, errors, ends."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import time
from typing import Any

import pytest
from scripted_sockets import Peer, send, until_closed

from coze_openapi import models as m
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


def sound(connection: Any, data: bytes) -> None:
    send(connection, "speech.audio.update", {"delta": base64.b64encode(data).decode()})


async def first_of(face: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async for event in face:
        found.append(event)
        if len(found) == count:
            break
    return found


async def test_events_come_in_order_and_unknown_ones_and_noise_are_passed_on(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        connection.send(b"\xff\x00 noise")
        connection.send("no json")
        send(connection, "speech.invented", {"x": 1})
        sound(connection, b"one")
        send(connection, DONE)
        until_closed(connection)

    async with flavour.open(peers(script).base_url) as face:
        events = await first_of(face, 6)
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
        b"no json",
        {"x": 1},
    )
    assert audio_of(events[4]) == b"one"


async def test_a_thousand_frames_of_sound_arrive_in_order_although_the_socket_is_closed_at_once(
    flavour: Any, peers: Any
) -> None:
    ended = threading.Event()

    def script(connection: Any) -> None:
        try:
            while True:
                peer.take(connection)
        finally:
            ended.set()

    peer = peers(script)
    async with flavour.open(peer.base_url, "transcriptions") as face:
        for number in range(1000):
            await face.input_audio_buffer_append(number.to_bytes(2, "big") * 160)
    assert await asyncio.to_thread(ended.wait, 10)
    sent = [base64.b64decode(event["data"]["delta"])[:2] for event in peer.received]
    assert sent == [number.to_bytes(2, "big") for number in range(1000)]


async def test_an_event_from_before_the_wait_is_not_lost(flavour: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, "speech.updated")
        send(connection, DONE)
        until_closed(connection)

    async with flavour.open(peers(script).base_url) as face:
        await face.wait_for(DONE)
        assert (await face.wait_for(m.SpeechCreatedEvent)).event_type == CREATED
        assert (await face.wait_for((DONE, "speech.updated"))).event_type == "speech.updated"


async def test_a_close_of_the_server_wakes_every_waiter(flavour: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        connection.close(1011, "broken")

    peer = peers(script)
    async with flavour.open(peer.base_url) as face:
        waits = [asyncio.ensure_future(face.wait_for(DONE, timeout=10)) for _ in range(3)]
        steps = asyncio.ensure_future(first_of(face, 1))
        await face.input_text_buffer_complete()
        for found in await asyncio.gather(*waits, steps, return_exceptions=True):
            assert type(found) is WebSocketError
            assert (found.code, found.msg) == (1011, "broken")
        with pytest.raises(WebSocketError):
            await face.input_text_buffer_complete()
        assert face.state == "closed"


async def test_an_error_event_wakes_every_waiter_and_the_socket_goes_on(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        send(connection, "error", {"code": 4000, "msg": "bad"}, detail={"logid": "log1"})
        peer.take(connection)
        send(connection, DONE)
        until_closed(connection)

    peer = peers(script)
    async with flavour.open(peer.base_url) as face:
        waits = [asyncio.ensure_future(face.wait_for(DONE, timeout=10)) for _ in range(3)]
        while face._inbox.waiting < 3:
            await asyncio.sleep(0)
        await face.input_text_buffer_append("x")
        for found in await asyncio.gather(*waits, return_exceptions=True):
            assert type(found) is WebSocketError
            assert (found.code, found.msg, found.logid) == (4000, "bad", "log1")
        await face.input_text_buffer_complete()
        assert (await face.wait_for(DONE)).event_type == DONE


async def test_an_error_event_is_raised_at_its_place_and_the_iteration_can_be_taken_up_again(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, "error", {"code": 3010, "msg": "too long"})
        send(connection, DONE)
        until_closed(connection)

    async with flavour.open(peers(script).base_url) as face:
        seen = []
        with pytest.raises(WebSocketError, match="3010"):
            async for event in face:
                seen.append(event.event_type)
        assert seen == [CREATED]
        assert [event.event_type for event in await first_of(face, 1)] == [DONE]


async def test_an_awaited_error_event_is_returned(flavour: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        send(connection, "error", {"code": 1, "msg": "m"})
        until_closed(connection)

    async with flavour.open(peers(script).base_url) as face:
        assert (await face.wait_for("error")).data.code == 1


async def test_a_close_of_the_server_after_its_last_event_ends_the_iteration(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, DONE)
        connection.close(1000)

    async with flavour.open(peers(script).base_url) as face:
        assert [event.event_type async for event in face] == [DONE]


async def test_a_close_of_the_server_before_its_last_event_is_an_error(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        connection.close(1000)

    async with flavour.open(peers(script).base_url) as face:
        with pytest.raises(WebSocketError, match="code 1000"):
            _ = [event async for event in face]


async def test_a_new_socket_is_not_open_and_a_closed_one_stays_closed(
    flavour: Any, peers: Any
) -> None:
    async with flavour.entry(peers(until_closed).base_url) as entry:
        face = flavour.face(entry.speech())
        for call in (face.input_text_buffer_complete, lambda: face.wait_for(DONE)):
            with pytest.raises(WebSocketError, match="is not open"):
                await call()
        async with face:
            assert face.state == "open"
            with pytest.raises(WebSocketError, match="is open"):
                await face.connect()
            await face.close()
            await face.close()
            for call in (face.input_text_buffer_complete, lambda: face.wait_for(DONE)):
                with pytest.raises(WebSocketError, match="closed by this program"):
                    await call()
            assert [event async for event in face] == []
        with pytest.raises(WebSocketError, match="make a new one"):
            await face.connect()


async def test_a_socket_that_was_never_opened_can_be_closed(flavour: Any) -> None:
    async with flavour.entry("http://127.0.0.1:1") as entry:
        face = flavour.face(entry.speech())
        await face.close()
        assert face.state == "closed"


async def test_closing_wakes_whoever_waits(flavour: Any, peers: Any) -> None:
    async with flavour.open(peers(until_closed).base_url) as face:
        wait = asyncio.ensure_future(face.wait_for(DONE, timeout=10))
        steps = asyncio.ensure_future(first_of(face, 1))
        while face._inbox.waiting < 1 or not face._inbox.readers:
            await asyncio.sleep(0)
        await face.close()
        with pytest.raises(WebSocketError, match="closed by this program"):
            await wait
        assert await steps == []


async def test_a_frame_of_two_mebibytes_is_delivered(flavour: Any, peers: Any) -> None:
    data = bytes(range(256)) * 6144

    def script(connection: Any) -> None:
        sound(connection, data)
        until_closed(connection)

    async with flavour.open(peers(script).base_url) as face:
        assert audio_of(await face.wait_for("speech.audio.update")) == data


async def test_a_frame_above_the_limit_ends_the_socket_with_an_error(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        sound(connection, b"x" * 2000)
        until_closed(connection)

    async with flavour.open(peers(script).base_url, max_size=1000) as face:
        with pytest.raises(WebSocketError) as caught:
            await face.wait_for(DONE)
    assert caught.value.code == 1009


async def test_a_wait_ends_in_time(flavour: Any, peers: Any) -> None:
    async with flavour.open(peers(until_closed).base_url, idle_timeout=0.05) as face:
        with pytest.raises(WebSocketTimeout):
            await face.wait_for(DONE)
        with pytest.raises(WebSocketTimeout):
            await face.wait_for(DONE, timeout=0.01)
        with pytest.raises(WebSocketTimeout):
            await first_of(face, 1)
        assert face.state == "open"


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
    flavour: Any, silent_url: str, flush: bool, load: int
) -> None:
    async with flavour.entry(silent_url) as entry:
        face = flavour.face(entry.transcriptions(options=SocketOptions()))
        await face.connect()
        for _ in range(load):
            await face.input_audio_buffer_append(bytes(300_000))
        begun = time.monotonic()
        await face.close(flush=flush)
        assert time.monotonic() - begun <= 1.0


async def test_a_peer_that_answers_no_ping_is_noticed(flavour: Any, silent_url: str) -> None:
    async with flavour.open(silent_url, ping_interval=0.05, ping_timeout=0.05) as face:
        with pytest.raises(WebSocketError, match=r"no answer to a ping within 0\.05 s"):
            await face.wait_for(DONE, timeout=10)


async def test_a_peer_that_takes_no_data_is_noticed(flavour: Any, silent_url: str) -> None:
    async with flavour.open(silent_url, "transcriptions", send_timeout=0.2, max_queue=2) as face:
        with pytest.raises(WebSocketError):
            for _ in range(100):
                await face.input_audio_buffer_append(bytes(300_000))
        with pytest.raises(WebSocketError, match="connection was lost") as caught:
            await face.wait_for("transcriptions.created", timeout=10)
        assert not isinstance(caught.value, WebSocketTimeout)


async def test_pings_keep_a_quiet_connection_open(flavour: Any, peers: Any) -> None:
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

    async with flavour.open(peers(script).base_url, ping_interval=0.01, ping_timeout=5) as face:
        assert (await face.wait_for(DONE, timeout=10)).event_type == DONE


async def test_closing_without_flush_drops_what_is_queued(flavour: Any, silent_url: str) -> None:
    async with flavour.entry(silent_url) as entry:
        face = flavour.face(entry.transcriptions())
        await face.connect()
        for _ in range(40):
            await face.input_audio_buffer_append(bytes(300_000))
        assert len(face.socket._outbox) > 1
        await face.close(flush=False)
        assert len(face.socket._outbox) == 0


async def test_a_slow_consumer_makes_the_server_wait_and_gets_everything(
    flavour: Any, peers: Any
) -> None:
    total, sent, finished = 3000, [0], threading.Event()

    def script(connection: Any) -> None:
        for number in range(total):
            sound(connection, number.to_bytes(4, "big") * 2500)
            sent[0] += 1
        finished.set()
        until_closed(connection)

    async with flavour.open(peers(script).base_url, max_events=20) as face:
        count = 0
        async for event in face:
            if count == 0:
                # The program is busy: the server must not get rid of its 40 MB.
                assert not await asyncio.to_thread(finished.wait, 0.5)
                assert sent[0] < total
            assert face._inbox.stored[0] <= 20
            assert audio_of(event)[:4] == count.to_bytes(4, "big")
            count += 1
            if count == total:
                break
    assert count == total


async def test_the_bytes_that_are_kept_are_bounded_too(flavour: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        for _ in range(300):
            sound(connection, bytes(90_000))
        until_closed(connection)

    async with flavour.open(peers(script).base_url, max_bytes=500_000) as face:
        seen = 0
        async for _ in face:
            seen += 1
            assert face._inbox.stored[1] <= 500_000 + 130_000
            if seen == 300:
                break


async def test_with_handlers_only_nothing_stalls_and_memory_stays_bounded(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        peer.take(connection)
        for number in range(2000):
            sound(connection, number.to_bytes(4, "big"))
        send(connection, DONE)
        until_closed(connection)

    peer, heard = peers(script), []
    async with flavour.open(peer.base_url, max_events=10) as face:
        face.on("speech.audio.update")(lambda event: heard.append(audio_of(event)))
        await face.input_text_buffer_complete()
        await face.wait_for(DONE)
        assert face._inbox.stored[0] <= 10
    assert heard == [number.to_bytes(4, "big") for number in range(2000)]


async def test_a_wait_passes_over_more_events_than_are_kept(flavour: Any, peers: Any) -> None:
    def script(connection: Any) -> None:
        for _ in range(500):
            send(connection, "speech.updated")
        send(connection, DONE)
        until_closed(connection)

    async with flavour.open(peers(script).base_url, max_events=10) as face:
        assert (await face.wait_for(DONE, timeout=10)).event_type == DONE


async def test_a_handler_that_fails_is_told_once_and_nothing_stops(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, "speech.updated")
        peer.take(connection)
        send(connection, DONE)
        until_closed(connection)

    peer, called = peers(script), []
    async with flavour.entry(peer.base_url) as entry:
        face = flavour.face(entry.speech())

        @face.on(CREATED)
        def fail(event: Any) -> None:
            raise LookupError("mine")

        @face.on("*")
        def note(event: Any) -> None:
            called.append(event.event_type)

        async with face:
            with pytest.raises(LookupError, match="mine"):
                await face.wait_for(DONE, timeout=10)
            await face.input_text_buffer_complete()
            await face.wait_for(DONE, timeout=10)
    assert called == [CREATED, "speech.updated", DONE]


async def test_the_failure_of_a_handler_is_told_by_close_when_nobody_waited(
    flavour: Any, peers: Any
) -> None:
    failed = threading.Event()

    def script(connection: Any) -> None:
        send(connection, CREATED)
        until_closed(connection)

    def fail(event: Any) -> None:
        failed.set()
        raise LookupError("mine")

    async with flavour.entry(peers(script).base_url) as entry:
        face = flavour.face(entry.speech())
        face.on(m.SpeechCreatedEvent)(fail)
        await face.connect()
        await asyncio.to_thread(failed.wait, 5)
        with pytest.raises(LookupError, match="mine"):
            await face.close()
        await face.close()


async def test_handlers_are_checked_when_they_are_registered(flavour: Any) -> None:
    async with flavour.entry("http://127.0.0.1:1") as entry:
        face = flavour.face(entry.speech())
        for wrong in (
            "speech.audio.updat",
            "chat.created",
            m.ChatSocketCreatedEvent,
            int,
            None,
            (),
        ):
            with pytest.raises(ArgumentError):
                face.on(wrong)
        with pytest.raises(ArgumentError, match=r"did you mean 'speech.audio.update'"):
            face.on("speech.audio.updat")
        for wrong_function in ("text", lambda: None, lambda a, b: None):
            with pytest.raises(ArgumentError):
                face.on(CREATED)(wrong_function)


async def test_a_handler_cannot_wait_for_its_own_socket_but_can_close_it(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, CREATED)
        connection.recv()
        send(connection, "speech.updated")
        until_closed(connection)

    async with flavour.entry(peers(script).base_url) as entry:
        face = flavour.face(entry.speech())
        # In the sync client both calls are made at once, in the async one they give something to
        # await.
        face.on(CREATED)(lambda event: face.socket.wait_for(DONE))
        face.on(m.SpeechUpdatedEvent)(lambda event: face.socket.close())
        async with face:
            with pytest.raises(CozeError, match="cannot wait"):
                await face.wait_for(DONE, timeout=10)
            await face.input_text_buffer_complete()
            with pytest.raises(WebSocketError, match="closed by this program"):
                await face.wait_for(DONE, timeout=10)


async def test_an_iteration_that_was_left_does_not_stall_the_handlers(
    flavour: Any, peers: Any
) -> None:
    heard = threading.Event()

    def script(connection: Any) -> None:
        for _ in range(200):
            send(connection, "speech.updated")
        send(connection, DONE)
        until_closed(connection)

    async with flavour.entry(peers(script).base_url) as entry:
        face = flavour.face(entry.speech(options=SocketOptions(max_events=5)))
        face.on(DONE)(lambda event: heard.set())
        async with face:
            async for _ in face:
                break
            assert await asyncio.to_thread(heard.wait, 10)


async def test_an_async_handler_is_awaited(peers: Any) -> None:
    from scripted_sockets import Flavour

    def script(connection: Any) -> None:
        send(connection, CREATED)
        send(connection, DONE)
        until_closed(connection)

    seen = []
    async with Flavour("async").entry(peers(script).base_url) as entry:
        face = entry.speech()

        @face.on(m.SpeechCreatedEvent)
        async def handler(event: m.SpeechCreatedEvent) -> None:
            await asyncio.sleep(0)
            seen.append(event.event_type)

        async with face:
            await face.wait_for(DONE)
    assert seen == [CREATED]


async def test_a_coroutine_function_is_no_handler_of_a_sync_socket() -> None:
    from scripted_sockets import Flavour

    async def handler(event: Any) -> None: ...

    async with Flavour("sync").entry("http://127.0.0.1:1") as entry:
        with pytest.raises(ArgumentError, match="AsyncCoze"):
            entry.speech().on(CREATED)(handler)


async def test_a_lost_connection_is_made_anew_and_gets_the_settings_again(
    flavour: Any, peers: Any
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
    async with flavour.open(peer.base_url, reconnect=Reconnect(attempts=3, delay=0.01)) as face:
        await face.speech_update(output_audio=m.OutputAudio(speech_rate=7))
        events = await first_of(face, 2)
    assert [type(event) for event in events] == [Reconnected, m.SpeechAudioCompletedEvent]
    assert [event["data"]["output_audio"]["speech_rate"] for event in peer.received] == [7, 7]


async def test_a_connection_that_the_server_refuses_on_purpose_is_not_made_anew(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        connection.close(1008, "policy")

    peer = peers(script)
    async with flavour.open(peer.base_url, reconnect=Reconnect(delay=0.01)) as face:
        with pytest.raises(WebSocketError, match="policy"):
            await face.wait_for(DONE, timeout=10)
    assert len(peer.connections) == 1


async def test_a_connection_that_cannot_be_made_anew_ends_the_socket(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        connection.recv()
        peer._server.socket.close()
        connection.socket.shutdown(socket.SHUT_RDWR)

    peer = peers(script)
    async with flavour.open(peer.base_url, reconnect=Reconnect(attempts=2, delay=0.01)) as face:
        await face.input_text_buffer_complete()
        with pytest.raises(WebSocketError, match="could not be made anew"):
            await face.wait_for(DONE, timeout=10)


async def test_after_a_failed_connection_the_socket_can_be_opened_again(
    flavour: Any, peers: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with flavour.entry(f"http://127.0.0.1:{port}") as entry:
        face = flavour.face(entry.speech())
        with pytest.raises(APIConnectionError):
            await face.connect()
        assert face.state == "new"
        peers(until_closed, port=port)
        await face.connect()
        assert face.state == "open"
        await face.close()


@pytest.mark.parametrize(
    ("status", "expected"), [(401, AuthenticationError), (403, PermissionDeniedError)]
)
async def test_a_refused_handshake_is_an_api_error_with_its_log_id(
    flavour: Any, peers: Any, status: int, expected: type
) -> None:
    def refuse(connection: Any, request: Any) -> Any:
        response = connection.respond(
            status, json.dumps({"code": 4100, "msg": "no"}) if status == 401 else "no"
        )
        response.headers["X-Tt-Logid"] = "log7"
        return response

    async with flavour.entry(peers(until_closed, process_request=refuse).base_url) as entry:
        with pytest.raises(expected) as caught:
            await flavour.face(entry.speech()).connect()
    assert (caught.value.http_status, caught.value.logid) == (status, "log7")  # type: ignore[attr-defined]
    assert "tok" not in repr(caught.value).replace("token", "")


async def test_a_redirection_is_not_followed_so_that_the_token_stays_here(
    flavour: Any, peers: Any
) -> None:
    other = peers(until_closed)

    def redirect(connection: Any, request: Any) -> Any:
        response = connection.respond(302, "")
        response.headers["Location"] = other.base_url.replace("http", "ws")
        return response

    async with flavour.entry(peers(until_closed, process_request=redirect).base_url) as entry:
        with pytest.raises(CozeError):
            await flavour.face(entry.speech()).connect()
    assert other.requests == []


async def test_a_server_that_does_not_answer_the_handshake_is_a_timeout(flavour: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with flavour.entry(f"http://127.0.0.1:{listener.getsockname()[1]}") as entry:
            with pytest.raises(APIConnectionError):
                await flavour.face(entry.speech(options=SocketOptions(open_timeout=0.1))).connect()


async def test_the_token_is_in_the_header_and_the_query_is_quoted(flavour: Any, peers: Any) -> None:
    peer: Peer = peers(until_closed)
    async with flavour.entry(peer.base_url + "/gateway", token="secret-token") as entry:
        face = flavour.face(entry.chat("1&admin=1 #?/", device_id="9"))
        await face.connect()
        await face.close()
    request = peer.requests[0]
    assert request.headers["Authorization"] == "Bearer secret-token"
    assert request.path == "/gateway/v1/chat?bot_id=1%26admin%3D1+%23%3F%2F&device_id=9"
    assert "secret" not in request.path


async def test_another_address_of_the_sockets_can_be_given(flavour: Any, peers: Any) -> None:
    peer = peers(until_closed)
    async with flavour.entry("https://api.invalid/x") as entry:
        face = flavour.face(
            entry.speech(
                options=SocketOptions(base_url=peer.base_url.replace("http", "ws") + "/deep/")
            )
        )
        await face.connect()
        await face.close()
    assert peer.requests[0].path == "/deep/v1/audio/speech"


async def test_a_chat_needs_a_bot(flavour: Any) -> None:
    async with flavour.entry("http://127.0.0.1:1") as entry:
        for empty in ("", "  "):
            with pytest.raises(ArgumentError, match="bot_id"):
                entry.chat(empty)


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
async def test_options_out_of_range_are_refused(flavour: Any, options: dict[str, Any]) -> None:
    async with flavour.entry("http://127.0.0.1:1") as entry:
        with pytest.raises(ArgumentError):
            entry.speech(options=SocketOptions(**options))


async def test_an_event_of_a_newer_server_can_be_awaited_by_its_class(
    flavour: Any, peers: Any
) -> None:
    def script(connection: Any) -> None:
        send(connection, "speech.invented", {"x": 1})
        until_closed(connection)

    async with flavour.open(peers(script).base_url) as face:
        assert (await face.wait_for(UnknownEvent)).data == {"x": 1}
