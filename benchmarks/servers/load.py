"""Requests per second over 8 connections: by wrk where it is installed, else by a small client."""

import re
import selectors
import shutil
import socket
import tempfile
import time
from pathlib import Path

from benchmarks.servers.processes import run
from benchmarks.servers.raw_http import Request

CONNECTIONS = 8


def client_name() -> str:
    """Which client measures, for the report."""
    return "wrk" if shutil.which("wrk") else "the own client"


def requests_per_second(port: int, request: Request, seconds: float) -> float:
    """Answers a second over 8 connections kept busy; RuntimeError if one is not a 2xx."""
    if shutil.which("wrk"):
        return _by_wrk(port, request, seconds)
    return _by_own_client(port, request, seconds)


def _by_wrk(port: int, request: Request, seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "request.lua"
        script.write_text(
            f'wrk.method = "{request.method}"\nwrk.body = [==[{request.body.decode()}]==]\n'
        )
        headers = [part for pair in request.headers.items() for part in ("-H", ": ".join(pair))]
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        url = f"http://127.0.0.1:{port}{request.path}"
        output = run(["wrk", *options, "-s", str(script), *headers, url])
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(output)
    found = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if found is None:
        raise RuntimeError(output)
    return float(found[1])


def _by_own_client(port: int, request: Request, seconds: float) -> float:
    data, answered = request.encoded(), 0
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            opened = socket.create_connection(("127.0.0.1", port), 30)
            opened.sendall(data)
            selector.register(opened, selectors.EVENT_READ, bytearray())
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            for key, _ in selector.select(1):
                assert isinstance(key.fileobj, socket.socket)
                key.data.extend(key.fileobj.recv(1 << 18))
                if _is_whole(key.data):
                    answered += 1
                    key.data.clear()
                    key.fileobj.sendall(data)
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
    return answered / passed


def _is_whole(received: bytearray) -> bool:
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return False
    if not received.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(bytes(received[:500]))
    length = re.search(rb"content-length: (\d+)", received[:head], re.IGNORECASE)
    if length is None:
        return received.endswith(b"0\r\n\r\n")
    return len(received) - head - 4 >= int(length[1])
