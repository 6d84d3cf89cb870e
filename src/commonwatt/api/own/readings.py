"""Taking readings and sensor values in over HTTP: durable before the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Generic, TypeVar

import anyio.to_thread
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from commonwatt.api import example_ids
from commonwatt.api.endpoint.endpoint import bearer_of, identify, limit_rate
from commonwatt.api.endpoint.fields import Flag
from commonwatt.api.endpoint.models import Answer, Query, read_query, to_json
from commonwatt.api.endpoint.operation import CHANGING, SITE_PATH, Operation
from commonwatt.api.http.bodies import largest_size, read_packed_body
from commonwatt.api.http.documentation import Fragment
from commonwatt.api.http.json_answers import json_answer
from commonwatt.api.services import Services
from commonwatt.app.accounts.authorize import ALLOWED, Action, require_action, require_site
from commonwatt.app.ports import Store
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.readings.sensors import ingest_sensor_values
from commonwatt.domain.metering import readings as domain
from commonwatt.domain.metering.readings import ReadingQuality
from commonwatt.formats.readings.bodies import (
    parse_content_type,
    readings_from_body,
    sensor_values_from_body,
)
from commonwatt.formats.readings.quality_words import QUALITY_WORDS, quality_of

Q = TypeVar("Q", bound=Query)
_READINGS = f"{SITE_PATH}/readings"
_SENSOR_READINGS = f"{SITE_PATH}/sensor_readings"
_SOURCE = "http"
_SMALL_BODY = 64 * 1024
"""Bytes of a body, unpacked, that is parsed at once: some hundred rows."""


def _quality(value: object) -> ReadingQuality:
    quality = quality_of(value) if isinstance(value, str) else None
    if quality is None:
        raise ValueError(f"is one of {', '.join(each.word for each in QUALITY_WORDS)}")
    return quality


_SENDERS_WORD = {"type": "string", "enum": [each.word for each in QUALITY_WORDS]}


class ReadingsQuery(Query):
    """What is said of rows that do not say it themselves."""

    quality: Annotated[ReadingQuality, BeforeValidator(_quality), WithJsonSchema(_SENDERS_WORD)] = (
        Field(
            default_factory=lambda: ReadingQuality.MEASURED,
            description="What the rows are that do not say it themselves: a sender's word, in any "
            "case. Default: measured. Such as `estimated`.",
        )
    )
    replaces: Flag = Field(
        False,
        description="Whether the rows that do not say it themselves count before all that was sent "
        "earlier of their instants, whatever the quality. Default: false.",
    )


_INDEX = WithJsonSchema({"type": "number", "minimum": 0, "maximum": 9_000_000_000})
IndexValue = Annotated[float, _INDEX]


class ReadingRow(BaseModel):
    """A row of a body of readings; bodies are parsed in columns, not by this.

    Factories instead of defaults: a client that fills documented defaults in would send indexes.
    """

    meter: str = Field(
        default_factory=str, description="Id of the meter; or give type and prim_ad."
    )
    type: str = Field(default_factory=str, description="Type of the meter, with prim_ad.")
    prim_ad: int = Field(default_factory=int, description="Address of the meter, with type.")
    timestamp: str = Field(
        description="ISO 8601; naive stamps are UTC. Of an interval meter the end of the interval."
    )
    en_im: IndexValue = Field(default_factory=float, description="Index of imported energy [kWh].")
    en_ex: IndexValue = Field(default_factory=float, description="Index of exported energy [kWh].")
    heat_energy_kwh: IndexValue = Field(
        default_factory=float, description="Index of heat or cold [kWh]."
    )
    vol_m3: IndexValue = Field(default_factory=float, description="Index of volume [m3].")
    quality: Annotated[str, WithJsonSchema(_SENDERS_WORD)] = Field(
        default_factory=str,
        description="In the sender's own word, in any case. A placeholder is stored and never "
        "used. Default: what the query says, else measured.",
    )
    issued_at: str = Field(
        default_factory=str,
        description="When the sender made it; of two versions the later counts. ISO 8601; naive "
        "stamps are UTC.",
    )
    serial: str = Field(default_factory=str, description="Serial number of the device.")
    replaces: bool = Field(
        default_factory=bool,
        description="Whether it counts before all that was sent earlier of its instant, whatever "
        "their quality. Default: what the query says, else false.",
    )


class SensorRow(BaseModel):
    """A row of a body of sensor values."""

    sensor: str = Field(description="Id of the sensor.")
    timestamp: str = Field(
        description="ISO 8601; naive stamps are UTC. Of an interval meter the end of the interval."
    )
    value: float = Field(description="In the sensor's unit.")


class RejectedRow(Answer):
    """A row that cannot be a reading."""

    row: int = Field(description="Its number in the body, from 1; a CSV header is not counted.")
    reason: str = Field(description="What is wrong with it, and what would be right.")


class NotCountingRow(Answer):
    """A row that is stored and does not count."""

    row: int = Field(description="Its number in the body, from 1; a CSV header is not counted.")
    reason: str = Field(description="Why another version counts, and how this one would.")


class HeldRows(Answer):
    """Rows of a meter that look like something else: not used until they are accepted."""

    meter: str = Field(description="Id of the meter.")
    rows: int = Field(description="How many rows.")
    rule: str = Field(description="The rule of the finding, as `looks-like-unit`.")
    reason: str = Field(description="What they look like, and how the meter would be declared.")


class Receipt(Answer):
    """What became of a body: accepted + unchanged + rejected_rows = its rows."""

    delivery: int | None = Field(description="Number of the delivery; null if nothing was stored.")
    accepted: int = Field(description="Rows of which something was stored.")
    unchanged: int = Field(description="Rows that say what is known already.")
    superseding: int = Field(
        description="Accepted rows that now count instead of an earlier value."
    )
    rejected: list[RejectedRow] = Field(
        description="Rows that cannot be readings, the first 1,000 of them."
    )
    rejected_rows: int = Field(description="How many rows cannot be readings.")
    not_counting: list[NotCountingRow] = Field(
        description="Accepted and unchanged rows whose value does not count, the first 1,000."
    )
    not_counting_rows: int = Field(description="How many rows do not count.")
    held: list[HeldRows] = Field(
        description="Rows, accepted or unchanged, that are stored and not used, by meter and rule."
    )


@dataclass(frozen=True, slots=True)
class Sender:
    """The account that sends, the site's number, and whether it reads all of the site."""

    account: str
    site: int
    reads_all: bool


