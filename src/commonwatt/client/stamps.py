"""Instants: what users ask with, what servers answer with. Inside they are whole Unix seconds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

NaiveTime = Literal["utc", "local", "auto"]
"""How a server reads times without a zone: as UTC, as the page of the API says; as wall time of
the site, as the vendor's own seems to; or not known yet."""

When = datetime | date | str
"""What users ask with: an instant (without an offset it is UTC) or a date (its first local
instant)."""

# Whole seconds reach this in the year 5138, milliseconds reached it in 1973.
_FIRST_MILLISECONDS = 100_000_000_000


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
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
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
