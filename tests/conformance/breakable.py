"""A server whose answers are broken on their way out, over the real one."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API = "/api/v1"


@dataclass(frozen=True)
class Asked:
    """A request: its endpoint, path below /api/v1, query, headers and body."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, object]

    @property
    def route(self) -> str:
        """The endpoint's name."""
        words = self.path.strip("/").split("/")
        return words[1] if words[1:] and words[1] in {"sensors_list", "sensor_data"} else words[0]

    @property
    def frequency(self) -> object:
        """The sampling frequency that is asked for, 15T where none is."""
        return self.body.get("sampling_frequency", "15T")


@dataclass(frozen=True)
class Answered:
    """An answer: its status and the text of its body."""

    status: int
    text: str

    @property
    def rows(self) -> list[dict[str, object]]:
        """The rows of a good answer, none of another."""
        content = json.loads(self.text) if self.status == 200 else []
        return content if isinstance(content, list) else []

    def saying(self, content: object) -> "Answered":
        """The same with other content."""
        return replace(self, text=json.dumps(content))


Ask = Callable[[Asked], Awaitable[Answered]]
Fault = Callable[[Asked, Ask], Awaitable[Answered]]


async def _whole(asked: Asked, ask: Ask) -> Answered:
    return await ask(asked)


@dataclass
class Breakable:
    """An ASGI application; what its fault answers is sent instead of the application's answer."""

    app: ASGIApp
    fault: Fault = field(default=_whole)

    def mend(self) -> None:
        """Be whole again."""
        self.fault = _whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the published surface by way of the fault."""
        if self.fault is _whole or scope["type"] != "http" or not scope["path"].startswith(_API):
            await self.app(scope, receive, send)
            return
        asked = await _asked(scope, receive)

        async def ask(request: Asked) -> Answered:
            return await _answer(self.app, scope, request)

        await _send(await self.fault(asked, ask), send)


async def _asked(scope: Scope, receive: Receive) -> Asked:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {key.decode(): value.decode() for key, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode()))
    content = json.loads(body) if body.strip() else {}
    return Asked(scope["path"].removeprefix(_API), query, headers, content)


async def _answer(app: ASGIApp, scope: Scope, asked: Asked) -> Answered:
    body = json.dumps(asked.body).encode()
    headers = {**asked.headers, "content-length": str(len(body)), "accept-encoding": "identity"}
    inner = {
        **scope,
        "path": _API + asked.path,
        "raw_path": (_API + asked.path).encode(),
        "query_string": urlencode(asked.query).encode(),
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
    }
    said = {"status": 0, "text": b""}
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        """Give the body once; then nothing comes, for the client stays."""
        if not messages:
            await anyio.sleep_forever()
        return messages.pop()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            said["status"] = message["status"]
        else:
            said["text"] += message.get("body", b"")

    await app(inner, receive, send)
    status, text = said["status"], said["text"]
    assert isinstance(status, int)
    assert isinstance(text, bytes)
    return Answered(status, text.decode())


async def _send(answered: Answered, send: Send) -> None:
    body = answered.text.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
