"""Which rows a period gets: t_s and t_e, naive in UTC, optional; the default frequency."""

from dataclasses import dataclass
from functools import partial

from commonwatt.conformance.asking.exchanges import Exchange, Request
from commonwatt.conformance.check import Check
from commonwatt.conformance.judging.fits import QUARTER_S
from commonwatt.conformance.judging.local_periods import DAY_S, local_text, utc_offset
from commonwatt.conformance.judging.rows import Row, list_fault
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
from commonwatt.conformance.samples.series import Series

_ROUTES = ("site_data", "meter_data")
_BEGINS_S = 6 * 3600
_LONG_S = 4 * 3600
_CLOCK_S = 1200


@dataclass(frozen=True, slots=True)
class Window:
    """A narrow period that was asked for, and the ends of the quarter-hours around it.

    ``shift_s`` is 0 where the server read the period in UTC, the zone's offset where it read it as
    local time, None where it answered neither. [start_at, end_at] is as the server read it.
    """

    exchange: Exchange
    got: frozenset[int]
    known: frozenset[int]
    start_at: int
    end_at: int
    shift_s: int | None
    offset_s: int


def look(series: Series) -> Window:
    """Ask for four hours of the core. Raises CannotCheck where rows are missing around them."""
    start_at = series.core[0] + _BEGINS_S
    end_at = start_at + _LONG_S
    exchange = series.asked(start_at, end_at)
    got = frozenset(series.quarter_ends(exchange))
    known = frozenset(series.quarter_ends(series.quarters_asked))
    offset_s = utc_offset(start_at, series.zone)
    span_s = abs(offset_s)
    if not known.issuperset(range(start_at - span_s, end_at + span_s + 1, QUARTER_S)):
        raise CannotCheck("rows are missing in and around the period")
    for shift_s in (0, offset_s):
        inner = set(range(start_at - shift_s + QUARTER_S, end_at - shift_s, QUARTER_S))
        if inner <= got <= inner | {start_at - shift_s, end_at - shift_s}:
            bounds = (start_at - shift_s, end_at - shift_s)
            return Window(exchange, got, known, *bounds, shift_s, offset_s)
    return Window(exchange, got, known, start_at, end_at, None, offset_s)


def _naive_utc(route: str, building: Building) -> Judgement:
    window = look(building.series(route))
    if window.offset_s == 0:
        raise CannotCheck("local time is UTC in the site's zone in these days")
    if window.shift_s is None:
        raise CannotCheck("the rows are those of the period neither in UTC nor in local time")
    if window.shift_s:
        return departs(Habit.LOCAL_TIMES, "the rows are those of local time", window.exchange)
    return held("the rows are those of UTC", window.exchange)


def _window(route: str, building: Building) -> Judgement:
    series = building.series(route)
    window = look(series)
    if window.shift_s is not None:
        return held(f"{len(window.got)} rows, those of the period", window.exchange)
    inner = set(range(window.start_at + QUARTER_S, window.end_at, QUARTER_S))
    outside = sorted(window.got - inner - {window.start_at, window.end_at})
    if outside:
        what = f"the row that ends {local_text(outside[0], series.zone)} lies outside the period"
    else:
        what = f"the row that ends {local_text(min(inner - window.got), series.zone)} is missing"
    return failed(what, window.exchange)


def _first_edge(route: str, building: Building) -> Judgement:
    window = _understood(building.series(route))
    if window.start_at in window.got:
        what = "a row of what was measured before t_s came"
        return departs(Habit.OPEN_EDGES, what, window.exchange)
    return held("the first row is of what was measured from t_s on", window.exchange)


def _last_edge(route: str, building: Building) -> Judgement:
    window = _understood(building.series(route))
    if window.end_at not in window.got:
        what = "the row of what was measured until t_e did not come"
        return departs(Habit.OPEN_EDGES, what, window.exchange)
    return held("the last row is of what was measured until t_e", window.exchange)


def _understood(series: Series) -> Window:
    window = look(series)
    if window.shift_s is None:
        raise CannotCheck("the rows are not those of the period")
    if series.may_start_or_end:
        raise CannotCheck("values are so alike that both ends of the period fit")
    return window


