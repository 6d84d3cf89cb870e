"""Ours beside another platform's: what is compared is what a client of ours would be answered."""

import json
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.api.climkit.columns import meter_rows
from commonwatt.api.climkit.joined_rows import render
from commonwatt.app.billing.edit_quarters import WantedEdit, edit_quarters
from commonwatt.app.readings.deliveries import withdraw_delivery
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.reference.compare import TOTALS_SOURCE, compare_reference
from commonwatt.app.reference.keep import keep_reference
from commonwatt.app.series.local_month import local_month
from commonwatt.app.series.read import read_meter_series
from commonwatt.climkit_v1.words import SamplingFrequency
from commonwatt.domain.metering.catalogue import Meter, SiteCatalogue
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.reference.comparison import MonthComparison, Reason, SeriesComparison
from commonwatt.domain.reference.reference import NO_VALUE, ReferenceQuarters
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import add_building, settle_everything
from tests.depth import examples
from tests.oracle import facts as oracle

ZONE = "Europe/Zurich"
DAY_S = 86_400
NAMES = ("total", "self", "ext")
# The ends of the months in which the clock changes: 2026-04-01 and 2026-11-01 in Zurich.
MONTH_ENDS_AT = [local_month(ZONE, month)[1] for month in ("2026-03", "2026-10")]
NOW_US = (MONTH_ENDS_AT[1] + 100 * DAY_S) * 1_000_000
HOME, GRID, SUN, COUNTED = ("a" * 24, "b" * 24, "c" * 24, "d" * 24)
BUILDING = oracle.Building(
    (
        oracle.Meter(HOME),
        oracle.Meter(GRID, facts=(oracle.Facts(mode="introduction"),)),
        oracle.Meter(SUN, facts=(oracle.Facts(mode="production"),)),
        oracle.Meter(COUNTED, interval_s=900),
    )
)
WATER = oracle.Building((oracle.Meter(HOME, medium="cold_water"),))
NOTHING = ReferenceQuarters(*(np.empty(0, np.int64) for _ in range(4)))
Column = dict[int, int]
"""Amounts [mWh, ml] by start."""


def tell(store: SqlStore, catalogue: SiteCatalogue, said: list[Said], source: str = "test") -> int:
    """Deliver readings; return the number of the delivery."""
    rows = body(catalogue, said)
    receipt = ingest_readings(store, catalogue.site.number, rows, "tester", source, NOW_US)
    assert receipt.delivery is not None
    return receipt.delivery


def answered(
    store: SqlStore, catalogue: SiteCatalogue, meter: Meter, start_at: int, end_at: int
) -> dict[str, Column]:
    """What /meter_data would answer of [start, end), by key."""
    with store.snapshot() as snapshot:
        window = start_at // 900, end_at // 900
        series = read_meter_series(snapshot, catalogue, meter, *window)
    frequency = SamplingFrequency("15T")
    rows = json.loads(render(meter_rows(series, ZONE, frequency), ZONE, frequency))
    found: dict[str, Column] = {name: {} for name in NAMES}
    for row in rows:
        at = int(datetime.fromisoformat(row["timestamp"]).timestamp()) - 900
        for name in NAMES:
            if name in row:
                found[name][at] = round(row[name] * 1e6)
    return found


def keep(
    store: SqlStore, catalogue: SiteCatalogue, meter: Meter, end_at: int, said: dict[str, Column]
) -> None:
    """Keep what another platform says up to an instant."""
    starts_at = sorted({at for column in said.values() for at in column})
    columns = (
        np.array([said.get(name, {}).get(at, NO_VALUE) for at in starts_at], np.int64)
        for name in NAMES
    )
    quarters = ReferenceQuarters(np.array(starts_at, np.int64), *columns)
    span = (min(starts_at, default=end_at), end_at)
    keep_reference(store, catalogue.site.number, meter.id, span, quarters)


