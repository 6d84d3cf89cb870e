"""A server that passes requests on and remembers them, so that others can send the same again."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.servers.raw_http import Connection, Request

# What belongs to one connection, and is written anew on the next.
_OF_THE_CONNECTION = {"Host", "Content-Length", "Connection", "Transfer-Encoding"}


class Recorder:
    """Listens on `port` of loopback for one client; `requests` in the order in which they came."""

    def __init__(self, server_port: int) -> None:
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server_port, self.requests))
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def recorder(server_port: int) -> Iterator[Recorder]:
    """Give a recorder before a server."""
    opened = Recorder(server_port)
    try:
        yield opened
    finally:
        opened.close()


def bare_transfer(port: int, requests: Sequence[Request], headers: dict[str, str]) -> float:
    """Seconds from sending to the last byte of all answers, which nobody looks at.

    `headers` take the place of those that the requests were recorded with.
    """
    with Connection(port) as connection:
        answers = (
            connection.ask(Request(request.method, request.path, request.body, request_headers))
            for request in requests
            for request_headers in [{**request.headers, **headers}]
        )
        return sum(answer.expect().seconds for answer in answers)


def _handler(server_port: int, requests: list[Request]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.title(): value for name, value in self.headers.items()}
            kept = {name: headers[name] for name in headers.keys() - _OF_THE_CONNECTION}
            request = Request(self.command, self.path, body, kept)
            requests.append(request)
            with Connection(server_port) as connection:
                answer = connection.ask(request)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                if name.title() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    return Handler
