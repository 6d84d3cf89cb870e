"""Instants: what users ask with, what servers answer with. Inside they are whole Unix seconds."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from operator import add, itemgetter
from typing import Literal, cast
from zoneinfo import ZoneInfo

NaiveTime = Literal["utc", "local", "auto"]
"""How a server reads times without a zone: as UTC, as the page of the API says; as wall time of
the site, as the vendor's own seems to; or not known yet."""

When = datetime | date | str
"""What users ask with: an instant (without an offset it is UTC) or a date (its first local
instant)."""

# Whole seconds reach this in the year 5138, milliseconds reached it in 1973.
_FIRST_MILLISECONDS = 100_000_000_000

# What is a time in every zone: from the second day that a calendar has to the last but one.
_FIRST_AT, _LAST_AT = -62_135_510_400, 253_402_214_400

_DATE, _CLOCK = itemgetter(slice(10)), itemgetter(slice(11, None))


def instant_of(when: When, zone: ZoneInfo) -> int:
    """Return an asked instant [Unix seconds], rounded up.

    A date, or text that is one, means its first instant in the zone; an instant without an offset
    is UTC. Raises ValueError.

    >>> zurich = ZoneInfo("Europe/Zurich")
    >>> instant_of("2026-07-01", zurich) == instant_of("2026-06-30T22:00", zurich)
    True
    >>> instant_of("2026-07-01 00:00:00+02:00", zurich)
    1782856800
    """
    if isinstance(when, str):
        when = _parsed(when)
    if not isinstance(when, datetime):
        when = datetime.combine(when, time(), zone)
    elif when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return -int(-when.timestamp() // 1)


def _parsed(text: str) -> datetime | date:
    with suppress(ValueError):
        return date.fromisoformat(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no time: use a date such as 2026-03-22 (of the site) or an instant such "
            "as 2026-03-22T05:30:00 (UTC) or 2026-03-22T05:30:00+01:00"
        ) from None


def naive_text(instant_at: int, zone: ZoneInfo | None = None) -> str:
    """Return an instant as requests have it, without a zone: its time in UTC, or in a zone.

    >>> naive_text(1_774_153_800), naive_text(1_774_153_800, ZoneInfo("Europe/Zurich"))
    ('2026-03-22T04:30:00', '2026-03-22T05:30:00')
    """
    return datetime.fromtimestamp(instant_at, zone or UTC).replace(tzinfo=None).isoformat()


def received_instants(stamps: Sequence[object], naive_zone: ZoneInfo) -> list[int]:
    """Return the instants [Unix seconds] of an answer's stamps, in their order.

    Texts with `T` or a blank, with or without an offset; seconds or milliseconds since 1970, also
    as MongoDB's `{"$date": …}`; fractions are cut. Text without an offset is wall time of
    `naive_zone`; of a time that happens twice, the second where the stamp before it is not
    earlier. Raises ValueError for anything else.

    >>> received_instants(["2026-03-22 05:30:00+01:00", 1774153800000], ZoneInfo("UTC"))
    [1774153800, 1774153800]
    """
    instants = _regular_instants(stamps)
    if instants is None:
        instants = _single_instants(stamps, naive_zone)
    if instants and not _FIRST_AT <= min(instants) <= max(instants) < _LAST_AT:
        raise ValueError("a time lies in the year 1 or 9999, and in some zones beyond")
    return instants


def _single_instants(stamps: Sequence[object], naive_zone: ZoneInfo) -> list[int]:
    instants: list[int] = []
    for stamp in stamps:
        if not isinstance(stamp, str):
            instants.append(_counted(stamp, naive_zone))
            continue
        moment = datetime.fromisoformat(stamp)
        if moment.tzinfo is None:
            moment = _after(instants[-1] if instants else None, moment.replace(tzinfo=naive_zone))
        instants.append(int(moment.timestamp() // 1))
    return instants


def _regular_instants(stamps: Sequence[object]) -> list[int] | None:
    """Return the instants of texts with an offset, if few days and times of day make them all.

    So it is with quarter-hours. Each day and time is parsed once, in a third of the time that all
    stamps take. None for anything else.
    """
    if set(map(type, stamps)) != {str}:
        return None
    texts = cast("Sequence[str]", stamps)
    dates, clocks = [*map(_DATE, texts)], [*map(_CLOCK, texts)]
    different_clocks = set(clocks)
    if len(different_clocks) > len(texts) // 4:
        return None
    try:
        midnight_at = {text: _midnight_at(text) for text in set(dates)}
        since_midnight_s = {text: _since_midnight_s(text) for text in different_clocks}
    except ValueError:
        return None
    return [
        *map(add, map(midnight_at.__getitem__, dates), map(since_midnight_s.__getitem__, clocks))
    ]


def _midnight_at(text: str) -> int:
    """Return the instant at which a date of ten characters begins in UTC."""
    if "W" in text:
        raise ValueError(f"{text!r} may be a week alone, without its day")
    return int(datetime.fromisoformat(f"{text}T00:00+00:00").timestamp())


def _since_midnight_s(text: str) -> int:
    """Return the seconds from the midnight of UTC to a time with an offset."""
    moment = datetime.fromisoformat(f"1970-01-01T{text}")
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return int(moment.timestamp() // 1)


def _counted(stamp: object, naive_zone: ZoneInfo) -> int:
    if isinstance(stamp, dict) and set(stamp) == {"$date"} and not isinstance(stamp["$date"], dict):
        return received_instants([stamp["$date"]], naive_zone)[0]
    if isinstance(stamp, bool) or not isinstance(stamp, int | float):
        # Not shown: what is nested deeply has no repr. And the server's fault is no TypeError.
        raise ValueError("a time should be a text or a number")  # noqa: TRY004
    seconds = stamp / 1000 if abs(stamp) >= _FIRST_MILLISECONDS else stamp
    if not abs(seconds) < _FIRST_MILLISECONDS:
        raise ValueError(f"{stamp!r} is no time")
    return int(seconds // 1)


def _after(earlier_at: int | None, wall: datetime) -> datetime:
    """Return the first instant of a wall time that comes after another, else the second."""
    if earlier_at is None or wall.timestamp() > earlier_at:
        return wall
    return wall.replace(fold=1)
