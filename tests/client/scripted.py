"""A real HTTP server on loopback that answers as it is told, and keeps what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl

from commonwatt.bootstrap import Application
from tests.api.serving import served

SITE, METER, SENSOR = "61dfc9a0eba4e3564021f36a", "61dfcb4beba4e3563fdf3d9f", "61dfcb4beba4e3563f"
INFOS = f"/installation_infos/{SITE}"
METERS = f"/meter_info/{SITE}"
SITE_DATA = f"/site_data/{SITE}/electricity"
METER_DATA = f"/meter_data/{SITE}/{METER}"
RAW = f"/meter_data_raw/{SITE}/{METER}"
SENSOR_DATA = f"/{SITE}/sensor_data/{SENSOR}"


@dataclass(frozen=True)
class Reply:
    """An answer: `content` as JSON, or `body` as it is."""

    content: object = None
    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        return json.dumps(self.content).encode() if self.body is None else self.body


@dataclass(frozen=True)
class Asked:
    """A request, and when it came [s of the monotonic clock]."""

    path: str
    fields: Mapping[str, Any]
    authorization: str
    at: float


Script = Reply | list[Reply] | Callable[[Asked], Reply]


def token(life_s: float = 900, name: str = "token") -> Reply:
    """An answer of /auth."""
    valid_until = {"$date": int((time.time() + life_s) * 1000)}
    return Reply({"access_token": name, "valid_until": valid_until})


class ScriptedServer:
    """Replies by path; of a list one after the other, the last again and again."""

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self._scripts: dict[str, Script] = {
            "/auth": token(),
            INFOS: Reply({"name": "Site", "timezone": "Europe/Zurich"}),
            METERS: Reply([{"id": METER, "type": "electricity"}]),
            **scripts,
        }
        self.asked: list[Asked] = []
        self._lock = threading.Lock()

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return self.paths().count(path)

    def _reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            script = self._scripts.get(asked.path, Reply({"detail": "unknown"}, 404))
            if isinstance(script, list):
                return script.pop(0) if len(script) > 1 else script[0]
        return script if isinstance(script, Reply) else script(asked)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        at = time.monotonic()
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        fields = json.loads(body) if body else dict(parse_qsl(scope["query_string"].decode()))
        headers = dict(scope["headers"])
        path = scope["path"].removeprefix("/api/v1")
        reply = self._reply(Asked(path, fields, headers.get(b"authorization", b"").decode(), at))
        length = str(len(reply.bytes))
        names = {"content-type": "application/json", "content-length": length, **reply.headers}
        wire_headers = [(name.encode(), value.encode()) for name, value in names.items()]
        start = {"type": "http.response.start", "status": reply.status, "headers": wire_headers}
        await send(start)
        await send({"type": "http.response.body", "body": reply.bytes})

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve on a free port; give the address."""
        with served(cast("Application", SimpleNamespace(app=self))) as address:
            yield address
