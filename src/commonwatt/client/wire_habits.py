"""Answers to models and columns, whichever habit a server has.

Since 2019 the same things have been sent in several ways: bare ids or objects, `prim_ad` as text,
`virtual` for `is_rule_meter`, `city_name` and `city_ref` in addresses, keys left out. All of them
are understood; what is none of them is a SurprisingWire.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from operator import itemgetter
from zoneinfo import ZoneInfo

from commonwatt.client.models import Address, Meter, Sensor, Site

# All that a server may say of a site, beside its id.
_SITE_KEYS = (
    "site_ref",
    "name",
    "address",
    "creation_date",
    "latitude",
    "longitude",
    "timezone",
)

Fields = Mapping[str, object]
Rows = Sequence[Fields]


_NUMBER = re.compile("[1-9][0-9]{0,17}")


class SurprisingWire(ValueError):
    """An answer has not the shape of this API; the message says what is wrong."""


def site_of(wire: object, site_id: str | None = None) -> Site:
    """Return a site of an object, or of a bare id. `site_id`: where the object does not bear it."""
    if isinstance(wire, str) and site_id is None:
        return Site(id=wire)
    fields = _fields(wire, "a site")
    if site_id is not None and fields.keys().isdisjoint(_SITE_KEYS):
        raise SurprisingWire(f"a site should have {', '.join(_SITE_KEYS)}")
    timezone = _zone_name(fields)
    return Site(
        id=site_id or _id(fields, "a site"),
        name=_text(fields, "name"),
        timezone=timezone,
        site_ref=_text(fields, "site_ref"),
        address=_address(fields.get("address")),
        creation_date=_local_date(fields.get("creation_date"), timezone),
        latitude=_number(fields, "latitude"),
        longitude=_number(fields, "longitude"),
    )


def meter_of(wire: object) -> Meter:
    """Return a meter of an object; `prim_ad` is a number wherever it can be one."""
    fields = _fields(wire, "a meter")
    return Meter(
        id=_id(fields, "a meter"),
        name=_text(fields, "name"),
        type=_text(fields, "type"),
        mode=_text(fields, "mode"),
        prim_ad=_number_or_text(fields.get("prim_ad")),
        is_rule_meter=bool(fields.get("is_rule_meter", fields.get("virtual", False))),
    )


def sensor_of(wire: object) -> Sensor:
    """Return a sensor of an object."""
    fields = _fields(wire, "a sensor")
    return Sensor(
        id=_id(fields, "a sensor"),
        name=_text(fields, "name"),
        type=_text(fields, "type"),
        unit=_text(fields, "unit"),
        model=_text(fields, "model"),
    )


def items_of(wire: object) -> list[object]:
    """Return the items of a list. Raises SurprisingWire for anything else."""
    if not isinstance(wire, list):
        raise SurprisingWire(f"a list should have come, not {_kind(wire)}")
    return wire


def rows_of(wire: object) -> Rows:
    """Return the rows of a series. Raises SurprisingWire unless they are objects with a stamp."""
    rows = items_of(wire)
    for row in rows:
        if not isinstance(row, dict) or "timestamp" not in row:
            raise SurprisingWire("each row should be an object with a timestamp")
    return rows  # type: ignore[return-value]  # each has been looked at


def columns_of(rows: Rows) -> dict[str, Sequence[float | None]]:
    """Return the values of all rows by key, in the order of the keys; None where a row has none.

    Raises SurprisingWire for a value that is neither a number nor null.

    >>> columns_of([{"total": 0.029, "timestamp": 0}, {"total": 0.03, "self": 0.01}])
    {'total': [0.029, 0.03], 'self': [None, 0.01]}
    """
    columns = _alike(rows)
    if columns is None:
        names = dict.fromkeys(chain.from_iterable(rows))
        columns = {name: [row.get(name) for row in rows] for name in names}
    columns.pop("timestamp", None)
    for name, values in columns.items():
        if not {*map(type, values)} <= {float, int, type(None)}:
            raise SurprisingWire(f"{name} should be numbers")
    return columns  # type: ignore[return-value]  # each has been looked at


def _alike(rows: Rows) -> dict[str, Sequence[object]] | None:
    """Return the columns of rows that all have the same keys, as nearly always, else None.

    Each row is taken out at once: half the time for rows of a hundred meters.
    """
    names = [*rows[0]] if rows else []
    if len(names) < 2 or {*map(len, rows)} != {len(names)}:
        return None
    try:
        values = [*chain.from_iterable(map(itemgetter(*names), rows))]
    except KeyError:
        return None
    return {name: values[place :: len(names)] for place, name in enumerate(names)}


def _fields(wire: object, what: str) -> Fields:
    if not isinstance(wire, dict):
        raise SurprisingWire(f"{what} should be an object, not {_kind(wire)}")
    return wire


def _id(fields: Fields, what: str) -> str:
    found = fields.get("id", fields.get("_id", fields.get("site_id")))
    if isinstance(found, dict):
        found = found.get("$oid")
    if not isinstance(found, str):
        raise SurprisingWire(f"{what} should have an id")
    return found


def _address(wire: object) -> Address:
    if not isinstance(wire, dict):
        return Address()
    return Address(
        street_name=_text(wire, "street_name"),
        street_number=_text(wire, "street_number"),
        city=_text(wire, "city") or _text(wire, "city_name"),
        postal_code=_number_or_text(wire.get("postal_code", wire.get("city_ref"))),
    )


def _text(fields: Fields, name: str) -> str | None:
    found = fields.get(name)
    return None if found is None else str(found)


def _zone_name(fields: Fields) -> str | None:
    name = _text(fields, "timezone")
    try:
        return None if name is None else ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise SurprisingWire(f"timezone should be an IANA zone, not {name!r}") from None


def _number(fields: Fields, name: str) -> float | None:
    found = fields.get(name)
    return float(found) if isinstance(found, int | float) else None


def _number_or_text(found: object) -> int | str | None:
    if isinstance(found, int) or found is None:
        return found
    text = str(found)
    return int(text) if text == "0" or _NUMBER.fullmatch(text) else text


def _local_date(found: object, timezone: str | None) -> date | None:
    """Return the day of a time; where it has an offset, the day that it is in the site's zone."""
    if not isinstance(found, str):
        return None
    try:
        moment = datetime.fromisoformat(found)
    except ValueError as error:
        raise SurprisingWire(f"creation_date should be a time: {error}") from None
    if moment.tzinfo is not None and timezone is not None:
        try:
            moment = moment.astimezone(ZoneInfo(timezone))
        except OverflowError:  # the first or the last day that there is: some say nothing so
            return None
    return moment.date()


def _kind(wire: object) -> str:
    return {dict: "an object", list: "a list", str: "text", type(None): "null"}.get(
        type(wire), "a number"
    )
