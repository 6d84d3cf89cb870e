"""The rows of validated series: their shape, stamps and values, one answer at a time."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial

from commonwatt.conformance import published
from commonwatt.conformance.building import Building
from commonwatt.conformance.check import Check
from commonwatt.conformance.evidence import MeterSeen
from commonwatt.conformance.exchanges import Exchange
from commonwatt.conformance.fits import QUARTER_S
from commonwatt.conformance.local_periods import DAY_S
from commonwatt.conformance.row_faults import (
    decimals_fault,
    distinct_fault,
    key_fault,
    number_fault,
    offset_fault,
    order_fault,
    stamp_fault,
)
from commonwatt.conformance.rows import list_fault, numbers, objects
from commonwatt.conformance.series import (
    Series,
    Source,
    answers_of_days,
    meter_source,
    meter_sources,
    site_source,
    site_sources,
)
from commonwatt.conformance.verdicts import (
    CannotCheck,
    Habit,
    Judgement,
    departs,
    failed,
    held,
    judged,
)

_ROUTES = ("site_data", "meter_data")
_ENERGY_DECIMALS = 3
_CLOSE = Decimal("0.000001")
_ROUNDING = Decimal("0.002")
_METERS_LOOKED_AT = 5


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
        now = int(building.conversation.clock())
        source = _open_source(route, building)
        period = (now - 2 * DAY_S, now)
        return [building.ask(source.question(*period, each)) for each in published.FREQUENCIES]
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


def _quarters(route: str, building: Building) -> tuple[Series, Exchange, list[dict[str, object]]]:
    series = building.series(route)
    exchange = series.quarters_asked
    entries = objects(exchange)
    if not entries:
        raise CannotCheck("no rows at 15T where D has some")
    return series, exchange, entries


def _site_keys(building: Building) -> Judgement:
    series, exchange, entries = _quarters("site_data", building)
    return judged(key_fault(entries, series.source.keys), "every key in every row", exchange)


def _media(building: Building) -> Judgement:
    """Types other than the one that is looked at closely."""
    core = building.site_series.core
    chosen = building.site_series.source.path
    seen = []
    for medium in building.media:
        source = site_source(building.site, medium)
        exchange = building.ask(source.question(*core))
        entries = objects(exchange) if source.path != chosen else []
        fault = key_fault(entries, source.keys)
        if fault is not None:
            return failed(f"{medium}: {fault}", exchange)
        seen += [(medium, exchange)] if entries else []
    if not seen:
        raise CannotCheck("the site has data of one type of meters only")
    return held(f"every key in every row of {', '.join(name for name, _ in seen)}", seen[0][1])


def _meter_keys(building: Building) -> Judgement:
    core = building.meter_series.core
    seen = []
    for meter in _of_each_kind(building.meters):
        source = meter_source(building.site, meter)
        exchange = building.ask(source.question(*core))
        if exchange.is_refused:  # a grant may be narrower than a site
            continue
        entries = objects(exchange)
        # A consumer that takes no part in the balance has no share in the sun.
        looked_at = source.path == building.meter_series.source.path
        keys = source.keys if looked_at else published.OTHER_METER_KEYS
        fault = key_fault(entries, keys)
        if fault is not None:
            return failed(f"{meter.type}, {meter.mode}: {fault}", exchange)
        seen += [exchange] if entries else []
    if not seen:
        raise CannotCheck("no meter has rows in the days looked at")
    return held(f"every key in every row of {len(seen)} meters", *seen)


def _of_each_kind(meters: Sequence[MeterSeen]) -> list[MeterSeen]:
    kinds = {(each.type, each.mode, each.is_rule_meter): each for each in reversed(meters)}
    ranked = sorted(kinds.values(), key=lambda each: (not each.shares_sun, each.is_rule_meter))
    return ranked[:_METERS_LOOKED_AT]


def _numbers(route: str, building: Building) -> Judgement:
    series, exchange, entries = _quarters(route, building)
    return judged(number_fault(entries, series.source.keys), "every value is a number", exchange)


def _decimals(route: str, building: Building) -> Judgement:
    series, exchange, entries = _quarters(route, building)
    fault = decimals_fault(entries, series.source.keys, _ENERGY_DECIMALS)
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
        yield _quarters(route, building)[1]
    except CannotCheck:
        sources = _sources(route, building)
        asked = (exchange for source in sources for exchange in answers_of_days(building, source))
        yield from (exchange for exchange in asked if objects(exchange))


def _offset(route: str, building: Building) -> Judgement:
    series, exchange, _ = _quarters(route, building)
    rows = series.rows(exchange)
    if all(row.stamp.offset_s is None for row in rows):
        return departs(Habit.NAIVE_STAMPS, "stamps have no offset", exchange)
    return judged(offset_fault(rows, series.zone), "every offset is right", exchange)


def _order(route: str, building: Building) -> Judgement:
    series, exchange, _ = _quarters(route, building)
    return judged(order_fault(series.rows(exchange)), "in the order of time", exchange)


def _distinct(route: str, building: Building) -> Judgement:
    series, exchange, _ = _quarters(route, building)
    return judged(distinct_fault(series.rows(exchange)), "no instant twice", exchange)


def _grid(route: str, building: Building) -> Judgement:
    series, exchange, _ = _quarters(route, building)
    for row in series.rows(exchange):
        if row.at % QUARTER_S:
            return failed(f"a stamp lies {row.at % QUARTER_S} s after a quarter-hour", exchange)
    return held("every stamp is a full quarter-hour", exchange)


def _balance(building: Building) -> Judgement:
    series, exchange, _ = _quarters("site_data", building)
    if series.source.keys != published.ELECTRICITY_KEYS:
        raise CannotCheck("the site has no electricity")
    compared, near = 0, ""
    for row in series.rows(exchange):
        flows = numbers(row, published.ELECTRICITY_KEYS)
        if len(flows) < len(published.ELECTRICITY_KEYS) or _stores(row.values):
            continue
        compared += 1
        for total, other in (("conso_total", "from_ext"), ("prod_total", "to_ext")):
            off = abs(flows[total] - flows["self"] - flows[other])
            said = f"{total} {flows[total]} is not self {flows['self']} + {other} {flows[other]}"
            if off > _ROUNDING:
                return failed(said, exchange)
            near = said if off > _CLOSE else near
    if not compared:
        raise CannotCheck("in every row a battery takes part, and the page does not say how")
    if near:
        return departs(Habit.ROUNDED_APART, near, exchange)
    return held(f"the books close in {compared} rows", exchange)


def _stores(values: dict[str, object]) -> bool:
    return any(value for key, value in values.items() if key.startswith("storage_"))


def _total(building: Building) -> Judgement:
    series, exchange, _ = _quarters("meter_data", building)
    compared, near = 0, ""
    for row in series.rows(exchange):
        parts = numbers(row, published.CONSUMER_KEYS)
        if len(parts) < len(published.CONSUMER_KEYS):
            continue
        compared += 1
        off = abs(parts["total"] - parts["self"] - parts["ext"])
        said = f"total {parts['total']} is not self {parts['self']} + ext {parts['ext']}"
        if off > _ROUNDING:
            return failed(said, exchange)
        near = said if off > _CLOSE else near
    if not compared:
        raise CannotCheck("no row of a consumer of electricity has total, self and ext")
    if near:
        return departs(Habit.ROUNDED_APART, near, exchange)
    return held(f"total = self + ext in {compared} rows", exchange)


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

CHECKS = (
    *(
        Check(f"{route}.{name}", clause, expected, partial(judge, route))
        for route in _ROUTES
        for name, clause, expected, judge in _OF_EACH
    ),
    Check(
        "site_data.keys",
        "'conso_total', 'prod_total', 'from_ext', 'self', 'to_ext', 'timestamp'",
        "all keys in every row; others may be there",
        _site_keys,
    ),
    Check(
        "site_data.media",
        "meter_type: 'electricity', 'heating', 'cooling', 'cold_water', 'hot_water' or "
        "'charge_point'",
        "conso_total and timestamp in every row of types other than electricity",
        _media,
    ),
    Check(
        "site_data.balance",
        "'conso_total', 'self' … from solar PV, 'from_ext' … from the grid, 'to_ext' … exported",
        "conso_total = self + from_ext and prod_total = self + to_ext, where no battery takes part",
        _balance,
    ),
    Check(
        "meter_data.keys",
        "'total', 'self', 'ext', 'timestamp'",
        "total in every row; self and ext for a consumer of electricity",
        _meter_keys,
    ),
    Check(
        "meter_data.total",
        "If type is electricity, total = self + ext",
        "total = self + ext in every row",
        _total,
    ),
)
