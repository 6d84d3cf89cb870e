"""How a question about a site is answered: who asks, may they, what exactly, and in which thread.

The order of checks is the same everywhere: token (401), rate (429), site (404), role (403), input
(422); what the input names (404, 403, 409) is for the question itself. All of it, and the answer,
comes from one snapshot of the store.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.json_answers import json_answer
from commonwatt.api.problems import TooManyRequests
from commonwatt.api.request_bodies import QUERY_LIMIT, read_body
from commonwatt.api.services import Services, SettledGroups
from commonwatt.api.table_answers import TableAnswer, table_answer
from commonwatt.app.authorize import (
    AccountAccess,
    Action,
    GrantedSite,
    read_bearer,
    require_action,
    require_site,
)
from commonwatt.app.ports import Snapshot
from commonwatt.domain.catalogue import SiteCatalogue
from commonwatt.formats.errors import BodyTooLarge

Q = TypeVar("Q")
_OBJECT_ID = re.compile("[0-9A-Fa-f]{24}")


@dataclass(frozen=True, slots=True)
class Asked:
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
class Visit:
    """An account that may look at a site, one view of the store, ``now`` in Unix seconds."""

    snapshot: Snapshot
    access: AccountAccess
    site: GrantedSite
    catalogue: SiteCatalogue
    settled: SettledGroups
    now: float


def always_quick(_visit: Visit, _query: object) -> bool:
    """For what is answered in well under a millisecond."""
    return True


def never_costly(_asked: Asked) -> bool:
    """For what is read as it is stored, or of a few days."""
    return False


def always_costly(_asked: Asked) -> bool:
    """For what settles some days again, or looks at all meters of a group."""
    return True


def never_quick(_visit: Visit, _query: object) -> bool:
    """For what reads any number of readings, or whole histories: never on the event loop."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[Q]):
    """One kind of question about a site.

    ``route`` is the path's template, under which requests are counted (None: not counted).
    ``parse`` reads what was asked, ``answer`` gives ready JSON or a table that is yet to be
    written, and ``is_quick`` tells whether answering may hold the event loop up that long.
    ``is_costly``: answering may take seconds, in one of a few threads apart, so that who asks for
    much holds nobody else up.
    """

    route: str | None
    parse: Callable[[Visit, Asked], Q]
    answer: Callable[[Visit, Q], bytes | TableAnswer]
    is_quick: Callable[[Visit, Q], bool] = always_quick
    is_costly: Callable[[Asked], bool] = never_costly


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


def count(services: Services, access: AccountAccess, route: str | None) -> None:
    """Count a request of an account. Raises TooManyRequests."""
    if route is None or not access.rate_limited:
        return
    wait_s = services.limits.hit(access.account, route)
    if wait_s is not None:
        raise TooManyRequests(wait_s)


async def answer_question(services: Services, request: Request, question: Question[Q]) -> Response:
    """Answer a question about the site that the path names."""
    asked = await _asked(request)
    bearer = bearer_of(request)
    limiter = services.computing if question.is_costly(asked) else services.reading
    if not services.store.reads_inline:
        work = partial(_answer_in_thread, services, bearer, asked, question)
        content = await anyio.to_thread.run_sync(work, limiter=limiter)
        return await _rendered(request, content)
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, asked.path["site_id"])
        if services.limits.blocking and access.rate_limited:
            await anyio.to_thread.run_sync(count, services, access, question.route)
        else:
            count(services, access, question.route)
        visit = _visit(services, snapshot, access, asked)
        query = question.parse(visit, asked)
        if question.is_quick(visit, query):
            content = question.answer(visit, query)
        else:
            # The snapshot goes along: one thread at a time uses it.
            content = await anyio.to_thread.run_sync(question.answer, visit, query, limiter=limiter)
    return await _rendered(request, content)


async def _rendered(request: Request, content: bytes | TableAnswer) -> Response:
    if isinstance(content, TableAnswer):
        return await table_answer(request, content)
    return await json_answer(request, content)


def _answer_in_thread(
    services: Services, bearer: str | None, asked: Asked, question: Question[Q]
) -> bytes | TableAnswer:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, asked.path["site_id"])
        count(services, access, question.route)
        visit = _visit(services, snapshot, access, asked)
        return question.answer(visit, question.parse(visit, asked))


def _visit(services: Services, snapshot: Snapshot, access: AccountAccess, asked: Asked) -> Visit:
    site = require_site(access, asked.path["site_id"])
    require_action(access, Action.READ)
    catalogue = services.catalogues.of(snapshot, site)
    return Visit(snapshot, access, site, catalogue, services.settled, services.clock())


async def _asked(request: Request) -> Asked:
    # A body too large is refused in its turn: who is not signed in learns that first.
    unread, body = None, b""
    if request.method != "GET":
        try:
            body = await read_body(request, QUERY_LIMIT)
        except BodyTooLarge as error:
            unread = error
    query = request.query_params.multi_items() if request.scope["query_string"] else ()
    accept = ", ".join(request.headers.getlist("accept"))
    return Asked(request.path_params, query, accept, unread, body)
