"""How a request about a site is answered: who asks, may they, what exactly, and in which thread.

The order of checks is the same everywhere: token (401), rate (429), site (404), role (403), input
(422); what the input names (404, 403, 409) is for the endpoint itself. All of it, and the answer,
comes from one snapshot of the store.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeAlias, TypeVar

import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from commonwatt.api.http.bodies import QUERY_LIMIT, read_body
from commonwatt.api.http.held_answers import HeldResponse, given_back, parts_answer
from commonwatt.api.http.json_answers import JSON_TYPE, Streamed, json_answer
from commonwatt.api.http.problems import TooManyRequests
from commonwatt.api.http.table_answers import TableAnswer, table_answer
from commonwatt.api.server.http_protocol import BODY_IS_HERE
from commonwatt.api.services import Services, SettledGroups
from commonwatt.app.accounts.authorize import (
    AccountAccess,
    Action,
    GrantedSite,
    read_bearer,
    require_action,
    require_site,
)
from commonwatt.app.ports import Snapshot
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.formats.errors import BodyTooLarge

Q = TypeVar("Q")
Content: TypeAlias = bytes | TableAnswer | Streamed
SOME_MEMORY = 8_000_000
UNCOUNTED = 64 * 1024
"""Bytes of an answer that are not counted: a connection holds no more of it anyway."""
_OBJECT_ID = re.compile("[0-9A-Fa-f]{24}")


@dataclass(frozen=True, slots=True)
class RequestData:
    """What came with a request: parameters of path and query as they stand, Accept, the body."""

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    accept: str
    unread: BodyTooLarge | None
    raw_body: bytes

    @property
    def body(self) -> bytes:
        """The body. Raises BodyTooLarge where it was not read to its end."""
        if self.unread is not None:
            raise self.unread
        return self.raw_body


@dataclass(frozen=True, slots=True)
class RequestContext:
    """An account that may look at a site, one view of the store, ``now`` in Unix seconds."""

    snapshot: Snapshot
    access: AccountAccess
    site: GrantedSite
    catalogue: SiteCatalogue
    settled: SettledGroups
    now: float


def always_quick(_context: RequestContext, _query: object) -> bool:
    """For what is answered in well under a millisecond."""
    return True


def never_costly(_request_data: RequestData) -> bool:
    """For what is read as it is stored, or of a few days."""
    return False


def always_costly(_request_data: RequestData) -> bool:
    """For what settles some days again, or looks at all meters of a group."""
    return True


def never_quick(_context: RequestContext, _query: object) -> bool:
    """For what reads any number of readings, or whole histories: never on the event loop."""
    return False


def some_memory(_context: RequestContext, _query: object) -> int:
    """For what is made in small steps, or is small."""
    return SOME_MEMORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Q]):
    """An endpoint that reads of a site.

    ``route`` is the path's template, under which requests are counted (None: not counted).
    ``parse`` reads what was sent, ``answer`` gives ready JSON or a table that is yet to be
    written, and ``is_quick`` tells whether answering may hold the event loop up that long.
    ``is_costly``: answering may take seconds, in one of a few threads apart, so that who asks for
    much holds nobody else up. ``weight``: what an answer holds that is not quick [bytes].
    """

    route: str | None
    parse: Callable[[RequestContext, RequestData], Q]
    answer: Callable[[RequestContext, Q], Content]
    is_quick: Callable[[RequestContext, Q], bool] = always_quick
    is_costly: Callable[[RequestData], bool] = never_costly
    weight: Callable[[RequestContext, Q], int] = some_memory


def bearer_of(request: Request) -> str | None:
    """What the request carries to prove an account: the token of ``Authorization: Bearer``."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def identify(
    services: Services, snapshot: Snapshot, bearer: str | None, site_id: str | None
) -> AccountAccess:
    """The account behind a bearer, with the site asked for. Raises NotSignedIn."""
    if site_id is not None and _OBJECT_ID.fullmatch(site_id) is None:
        # No site has it, and a database may not even take it as a text.
        site_id = None
    return read_bearer(
        bearer, site_id, tokens=services.tokens, accounts=snapshot, now=services.clock()
    )


def limit_rate(services: Services, access: AccountAccess, route: str | None) -> None:
    """Count a request of an account. Raises TooManyRequests."""
    if route is None or not access.rate_limited:
        return
    wait_s = services.limits.hit(access.account, route)
    if wait_s is not None:
        raise TooManyRequests(wait_s)


async def respond(services: Services, request: Request, endpoint: Endpoint[Q]) -> Response:
    """Answer a request about the site that the path names.

    Who asks is known before a body is waited for; one that came with the head costs no look more.
    """
    bearer, site_id = bearer_of(request), request.path_params["site_id"]
    is_counted = not (request.method == "GET" or request.scope.get(BODY_IS_HERE, False))
    if is_counted:
        admit = partial(_admitted, services, bearer, site_id, endpoint.route)
        await services.read_in_time(admit)
    sent = await _request_data(request)
    route = None if is_counted else endpoint.route
    if services.store.reads_inline:
        with services.store.snapshot() as snapshot:
            access = identify(services, snapshot, bearer, site_id)
            if services.limits.blocking and access.rate_limited:
                await anyio.to_thread.run_sync(limit_rate, services, access, route)
            else:
                limit_rate(services, access, route)
            begun = _quick_answer(_context(services, snapshot, access, sent), sent, endpoint)
    else:
        work = partial(_quick_in_thread, services, bearer, sent, endpoint, route)
        begun = await services.read_in_time(work)
    if begun.answer is None:
        return await _answer_at_length(services, request, sent, endpoint, begun)
    return await _rendered(services, request, begun.answer, begun, AsyncExitStack())


