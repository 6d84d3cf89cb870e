"""Instants as options take them."""

import typer

WHEN = "a date (in the site's zone) or an instant (naive is UTC)"


def option_instant(text: str, option: str, timezone: str) -> int:
    """Read an option's instant [Unix seconds]; a date is its first one in the zone.

    Raises typer.BadParameter.
    """
    from commonwatt.formats.errors import BadValue
    from commonwatt.formats.local_dates import instant_or_local_date

    try:
        return instant_or_local_date(text, timezone)
    except BadValue as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