def _repeatable(route: str, building: Building) -> Judgement:
    series = building.series(route)
    narrow = look(series).exchange
    wide = {row.at: row for row in series.rows(series.quarters_asked)}
    compared = 0
    for row in series.rows(narrow):
        other = wide.get(row.at)
        if other is None:
            continue
        compared += 1
        for key in sorted(row.values.keys() & other.values.keys()):
            if str(row.values[key]) != str(other.values[key]):
                what = f"{key} at {local_text(row.at, series.zone)} is {row.values[key]} and then "
                return failed(f"{what}{other.values[key]}", narrow, series.quarters_asked)
    if not compared:
        raise CannotCheck("no quarter-hour was answered twice")
    return held(f"{compared} quarter-hours are the same in two answers", narrow)


def _optional(route: str, building: Building) -> Judgement:
    series = building.series(route)
    source = series.source
    requests = [
        Request(route, "POST", source.path, "{}"),
        source.request(series.core[0], None, "D"),
        source.request(None, series.core[1], "D"),
    ]
    exchanges = [building.ask(request) for request in requests]
    for exchange in exchanges:
        fault = list_fault(exchange)
        if fault is not None:
            return failed(f"{fault} without t_s, t_e or both", exchange)
    return held("answered without t_s, without t_e, and without both", *exchanges)


def _default_frequency(route: str, building: Building) -> Judgement:
    series = building.series(route)
    window = look(series)
    exchange = series.asked(*_bounds(series), None)
    fault = list_fault(exchange)
    if fault is not None:
        return failed(f"{fault} without sampling_frequency", exchange)
    if _plain(series.rows(exchange)) != _plain(series.rows(window.exchange)):
        return failed("the rows are not those of 15T", exchange, window.exchange)
    return held("the rows are those of 15T", exchange)


def _bounds(series: Series) -> tuple[int, int]:
    start_at = series.core[0] + _BEGINS_S
    return start_at, start_at + _LONG_S


def _plain(rows: list[Row]) -> set[int]:
    return {row.at for row in rows}


def _future(route: str, building: Building) -> Judgement:
    series = building.series(route)
    now = int(building.session.clock())
    exchange = series.asked(now - _BEGINS_S, now + 2 * DAY_S)
    fault = list_fault(exchange)
    if fault is not None:
        return failed(f"{fault} with a t_e in the future", exchange)
    late = [row.at for row in series.rows(exchange) if row.at > now + _CLOCK_S]
    if late:
        return failed(
            f"a row is stamped {local_text(late[0], series.zone)}, in the future", exchange
        )
    return held("nothing is told of the future", exchange)


_T_S = "t_s: str, optional: … the start instant of timeseries, tz-naive in UTC"
_T_E = "t_e: str, optional: … the stop instant of timeseries, tz-naive in UTC"
_OF_EACH = (
    (
        "naive_utc",
        "tz-naive in UTC",
        "the rows of the period in UTC, not in local time",
        _naive_utc,
    ),
    ("window", f"{_T_S}; {_T_E}", "every row of the period and no other", _window),
    ("t_s", _T_S, "no quarter-hour that ended at t_s", _first_edge),
    ("t_e", _T_E, "the quarter-hour that ended at t_e", _last_edge),
    (
        "repeatable",
        "validated time series",
        "a quarter-hour is answered with the same digits, whatever the period",
        _repeatable,
    ),
    ("optional", f"{_T_S}; {_T_E}", "200 and a list without t_s, t_e or both", _optional),
    (
        "default_frequency",
        "sampling_frequency: {'15T', 'H', 'D', 'M', 'Y'}, optional",
        "without it the rows of 15T, on which clients rely",
        _default_frequency,
    ),
    (
        "future",
        "validated time series",
        "a t_e in the future is answered, and no row ends in the future",
        _future,
    ),
)

CHECKS = tuple(
    Check(f"{route}.{name}", clause, expected, of_route(route, partial(judge, route)))
    for route in _ROUTES
    for name, clause, expected, judge in _OF_EACH
)
