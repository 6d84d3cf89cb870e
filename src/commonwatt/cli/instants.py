"""Instants as options take them."""

from contextlib import suppress
from datetime import date, datetime

import typer

from commonwatt.cli.output import local_time

WHEN = "a date or a time on the site's clock, or an instant with Z or an offset"


def option_instant(text: str, option: str, timezone: str) -> int:
    """Read an option's instant [Unix seconds], and say on stderr which one was understood.

    A date is its first instant in the zone, a time without ``Z`` or an offset one on its clock.
    Raises typer.BadParameter, also for a time that the clock shows twice or never.
    """
    from commonwatt.formats.errors import BadValue
    from commonwatt.formats.stamps.local_dates import local_instant

    try:
        instant_at = local_instant(text, timezone)
    except BadValue as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
    typer.echo(f"{option} is {local_time(instant_at, timezone)}", err=True)
    return instant_at


def with_offset(text: str | None, option: str, timezone: str | None) -> str | None:
    """Give a time on a site's clock its offset, for a client that reads times without one as UTC.

    Dates stay as they are. Raises typer.BadParameter for what is no time, and for a time that the
    clock shows twice or never.
    """
    from commonwatt.formats.stamps.wall_clock import NoSingleInstant, instant_of_wall_time

    if text is None or timezone is None:
        return text
    if _is_date(text):
        return text
    try:
        wall = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write a date such as 2026-03-22, a time on the site's clock "
            "such as 2026-03-22T05:30, or an instant such as 2026-03-22T05:30:00+01:00",
            param_hint=option,
        ) from error
    if wall.tzinfo is not None:
        return text
    try:
        return local_time(instant_of_wall_time(wall, timezone), timezone)
    except NoSingleInstant as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        date.fromisoformat(text)
        return True
    return False


def option_month(text: str | None, option: str, timezone: str, now_at: int) -> tuple[int, int]:
    """Return the instants [start, end) [Unix seconds] of a local month, YYYY-MM.

    None: the last one that is over. Raises typer.BadParameter.
    """
    from commonwatt.app.series.local_month import BadMonth, local_month, month_before

    if text is None:
        return month_before(timezone, now_at)
    try:
        return local_month(timezone, text)
    except BadMonth as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
