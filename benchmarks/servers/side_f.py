"""F: static answers with the bytes that another server gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers.processes import Server, free_port, start
from benchmarks.servers.raw_http import Answer, Request
from benchmarks.servers.side_b import uvicorn, yardstick_environment
from benchmarks.servers.subject import Requests


@dataclass(frozen=True, slots=True)
class F:
    """The static server, running."""

    server: Server
    figures: tuple[str, ...]
    name: str = "F"

    def stop(self) -> None:
        """End the server."""
        self.server.stop()

    def reads(self) -> Requests:
        """The same figures as the answers that it was made from."""
        headers = {"Content-Type": "application/json"}
        return {
            figure: Request(
                "POST",
                f"/{figure.replace(' ', '-')}",
                b"{}",
                {**headers, "Accept-Encoding": "gzip"} if figure.endswith(" gzip") else headers,
            )
            for figure in self.figures
        }


def start_f(folder: Path, workers: int, answers: Mapping[str, Answer]) -> F:
    """Serve the bodies of the answers, those of figures in gzip as gzip."""
    bodies = folder / "bodies"
    bodies.mkdir()
    for figure, answer in answers.items():
        zipped = answer.headers.get("content-encoding") == "gzip"
        name = figure.replace(" ", "-") + (".gz" if zipped else "")
        (bodies / name).write_bytes(answer.body)
    port = free_port()
    environment = yardstick_environment(F_BODIES=str(bodies))
    command = uvicorn("benchmarks.servers.static_f:app", port, workers)
    server = start("F", command, port, folder, environment)
    server.wait_until_open()
    return F(server, tuple(answers))
