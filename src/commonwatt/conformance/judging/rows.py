"""Rows of a series as they came: stamps as instants, numbers with the digits that were sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from commonwatt.conformance.asking.exchanges import Exchange
from commonwatt.conformance.judging.published import TIMESTAMP
from commonwatt.conformance.judging.verdicts import CannotCheck

_MILLISECONDS_FROM = 100_000_000_000
# The year 2223. What is later, or before 1970, is no instant of a measurement.
_LATEST_S = 8_000_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """An instant [Unix seconds] as a row tells it; ``offset_s`` is None where it has no offset."""

    at: int
    offset_s: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a series: its stamp and everything else by key."""

    stamp: Stamp
    values: dict[str, object]

    @property
    def at(self) -> int:
        """The stamp's instant [Unix seconds]."""
        return self.stamp.at


def read_stamp(value: object, zone: ZoneInfo) -> Stamp | None:
    """The instant of a stamp, None if it is none: ISO text, seconds or milliseconds since 1970.

    A text without an offset is read in the site's zone.

    >>> read_stamp("2026-03-22 05:30:00+01:00", ZoneInfo("Europe/Zurich"))
    Stamp(at=1774153800, offset_s=3600)
    >>> [read_stamp(each, ZoneInfo("UTC")) for each in ("soon", "0001-01-01 00:00:00+00:00")]
    [None, None]
    """
    stamp = _stamp(value, zone)
    return stamp if stamp is not None and 0 <= stamp.at < _LATEST_S else None


def _stamp(value: object, zone: ZoneInfo) -> Stamp | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return Stamp(value // 1000 if value >= _MILLISECONDS_FROM else value, None)
    if not isinstance(value, str):
        return None
    try:
        wall = datetime.fromisoformat(value)
    except ValueError:
        return None
    offset = wall.utcoffset()
    if offset is None:
        return Stamp(int(wall.replace(tzinfo=zone).timestamp()), None)
    return Stamp(int(wall.timestamp()), int(offset.total_seconds()))


def number(value: object) -> Decimal | None:
    """A number of an answer, None for anything else.

    >>> number(3), number(True), number("3")
    (Decimal('3'), None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def objects(exchange: Exchange) -> list[dict[str, object]]:
    """The objects of an answer. Raises CannotCheck where it is no list of objects."""
    fault = list_fault(exchange)
    if fault is not None:
        raise CannotCheck(f"/{exchange.request.route} gave nothing to look at: {fault}")
    assert isinstance(exchange.content, list)
    return exchange.content


def list_fault(exchange: Exchange) -> str | None:
    """What keeps an answer from being a list of objects, None for nothing."""
    if exchange.status not in {0, 200}:
        return f"status {exchange.status}"
    if exchange.fault is not None:
        return exchange.fault
    if not isinstance(exchange.content, list):
        return f"the body is no list but {_kind(exchange.content)}"
    for position, each in enumerate(exchange.content):
        if not isinstance(each, dict):
            return f"entry {position} is no object but {_kind(each)}"
    return None


def rows_of(exchange: Exchange, zone: ZoneInfo) -> list[Row]:
    """The rows of an answer, as they stand. Raises CannotCheck where they cannot be read."""
    rows = []
    for entry in objects(exchange):
        stamp = read_stamp(entry.get(TIMESTAMP), zone)
        if stamp is None:
            raise CannotCheck(f"a row of /{exchange.request.route} has no timestamp to read")
        rows.append(Row(stamp, {key: value for key, value in entry.items() if key != TIMESTAMP}))
    return rows


def numbers(row: Row, keys: Sequence[str]) -> dict[str, Decimal]:
    """The numbers of a row under some keys, where they are there."""
    found = ((key, number(row.values.get(key))) for key in keys)
    return {key: value for key, value in found if value is not None}


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "a number")
