"""The connection behind a socket: what is queued, read, written and waited for, how it is made
again and how it ends. One text for both kinds of sockets: what waits is a generator of steps
(`coze_runtime.steps`), which a driver carries out in threads or tasks.
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

# Seconds without progress after which closing gives up on what is queued.
_FLUSH_PATIENCE = 0.25
# Seconds after which the reader, while the queue is full, looks again whether an iteration was
# left: that happens in a finalizer, which must not take a lock to wake it.
_ROOM_INTERVAL = 0.1


class Connection:
    """State, reader and writer. Changes of the state happen in `driver.change` or `driver.until`;
    no lock is held from one step to the next.
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
        self._broken: WebSocketError | None = None
        """Why an open socket has no connection any more."""
        self._redial_error: CozeError | None = None
        self._fault: str | None = None

    @property
    def state(self) -> str:
        """`new`, `opening`, `open` or `closed`; a lost connection is closed."""
        return self._state if self._broken is None else "closed"

    def open(self) -> Steps[None]:
        """Makes the connection and starts reader and writer."""
        with self._driver.change():
            if self._state != "new":
                raise WebSocketError(
                    f"the socket is {self.state}; make a new one for another session"
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
        if self._network is None:  # closed from elsewhere meanwhile
            yield self._driver.close(network)
            raise closed_error()
        self._driver.start(f"cozekit-{self._spec.socket.id}", self._read, self._write)

    def _dial(self) -> Steps[tuple[Network, int]]:
        """A connection, and the number of attempts that it took."""
        policy = self._options.reconnect
        for attempt in count(1):
            pause = policy.pause(attempt) if policy else 0.0
            if (yield self._driver.until(lambda: self._state == "closed", pause)):
                break
            try:
                return (yield from self._handshake.open(self._driver)), attempt
            except (APIConnectionError, ServerError):
                if policy is None or attempt >= policy.attempts:
                    raise
        raise closed_error()

    def send(self, event: Model | Mapping[str, Any]) -> Steps[None]:
        """Queues an event; waits while the queue is full."""
        frame = encode(event, self._spec)
        is_settings = event_type_of(event) == self._spec.socket.settings

        def put() -> bool:
            self._check_sendable()
            if not self.outgoing.put(frame, is_settings=is_settings):
                return False
            self.events.settled = False
            return True

        if not (yield self._driver.until(put, self._options.send_timeout)):
            raise WebSocketTimeout(
                f"{self._spec.socket.id}: {self._options.max_queue} events wait to be sent, and "
                f"none went for {self._options.send_timeout} s"
            )

    def begin_iteration(self, iteration: Any) -> None:
        """Counts an iteration until it is left; it has an `owner`."""
        with self._driver.change():
            self.events.iterations.add(iteration)

    def next(self, iteration: Any, timeout: float | UseDefault | None) -> Steps[Any]:
        """The next event of an iteration, or `OVER`."""
        iteration.owner, since = self._driver.current(), self.events.surfaced
        return (yield from self._wait(lambda: self.events.next(since), timeout))

    def wait_for(self, event: Any, timeout: float | UseDefault | None) -> Steps[Any]:
        """The first event that matches."""
        match = matcher(event, self._spec)
        with self._driver.change():
            paused, since = self.events.begin_wait(self._driver.current()), self.events.surfaced
        try:
            return (yield from self._wait(lambda: self.events.take(match, since), timeout))
        finally:
            with self._driver.change():
                self.events.end_wait(paused)

    def _wait(self, poll: Callable[[], Any], timeout: float | UseDefault | None) -> Steps[Any]:
        if self._driver.is_reader():
            raise CozeError(
                "a handler cannot wait for events of its own socket: no event is read before it "
                "returns"
            )
        limit = self._options.idle_timeout if isinstance(timeout, UseDefault) else timeout
        event: Any = PENDING

        def is_ready() -> bool:
            nonlocal event
            self._check_opened()
            event = poll()
            return event is not PENDING

        if not (yield self._driver.until(is_ready, limit)):
            raise WebSocketTimeout(
                f"{self._spec.socket.id}: the awaited event did not come within {limit} s"
            )
        return event

    def fail(self, error: Exception) -> None:
        """Something that works for the program failed; its next step raises the error."""
        with self._driver.change():
            self.events.fail(error)

    def close(self, *, flush: bool) -> Steps[None]:
        """Ends the connection. Only the first call of several does, wherever they come from."""
        with self._driver.change():
            was, self._state = self._state, "closed"
            self.outgoing.close(flush=flush)
            if was in ("new", "opening"):
                self.events.finish(closed_error(), normal=True)
        if was != "open":
            return
        try:
            flushed = yield from self._drain()
            self._finish()
            if not flushed:
                self._driver.abort(self._network)
            yield self._driver.close(self._network)
        finally:
            # Also when this task was cancelled: nothing may stay behind.
            self._finish()
            self._driver.cancel()
            self._driver.abort(self._network)
        yield self._driver.join()
        if failure := self.events.failure():
            raise failure

    def _drain(self) -> Steps[bool]:
        """Waits until everything is sent; False when the peer takes nothing."""
        while (self.outgoing or self.outgoing.is_sending) and self._broken is None:
            progressed = partial(self._has_progressed, self.outgoing.sent)
            if not (yield self._driver.until(progressed, _FLUSH_PATIENCE)):
                return False
        return not self.outgoing.is_sending

    def _has_progressed(self, sent: int) -> bool:
        return self.outgoing.sent != sent or self._broken is not None

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
                        self._break(closed)
                    return
                event = decode(frame, self._spec, self._handshake.client.settings.on_drift)
                yield from self._deliver(event, len(frame))
        except BaseException as error:
            # Of a token source, a handler, or the event loop; who waits for events is told.
            if self._state == "open":
                broken = WebSocketError(f"reading ended by {type(error).__name__}: {error}")
                broken.__cause__ = error
                with self._driver.change():
                    self._broken = broken
                    self.events.finish(broken, normal=False)
            if not isinstance(error, Exception):
                raise
        finally:
            # Also when the event loop ends and nobody has closed the socket.
            self._driver.abort(self._network)

    def _receive(self) -> Steps[bytes]:
        """The next frame; pings a silent server, and cuts the connection of one that is gone."""
        network, answered = self._network, None
        while True:
            limit = self._options.ping_interval if answered is None else self._options.ping_timeout
            try:
                frame: bytes = yield self._driver.receive(network, limit)
                return frame
            except TimeoutError:
                if answered is not None and not answered():
                    self._abort(network, f"no answer to a ping within {limit} s")
                    continue
                try:
                    answered = None if answered else (yield self._driver.ping(network))
                except TimeoutError:
                    self._abort(network, self._takes_no_data())

    def _abort(self, network: Network, fault: str) -> None:
        self._fault = fault
        self._driver.abort(network)

    def _redial(self, closed: Any) -> Steps[bool]:
        """Makes a lost connection again, where that is wanted and possible."""
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
            if is_wanted := self._state == "open":
                self._network, self._fault = network, None
                self.outgoing.restart()
        if not is_wanted:  # closed from elsewhere meanwhile
            yield self._driver.close(network)
            return False
        yield from self._deliver(Reconnected(attempts=attempts), 0)
        return True

    def _break(self, closed: Any) -> None:
        """The connection ended. Nothing is lost when the program closed it, or the server did,
        normally, after its last event.
        """
        lost = self._redial_error or connection_lost(self._spec.socket.id, closed, self._fault)
        if isinstance(lost, WebSocketError):
            self._broken = lost
        else:
            self._broken = WebSocketError(f"the connection could not be made again: {lost}")
            self._broken.__cause__ = lost
        code = closed.rcvd.code if closed.rcvd else None
        self.events.finish(self._broken, normal=code == 1000 and self.events.settled)

    def _deliver(self, event: Any, size: int) -> Steps[None]:
        for handler in [handler for match, handler in self._handlers if match(event)]:
            try:
                yield self._driver.call(handler, event)
            except Exception as error:
                self.fail(error)

        def put() -> bool:
            if self.events.has_room or self._state == "closed":
                self.events.put(event, size)
                return True
            return False

        while not (yield self._driver.until(put, _ROOM_INTERVAL)):
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
                    self._abort(network, self._takes_no_data())
                with self._driver.change():
                    self.outgoing.put_back(frame)
                # The reader meets the same end and decides what follows: another connection, or the
                # end of the socket.
                yield self._driver.until(partial(self._has_moved_on, network))
            else:
                with self._driver.change():
                    self.outgoing.confirm()

    def _take_frame(self) -> tuple[str | None, Network] | None:
        """What the writer sends next, and where; no frame when nothing is left to do."""
        frame = self.outgoing.take() if self._broken is None else None
        is_over = self._broken is not None or self._state == "closed"
        return (frame, self._network) if frame or is_over else None

    def _has_moved_on(self, network: Network) -> bool:
        return self._network is not network or self._broken is not None

    def _takes_no_data(self) -> str:
        return f"the network took no data for {self._options.send_timeout} s"

    def _check_opened(self) -> None:
        if self._state in ("new", "opening"):
            raise WebSocketError(
                "the socket is not open; use it in a `with` block, or call `connect`"
            )

    def _check_sendable(self) -> None:
        if self._state == "closed":
            raise closed_error()
        if self._broken is not None:
            raise self._broken.with_traceback(None)
        self._check_opened()
