"""Days with a clock change: the newest longer and the newest shorter one, however long ago."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial

from commonwatt.conformance.asking.exchanges import Exchange
from commonwatt.conformance.check import Check
from commonwatt.conformance.judging.fits import QUARTER_S
from commonwatt.conformance.judging.local_periods import (
    DAY_S,
    MARGIN_S,
    day_start,
    local_date,
    local_text,
    switch_at,
)
from commonwatt.conformance.judging.verdicts import CannotCheck, Judgement, failed, held
from commonwatt.conformance.samples.building import Building
from commonwatt.conformance.samples.every_kind import of_route
from commonwatt.conformance.samples.series import Series

_ROUTES = ("site_data", "meter_data")
_STEPS = {"15T": QUARTER_S, "H": 3600}
_KINDS = {1: "longer", -1: "shorter"}
_FARTHER_DAYS = (366 * 15, 366 * 5, 366 * 2)


def _switch_days(route: str, building: Building) -> Judgement:
    series = building.series(route)
    days, looked = _newest_of_each_kind(series)
    lacking = [f"no {name} day" for kind, name in _KINDS.items() if kind not in days]
    within = f"within {looked} days has data before, on and after it"
    if not days:
        raise CannotCheck(f"no switch day {within}")
    seen, exchanges = [], []
    for day in sorted(days.values()):
        for frequency, step_s in _STEPS.items():
            # How hours are counted where clocks change by less than one, nobody has published.
            if abs(_change_s(series, day)) % step_s == 0:
                exchange, fault = _switch_day(series, day, frequency)
                if fault is not None:
                    return failed(fault, exchange)
                seen.append(f"{day} at {frequency}")
                exchanges.append(exchange)
    others = "".join(f"; {each} {within}" for each in lacking)
    return held(f"complete: {', '.join(seen)}{others}", *exchanges)


def _newest_of_each_kind(series: Series) -> tuple[dict[int, date], int]:
    """The newest longer (1) and shorter (-1) days with data around, and how far back was looked."""
    looked = series.days_looked_back
    found = _kinds(series, series.days_with_data)
    for farther in _FARTHER_DAYS:
        if len(found) == len(_KINDS) or farther <= looked:
            break
        exchange = series.days_asked(farther)
        if exchange.is_answered and isinstance(exchange.content, list):
            stamps = (row.at for row in series.rows(exchange))
            found = _kinds(series, {local_date(at, series.zone) for at in stamps})
            looked = farther
    return found, looked


def _kinds(series: Series, days: Iterable[date]) -> dict[int, date]:
    there, one = set(days), timedelta(days=1)
    whole = sorted(day for day in there if {day - one, day + one} <= there)
    changes = ((_change_s(series, day), day) for day in whole)
    return {1 if change_s > 0 else -1: day for change_s, day in changes if change_s}


def _change_s(series: Series, day: date) -> int:
    """By how much a day is longer than 24 hours."""
    start_at, end_at = _bounds(series, day)
    return end_at - start_at - DAY_S


def _bounds(series: Series, day: date) -> tuple[int, int]:
    return day_start(day, series.zone), day_start(day + timedelta(days=1), series.zone)


def _switch_day(series: Series, day: date, frequency: str) -> tuple[Exchange, str | None]:
    """Look at one day: which rows at the clock change are missing, None for none."""
    start_at, end_at = _bounds(series, day)
    exchange = series.asked(start_at - MARGIN_S, end_at + MARGIN_S, frequency)
    rows = series.rows(exchange)
    if any(row.stamp.offset_s is None for row in rows):
        raise CannotCheck("stamps have no offset: the same local time comes twice")
    if frequency == "15T":
        starts = {end - QUARTER_S for end in series.quarter_ends(exchange)}
    else:
        starts = {row.at for row in rows}
    missing = [at for at in range(start_at, end_at, _STEPS[frequency]) if at not in starts]
    if not missing:
        return exchange, None
    change_at, change_s = switch_at(day, series.zone), abs(_change_s(series, day))
    if all(change_at - change_s <= at < change_at + change_s for at in missing):
        first = local_text(missing[0], series.zone)
        return exchange, f"{len(missing)} rows at the clock change are missing, from {first}"
    raise CannotCheck(f"{day}: {len(missing)} rows at {frequency} have no data, here and there")


CHECKS = tuple(
    Check(
        f"{route}.switch_day",
        "'timezone' of the site, and time series at 15T and H",
        "the day of a clock change has all its rows: 92 or 100 quarter-hours, 23 or 25 hours",
        of_route(route, partial(_switch_days, route)),
    )
    for route in _ROUTES
)
