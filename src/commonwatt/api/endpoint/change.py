"""How a change of a site is taken from an operator: who asks is settled before the body is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import anyio.to_thread
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.endpoint.endpoint import bearer_of, identify, limit_rate
from commonwatt.api.endpoint.models import Answer, Query, read_query
from commonwatt.api.http.bodies import QUERY_LIMIT, read_packed_body
from commonwatt.api.http.json_answers import json_answer
from commonwatt.api.services import Services
from commonwatt.app.accounts.authorize import Action, GrantedSite, require_action, require_site
from commonwatt.app.declaring.apply import Applied
from commonwatt.app.ports import Store
from commonwatt.formats.stamps.instants import utc_text


class RecomputedRow(Answer):
    """What is computed anew because of a change."""

    group: str = Field(description="Meters that settle together.")
    start: str = Field(description="From when, UTC.")
    end: str = Field(description="Until when, not included, UTC.")
    days: int = Field(description="How many UTC days.")
    locked_days: int = Field(description="How many of them have locked quarter-hours.")


@dataclass(frozen=True, slots=True)
class AdmittedAccount:
    """The account that asks, and the site as it is granted to it."""

    account: str
    site: GrantedSite


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What is asked by whom at a Unix microsecond: path parameters and the body as it was sent."""

    admitted: AdmittedAccount
    path: Mapping[str, str]
    body: bytes
    now_us: int

    @property
    def now_at(self) -> int:
        """The same in Unix seconds."""
        return self.now_us // 1_000_000


Change = Callable[[Store, ChangeRequest], bytes]
"""Makes a change, durable when it returns; gives ready JSON."""


async def respond_to_change(
    services: Services, request: Request, route: str, change: Change
) -> Response:
    """Answer a request that changes something of the site that the path names.

    ``route`` is the path's template, under which requests are counted. For operators.
    """
    admit = partial(_admit, services, bearer_of(request), request.path_params["site_id"], route)
    admitted = await services.read_in_time(admit)
    read_query(Query, request.query_params.multi_items())
    body = await read_packed_body(request, QUERY_LIMIT)
    now_us = int(services.clock() * 1_000_000)
    work = partial(
        change, services.store, ChangeRequest(admitted, request.path_params, body, now_us)
    )
    content = await anyio.to_thread.run_sync(work, limiter=services.writing)
    services.written()
    return await json_answer(request, content)


def _admit(services: Services, bearer: str | None, site_id: str, route: str) -> AdmittedAccount:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, site_id)
        limit_rate(services, access, route)
        site = require_site(access, site_id)
        require_action(access, Action.CHANGE)
        return AdmittedAccount(access.account, site)


def recomputed_rows(applied: Applied, site: GrantedSite) -> list[RecomputedRow]:
    """What of the site is computed anew because of a change.

    It reaches over all meters and times: who sees a part of them is told none.
    """
    if not site.scope.is_whole:
        return []
    return [
        RecomputedRow(
            group=each.group.value,
            start=utc_text(each.start_at),
            end=utc_text(each.end_at),
            days=each.days,
            locked_days=each.locked_days,
        )
        for each in applied.recomputed
    ]


RECOMPUTED_EXAMPLE = {
    "group": "electricity",
    "start": "2026-02-27T00:00:00Z",
    "end": "2026-03-23T00:00:00Z",
    "days": 24,
    "locked_days": 0,
}
