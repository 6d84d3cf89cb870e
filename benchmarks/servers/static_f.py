"""F, the limit: bodies held in memory, answered by a bare ASGI application on uvicorn.

`F_BODIES` names a folder; the file `NAME` answers `/NAME`, and `NAME.gz` when gzip is asked for.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path

Message = MutableMapping[str, object]
Headers = list[tuple[bytes, bytes]]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


def _prepared(path: Path) -> tuple[Message, Message]:
    body = path.read_bytes()
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if path.suffix == ".gz":
        headers.append((b"content-encoding", b"gzip"))
    start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


ANSWERS = {f"/{path.name}": _prepared(path) for path in Path(os.environ["F_BODIES"]).iterdir()}


async def app(scope: MutableMapping[str, object], receive: Receive, send: Send) -> None:
    """Answer with the prepared body; an unknown path fails, as nothing else is measured here."""
    if scope["type"] != "http":
        return
    headers = scope["headers"]
    assert isinstance(headers, list)
    zipped = any(name == b"accept-encoding" and b"gzip" in value for name, value in headers)
    start, body = ANSWERS[f"{scope['path']}.gz" if zipped else str(scope["path"])]
    while (await receive()).get("more_body"):
        pass
    await send(start)
    await send(body)
