"""How up to date a site is."""

from functools import partial

from pydantic import Field

from commonwatt.api import example_ids
from commonwatt.api.endpoint.endpoint import (
    Endpoint,
    RequestContext,
    RequestData,
    never_quick,
    respond,
)
from commonwatt.api.endpoint.fields import nameable_utc
from commonwatt.api.endpoint.models import Answer, Query, read_query, to_json
from commonwatt.api.endpoint.operation import LIMITED, READING, SITE_PATH, Operation
from commonwatt.app.series.status import read_status

_PATH = f"{SITE_PATH}/status"


class MeterState(Answer):
    """A physical meter and its last reading."""

    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Name of the meter.")
    type: str = Field(description="What it measures.")
    last_reading: str | None = Field(description="Instant of the last accepted reading, UTC.")


class GroupState(Answer):
    """Meters that settle together."""

    group: str = Field(
        description="Electricity (with charge points), heating, cooling, or a water."
    )
    complete_until: str | None = Field(
        description="End of the newest quarter-hour whose balance could be computed, UTC."
    )
    held_back_by: list[str] = Field(description="Ids of the meters that hold newer ones back.")


class SiteState(Answer):
    """How up to date a site is."""

    site: str = Field(description="Id of the site.")
    meters: list[MeterState] = Field(description="Its physical meters.")
    groups: list[GroupState] = Field(description="Its groups.")


def parse_status(_context: RequestContext, sent: RequestData) -> None:
    """Read a request for the state of a site: nothing more can be said."""
    read_query(Query, sent.query)


def answer_status(context: RequestContext, _query: None) -> bytes:
    """Answer each meter's last accepted reading, and by group until when it is complete.

    Nothing of closed meters, and no instant before the account's history.
    """
    status = read_status(context.snapshot, context.catalogue, context.site.scope)
    answer = SiteState(
        site=context.site.id,
        meters=[
            MeterState(
                meter=each.meter.id,
                name=each.meter.name,
                type=each.meter.medium.value,
                last_reading=nameable_utc(each.last_accepted_at),
            )
            for each in status.meters
        ],
        groups=[
            GroupState(
                group=group.value,
                complete_until=nameable_utc(complete_until_at),
                held_back_by=[meter.id for meter in status.held_back_by[group]],
            )
            for group, complete_until_at in status.complete_until.items()
        ],
    )
    return to_json(answer)


OPERATIONS = (
    Operation(
        name="status",
        method="GET",
        path=_PATH,
        respond=partial(
            respond,
            endpoint=Endpoint(
                route=_PATH, parse=parse_status, answer=answer_status, is_quick=never_quick
            ),
        ),
        summary="How up to date a site is",
        description="Each meter's last accepted reading, until when the balance is complete, and "
        "who holds it back." + LIMITED,
        answer=SiteState,
        answered="The state of the site.",
        example={
            "site": example_ids.SITE,
            "meters": [
                {
                    "meter": example_ids.METER,
                    "name": "Apartment 1",
                    "type": "electricity",
                    "last_reading": "2026-03-22T04:30:03Z",
                }
            ],
            "groups": [
                {
                    "group": "electricity",
                    "complete_until": "2026-03-22T04:30:00Z",
                    "held_back_by": [],
                }
            ],
        },
        problems=READING,
    ),
)
