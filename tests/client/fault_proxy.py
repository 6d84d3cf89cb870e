"""A proxy on loopback that breaks connections as it is told."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

Fault = Callable[[socket.socket, bytes], bool]
"""Sends of an answer what it wants to the client; whether the connection goes on."""


def reset(client: socket.socket, _answer: bytes) -> bool:
    """Break the connection off hard."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def drop(_client: socket.socket, _answer: bytes) -> bool:
    """Close the connection without a word."""
    return False


def cut(client: socket.socket, answer: bytes) -> bool:
    """Send the answer without its end, and close."""
    client.sendall(answer[:-5])
    return False


def gibberish(client: socket.socket, _answer: bytes) -> bool:
    """Send what is no HTTP."""
    client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    return False


def stall(client: socket.socket, answer: bytes) -> bool:
    """Send half of the answer, then nothing until the client gives up."""
    client.sendall(answer[: len(answer) // 2])
    client.recv(1)
    return False


def drip(client: socket.socket, answer: bytes) -> bool:
    """Send one byte after another, never silent for long."""
    for position in range(len(answer)):
        client.sendall(answer[position : position + 1])
        threading.Event().wait(0.005)
    return True


class FaultProxy:
    """Passes requests on; on the answers act the faults, in order, one each, then none."""

    def __init__(self, upstream: str, faults: list[Fault | None]) -> None:
        parts = urlsplit(upstream)
        assert parts.hostname is not None
        self._upstream = (parts.hostname, parts.port or 80)
        self._faults = faults
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.connections = 0

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve; give the address."""
        thread = threading.Thread(target=self._accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        finally:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _accept(self) -> None:
        threads = []
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self.connections += 1
                threads.append(threading.Thread(target=self._pass_on, args=(client,)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server, suppress(OSError):
            self._open += [client, server]
            while True:
                server.sendall(_message(client))
                answer = _message(server)
                fault = self._faults.pop(0) if self._faults else None
                if fault is None:
                    client.sendall(answer)
                elif not fault(client, answer):
                    return


def _message(connection: socket.socket) -> bytes:
    """Read one message: its head, and as many bytes as that says. OSError where it ends early."""
    message = b""
    while b"\r\n\r\n" not in message:
        message += _more(connection)
    head, _, body = message.partition(b"\r\n\r\n")
    names = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(names.get(b"content-length", 0)):
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(65_536)
    if not received:
        raise ConnectionError("closed")
    return received
