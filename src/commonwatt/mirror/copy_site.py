"""Copying a site: its catalogue, then its series, local month by local month.

Of each meter a month is asked for, its readings are stored, then what the server says of its
quarter-hours is kept with the mark up to which the meter is copied. Each of the two is one
transaction, in this order; so whatever ends a run, the next one goes on from the marks, asks for a
few days before them again, and finds what is stored already unchanged.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from commonwatt.client import Climkit, Sensor, Site
from commonwatt.client.series.local_periods import DAY_S, parts
from commonwatt.client.stamps import instant_of
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.mirror.copied import Copied
from commonwatt.mirror.copy_series import Part, SeriesCopy
from commonwatt.mirror.new_meters import FIRST_DAY_OF_ALL
from commonwatt.mirror.site_catalogue import DeclaredSite, FedMeter, SiteCatalogueCopy
from commonwatt.mirror.target import Target

Progress = Callable[[int, int], None]
"""Told how many parts are copied, and how many there are."""

_AGAIN_S = 3 * DAY_S
"""So far before its mark a series is asked for again: data come late and are corrected."""
_SILENT_S = 62 * DAY_S
"""For so long a meter that fell silent is waited for."""
_WITHOUT_A_START_S = 366 * DAY_S


def copy_site(
    climkit: Climkit,
    target: Target,
    site: Site,
    since: date | None,
    progress: Progress,
    copied: Copied,
) -> DeclaredSite:
    """Copy what is new of a site, and count it in ``copied`` as it goes.

    ``since``: from which local day to ask, or from a few days before the marks where that is
    earlier, so that nothing between is left out; without it from there, and of what was never
    copied from the site's creation. Raises `CannotMirror`, what the client raises, and the errors
    of a store.
    """
    catalogue = SiteCatalogueCopy(climkit, target, site, copied)
    declared = catalogue.declare()
    until_at = int(time.time()) // QUARTER_S * QUARTER_S
    marks = target.copied_until(declared.number)
    first_at = _first_at(catalogue, declared, marks, since, until_at)
    again = _again_from(marks, target.last_days(declared.number))
    if since is not None:
        again = {id_: min(first_at, from_at) for id_, from_at in again.items()}
    waiting = list(_parts(declared, again, first_at, until_at))
    series = SeriesCopy(climkit, target, declared, (first_at, until_at), copied)
    refused: set[str] = set()
    for done, part in enumerate(waiting):
        progress(done, len(waiting))
        if part.id not in refused and not series.copy(part):
            refused.add(part.id)
    progress(len(waiting), len(waiting))
    return declared


def _first_at(
    catalogue: SiteCatalogueCopy,
    declared: DeclaredSite,
    marks: Mapping[str, int],
    since: date | None,
    until_at: int,
) -> int:
    """Return from when to ask for what was never copied, on a quarter-hour; nothing before it."""
    first = since or declared.site.creation_date
    if first is not None:
        first_at = instant_of(max(first, FIRST_DAY_OF_ALL), ZoneInfo(declared.timezone))
        return first_at // QUARTER_S * QUARTER_S
    unmarked = [each for each in declared.meters if each.own.id not in marks]
    found_at = catalogue.first_data_at(unmarked)
    starts = [until_at - _WITHOUT_A_START_S if found_at is None else found_at]
    return min([*starts, *(mark - _AGAIN_S for mark in marks.values())]) // QUARTER_S * QUARTER_S


def _again_from(marks: Mapping[str, int], last_days: Mapping[str, int]) -> dict[str, int]:
    """Return from when to ask for what was copied before, by id.

    A meter that fell silent is asked for from its last readings on: a gateway that comes back
    tells what it has kept meanwhile.
    """
    found: dict[str, int] = {}
    for id_, mark in marks.items():
        last_at = last_days.get(id_, 0) * DAY_S
        known_at = min(mark, last_at) if last_at > mark - _SILENT_S else mark
        found[id_] = known_at - _AGAIN_S
    return found


def _parts(
    declared: DeclaredSite, again: Mapping[str, int], first_at: int, until_at: int
) -> Iterator[Part]:
    """Yield what is to be copied, the oldest month of all first."""
    items: dict[str, FedMeter | Sensor] = {each.own.id: each for each in declared.meters}
    items |= {each.id: each for each in declared.sensors}
    from_at = {id_: again.get(id_, first_at) for id_ in items}
    earliest_at = min(from_at.values(), default=until_at)
    for start_at, end_at in parts((earliest_at, until_at), ZoneInfo(declared.timezone), None):
        for id_, item in items.items():
            if from_at[id_] < end_at:
                yield Part(item, (max(start_at, from_at[id_]), end_at))
