"""The rows of validated series: their shape, their stamps, their numbers."""

from collections.abc import Iterator
from functools import partial

from commonwatt.conformance.asking.exchanges import Exchange
from commonwatt.conformance.check import Check
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.fits import QUARTER_S
from commonwatt.conformance.judging.local_periods import DAY_S
from commonwatt.conformance.judging.row_faults import (
    decimals_fault,
    distinct_fault,
    number_fault,
    offset_fault,
    order_fault,
    stamp_fault,
)
from commonwatt.conformance.judging.rows import list_fault, objects
from commonwatt.conformance.judging.verdicts import (
    CannotCheck,
    Habit,
    Judgement,
    departs,
    failed,
    held,
    judged,
)
from commonwatt.conformance.samples.building import Building
from commonwatt.conformance.samples.every_kind import of_route
from commonwatt.conformance.samples.series import Series, Source
from commonwatt.conformance.samples.series_search import (
    answers_of_days,
    meter_source,
    meter_sources,
    site_sources,
)

_ROUTES = ("site_data", "meter_data")
_ENERGY_DECIMALS = 3


def _is_list(route: str, building: Building) -> Judgement:
    exchanges = _at_every_frequency(route, building)
    for exchange in exchanges:
        fault = list_fault(exchange)
        if fault is not None:
            return failed(fault, exchange)
    return held(f"lists of objects at {', '.join(published.FREQUENCIES)}", *exchanges)


def _at_every_frequency(route: str, building: Building) -> list[Exchange]:
    """Answers with rows, or of the last two days where days cannot be found.

    How long a period may be is not published: a long one that is refused is asked for shorter.
    """
    try:
        series = building.series(route)
    except CannotCheck:
        now = int(building.session.clock())
        source = _open_source(route, building)
        period = (now - 2 * DAY_S, now)
        return [building.ask(source.request(*period, each)) for each in published.FREQUENCIES]
    longer = [
        series.asked(*series.core, each)
        if series.periods_asked(each).is_refused
        else series.periods_asked(each)
        for each in published.FREQUENCIES[1:]
    ]
    return [series.quarters_asked, *longer]


def _open_source(route: str, building: Building) -> Source:
    if route == "site_data":
        return site_sources(building)[0]
    return meter_source(building.site, building.open_meter)


def _sources(route: str, building: Building) -> list[Source]:
    return site_sources(building) if route == "site_data" else meter_sources(building)


def quarters_of(route: str, building: Building) -> tuple[Series, Exchange, list[dict[str, object]]]:
    """The series of an endpoint, its quarter-hours and their rows. Raises CannotCheck without."""
    series = building.series(route)
    exchange = series.quarters_asked
    entries = objects(exchange)
    if not entries:
        raise CannotCheck("no rows at 15T where D has some")
    return series, exchange, entries


def _numbers(route: str, building: Building) -> Judgement:
    series, exchange, entries = quarters_of(route, building)
    # Shares of meters that need none are numbers too, where they are there.
    keys = published.CONSUMER_KEYS if route == "meter_data" else series.source.keys
    return judged(number_fault(entries, keys), "every value is a number", exchange)


def _decimals(route: str, building: Building) -> Judgement:
    series, exchange, entries = quarters_of(route, building)
    keys = published.CONSUMER_KEYS if route == "meter_data" else series.source.keys
    fault = decimals_fault(entries, keys, _ENERGY_DECIMALS)
    if fault is not None:
        return departs(Habit.UNROUNDED, fault, exchange)
    return held(f"at most {_ENERGY_DECIMALS} decimals in every value", exchange)


def _timestamps(route: str, building: Building) -> Judgement:
    for exchange in _with_rows(route, building):
        fault = stamp_fault(objects(exchange), building.zone)
        return judged(fault, "every row has a timestamp", exchange)
    raise CannotCheck("no rows came")


def _with_rows(route: str, building: Building) -> Iterator[Exchange]:
    """Answers with rows: without stamps to read nothing tells where quarter-hours are."""
    try:
        yield quarters_of(route, building)[1]
    except CannotCheck:
        sources = _sources(route, building)
        asked = (
            exchange for source in sources for exchange, _ in answers_of_days(building, source)
        )
        yield from (exchange for exchange in asked if objects(exchange))


def _offset(route: str, building: Building) -> Judgement:
    series, exchange, _ = quarters_of(route, building)
    rows = series.rows(exchange)
    if all(row.stamp.offset_s is None for row in rows):
        return departs(Habit.NAIVE_STAMPS, "stamps have no offset", exchange)
    return judged(offset_fault(rows, series.zone), "every offset is right", exchange)


def _order(route: str, building: Building) -> Judgement:
    series, exchange, _ = quarters_of(route, building)
    return judged(order_fault(series.rows(exchange)), "in the order of time", exchange)


def _distinct(route: str, building: Building) -> Judgement:
    series, exchange, _ = quarters_of(route, building)
    return judged(distinct_fault(series.rows(exchange)), "no instant twice", exchange)


def _grid(route: str, building: Building) -> Judgement:
    series, exchange, _ = quarters_of(route, building)
    for row in series.rows(exchange):
        if row.at % QUARTER_S:
            return failed(f"a stamp lies {row.at % QUARTER_S} s after a quarter-hour", exchange)
    return held("every stamp is a full quarter-hour", exchange)


_STAMP = "'timestamp': <timestamp at the end of the measured period if …>"
_OF_EACH = (
    (
        "list",
        "time series data … presented as a list of objects",
        "200 and a list of objects at 15T, H, D, M and Y",
        _is_list,
    ),
    ("numbers", "'total', 'conso_total': <total …>", "numbers, never null or text", _numbers),
    (
        "decimals",
        "<total …> of measured energy",
        "kWh and m3 with at most 3 decimals: digits beyond are noise of binary fractions",
        _decimals,
    ),
    ("timestamps", _STAMP, "every row has one that can be read", _timestamps),
    (
        "offset",
        "'timezone' of the site, and " + _STAMP,
        "where a stamp has an offset it is the site's at that instant, or 0",
        _offset,
    ),
    ("order", "time series", "rows in the order of their stamps", _order),
    ("distinct", "time series", "no stamp twice", _distinct),
    ("15T_grid", "sampling_frequency 15T", "every stamp is a full quarter-hour", _grid),
)


CHECKS = tuple(
    Check(f"{route}.{name}", clause, expected, of_route(route, partial(judge, route)))
    for route in _ROUTES
    for name, clause, expected, judge in _OF_EACH
)
