"""Times on a site's own clock to instants, one at a time; standard library only."""

from datetime import datetime
from zoneinfo import ZoneInfo


class NoSingleInstant(ValueError):
    """The clock shows a time twice, or never; the message names both instants to choose from."""


def instant_of_wall_time(wall: datetime, zone: str) -> int:
    """Return the instant [Unix seconds] at which a zone's clock shows a naive time.

    Raises `NoSingleInstant` for a time that a change of the clock repeats or leaves out.

    >>> instant_of_wall_time(datetime(2026, 7, 1, 12, 55), "Europe/Zurich")
    1782903300
    >>> instant_of_wall_time(datetime(2026, 10, 25, 2, 30), "Europe/Zurich")
    Traceback (most recent call last):
    commonwatt.formats.stamps.wall_clock.NoSingleInstant: 2026-10-25T02:30:00 happens twice in \
Europe/Zurich: write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00
    """
    info = ZoneInfo(zone)
    earlier, later = (wall.replace(tzinfo=info, fold=fold).timestamp() for fold in (0, 1))
    if earlier == later:
        return int(earlier // 1)
    # Of a time that the clock leaves out, fold 0 counts with the offset of before: the later one.
    what = "happens twice" if earlier < later else "does not happen"
    choices = " or ".join(
        datetime.fromtimestamp(at, info).isoformat() for at in sorted((earlier, later))
    )
    raise NoSingleInstant(f"{wall.isoformat()} {what} in {zone}: write {choices}")
