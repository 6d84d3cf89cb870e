"""How up to date a site is: each meter's last accepted reading, and who holds the newest back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import read_site_series
from commonwatt.app.settling.load import judge_meters
from commonwatt.app.settling.marks import days_with_data
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.quality import exists
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S, QUARTER_S

_LOOK_BACK_DAYS = 31


@dataclass(frozen=True, slots=True)
class MeterStatus:
    """A meter and the instant of its last accepted reading [Unix seconds], None without one."""

    meter: Meter
    last_accepted_at: int | None


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """The state of a site.

    ``complete_until`` per group: the end of the newest quarter-hour of which the balance could
    be closed [Unix seconds], None where there is none in the last month of its data.
    ``held_back_by``: the meters whose last accepted reading is not after it though others' are.
    """

    meters: Sequence[MeterStatus]
    complete_until: Mapping[Group, int | None]
    held_back_by: Mapping[Group, Sequence[Meter]]


def read_status(
    snapshot: Snapshot, catalogue: SiteCatalogue, scope: AccessScope = WHOLE
) -> SiteStatus:
    """Read the state of a site, as far as it is in sight: what is not is None, and counts so."""
    meters: list[MeterStatus] = []
    complete_until: dict[Group, int | None] = {}
    held_back_by: dict[Group, Sequence[Meter]] = {}
    for group in Group:
        of_group = catalogue.meters_of(group)
        if not of_group:
            continue
        known = days_with_data(snapshot, of_group, catalogue.site.number)
        found = _meter_statuses(snapshot, catalogue, of_group, known)
        statuses = [_seen(each, scope) for each in found]
        meters += statuses
        complete_until[group], held_back_by[group] = None, ()
        if known is None or not scope.tells_totals(catalogue, Medium(group.value)):
            continue
        until_at = _complete_until(snapshot, catalogue, group, known)
        complete_until[group] = until_at if scope.since(until_at) else None
        behind = _behind(statuses, complete_until[group])
        held_back_by[group] = [meter for meter in behind if scope.opens(meter)]
    return SiteStatus(meters, complete_until, held_back_by)


def _seen(status: MeterStatus, scope: AccessScope) -> MeterStatus:
    is_seen = scope.shows(status.meter, status.last_accepted_at)
    return status if is_seen else MeterStatus(status.meter, None)


def _meter_statuses(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    meters: Sequence[Meter],
    known: tuple[int, int] | None,
) -> list[MeterStatus]:
    last_at: dict[int, int] = {}
    if known is not None:
        # Judged at the end of all data, the nearest accepted reading before is the last one.
        end_day = known[1] + 1
        for judged in judge_meters(snapshot.readings, catalogue, meters, end_day, end_day):
            stamps = [r.accepted_stamps for r in judged.registers.values()]
            ends = [int(each[-1]) for each in stamps if len(each)]
            if ends:
                last_at[judged.meter.number] = max(ends)
    return [
        MeterStatus(meter, last_at.get(meter.number)) for meter in meters if not meter.is_rule_meter
    ]


def _complete_until(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, known: tuple[int, int]
) -> int | None:
    end_day = known[1]
    first_day = max(known[0], end_day - _LOOK_BACK_DAYS)
    first, end = first_day * DAY_QUARTERS, end_day * DAY_QUARTERS
    series = read_site_series(snapshot, catalogue, Medium(group.value), first, end)
    if series is None:
        return None
    complete = np.flatnonzero(exists(series.balance.quality))
    return (first + int(complete[-1]) + 1) * QUARTER_S if len(complete) else None


def _behind(statuses: Sequence[MeterStatus], until_at: int | None) -> list[Meter]:
    """The meters without an accepted reading a whole quarter-hour past what is complete."""
    newest_at = max((s.last_accepted_at or 0 for s in statuses), default=0)
    horizon_at = (until_at if until_at is not None else newest_at - DAY_S) + QUARTER_S
    if newest_at < horizon_at:
        return []
    return [
        status.meter
        for status in statuses
        if status.meter.current.enabled
        and (status.meter.removed_at is None or status.meter.removed_at > horizon_at)
        and (status.last_accepted_at or 0) < horizon_at
    ]
