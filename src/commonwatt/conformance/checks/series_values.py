"""The values of validated series: documented keys, and what has to add up."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from commonwatt.conformance.check import Check
from commonwatt.conformance.checks.series_rows import quarters_of
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.row_faults import (
    key_fault,
)
from commonwatt.conformance.judging.rows import numbers, objects
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
from commonwatt.conformance.samples.every_kind import on_every_kind
from commonwatt.conformance.samples.series_search import site_source

_CLOSE = Decimal("0.000001")
_ROUNDING = Decimal("0.002")


def _site_keys(building: Building) -> Judgement:
    series, exchange, entries = quarters_of("site_data", building)
    return judged(key_fault(entries, series.source.keys), "every key in every row", exchange)


def _media(building: Building) -> Judgement:
    """Types other than the one that is looked at closely."""
    core = building.site_series.core
    chosen = building.site_series.source.path
    seen = []
    for medium in building.media:
        source = site_source(building.site, medium)
        exchange = building.ask(source.request(*core))
        entries = objects(exchange) if source.path != chosen else []
        fault = key_fault(entries, source.keys)
        if fault is not None:
            return failed(f"{medium}: {fault}", exchange)
        seen += [(medium, exchange)] if entries else []
    if not seen:
        raise CannotCheck("the site has data of one type of meters only")
    return held(f"every key in every row of {', '.join(name for name, _ in seen)}", seen[0][1])


def _meter_keys(building: Building) -> Judgement:
    _, exchange, entries = quarters_of("meter_data", building)
    keys: Sequence[str] = building.meter_series.source.keys
    if all(meter.is_rule_meter for meter in building.meters) and not _has_shares(entries):
        # A rule meter that takes no part in the balance has no share in the sun.
        keys = published.OTHER_METER_KEYS
    return judged(key_fault(entries, keys), "every key in every row", exchange)


def _has_shares(entries: Sequence[Mapping[str, object]]) -> bool:
    return any({"self", "ext"} & entry.keys() for entry in entries)


def _balance(building: Building) -> Judgement:
    series, exchange, _ = quarters_of("site_data", building)
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
    return held(f"the balance closes in {compared} rows", exchange)


def _stores(values: dict[str, object]) -> bool:
    return any(value for key, value in values.items() if key.startswith("storage_"))


def _total(building: Building) -> Judgement:
    series, exchange, _ = quarters_of("meter_data", building)
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


CHECKS = (
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
        on_every_kind(_meter_keys),
    ),
    Check(
        "meter_data.total",
        "If type is electricity, total = self + ext",
        "total = self + ext in every row",
        on_every_kind(_total),
    ),
)
