"""Stamps and sums of longer periods: hours, days, months, years."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from commonwatt.conformance.check import Check
from commonwatt.conformance.judging.fits import PUBLISHED, QUARTER_S, Piece, quarter_pieces, span_of
from commonwatt.conformance.judging.local_periods import local_text, utc_offset
from commonwatt.conformance.judging.rows import numbers
from commonwatt.conformance.judging.verdicts import (
    CannotCheck,
    Habit,
    Judgement,
    departs,
    failed,
    held,
)
from commonwatt.conformance.samples.building import Building
from commonwatt.conformance.samples.every_kind import of_route
from commonwatt.conformance.samples.series import FoundFit, Series

_ROUTES = ("site_data", "meter_data")
_PERIODS = {"H": "hour", "D": "day", "M": "month", "Y": "year"}
_PARTS = {"H": "quarter-hours", "D": "quarter-hours", "M": "days", "Y": "months"}


def _found(series: Series, frequency: str) -> FoundFit:
    found = series.found_fit(frequency)
    result = found.fit
    if found.reading is None and not result.differing and not result.nearly:
        raise CannotCheck(f"no {_PERIODS[frequency]} with all its {_PARTS[frequency]} was answered")
    return found


def _quarter_stamp(route: str, building: Building) -> Judgement:
    series = building.series(route)
    found = _found(series, "H")
    if found.reading is None:
        raise CannotCheck("hours are no sums of quarter-hours, whatever the stamps mean")
    asked = (series.quarters_asked, series.periods_asked("H"))
    if found.reading.quarters_start:
        return failed("hours are the sums of quarter-hours if their stamps are starts", *asked)
    if "quarters_start" in found.ambiguous:
        raise CannotCheck("values are so alike that both ends of the period fit")
    return held(
        f"{found.fit.exact} hours are the sums of the quarter-hours that end in them", *asked
    )


def _start(frequency: str, route: str, building: Building) -> Judgement:
    series = building.series(route)
    name = _PERIODS[frequency]
    asked = series.periods_asked(frequency)
    found = series.found_fit(frequency)
    reading = found.reading
    if reading is not None and reading.in_utc:
        raise CannotCheck("days are cut in UTC")
    if reading is None or not reading.ends:
        for row in series.rows(asked):
            if span_of(row, frequency, series.zone, PUBLISHED) is None:
                return failed(
                    f"{local_text(row.at, series.zone)} is no start of a local {name}", asked
                )
    _found(series, frequency)
    if reading is None:
        raise CannotCheck(f"{name}s are no sums of {_PARTS[frequency]}, whatever the stamps mean")
    if reading.ends:
        return failed(f"rows fit if their stamps are the end of the {name}", asked)
    if "ends" in found.ambiguous:
        raise CannotCheck("values are so alike that both ends of the period fit")
    return held(f"{found.fit.exact} {name}s are stamped with their start", asked)


def _sum(frequency: str, route: str, building: Building) -> Judgement:
    series = building.series(route)
    found = _found(series, frequency)
    asked = series.periods_asked(frequency)
    if found.reading is None:
        return failed(found.fit.example, asked)
    if not found.fit.is_exact:
        return departs(Habit.ROUNDED_APART, found.fit.example, asked)
    return held(f"{found.fit.exact} {_PERIODS[frequency]}s are the sums of their parts", asked)


def _local_days(route: str, building: Building) -> Judgement:
    series = building.series(route)
    if utc_offset(series.core[0], series.zone) == 0:
        raise CannotCheck("local days are UTC days in the site's zone")
    found = _found(series, "D")
    asked = series.periods_asked("D")
    if found.reading is None:
        raise CannotCheck("days are no sums of quarter-hours, wherever they are cut")
    if found.reading.in_utc:
        return failed("days are the sums of UTC days", asked)
    if "in_utc" in found.ambiguous:
        raise CannotCheck("values are so alike that UTC days fit too")
    return held(f"{found.fit.exact} days are cut at local midnight", asked)


def _complete(route: str, building: Building) -> Judgement:
    """Hours tell of every quarter-hour, and quarter-hours of every hour."""
    series = building.series(route)
    reading = _found(series, "H").reading
    if reading is None or reading.ends:
        raise CannotCheck("hours are not the sums of quarter-hours that their stamps say")
    pieces = quarter_pieces(series.rows(series.quarters_asked), series.source.keys, reading)
    asked = (series.quarters_asked, series.periods_asked("H"))
    first_at, end_at = series.core
    hours = {row.at: row for row in series.rows(asked[1]) if first_at <= row.at < end_at}
    for start_at in range(first_at, end_at, 3600):
        parts = [each for each in pieces if start_at <= each.start_at < start_at + 3600]
        row = hours.get(start_at)
        whole = len(parts) * QUARTER_S == 3600
        if row is None and whole:
            return failed(f"no row of the hour {local_text(start_at, series.zone)}", *asked)
        if row is not None and not whole and not _is_sum(numbers(row, series.source.keys), parts):
            return failed(
                f"a quarter-hour of {local_text(start_at, series.zone)} is missing", *asked
            )
    return held("every quarter-hour that counts in an hour has its row, and every hour", *asked)


def _is_sum(values: Mapping[str, Decimal], parts: Sequence[Piece]) -> bool:
    return all(
        value == sum(part.values.get(key, 0) for part in parts) for key, value in values.items()
    )


_STAMP = (
    "'timestamp': <timestamp at the end of the measured period if sampling_frequency is 15T, "
    "otherwise start of the period>"
)

CHECKS = tuple(
    check
    for route in _ROUTES
    for check in (
        Check(
            f"{route}.15T_end",
            _STAMP,
            "an hour is the sum of the quarter-hours stamped in it, its end included",
            of_route(route, partial(_quarter_stamp, route)),
        ),
        *(
            Check(
                f"{route}.{frequency}_start",
                _STAMP,
                f"the stamp of a row is the first instant of a local {name}",
                of_route(route, partial(_start, frequency, route)),
            )
            for frequency, name in _PERIODS.items()
        ),
        *(
            Check(
                f"{route}.{frequency}_sum",
                "the sampling frequency of the returned data list: <total …> of the period",
                f"each {name} is the sum of its {_PARTS[frequency]}, to the last decimal",
                of_route(route, partial(_sum, frequency, route)),
            )
            for frequency, name in _PERIODS.items()
        ),
        Check(
            f"{route}.local_days",
            "'timezone' of the site, and sampling_frequency D",
            "a day is the sum of the quarter-hours between two local midnights",
            of_route(route, partial(_local_days, route)),
        ),
        Check(
            f"{route}.complete",
            "validated time series for the selected period",
            "a row for every quarter-hour that an hour counts, and for every hour of quarter-hours",
            of_route(route, partial(_complete, route)),
        ),
    )
)
