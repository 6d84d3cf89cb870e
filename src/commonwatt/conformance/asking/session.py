"""Asking the server: tokens, pace, and each request once."""

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx2

from commonwatt.conformance.asking.exchanges import Bearer, Exchange, Request, read_json, shown

_TIMEOUT_S = 60.0
_RENEW_BEFORE_S = 60
_PATIENCE = 4
_LONGEST_WAIT_S = 60.0
_LONGEST_ANSWER_S = 300.0
_LONGEST_ANSWER = 256 * 2**20
_BEARABLE = re.compile("[!-~]+")


class Unreachable(Exception):
    """The server gives no answer; the message says where and why."""


class SignInRefused(Exception):
    """The server does not take the user name and password."""


class NoToken(Exception):
    """The server answered the sign-in with something that has no token."""


class Session:
    """Asks a server at a base address such as ``https://api.climkit.io/api/v1``.

    Every request is sent once and its answer kept. ``requests_per_second`` is kept for each
    route; None: as fast as can be. A 429 is waited out and asked again, a few times. ``clock``
    gives Unix seconds.
    Raises Unreachable where nothing answers any more, and SignInRefused or NoToken where a token is
    needed.
    """

    def __init__(
        self,
        client: httpx2.Client,
        username: str,
        password: str,
        *,
        requests_per_second: float | None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self.signed_in_at: float | None = None
        self._client = client
        self._credentials = {"username": username, "password": password}
        self._pace = _Pace(requests_per_second, sleep)
        self._answers: dict[Request, Exchange] = {}
        self._tokens: list[str] = []
        self._renew_at = float("inf")
        self._silent = 0

    def ask(self, request: Request) -> Exchange:
        """Ask, or return what came when it was asked before."""
        if request not in self._answers:
            self._answers[request] = self.ask_again(request)
        return self._answers[request]

    def ask_again(self, request: Request) -> Exchange:
        """Ask, whether it was asked before or not."""
        headers = self._headers(request.bearer)
        self._pace.wait_for(request.route)
        exchange, wait_s = self._send(request, headers)
        for _ in range(_PATIENCE):
            if exchange.status != httpx2.codes.TOO_MANY_REQUESTS:
                break
            self._pace.hold(request.route, min(wait_s, _LONGEST_WAIT_S))
            self._pace.wait_for(request.route)
            exchange, wait_s = self._send(request, headers)
        self._silent = 0 if exchange.status else self._silent + 1
        if self._silent >= _PATIENCE or (self._silent and request.route == "auth"):
            raise Unreachable(f"{self._client.base_url}: {exchange.fault}")
        return exchange

    def ask_at_once(self, request: Request, times: int) -> list[Exchange]:
        """Ask the same several times at once, too fast on purpose; refusals are not repeated."""
        headers = self._headers(request.bearer)
        self._pace.wait_for(request.route)
        with ThreadPoolExecutor(times) as threads:
            waiting = [threads.submit(self._send, request, headers) for _ in range(times)]
            answers = [each.result() for each in waiting]
        self._pace.hold(request.route, max(wait_s for _, wait_s in answers))
        return [exchange for exchange, _ in answers]

    def sign_in(self) -> Exchange:
        """Sign in with the account's own name and password, once."""
        exchange = self.ask(self.sign_in_request(self._credentials["password"]))
        if self.signed_in_at is None:
            self.signed_in_at = self.clock()
        return exchange

    def sign_in_request(self, password: str) -> Request:
        """The request that signs the account in with a password."""
        body = json.dumps({**self._credentials, "password": password})
        return Request("auth", "POST", "/auth", body, bearer=Bearer.NONE)

    def token(self) -> str:
        """Return a token that is good for a while."""
        if not self._tokens or self.clock() > self._renew_at:
            own = self.sign_in_request(self._credentials["password"])
            exchange = self.ask_again(own) if self._tokens else self.sign_in()
            self._tokens.append(_token_of(exchange))
            self._renew_at = _end_of(exchange) - _RENEW_BEFORE_S
        return self._tokens[-1]

    def _headers(self, bearer: Bearer) -> dict[str, str]:
        if bearer is Bearer.NONE:
            return {}
        token = self.token()
        if bearer is Bearer.FORGED:
            token = _forged(token)
        elif bearer is Bearer.FIRST:
            token = self._tokens[0]
        return {"Authorization": f"Bearer {token}"}

    def _send(self, request: Request, headers: dict[str, str]) -> tuple[Exchange, float]:
        began_at = time.monotonic()
        try:
            with self._client.stream(
                request.method,
                quote(request.path),
                content=request.body,
                params=dict(request.params) or None,
                headers={**headers, "Content-Type": "application/json"},
            ) as answer:
                body = _body(answer, began_at)
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return _silence(request, began_at, error), 0.0
        exchange = self._exchange(request, answer.status_code, body, began_at)
        return exchange, _retry_after(answer)

    def _exchange(self, request: Request, status: int, body: bytes, began_at: float) -> Exchange:
        content, fault = _content(body)
        secrets = [self._credentials["password"], *self._tokens]
        token = content.get("access_token") if isinstance(content, dict) else None
        if isinstance(token, str):
            secrets.append(token)
        asked = str(httpx2.URL(quote(request.path), params=dict(request.params)))
        sent = f"{request.method} {asked} {request.body or ''}".rstrip()
        return Exchange(
            request=request,
            status=status,
            content=content,
            fault=fault,
            began_at=began_at,
            ended_at=time.monotonic(),
            sent=shown(sent, tuple(secrets)),
            came=shown(f"{status} {body.decode(errors='replace')}", tuple(secrets)),
        )


def _silence(request: Request, began_at: float, error: Exception) -> Exchange:
    """What is known of a request that was not answered."""
    reason = f"no answer: {str(error) or type(error).__name__}"
    sent = shown(f"{request.method} {request.path}")
    return Exchange(request, 0, None, reason, began_at, time.monotonic(), sent, reason)


def open_client(url: str) -> httpx2.Client:
    """A client of a base address; redirects are not followed.

    Raises Unreachable where none can be made, as with a proxy of the environment that is none.
    """
    try:
        return httpx2.Client(base_url=url.rstrip("/"), timeout=_TIMEOUT_S)
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise Unreachable(f"{url}: no connection can be made: {error}") from error


def _body(answer: httpx2.Response, began_at: float) -> bytes:
    """The body of an answer. Raises httpx2.ReadError where it has no end in time or measure."""
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > _LONGEST_ANSWER or time.monotonic() > began_at + _LONGEST_ANSWER_S:
            raise httpx2.ReadError("the answer does not come to its end")
    return bytes(body)


def _content(body: bytes) -> tuple[object, str | None]:
    try:
        return read_json(body.decode()), None
    except ValueError as error:
        return None, f"the body is not JSON: {error}"


def can_be_borne(token: str) -> bool:
    """Whether the header of a request can bear a token.

    >>> can_be_borne("aaa.bbb.ccc"), can_be_borne("two words"), can_be_borne("")
    (True, False, False)
    """
    return _BEARABLE.fullmatch(token) is not None


def _token_of(exchange: Exchange) -> str:
    if exchange.is_refused:
        raise SignInRefused(exchange.came)
    content = exchange.content
    token = content.get("access_token") if isinstance(content, dict) else None
    if exchange.status != 200 or not isinstance(token, str):
        raise NoToken("the sign-in was not answered with an access_token")
    if not can_be_borne(token):
        raise NoToken("the access_token is none that the header of a request can bear")
    return token


def _end_of(exchange: Exchange) -> float:
    content = exchange.content
    end = content.get("valid_until") if isinstance(content, dict) else None
    milliseconds = end.get("$date") if isinstance(end, dict) else None
    return milliseconds / 1000 if isinstance(milliseconds, int) else float("inf")


def _forged(token: str) -> str:
    """The token with another signature, or another token where it has none.

    >>> _forged("aaa.bbb.cccc")
    'aaa.bbb.CccA'
    """
    head, dot, tail = token.rpartition(".")
    return f"{head}{dot}{tail[:1].swapcase() or 'A'}{tail[1:-1]}{'B' if tail[-1:] == 'A' else 'A'}"


def _retry_after(answer: httpx2.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() else 2.0


# Requests that leave a second apart may arrive a little closer to each other.
_MARGIN = 1.05


class _Pace:
    """Waits until a route may be asked again; without a rate only where the server said so.

    The kit asks one thing after the other, so it needs none of the queues that clients have.
    """

    def __init__(self, per_second: float | None, sleep: Callable[[float], None]) -> None:
        self._interval_s = _MARGIN / per_second if per_second else 0.0
        self._sleep = sleep
        self._next_at: dict[str, float] = {}

    def wait_for(self, route: str) -> None:
        """Wait for the route's turn and take it."""
        wait_s = self._next_at.get(route, 0.0) - time.monotonic()
        if wait_s > 0:
            self._sleep(wait_s)
        self._next_at[route] = time.monotonic() + self._interval_s

    def hold(self, route: str, seconds: float) -> None:
        """Ask the route no sooner than in so many seconds."""
        held_until = time.monotonic() + seconds
        self._next_at[route] = max(self._next_at.get(route, 0.0), held_until)