@dataclass(frozen=True, slots=True)
class _QuickAnswer:
    """A quick answer, or None for one that takes a while; of whom, and what it holds [bytes]."""

    answer: Content | None
    account: str
    weight: int


def _quick_answer(
    context: RequestContext, sent: RequestData, endpoint: Endpoint[Q]
) -> _QuickAnswer:
    query = endpoint.parse(context, sent)
    account = context.access.account
    if endpoint.is_quick(context, query):
        return _QuickAnswer(endpoint.answer(context, query), account, 0)
    return _QuickAnswer(None, account, endpoint.weight(context, query))


def _quick_in_thread(
    services: Services,
    bearer: str | None,
    sent: RequestData,
    endpoint: Endpoint[Q],
    route: str | None,
) -> _QuickAnswer:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, sent.path["site_id"])
        limit_rate(services, access, route)
        return _quick_answer(_context(services, snapshot, access, sent), sent, endpoint)


def _admitted(services: Services, bearer: str | None, site_id: str, route: str | None) -> None:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, site_id)
        limit_rate(services, access, route)
        require_site(access, site_id)
        require_action(access, Action.READ)


async def _answer_at_length(
    services: Services,
    request: Request,
    sent: RequestData,
    endpoint: Endpoint[Q],
    begun: _QuickAnswer,
) -> Response:
    """Answer what takes a while, when there is room for it and as long as somebody waits for it.

    The view of the store that it was looked at in is not kept while it waits.
    """
    limiter = services.computing if endpoint.is_costly(sent) else services.reading
    held, opened = AsyncExitStack(), ExitStack()
    held.push_async_callback(anyio.to_thread.run_sync, opened.close)

    async def answer() -> Response:
        await held.enter_async_context(services.pending.place(begun.account, begun.weight))
        work = partial(_answer_in_thread, services, bearer_of(request), sent, endpoint, opened)
        content = await anyio.to_thread.run_sync(work, limiter=limiter)
        return await _rendered(services, request, content, begun, held)

    try:
        return await unless_gone(request, answer)
    except BaseException:
        await given_back(held)
        raise


def _answer_in_thread(
    services: Services,
    bearer: str | None,
    sent: RequestData,
    endpoint: Endpoint[Q],
    opened: ExitStack,
) -> Content:
    """Answer in a view of the store that is left open where the answer goes on being made."""
    with ExitStack() as stack:
        snapshot = stack.enter_context(services.store.snapshot())
        access = identify(services, snapshot, bearer, sent.path["site_id"])
        context = _context(services, snapshot, access, sent)
        content = endpoint.answer(context, endpoint.parse(context, sent))
        if isinstance(content, Streamed):
            opened.push(stack.pop_all())
        return content


async def _rendered(
    services: Services,
    request: Request,
    content: Content,
    begun: _QuickAnswer,
    held: AsyncExitStack,
) -> Response:
    if isinstance(content, TableAnswer):
        return await table_answer(request, content, held)
    if isinstance(content, Streamed):
        return await parts_answer(request, content.parts, JSON_TYPE, "Accept-Encoding", held)
    answer = await json_answer(request, content)
    more = len(answer.body) - begun.weight
    if len(answer.body) <= UNCOUNTED:
        await held.aclose()
        return answer
    if more > 0:
        services.pending.hold(begun.account, more)
        held.callback(services.pending.give_back, begun.account, more)
    return HeldResponse(answer, held)


async def unless_gone(request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
    """Do some work for a client while it is connected. Raises ClientDisconnect."""
    with anyio.CancelScope() as scope:
        watching = asyncio.ensure_future(_watch(request, scope))
        try:
            return await work()
        finally:
            watching.cancel()
    raise ClientDisconnect


async def _watch(request: Request, scope: anyio.CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _context(
    services: Services, snapshot: Snapshot, access: AccountAccess, sent: RequestData
) -> RequestContext:
    site = require_site(access, sent.path["site_id"])
    require_action(access, Action.READ)
    catalogue = services.catalogues.of(snapshot, site)
    return RequestContext(snapshot, access, site, catalogue, services.settled, services.clock())


async def _request_data(request: Request) -> RequestData:
    # A body too large is refused in its turn: who is not signed in learns that first.
    unread, body = None, b""
    if request.method != "GET":
        try:
            body = await read_body(request, QUERY_LIMIT)
        except BodyTooLarge as error:
            unread = error
    query = request.query_params.multi_items() if request.scope["query_string"] else ()
    accept = ", ".join(request.headers.getlist("accept"))
    return RequestData(request.path_params, query, accept, unread, body)
