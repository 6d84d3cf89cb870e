"""What every answer carries for browsers and caches, and which requests name no host."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commonwatt.api.http import problems
from commonwatt.api.http.problems import NO_SNIFFING, NO_STORE, Problem

_PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_FOR_ACCOUNTS = ("/api/", "/commonwatt/")
_HOST_FAULT = Problem(
    kind=problems.BROKEN_REQUEST,
    detail="a request has one Host header",
    headers={"Connection": "close"},
)


class AnswerHeaders:
    """Refuses requests without one Host header, and completes the headers of all answers.

    No browser guesses a type; what accounts are answered is stored nowhere; a page loads nothing
    unless it says so itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = sum(name == b"host" for name, _ in scope["headers"])
        # HTTP/1.0 had no Host header yet.
        if hosts > 1 or (not hosts and scope["http_version"] != "1.0"):
            await _HOST_FAULT.response()(scope, receive, send)
            return
        stores_nothing = scope["path"].startswith(_FOR_ACCOUNTS)

        async def completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(message["headers"], stores_nothing=stores_nothing)
            await send(message)

        await self._app(scope, receive, completing)


def _complete(headers: list[tuple[bytes, bytes]], *, stores_nothing: bool) -> None:
    there = dict(headers)
    if NO_SNIFFING[0] not in there:
        headers.append(NO_SNIFFING)
    if stores_nothing and NO_STORE[0] not in there:
        headers.append(NO_STORE)
    is_page = there.get(b"content-type", b"").startswith(b"text/html")
    if is_page and b"content-security-policy" not in there:
        headers.append((b"content-security-policy", _PAGE_POLICY.encode()))
