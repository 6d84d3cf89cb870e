"""The devices in a meter's place: read, and declared anew."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Annotated

from pydantic import FailFast, Field

from commonwatt.api.endpoint.change import (
    RECOMPUTED_EXAMPLE,
    ChangeRequest,
    RecomputedRow,
    recomputed_rows,
    respond_to_change,
)
from commonwatt.api.endpoint.endpoint import Endpoint, RequestContext, RequestData, respond
from commonwatt.api.endpoint.fields import Digits, Exact, Factor, Index, Instant, Text
from commonwatt.api.endpoint.meters import open_meter
from commonwatt.api.endpoint.models import Answer, Body, Query, read_body, read_query, to_json
from commonwatt.api.endpoint.operation import (
    CHANGING,
    LIMITED,
    OF_METER,
    READING,
    SITE_PATH,
    Operation,
)
from commonwatt.api.http import problems
from commonwatt.app.accounts.authorize import require_all_history, require_open_meter
from commonwatt.app.accounts.scope import AccessScope
from commonwatt.app.declaring.exchange import declare_devices
from commonwatt.app.ports import Store
from commonwatt.domain.metering.catalogue import Device, Meter, Register
from commonwatt.formats.stamps.instants import utc_text

_PATH = f"{SITE_PATH}/meters/{{meter_id}}/devices"
_RAW = 1_000_000
"""mWh per kWh, ml per m3."""


class DeviceBody(Body):
    """A device that was, or is, in a meter's place."""

    from_: Instant | None = Field(
        None, alias="from", description="When it was put in; only the first may lack it."
    )
    serial: Text | None = Field(None, description="Serial number.")
    digits: Digits | None = Field(
        None, description="Digits before the decimal point [kWh; water m3]."
    )
    factor: Factor | None = Field(None, description="Multiplies its index; default: the meter's.")
    start_index: dict[Register, Index] | None = Field(
        None, description="Indexes when it was put in [kWh; m3]."
    )
    end_index: dict[Register, Index] | None = Field(
        None, description="Indexes when it was taken out [kWh; m3]."
    )

    def device(self) -> Device:
        """The device, its indexes in mWh or ml."""
        return Device(
            from_at=self.from_,
            serial=self.serial,
            digits=self.digits,
            factor=self.factor,
            start_index=_raw(self.start_index),
            end_index=_raw(self.end_index),
        )


def _raw(indexes: Mapping[Register, Decimal] | None) -> Mapping[Register, int]:
    return {register: int(index * _RAW) for register, index in (indexes or {}).items()}


DeviceList = Annotated[list[DeviceBody], FailFast()]
"""A list of devices; only its first fault is told, so no others are looked for."""


class DeviceRow(Answer):
    """A device that was, or is, in a meter's place. What is not said is null."""

    from_: str | None = Field(
        serialization_alias="from",
        description="When it was put in, UTC; null of the first: from the beginning.",
    )
    serial: str | None = Field(description="Serial number.")
    digits: int | None = Field(description="Digits before the decimal point [kWh; water m3].")
    factor: Exact | None = Field(description="Multiplies its index; null: the meter's.")
    start_index: dict[Register, Exact] = Field(description="Indexes when it was put in [kWh; m3].")
    end_index: dict[Register, Exact] = Field(description="Indexes when it was taken out [kWh; m3].")


class DevicesChanged(Answer):
    """The devices as they are now, and what follows."""

    devices: list[DeviceRow] = Field(description="The devices, the first one first.")
    changed: list[str] = Field(description="What was changed, in words.")
    recomputed: list[RecomputedRow] = Field(description="What is computed anew.")


def _rows(devices: Sequence[Device]) -> list[DeviceRow]:
    return [
        DeviceRow(
            from_=None if each.from_at is None else utc_text(each.from_at),
            serial=each.serial,
            digits=each.digits,
            factor=each.factor,
            start_index=_shown(each.start_index),
            end_index=_shown(each.end_index),
        )
        for each in devices
    ]


def _shown(indexes: Mapping[Register, int]) -> dict[Register, Decimal]:
    return {register: Decimal(index) / _RAW for register, index in indexes.items()}


def parse_devices(context: RequestContext, sent: RequestData) -> Meter:
    """Read whose devices are asked for."""
    read_query(Query, sent.query)
    return open_meter(context, sent.path["meter_id"])


def answer_devices(context: RequestContext, meter: Meter) -> bytes:
    """Answer the devices that were in a meter's place, the first one first.

    With a limited history the first one is that which was there when it begins, and of that only
    what it was later.
    """
    return to_json(_rows(_in_scope(meter.devices, context.site.scope)))


def _in_scope(devices: Sequence[Device], scope: AccessScope) -> list[Device]:
    seen = [each for each in devices if scope.since(each.from_at)]
    earlier = devices[: len(devices) - len(seen)]
    return [*(replace(each, from_at=None, start_index={}) for each in earlier[-1:]), *seen]


def put_devices(store: Store, sent: ChangeRequest) -> bytes:
    """Replace the list of a meter's devices; answer the list, and what is computed anew."""
    site, meter_id = sent.admitted.site, sent.path["meter_id"]
    require_open_meter(site, meter_id)
    # The list is replaced, also what of it was before the history.
    require_all_history(site)
    devices = [each.device() for each in read_body(DeviceList, sent.body, "devices")]
    account = sent.admitted.account
    applied = declare_devices(store, site.number, meter_id, devices, account, sent.now_at)
    answer = DevicesChanged(
        devices=_rows(devices),
        changed=list(applied.lines),
        recomputed=recomputed_rows(applied, site),
    )
    return to_json(answer)


_EXAMPLE = [
    {"serial": "A1", "digits": 6, "end_index": {"en_im": 81234.5}},
    {
        "from": "2026-03-01T09:20:00Z",
        "serial": "B7",
        "digits": 6,
        "start_index": {"en_im": 0},
    },
]
_ROWS = [
    {"from": None, "factor": None, "start_index": {}, "end_index": {}, **each} for each in _EXAMPLE
]

OPERATIONS = (
    Operation(
        name="get_devices",
        method="GET",
        path=_PATH,
        respond=partial(
            respond,
            endpoint=Endpoint(route=_PATH, parse=parse_devices, answer=answer_devices),
        ),
        summary="The devices in a meter's place",
        description="All that were there, the first one first; none where none was declared."
        + LIMITED,
        answer=list[DeviceRow],
        answered="The devices.",
        example=_ROWS,
        problems=(*READING, *OF_METER),
    ),
    Operation(
        name="put_devices",
        method="PUT",
        path=_PATH,
        respond=partial(respond_to_change, route=_PATH, change=put_devices),
        summary="Declare the devices in a meter's place",
        description="Replaces the list, also for the past. For operators." + LIMITED,
        body=list[DeviceBody],
        body_example=_EXAMPLE,
        answer=DevicesChanged,
        answered="The devices as they are now, and what is computed anew.",
        example={
            "devices": _ROWS,
            "changed": ["meter Apartment 1 (electricity 11): device from the beginning added"],
            "recomputed": [RECOMPUTED_EXAMPLE],
        },
        problems=(*CHANGING, *OF_METER, problems.CLOSED_HISTORY),
    ),
)