@dataclass(frozen=True, slots=True)
class Delivered(Generic[Q]):
    """What was sent, unpacked, with its content type, one of `CONTENT_TYPES`, and its query."""

    content: bytes
    content_type: str
    query: Q


Work = Callable[[int], domain.Receipt]
"""Stores what is good of a parsed body, recorded at a Unix microsecond."""
Parse = Callable[[Store, Sender, Delivered[Q]], Work]
"""Parses a body, and leaves the storing to be done."""


def parse_readings(store: Store, sender: Sender, sent: Delivered[ReadingsQuery]) -> Work:
    """Parse a body of readings."""
    query = sent.query
    rows = readings_from_body(sent.content, sent.content_type, query.quality, query.replaces)
    return partial(ingest_readings, store, sender.site, rows, sender.account, _SOURCE)


def parse_sensor_values(store: Store, sender: Sender, sent: Delivered[Query]) -> Work:
    """Parse a body of sensor values."""
    rows = sensor_values_from_body(sent.content, sent.content_type)
    return partial(ingest_sensor_values, store, sender.site, rows, sender.account, _SOURCE)


async def take_delivery(
    services: Services, request: Request, *, route: str, model: type[Q], parse: Parse[Q]
) -> Response:
    """Answer a PUT: who sends and to which site is settled before the body is read.

    The body is parsed before the delivery waits for its turn to write, so that a body which takes
    long to parse holds no other writer up. ``model`` is that of the query.
    """
    admit = partial(_admit, services, bearer_of(request), request.path_params["site_id"], route)
    sender = await services.read_in_time(admit)
    query = read_query(model, request.query_params.multi_items())
    content_type = parse_content_type(request.headers.get("content-type"))
    async with services.pending.place(sender.account, largest_size(request, services.body_limit)):
        content = await read_packed_body(request, services.body_limit)
        sent = Delivered(content, content_type, query)
        work = partial(parse, services.store, sender, sent)
        # What is small is parsed in no time, and does not wait for what is not.
        limiter = services.writing if len(content) <= _SMALL_BODY else services.parsing
        store = await anyio.to_thread.run_sync(work, limiter=limiter)
        del content, sent, work
        now_us = int(services.clock() * 1e6)
        receipt = await anyio.to_thread.run_sync(store, now_us, limiter=services.writing)
    services.written()
    shown = receipt if sender.reads_all else untold(receipt)
    return await json_answer(request, to_json(_receipt(shown)))


