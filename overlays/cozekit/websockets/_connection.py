"""The connection behind a socket: reader, writer, waiting, reconnection and closing. Sync and async
sockets share it: methods that wait are generators of steps (`coze_runtime.steps`), which a driver
runs in threads or tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any, Literal

from coze_runtime.models import Model
from coze_runtime.steps import Steps
from coze_runtime.types import UseDefault

from ..errors import APIConnectionError, CozeError, ServerError, WebSocketError
from ._drivers import Driver, Network
from ._event_queue import PENDING, EventQueue, Handlers, SendQueue
from ._handshake import Handshake
from ._protocol import (
    Reconnected,
    WebSocketTimeout,
    closed_error,
    connection_lost,
    decode,
    encode,
    event_type_of,
    matcher,
)

# Seconds without progress after which closing drops the queued events.
_FLUSH_TIMEOUT = 0.25
# Seconds between checks, while the queue is full, for abandoned iterations: those are noticed in a
# finalizer, which must not take a lock to wake the reader.
_FULL_QUEUE_INTERVAL = 0.1


class Connection:
    """State, reader and writer. The state changes only inside `driver.change` or `driver.until`; no
    lock is held between steps.
    """

    def __init__(self, driver: Driver, handshake: Handshake, handlers: Handlers) -> None:
        self.events = EventQueue(handshake.options, handshake.spec, handlers)
        self.outgoing = SendQueue(handshake.options.max_queue)
        self._driver: Any = driver
        self._handshake = handshake
        self._handlers = handlers
        self._options, self._spec = handshake.options, handshake.spec
        self._state: Literal["new", "opening", "open", "closed"] = "new"
        self._network: Network = None
        self._lost: WebSocketError | None = None
        """Why an open socket has lost its connection."""
        self._redial_error: CozeError | None = None
        self._fault: str | None = None

    @property
    def state(self) -> str:
        """`new`, `opening`, `open` or `closed`; a lost connection is closed."""
        return self._state if self._lost is None else "closed"

    def open(self) -> Steps[None]:
        """Connects, and starts reader and writer."""
        with self._driver.change():
            if self._state != "new":
                raise WebSocketError(
                    f"the socket is {self.state}; create a new one for another session"
                )
            self._state = "opening"
        try:
            network, _ = yield from self._dial()
        except BaseException:
            with self._driver.change():
                if self._state == "opening":
                    self._state = "new"
            raise
        with self._driver.change():
            if self._state == "opening":
                self._state, self._network = "open", network
        if self._network is None:  # closed by another thread or task
            yield self._driver.close(network)
            raise closed_error()
        self._driver.start(f"cozekit-{self._spec.id}", self._read, self._write)

    def _dial(self) -> Steps[tuple[Network, int]]:
        """Connects; returns the connection and the number of attempts."""
        policy = self._options.reconnect
        for attempt in count(1):
            pause = policy.pause(attempt) if policy else 0.0
            if (yield self._driver.until(self._is_closed, pause)):
                break
            try:
                return (yield from self._handshake.open(self._driver, self._is_closed)), attempt
            except (APIConnectionError, ServerError):
                if policy is None or attempt >= policy.attempts:
                    raise
        raise closed_error()

    def _is_closed(self) -> bool:
        return self._state == "closed"

    def send(self, event: Model | Mapping[str, Any]) -> Steps[None]:
        """Queues an event; waits while the queue is full."""
        frame = encode(event, self._spec)
        is_settings = event_type_of(event) == self._spec.settings

        def put() -> bool:
            self._check_sendable()
            if not self.outgoing.put(frame, is_settings=is_settings):
                return False
            self.events.settled = False
            return True

        if not (yield self._driver.until(put, self._options.send_timeout)):
            raise WebSocketTimeout(
                f"{self._spec.id}: the queue of {self._options.max_queue} events stayed "
                f"full for {self._options.send_timeout} s"
            )

    def begin_iteration(self, iteration: Any) -> None:
        """Registers an iteration, which has an `owner`, until it is garbage-collected."""
        with self._driver.change():
            self.events.iterations.add(iteration)

    def next(self, iteration: Any, timeout: float | UseDefault | None) -> Steps[Any]:
        """Returns the next event of an iteration, or `OVER`."""
        iteration.owner, since = self._driver.current(), self.events.last_raised
        return (yield from self._wait(lambda: self.events.next(since), timeout))

    def wait_for(self, event: Any, timeout: float | UseDefault | None) -> Steps[Any]:
        """Waits for the first event that matches."""
        match = matcher(event, self._spec)
        with self._driver.change():
            paused, since = self.events.begin_wait(self._driver.current()), self.events.last_raised
        try:
            return (yield from self._wait(lambda: self.events.take(match, since), timeout))
        finally:
            with self._driver.change():
                self.events.end_wait(paused)

    def _wait(self, poll: Callable[[], Any], timeout: float | UseDefault | None) -> Steps[Any]:
        if self._driver.is_reader():
            raise CozeError(
                "a handler cannot wait for events of its own socket: the next event is read only "
                "after the handler returns"
            )
        limit = self._options.idle_timeout if isinstance(timeout, UseDefault) else timeout
        event: Any = PENDING

        def is_ready() -> bool:
            nonlocal event
            self._check_opened()
            event = poll()
            return event is not PENDING

        if not (yield self._driver.until(is_ready, limit)):
            raise WebSocketTimeout(f"{self._spec.id}: no matching event arrived within {limit} s")
        return event

    def fail(self, error: Exception) -> None:
        """Stores an error of a handler or helper; the next wait or `close` raises it."""
        with self._driver.change():
            self.events.fail(error)

    def close(self, *, flush: bool) -> Steps[None]:
        """Closes the connection. Later calls do nothing, from whichever thread or task."""
        with self._driver.change():
            previous, self._state = self._state, "closed"
            self.outgoing.close(flush=flush)
            if previous in ("new", "opening"):
                self.events.finish(closed_error(), normal=True)
        if previous != "open":
            return
        try:
            flushed = yield from self._drain()
            self._finish()
            if not flushed:
                self._driver.abort(self._network)
            yield self._driver.close(self._network)
        finally:
            # Release everything even if this task was cancelled.
            self._finish()
            self._driver.cancel()
            self._driver.abort(self._network)
        yield self._driver.join()
        if failure := self.events.failure():
            raise failure

    def abandon(self) -> None:
        """Ends reader and writer of a socket that was dropped while it was open. Runs in a
        finalizer, so it takes no lock: the reader notices.
        """
        if self._state == "open":
            self._state = "closed"
            self._driver.abort(self._network)

    def _drain(self) -> Steps[bool]:
        """Waits until everything is sent; returns False if the peer stops receiving."""
        while (self.outgoing or self.outgoing.is_sending) and self._lost is None:
            progressed = partial(self._has_progressed, self.outgoing.sent)
            if not (yield self._driver.until(progressed, _FLUSH_TIMEOUT)):
                return False
        return not self.outgoing.is_sending

    def _has_progressed(self, sent: int) -> bool:
        return self.outgoing.sent != sent or self._lost is not None

    def _finish(self) -> None:
        with self._driver.change():
            self.outgoing.close(flush=False)
            self.events.finish(closed_error(), normal=True)

    def _read(self) -> Steps[None]:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                try:
                    frame = yield from self._receive()
                except ConnectionClosed as closed:
                    if (yield from self._redial(closed)):
                        continue
                    with self._driver.change():
                        self._set_lost(closed)
                    return
                event = decode(frame, self._spec, self._handshake.client.settings.on_drift)
                yield from self._deliver(event, len(frame))
        except BaseException as error:
            # Of a token source, a handler, or the event loop; who waits for events is told.
            if self._state == "open":
                broken = WebSocketError(f"reading ended by {type(error).__name__}: {error}")
                broken.__cause__ = error
                with self._driver.change():
                    self._lost = broken
                    self.events.finish(broken, normal=False)
            if not isinstance(error, Exception):
                raise
        finally:
            # Also runs when the event loop ends before the socket is closed.
            self._driver.abort(self._network)

    def _receive(self) -> Steps[bytes]:
        """Returns the next frame. Pings a silent server, and aborts if it does not respond."""
        network, pong_received = self._network, None
        while True:
            limit = (
                self._options.ping_interval if pong_received is None else self._options.ping_timeout
            )
            try:
                frame: bytes = yield self._driver.receive(network, limit)
                return frame
            except TimeoutError:
                if pong_received is not None and not pong_received():
                    self._abort(network, f"no pong within {limit} s")
                    continue
                try:
                    pong_received = None if pong_received else (yield self._driver.ping(network))
                except TimeoutError:
                    self._abort(network, self._send_timeout_reason())

    def _abort(self, network: Network, fault: str) -> None:
        self._fault = fault
        self._driver.abort(network)

    def _redial(self, closed: Any) -> Steps[bool]:
        """Reconnects if the options allow it; returns whether it did."""
        policy = self._options.reconnect
        code = closed.rcvd.code if closed.rcvd else None
        if self._state != "open" or policy is None or not policy.after(code):
            return False
        try:
            network, attempts = yield from self._dial()
        except CozeError as error:
            self._redial_error = error
            return False
        with self._driver.change():
            if still_open := self._state == "open":
                self._network, self._fault = network, None
                self.outgoing.restart()
        if not still_open:  # closed by another thread or task
            yield self._driver.close(network)
            return False
        yield from self._deliver(Reconnected(attempts=attempts), 0)
        return True

    def _set_lost(self, closed: Any) -> None:
        """Ends the event queue. The end is normal if the server closed after its last event."""
        error = self._redial_error or connection_lost(self._spec.id, closed, self._fault)
        if isinstance(error, WebSocketError):
            self._lost = error
        else:
            self._lost = WebSocketError(f"reconnecting failed: {error}")
            self._lost.__cause__ = error
        code = closed.rcvd.code if closed.rcvd else None
        self.events.finish(self._lost, normal=code == 1000 and self.events.settled)

    def _deliver(self, event: Any, size: int) -> Steps[None]:
        for handler in [handler for match, handler in self._handlers if match(event)]:
            try:
                yield handler(event)
            except Exception as error:
                self.fail(error)

        def put() -> bool:
            if self.events.has_room or self._is_closed():
                self.events.put(event, size)
                return True
            return False

        while not (yield self._driver.until(put, _FULL_QUEUE_INTERVAL)):
            pass

    def _write(self) -> Steps[None]:
        from websockets.exceptions import ConnectionClosed

        while True:
            frame, network = yield self._driver.until(self._take_frame)
            if frame is None:
                return
            try:
                yield self._driver.send(network, frame)
            except (ConnectionClosed, OSError) as error:  # a TimeoutError is an OSError
                if isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError):
                    self._abort(network, self._send_timeout_reason())
                with self._driver.change():
                    self.outgoing.put_back(frame)
                # The reader sees the same failure and decides whether to reconnect or to end the
                # socket.
                yield self._driver.until(partial(self._is_replaced_or_lost, network))
            else:
                with self._driver.change():
                    self.outgoing.confirm()

    def _take_frame(self) -> tuple[str | None, Network] | None:
        """Returns the next frame and its connection; None for the frame ends the writer."""
        frame = self.outgoing.take() if self._lost is None else None
        is_over = self._lost is not None or self._state == "closed"
        return (frame, self._network) if frame or is_over else None

    def _is_replaced_or_lost(self, network: Network) -> bool:
        return self._network is not network or self._lost is not None

    def _send_timeout_reason(self) -> str:
        return f"no data could be sent for {self._options.send_timeout} s"

    def _check_opened(self) -> None:
        if self._state in ("new", "opening"):
            raise WebSocketError(
                "the socket is not open; use it in a `with` block, or call `connect`"
            )

    def _check_sendable(self) -> None:
        if self._state == "closed":
            raise closed_error()
        if self._lost is not None:
            raise self._lost.with_traceback(None)
        self._check_opened()