def some_days(chance: Random, start_at: int, end_at: int) -> list[Said]:
    """Readings of all meters, with gaps; those of the home may be an hour apart."""
    step_s = chance.choice((900, 3600))
    said = []
    for at in range(start_at, end_at + 1, 900):
        quarter = (at - start_at) // 900
        if at % step_s == 0 and chance.random() < 0.97:
            said.append(Said(at + chance.randrange(60), quarter * 90_500, meter=HOME))
        if chance.random() < 0.99:
            said.append(Said(at, quarter * 60_250, quarter * 7_000, meter=GRID))
        said.append(Said(at, None, quarter * 40_000, meter=SUN))
        if chance.random() < 0.95:
            said.append(Said(at, 12_000 + quarter % 7 * 400, meter=COUNTED))
    return said


def distorted(chance: Random, ours: Column, start_at: int, end_at: int) -> Column:
    """What another platform may say instead: nearly the same, with holes and more besides."""
    theirs = {}
    for at in range(start_at, end_at, 900):
        if at in ours and chance.random() < 0.9:
            shift = chance.choice((0, 0, 0, 400, 1000, -1000, 1001, -30_000, 10**13))
            theirs[at] = ours[at] + shift
        elif chance.random() < 0.3:
            theirs[at] = chance.randrange(-5_000, 50_000)
    return theirs


def month_of(at: int) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(ZONE)).strftime("%Y-%m")


def naive(ours: Column, theirs: Column) -> tuple[int, ...]:
    both = ours.keys() & theirs.keys()
    return (
        sum(ours.values()),
        sum(theirs.values()),
        sum(ours[at] - theirs[at] for at in both),
        len(both),
        sum(abs(ours[at] - theirs[at]) > 1000 for at in both),
        len(ours.keys() - theirs.keys()),
        len(theirs.keys() - ours.keys()),
    )


def numbers(found: SeriesComparison) -> tuple[int, ...]:
    return (
        *(found.ours, found.theirs, found.difference, found.both),
        *(found.differing, found.only_ours, found.only_theirs),
    )


@examples(few=3, many=15)
@given(st.integers(0, 2**32))
def test_months_are_those_of_single_quarter_hours(store: SqlStore, seed: int) -> None:
    chance = Random(seed)
    catalogue = add_building(store, BUILDING)
    site, month_end_at = catalogue.site.number, chance.choice(MONTH_ENDS_AT)
    start_at, end_at = month_end_at - 8 * DAY_S, month_end_at + DAY_S
    tell(store, catalogue, some_days(chance, start_at, end_at))
    marks, expected = {}, {}
    for meter in catalogue.meters:
        ours = answered(store, catalogue, meter, start_at - DAY_S, end_at + DAY_S)
        theirs = {
            name: distorted(chance, column, start_at, end_at)
            for name, column in ours.items()
            if column or chance.random() < 0.5
        }
        marks[meter.id] = end_at - 900 * chance.randrange(200)
        theirs = {
            name: {at: value for at, value in column.items() if at < marks[meter.id]}
            for name, column in theirs.items()
        }
        keep(store, catalogue, meter, marks[meter.id], theirs)
        months = {month_of(at) for column in theirs.values() for at in column}
        for month in months:
            for name in NAMES:
                columns = [
                    {
                        at: value
                        for at, value in said.get(name, {}).items()
                        if month_of(at) == month and at < marks[meter.id]
                    }
                    for said in (ours, theirs)
                ]
                if name == "total" or any(columns):
                    expected[meter.id, month, name] = naive(*columns)

    for _ in ("dirty", "settled"):
        found = {
            (each.meter.id, each.month, name): numbers(series)
            for each in compare_reference(store, site)
            for name, series in each.series.items()
        }
        assert found == expected
        settle_everything(store, site)


def a_day(store: SqlStore, building: oracle.Building = BUILDING) -> tuple[SiteCatalogue, int]:
    """A building, and the start of its 2nd of April 2026."""
    return add_building(store, building), MONTH_ENDS_AT[0] + DAY_S


def only(store: SqlStore, catalogue: SiteCatalogue) -> MonthComparison:
    (found,) = compare_reference(store, catalogue.site.number)
    return found


def test_a_month_tells_what_and_when_it_is(store: SqlStore) -> None:
    catalogue, at = a_day(store)
    keep(store, catalogue, catalogue.meters[1], at + 1800, {"total": {at: 1, at + 900: 2}})
    found = only(store, catalogue)

    assert (found.meter, found.month) == (catalogue.meters[1], "2026-04")
    assert (found.start_at, found.end_at) == (MONTH_ENDS_AT[0], at + 1800)
    assert list(found.series) == ["total"]


