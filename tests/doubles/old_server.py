"""Something that speaks PostgreSQL's protocol just far enough to say that it is an old version."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PID = 4711
#: name, type's oid, value: what the first question of a session is answered with
COLUMNS = (
    ("pid", 23, str(PID)),
    ("in_recovery", 16, "f"),
    ("version_num", 23, "90624"),
    ("version", 25, "9.6.24"),
    ("backend_start", 1184, "2026-01-01 00:00:00+00"),
)
_SSL, _GSS = 80877103, 80877104


@contextmanager
def old_server() -> Iterator[int]:
    """The port of a server of version 9.6.24 that admits everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening,), daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        # wakes the thread where it waits for a client; closing alone would not
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listening: socket.socket) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            with client, suppress(OSError, struct.error):
                _greet(client)
                _answer(client)


def _greet(client: socket.socket) -> None:
    while (code := struct.unpack("!ii", client.recv(8, socket.MSG_WAITALL))) and code[1] in {_SSL, _GSS}:
        client.sendall(b"N")
    client.recv(code[0] - 8, socket.MSG_WAITALL)
    hello = _message(b"R", struct.pack("!i", 0))
    for name, value in (("server_version", "9.6.24"), ("client_encoding", "UTF8"), ("standard_conforming_strings", "on")):
        hello += _message(b"S", name.encode() + b"\0" + value.encode() + b"\0")
    client.sendall(hello + _message(b"K", struct.pack("!ii", PID, 1)) + _message(b"Z", b"I"))


def _answer(client: socket.socket) -> None:
    while header := client.recv(5, socket.MSG_WAITALL):
        kind, length = struct.unpack("!ci", header)
        body = client.recv(length - 4, socket.MSG_WAITALL) if length > 4 else b""
        if kind == b"X":
            return
        if kind == b"Q" and b"server_version_num" in body:
            described = b"".join(name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, oid, -1, -1, 0) for name, oid, _ in COLUMNS)
            row = b"".join(struct.pack("!i", len(value)) + value.encode() for _, _, value in COLUMNS)
            count = struct.pack("!h", len(COLUMNS))
            client.sendall(_message(b"T", count + described) + _message(b"D", count + row))
        client.sendall(_message(b"C", b"SELECT 1\0") + _message(b"Z", b"I"))


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body
