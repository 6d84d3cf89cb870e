"""Exports of a server's data, without the command line."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from commonwatt.client import Climkit
from commonwatt.export.export import Exported, begun, planned
from commonwatt.export.request import Of, wish_of

SITE = "61dfc9a0eba4e3564021f36a"
"""The site of all servers here."""

NOW_AT = int(dt.datetime(2026, 5, 1, tzinfo=dt.UTC).timestamp())
"""When the exports of these tests are made."""


def exported(
    climkit: Climkit,
    file: Path,
    start: str,
    end: str | None,
    *,
    of: Of = "site",
    site: str = SITE,
    meter_type: str | None = None,
    sampling: str | None = None,
    now_at: int = NOW_AT,
    on_part: Callable[[float, int], None] = lambda done, total: None,
) -> Exported:
    """Export what a command would."""
    wish = wish_of(of, meter_type, sampling, start, end)
    with begun(planned(climkit, climkit.site(site), wish, file, now_at)) as export:
        return export.finish(on_part)