def test_without_anything_kept_there_is_nothing_to_compare(store: SqlStore) -> None:
    catalogue, at = a_day(store)
    tell(store, catalogue, [Said(at, 0), Said(at + 900, 5_000)])
    assert compare_reference(store, catalogue.site.number) == []


@pytest.mark.both_engines
def test_months_come_by_meter_and_month_and_only_those_that_were_said(store: SqlStore) -> None:
    catalogue, at = a_day(store)
    home, grid = catalogue.meters[:2]
    march_at, april_at = MONTH_ENDS_AT[0] - 900, MONTH_ENDS_AT[0]
    keep(store, catalogue, grid, at + 900, {"total": {march_at: 1, at: 1}})
    # That UTC day is in part the first of April in Zurich, of which nothing is said.
    keep(store, catalogue, home, march_at + 900, {"total": {march_at: 1}})

    found = compare_reference(store, catalogue.site.number)

    assert [(each.meter.id, each.month) for each in found] == [
        *((home.id, "2026-03"), (grid.id, "2026-03"), (grid.id, "2026-04"))
    ]
    # Within a UTC day of March.
    keep(store, catalogue, home, april_at + 900, {"total": {april_at: 1}})
    keep_reference(store, catalogue.site.number, grid.id, (at, at + 900), NOTHING)
    found = compare_reference(store, catalogue.site.number)
    assert [(each.meter.id, each.month) for each in found] == [
        *((home.id, "2026-03"), (home.id, "2026-04"), (grid.id, "2026-03"))
    ]


def test_a_consumer_s_quarter_hour_without_books_is_not_answered(store: SqlStore) -> None:
    catalogue, at = a_day(store)
    home = catalogue.meters[0]
    site = catalogue.site.number
    said = [Said(at + 900 * n, 5_000 * n, meter=HOME) for n in range(3)]
    said += [Said(at + 900 * n, 0, 0, meter=GRID) for n in range(3)]
    said += [Said(at + 900 * n, 0, meter=COUNTED) for n in range(1, 3)]
    tell(store, catalogue, said)
    theirs = dict.fromkeys((at, at + 900), 5_000)
    keep(store, catalogue, home, at + 1800, {"total": theirs, "self": theirs})
    assert only(store, catalogue).is_equal is False  # theirs has no ext
    assert only(store, catalogue).series["total"].is_equal

    # The grid meter is unknown then, so nobody's share is known.
    grid = catalogue.meters[1].id
    wanted = WantedEdit(meter_id=grid, start_at=at, end_at=at + 900, energy=None, reason="broken")
    edit_quarters(store, site, wanted, "me", NOW_US)

    total = only(store, catalogue).series["total"]
    assert (total.ours, total.theirs, total.only_theirs, total.both) == (5_000, 10_000, 1, 1)


def test_water_is_compared_in_millilitres(store: SqlStore) -> None:
    catalogue, at = a_day(store, WATER)
    tell(store, catalogue, [Said(at + 900 * n, vol_m3=[0, 4_000, 8_600][n]) for n in range(3)])
    # Litres at the boundaries: 0, 4, 9.
    theirs = {"total": {at: 5_001, at + 900: 4_000}}
    keep(store, catalogue, catalogue.meters[0], at + 1800, theirs)

    total = only(store, catalogue).series["total"]

    assert (total.ours, total.theirs, total.difference) == (9_000, 9_001, -1)
    assert total.differing == 1


def test_quality_tells_of_what_differs(store: SqlStore) -> None:
    catalogue, at = a_day(store, WATER)
    hours = (0, 15, 30, 30 + 48 * 60)
    tell(store, catalogue, [Said(at + 60 * minutes, vol_m3=1000 * minutes) for minutes in hours])
    theirs = dict.fromkeys(range(at, at + 10 * 900, 900), 15_000)
    theirs |= {at: 99_000, at + 900: 99_000, at + 1800: 99_000, at + 2700: 99_000}
    keep(store, catalogue, catalogue.meters[0], at + 10 * 900, {"total": theirs})

    total = only(store, catalogue).series["total"]

    assert total.differing == 4
    assert total.differing_qualities == {Quality.ESTIMATED: 2}


