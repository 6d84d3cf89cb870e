"""Raw readings of meters and values of sensors: shape, stamps, values, periods."""

from collections.abc import Mapping
from functools import partial

from commonwatt.conformance.check import Check
from commonwatt.conformance.judging.local_periods import local_text, utc_offset
from commonwatt.conformance.judging.published import TIMESTAMP
from commonwatt.conformance.judging.row_faults import (
    decimals_fault,
    distinct_fault,
    key_fault,
    number_fault,
    offset_fault,
    order_fault,
    stamp_fault,
)
from commonwatt.conformance.judging.rows import list_fault, rows_of
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
from commonwatt.conformance.samples.every_kind import of_route, on_every_kind
from commonwatt.conformance.samples.readings_at_hand import period_request, raw_source

_ROUTES = ("meter_data_raw", "sensor_data")
_RAW_DECIMALS = 6


def _is_list(route: str, building: Building) -> Judgement:
    exchange = building.ask(building.request(route))
    return judged(list_fault(exchange), "a list of objects came", exchange)


def _raw_keys(building: Building) -> Judgement:
    readings = building.readings("meter_data_raw")
    if not readings.source.keys:
        raise CannotCheck("the page names no register of this type of meter")
    for position, entry in enumerate(readings.entries):
        if not any(key in entry for key in readings.source.keys):
            names = ", ".join(readings.source.keys)
            return failed(f"row {position} has none of {names}", readings.exchange)
    return held("every row has a register of its meter's type", readings.exchange)


def _sensor_keys(building: Building) -> Judgement:
    readings = building.readings("sensor_data")
    fault = key_fault(readings.entries, readings.source.keys)
    return judged(fault, "every row has a value", readings.exchange)


def _numbers(route: str, building: Building) -> Judgement:
    readings = building.readings(route)
    fault = number_fault(readings.entries, readings.source.keys)
    return judged(fault, "every value is a number", readings.exchange)


def _decimals(building: Building) -> Judgement:
    readings = building.readings("meter_data_raw")
    fault = decimals_fault(readings.entries, readings.source.keys, _RAW_DECIMALS)
    if fault is not None:
        return departs(Habit.UNROUNDED, fault, readings.exchange)
    return held(f"at most {_RAW_DECIMALS} decimals in every index", readings.exchange)


def _raw_timestamps(building: Building) -> Judgement:
    readings = building.readings("meter_data_raw")
    fault = stamp_fault(readings.entries, building.zone)
    return judged(fault, "every row has a timestamp", readings.exchange)


def _raw_offset(building: Building) -> Judgement:
    readings = building.readings("meter_data_raw")
    if all(row.stamp.offset_s is None for row in readings.rows):
        return departs(Habit.NAIVE_STAMPS, "stamps have no offset", readings.exchange)
    fault = offset_fault(readings.rows, building.zone)
    return judged(fault, "every offset is right", readings.exchange)


def _sensor_timestamps(building: Building) -> Judgement:
    readings = building.readings("sensor_data")
    entries, exchange = readings.entries, readings.exchange
    fault = stamp_fault(entries, building.zone)
    if fault is None and any(isinstance(entry[TIMESTAMP], str) for entry in entries):
        return departs(Habit.TEXT_STAMPS, "a timestamp is a text", exchange)
    return judged(fault, "every timestamp is a whole number", exchange)


def _order(route: str, building: Building) -> Judgement:
    readings = building.readings(route)
    return judged(order_fault(readings.rows), "in the order of time", readings.exchange)


def _distinct(route: str, building: Building) -> Judgement:
    readings = building.readings(route)
    return judged(distinct_fault(readings.rows), "no instant twice", readings.exchange)


