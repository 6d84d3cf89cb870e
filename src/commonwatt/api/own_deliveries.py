"""Taking readings and sensor values in over HTTP: durable before the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.endpoint.endpoint import bearer_of, identify, limit_rate
from commonwatt.api.http.bodies import largest_size, read_packed_body
from commonwatt.api.http.json_answers import json_answer
from commonwatt.api.own_requests import flag, parameters, reading_quality
from commonwatt.api.services import Services
from commonwatt.app.accounts.authorize import ALLOWED, Action, require_action, require_site
from commonwatt.app.ports import Store
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.readings.sensors import ingest_sensor_values
from commonwatt.domain.metering.readings import ReadingQuality, Receipt
from commonwatt.formats.readings.bodies import (
    parse_content_type,
    readings_from_body,
    sensor_values_from_body,
)

_SOURCE = "http"
_SMALL_BODY = 64 * 1024
"""Bytes of a body, unpacked, that is parsed at once: some hundred rows."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The account that sends, the site's number, and whether it reads all of the site."""

    account: str
    site: int
    reads_all: bool


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent, unpacked, with its content type, one of `CONTENT_TYPES`.

    ``quality`` is that of the rows that do not say, and ``replaces`` whether those replace.
    """

    content: bytes
    content_type: str
    quality: ReadingQuality
    replaces: bool


Work = Callable[[int], Receipt]
"""Stores what is good of a parsed body, recorded at a Unix microsecond."""
Taking = Callable[[Store, Sender, Body], Work]
"""Parses a body, and leaves the storing to be done."""


def take_readings(store: Store, sender: Sender, body: Body) -> Work:
    """Take a body of readings in."""
    rows = readings_from_body(body.content, body.content_type, body.quality, body.replaces)
    return partial(ingest_readings, store, sender.site, rows, sender.account, _SOURCE)


def take_sensor_values(store: Store, sender: Sender, body: Body) -> Work:
    """Take a body of sensor values in."""
    rows = sensor_values_from_body(body.content, body.content_type)
    return partial(ingest_sensor_values, store, sender.site, rows, sender.account, _SOURCE)


async def take_delivery(
    services: Services, request: Request, route: str, taking: Taking, *known: str
) -> Response:
    """Answer a PUT: who sends and to which site is settled before the body is read.

    The body is parsed before the delivery waits for its turn to write, so that a body which takes
    long to parse holds no other writer up. ``known`` are the parameters of the query.
    """
    admit = partial(_admit, services, bearer_of(request), request.path_params["site_id"], route)
    sender = await services.read_in_time(admit)
    query = parameters(request.query_params.multi_items(), known)
    quality, replaces = reading_quality(query), flag(query, "replaces")
    content_type = parse_content_type(request.headers.get("content-type"))
    async with services.pending.place(sender.account, largest_size(request, services.body_limit)):
        content = await read_packed_body(request, services.body_limit)
        body = Body(content, content_type, quality, replaces)
        parse = partial(taking, services.store, sender, body)
        # What is small is parsed in no time, and does not wait for what is not.
        limiter = services.writing if len(content) <= _SMALL_BODY else services.parsing
        store = await anyio.to_thread.run_sync(parse, limiter=limiter)
        del content, body, parse
        now_us = int(services.clock() * 1e6)
        receipt = await anyio.to_thread.run_sync(store, now_us, limiter=services.writing)
    services.written()
    shown = receipt if sender.reads_all else untold(receipt)
    return await json_answer(request, _receipt(shown))


def _admit(services: Services, bearer: str | None, site_id: str, route: str) -> Sender:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, site_id)
        limit_rate(services, access, route)
        site = require_site(access, site_id)
        require_action(access, Action.DELIVER)
        reads_all = Action.READ in ALLOWED[access.role] and site.sight.is_whole
        return Sender(access.account, site.number, reads_all)


def untold(receipt: Receipt) -> Receipt:
    """A receipt for who may not read what it delivers: nothing in it comes of what was there.

    Else a guess that is answered as `unchanged` would be known to be right.
    """
    taken = receipt.accepted + receipt.unchanged
    return Receipt(
        delivery=None,
        accepted=taken,
        unchanged=0,
        superseding=0,
        rejected=receipt.rejected,
        rejected_rows=receipt.rejected_rows,
    )


def _receipt(receipt: Receipt) -> bytes:
    rejected = [{"row": each.row, "reason": each.reason} for each in receipt.rejected]
    not_counting = [{"row": each.row, "reason": each.reason} for each in receipt.not_counting]
    return orjson.dumps(
        {
            "delivery": receipt.delivery,
            "accepted": receipt.accepted,
            "unchanged": receipt.unchanged,
            "superseding": receipt.superseding,
            "rejected": rejected,
            "rejected_rows": receipt.rejected_rows,
            "not_counting": not_counting,
            "not_counting_rows": receipt.not_counting_rows,
            "held": [
                {
                    "meter": each.meter_id,
                    "rows": each.rows,
                    "rule": each.rule,
                    "reason": each.reason,
                }
                for each in receipt.held
            ],
        }
    )