def test_a_month_without_readings_that_count_says_so(store: SqlStore) -> None:
    catalogue, at = a_day(store)
    home = catalogue.meters[0]
    keep(store, catalogue, home, at + 900, {"total": {at: 5_000}})
    assert only(store, catalogue).reasons == {Reason.NO_READINGS}

    last_at = local_month(ZONE, "2026-04")[1]
    tell(store, catalogue, [Said(MONTH_ENDS_AT[0] - 1, 0), Said(last_at, 10_000)])
    assert only(store, catalogue).reasons == {Reason.NO_READINGS}
    number = tell(store, catalogue, [Said(last_at - 1, 10_000)])
    assert only(store, catalogue).reasons == set()

    withdraw_delivery(store, catalogue.site.number, number, "wrong", "me", NOW_US)
    assert only(store, catalogue).reasons == {Reason.NO_READINGS}
    tell(store, catalogue, [Said(MONTH_ENDS_AT[0], 0, quality="placeholder")])
    assert only(store, catalogue).reasons == {Reason.NO_READINGS}


@pytest.mark.parametrize(("offset_s", "counts"), [(0, False), (900, True)])
def test_an_interval_counts_where_it_begins(store: SqlStore, offset_s: int, counts: bool) -> None:
    catalogue, at = a_day(store)
    counted = catalogue.meters[3]
    keep(store, catalogue, counted, at + 900, {"total": {at: 5_000}})
    for month_at in (MONTH_ENDS_AT[0], local_month(ZONE, "2026-04")[1] - 900):
        # The first interval of a month ends a quarter-hour into it, the last one at its end.
        stamp = month_at + offset_s
        number = tell(store, catalogue, [Said(stamp, 5_000, meter=COUNTED)])
        is_inside = counts if month_at == MONTH_ENDS_AT[0] else True
        assert (only(store, catalogue).reasons == set()) is is_inside
        withdraw_delivery(store, catalogue.site.number, number, "again", "me", NOW_US)


def test_a_meter_fed_from_their_totals_says_so(store: SqlStore) -> None:
    catalogue, at = a_day(store)
    home, _, _, counted = catalogue.meters
    own = [Said(at + 900, 5_000, meter=COUNTED), Said(at + 900, 5_000, meter=HOME)]
    for meter in (home, counted):
        keep(store, catalogue, meter, at + 1800, {"total": {at: 5_000}})
    tell(store, catalogue, own)
    assert [each.reasons for each in compare_reference(store, catalogue.site.number)] == [
        *(set(), set())
    ]

    tell(store, catalogue, [Said(at + 2700, 5_000, meter=COUNTED)], "mirror api.example.org")
    found = compare_reference(store, catalogue.site.number)
    assert [each.reasons for each in found] == [set(), set()]

    copied = [Said(at + 1800, 5_000, meter=COUNTED), Said(at + 1800, 9_000, meter=HOME)]
    number = tell(store, catalogue, copied, TOTALS_SOURCE + "api.example.org")
    found = compare_reference(store, catalogue.site.number)
    # An index meter has readings of its own, whoever delivered them.
    assert [each.reasons for each in found] == [set(), {Reason.FROM_TOTALS}]

    withdraw_delivery(store, catalogue.site.number, number, "wrong", "me", NOW_US)
    found = compare_reference(store, catalogue.site.number)
    assert [each.reasons for each in found] == [set(), set()]


def test_a_rule_meter_is_compared_and_lacks_no_readings(store: SqlStore) -> None:
    rule = (oracle.Operand(1, HOME), oracle.Operand(1, COUNTED))
    building = oracle.Building(
        (
            oracle.Meter(HOME),
            oracle.Meter(COUNTED, interval_s=900),
            oracle.Meter("e" * 24, facts=(oracle.Facts(rule=rule, balance=False),)),
        )
    )
    catalogue, at = a_day(store, building)
    said = [Said(at, 0), Said(at + 900, 5_000), Said(at + 900, 3_000, meter=COUNTED)]
    tell(store, catalogue, said)
    keep(store, catalogue, catalogue.meters[2], at + 900, {"total": {at: 8_000}})

    found = only(store, catalogue)

    assert found.series["total"].both == 1
    assert found.is_equal
    assert found.reasons == set()