def _period(route: str, building: Building) -> Judgement:
    """Ask for the middle of what is known; rows on its edges may come or not.

    Rows that come in between two answers are only in the later one, so all are asked for before
    and after.
    """
    readings = building.readings(route)
    known = sorted({row.at for row in readings.rows})
    if len(known) < 4:
        raise CannotCheck("too few rows to ask for some of them")
    start_at, end_at = known[len(known) // 3], known[-2]
    exchange = building.ask(period_request(readings.source, start_at, end_at))
    got = {row.at for row in rows_of(exchange, building.zone)}
    after = rows_of(building.ask_again(readings.exchange.request), building.zone)
    known_after = {row.at for row in after}.union(known)
    for shift_s in (0, utc_offset(start_at, building.zone)):
        first_at, last_at = start_at - shift_s, end_at - shift_s
        inner = {at for at in known if first_at < at < last_at}
        allowed = {at for at in known_after if first_at <= at <= last_at}
        if inner <= got <= allowed | {first_at, last_at}:
            what = "the rows of the period came"
            if shift_s:
                return departs(Habit.LOCAL_TIMES, f"{what}, read as local time", exchange)
            return held(what, exchange)
    outside = sorted(at for at in got if not start_at <= at <= end_at)
    missing = sorted(at for at in known if start_at < at < end_at and at not in got)
    first, what = (outside[0], "outside") if outside else ((missing or [start_at])[0], "missing")
    return failed(f"a row of {local_text(first, building.zone)} is {what}", exchange)


def _latest(building: Building) -> Judgement:
    readings = building.readings("sensor_data")
    newest = max(row.at for row in readings.rows)
    # Asked after all others: a value that has come in since can only be later.
    exchange = building.ask_again(readings.source.plain_request)
    latest = max(row.at for row in rows_of(exchange, building.zone))
    if latest < newest:
        return failed(f"there is a later row, {local_text(newest, building.zone)}", exchange)
    return held("the latest value came", exchange)


def _rule_meter(building: Building) -> Judgement:
    rules = [meter for meter in building.meters if meter.is_rule_meter]
    if not rules:
        raise CannotCheck("the site has no rule meters")
    of_each_kind = {meter.kind: meter for meter in reversed(rules)}
    sources = [raw_source(building.site, meter) for meter in of_each_kind.values()]
    exchanges = [building.ask(source.plain_request) for source in sources]
    for exchange in exchanges:
        if exchange.tells_something:
            return failed(f"status {exchange.status} for the readings of a rule meter", exchange)
    return held(f"status {exchanges[0].status}, and no readings", *exchanges)


_RAW = "'timestamp': <timestamp at the end of the measured period>"
_SENSOR = "'timestamp': <int timestamp>"
_PERIOD = "time series … for the selected period; t_s, t_e: tz-naive in UTC"
_LISTS: Mapping[str, str] = {
    "meter_data_raw": "the raw time series meter data …, presented as a list of objects",
    "sensor_data": "the timeseries sensor data of the selected period as a list of objects",
}

CHECKS = (
    *(
        check
        for route in _ROUTES
        for check in (
            Check(
                f"{route}.list",
                _LISTS[route],
                "200 and a list of objects, also without a period",
                of_route(route, partial(_is_list, route)),
            ),
            Check(
                f"{route}.numbers",
                "'en_im', 'en_ex', 'heat_energy_kwh', 'vol_m3': <… index>; 'value': <float, int>",
                "numbers, never null or text",
                of_route(route, partial(_numbers, route)),
            ),
            Check(
                f"{route}.order",
                "time series",
                "rows in the order of their stamps",
                of_route(route, partial(_order, route)),
            ),
            Check(
                f"{route}.distinct",
                "time series",
                "no stamp twice",
                of_route(route, partial(_distinct, route)),
            ),
            Check(
                f"{route}.period",
                _PERIOD,
                "every row within the period and none outside; on its edges as the server likes",
                of_route(route, partial(_period, route)),
            ),
        )
    ),
    Check(
        "meter_data_raw.keys",
        "'en_im', 'en_ex' if type is electricity, 'heat_energy_kwh' …, 'vol_m3' …",
        "every row has a register of its meter's type",
        on_every_kind(_raw_keys),
    ),
    Check(
        "meter_data_raw.decimals",
        "<electricity imported meter index …>",
        "at most 6 decimals: digits beyond are noise of binary fractions",
        on_every_kind(_decimals),
    ),
    Check(
        "meter_data_raw.timestamps",
        _RAW,
        "every row has one that can be read",
        on_every_kind(_raw_timestamps),
    ),
    Check(
        "meter_data_raw.offset",
        "'timezone' of the site, and " + _RAW,
        "where a stamp has an offset it is the site's at that instant, or 0",
        on_every_kind(_raw_offset),
    ),
    Check(
        "meter_data_raw.rule_meter",
        "Available only for physical meters and not rule meters.",
        "a rule meter: an error, or an empty list",
        _rule_meter,
    ),
    Check("sensor_data.keys", "'value': <float, int>", "every row has a value", _sensor_keys),
    Check(
        "sensor_data.timestamps",
        _SENSOR,
        "a whole number in every row; seconds and milliseconds are both read",
        _sensor_timestamps,
    ),
    Check(
        "sensor_data.latest",
        "If no period is provided, the latest data is returned.",
        "without a period the row that no other is later than",
        _latest,
    ),
)
