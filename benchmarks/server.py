"""The loopback server of the benchmarks, in a separate process: as little work per request as
possible in Python.

`python server.py` prints its port and exits when its standard input closes. `POST
/<bytes>/<events>/v3/chat` with `"stream": true` sends that many events in HTTP chunks of about that
many bytes (0: one chunk per event); every other request gets a completed chat. Standard library
only.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
import threading

import payloads

HEAD = f"HTTP/1.1 200 OK\r\nX-Tt-Logid: {payloads.LOGID}\r\n"
PLAIN = (
    f"{HEAD}Content-Type: application/json\r\nContent-Length: {len(payloads.CHAT)}\r\n\r\n".encode()
    + payloads.CHAT
)
STREAM = f"{HEAD}Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


@functools.cache
def body(size: int, events: int) -> list[bytes]:
    """The chunked body, in the pieces to send."""
    parts = payloads.stream(events)
    if size:
        whole = b"".join(parts)
        parts = [whole[start : start + size] for start in range(0, len(whole), size)]
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
    # Small chunks travel together, as they do when a server is faster than the network.
    together = max(1, 16384 // max(len(chunks[-1]), size))
    return [
        *(b"".join(chunks[start : start + together]) for start in range(0, len(chunks), together)),
        b"0\r\n\r\n",
    ]


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = b""
    with connection, contextlib.suppress(OSError):
        while True:
            while b"\r\n\r\n" not in buffer:
                received = connection.recv(65536)
                if not received:
                    return
                buffer += received
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(
                (int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0
            )
            while len(buffer) < length:
                buffer += connection.recv(65536)
            content, buffer = buffer[:length], buffer[length:]
            respond(connection, head, content)


def respond(connection: socket.socket, head: bytes, content: bytes) -> None:
    if b'"stream":true' not in content.replace(b" ", b""):
        connection.sendall(PLAIN)
        return
    _, size, events, _ = head.split(b" ")[1].decode().split("/", 3)
    connection.sendall(STREAM)
    for piece in body(int(size), int(events)):
        connection.sendall(piece)


def exit_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=exit_with_stdin, daemon=True).start()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
