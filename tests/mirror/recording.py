"""A served application that tells what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl

from commonwatt.bootstrap import Application
from tests.api.serving import served

Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A question: its path below /api/v1, and the fields of its body or query."""

    path: str
    fields: Mapping[str, Any]

    @property
    def start(self) -> datetime | None:
        """From when it asks."""
        text = self.fields.get("t_s")
        return None if text is None else datetime.fromisoformat(f"{text}+00:00")


@dataclass
class Recorder:
    """An ASGI application around another; ``on_question`` is called before each answer."""

    application: Application
    on_question: Callable[[Asked], None] | None = None
    asked: list[Asked] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        path = scope.get("path", "").removeprefix("/api/v1")
        if scope.get("method") not in {"GET", "POST"} or path == "/auth":
            await self.application.app(scope, receive, send)
            return
        message = await receive()
        query = scope["query_string"].decode()
        fields = json.loads(message["body"]) if message.get("body") else dict(parse_qsl(query))
        asked = Asked(path, fields)
        with self._lock:
            self.asked.append(asked)
        if self.on_question is not None:
            self.on_question(asked)
        waiting = [message]

        async def again() -> Message:
            return waiting.pop() if waiting else cast("Message", await receive())

        await self.application.app(scope, again, send)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve on a free port; give the address."""
        with served(cast("Application", SimpleNamespace(app=self))) as address:
            yield address