def _admit(services: Services, bearer: str | None, site_id: str, route: str) -> Sender:
    with services.store.snapshot() as snapshot:
        access = identify(services, snapshot, bearer, site_id)
        limit_rate(services, access, route)
        site = require_site(access, site_id)
        require_action(access, Action.DELIVER)
        reads_all = Action.READ in ALLOWED[access.role] and site.scope.is_whole
        return Sender(access.account, site.number, reads_all)


def untold(receipt: domain.Receipt) -> domain.Receipt:
    """A receipt for who may not read what it delivers: nothing in it comes of what was there.

    Else a guess that is answered as `unchanged` would be known to be right.
    """
    taken = receipt.accepted + receipt.unchanged
    return domain.Receipt(
        delivery=None,
        accepted=taken,
        unchanged=0,
        superseding=0,
        rejected=receipt.rejected,
        rejected_rows=receipt.rejected_rows,
    )


def _receipt(receipt: domain.Receipt) -> Receipt:
    return Receipt(
        delivery=receipt.delivery,
        accepted=receipt.accepted,
        unchanged=receipt.unchanged,
        superseding=receipt.superseding,
        rejected=[RejectedRow(row=each.row, reason=each.reason) for each in receipt.rejected],
        rejected_rows=receipt.rejected_rows,
        not_counting=[
            NotCountingRow(row=each.row, reason=each.reason) for each in receipt.not_counting
        ],
        not_counting_rows=receipt.not_counting_rows,
        held=[
            HeldRows(meter=each.meter_id, rows=each.rows, rule=each.rule, reason=each.reason)
            for each in receipt.held
        ],
    )


_RECEIPT = {
    "delivery": 7,
    "accepted": 1,
    "unchanged": 0,
    "superseding": 0,
    "rejected": [{"row": 2, "reason": "no meter 'electricity' 99 at this site"}],
    "rejected_rows": 1,
    "not_counting": [],
    "not_counting_rows": 0,
    "held": [],
}


def _other_forms(csv: str) -> Fragment:
    texts = {"type": "string"}
    return {
        "application/x-ndjson": {"schema": texts},
        "text/csv": {"schema": texts, "example": csv},
    }


OPERATIONS = (
    Operation(
        name="put_readings",
        method="PUT",
        path=_READINGS,
        respond=partial(take_delivery, route=_READINGS, model=ReadingsQuery, parse=parse_readings),
        summary="Deliver readings",
        description="Store the rows that can be readings, in one transaction, durable before the "
        "answer. What is merely implausible is accepted and judged by validation. Sending "
        "something twice changes nothing. For gateways and operators. "
        "`Content-Encoding: gzip` is understood. At most 10 MB, unless the settings say more.",
        query=ReadingsQuery,
        body=list[ReadingRow],
        body_example=[
            {"meter": example_ids.METER, "timestamp": "2026-03-22T04:30:00Z", "en_im": 1234.56}
        ],
        body_forms=_other_forms(
            f"meter,timestamp,en_im\n{example_ids.METER},2026-03-22T04:30:00Z,1234.56\n"
        ),
        answer=Receipt,
        answered="The receipt, also when every row was rejected.",
        example=_RECEIPT,
        problems=CHANGING,
    ),
    Operation(
        name="put_sensor_readings",
        method="PUT",
        path=_SENSOR_READINGS,
        respond=partial(
            take_delivery, route=_SENSOR_READINGS, model=Query, parse=parse_sensor_values
        ),
        summary="Deliver sensor values",
        description="Store values of sensors; the same rules and receipt as for readings.",
        body=list[SensorRow],
        body_example=[
            {"sensor": example_ids.SENSOR, "timestamp": "2026-03-22T04:30:00Z", "value": 21.3}
        ],
        body_forms=_other_forms(
            f"sensor,timestamp,value\n{example_ids.SENSOR},2026-03-22T04:30:00Z,21.3\n"
        ),
        answer=Receipt,
        answered="The receipt, also when every row was rejected.",
        example=_RECEIPT,
        problems=CHANGING,
    ),
)
