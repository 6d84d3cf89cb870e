"""Taking readings and sensor values in over HTTP: durable before the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api.json_answers import json_answer
from commonwatt.api.own_requests import parameters, reading_quality
from commonwatt.api.request_bodies import read_packed_body
from commonwatt.api.services import Services
from commonwatt.api.visits import bearer_of, count, identify
from commonwatt.app.authorize import Action, require_action, require_site
from commonwatt.app.ingest_readings import ingest_readings
from commonwatt.app.ingest_sensor_values import ingest_sensor_values
from commonwatt.app.ports import Store
from commonwatt.domain.readings import ReadingQuality, Receipt
from commonwatt.formats.bodies import (
    parse_content_type,
    readings_from_body,
    sensor_values_from_body,
)

_SOURCE = "http"


@dataclass(frozen=True, slots=True)
class Sender:
    """The account that sends, and the site's number."""

    account: str
    site: int


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent, unpacked, with its content type, one of `CONTENT_TYPES`.

    ``quality`` is that of the rows that do not say.
    """

    content: bytes
    content_type: str
    quality: ReadingQuality


Taking = Callable[[Store, Sender, Body, int], Receipt]
"""Parses a body and stores what is good of it, recorded at a Unix microsecond."""


def take_readings(store: Store, sender: Sender, body: Body, now_us: int) -> Receipt:
    """Take a body of readings in."""
    rows = readings_from_body(body.content, body.content_type, body.quality)
    return ingest_readings(store, sender.site, rows, sender.account, _SOURCE, now_us)


def take_sensor_values(store: Store, sender: Sender, body: Body, now_us: int) -> Receipt:
    """Take a body of sensor values in."""
    rows = sensor_values_from_body(body.content, body.content_type)
    return ingest_sensor_values(store, sender.site, rows, sender.account, _SOURCE, now_us)


async def take_delivery(
    services: Services, request: Request, route: str, taking: Taking, *known: str
) -> Response:
    """Answer a PUT: who sends and to which site is settled before the body is read.

    ``known`` are the parameters of the query.
    """
    admit = partial(_admit, services, bearer_of(request), request.path_params["site_id"], route)
    sender = await anyio.to_thread.run_sync(admit, limiter=services.reading)
    quality = reading_quality(parameters(request.query_params.multi_items(), known))
    content_type = parse_content_type(request.headers.get("content-type"))
    content = await read_packed_body(request, services.body_limit)
    body = Body(content, content_type, quality)
    store = partial(taking, services.store, sender, body, int(services.clock() * 1e6))
    receipt = await anyio.to_thread.run_sync(store, limiter=services.writing)
    services.written()
    return await json_answer(request, _receipt(receipt))


def _admit(services: Services, bearer: str | None, site_id: str, route: str) -> Sender:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, site_id)
        count(services, access, route)
        site = require_site(access, site_id)
        require_action(access, Action.DELIVER)
        return Sender(access.account, site.number)


def _receipt(receipt: Receipt) -> bytes:
    rejected = [{"row": each.row, "reason": each.reason} for each in receipt.rejected]
    return orjson.dumps(
        {
            "delivery": receipt.delivery,
            "accepted": receipt.accepted,
            "unchanged": receipt.unchanged,
            "superseding": receipt.superseding,
            "rejected": rejected,
        }
    )
