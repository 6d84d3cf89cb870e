"""The longest gap that is estimated, through the store: energy, memory, reference days."""

from collections.abc import Sequence

import numpy as np
import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.findings.read import read_findings
from commonwatt.app.series.read import MeterSeries, read_meter_series
from commonwatt.domain.energy.register_gaps import EstimatedSpan
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.quality import Method, Quality
from tests.contracts.stored_results import (
    add_building,
    deliver,
    settle_everything,
    stored_results,
)
from tests.oracle import facts as oracle

DAY_S = 86_400
FIRST_DAY = 19_076
NOW_US = (FIRST_DAY + 900) * DAY_S * 1_000_000
BUILDING = oracle.Building((oracle.Meter("a" * 24),))
LONGEST_DAYS = 400
GAP_WH = 1_234_567


def day_of_readings(day: int, base_wh: int) -> tuple[oracle.Row, ...]:
    """A day of quarter-hours, midnight to midnight: 10 Wh each by night, 40 Wh each by day."""
    rises = [10 if quarter < 28 or quarter >= 80 else 40 for quarter in range(96)]
    start_at = (FIRST_DAY + day) * DAY_S
    return tuple(
        oracle.Row(start_at + 900 * count, {"en_im": (base_wh + sum(rises[:count])) * 1_000})
        for count in range(97)
    )


DAY_WH = 52 * 40 + 44 * 10
BEFORE = day_of_readings(0, 1_000)


def after(gap_s: int) -> tuple[oracle.Row, ...]:
    """A day of readings that begins so long after the first day."""
    later_s = gap_s - LONGEST_DAYS * DAY_S
    rows = day_of_readings(LONGEST_DAYS + 1, 1_000 + DAY_WH + GAP_WH)
    return tuple(oracle.Row(row.stamp + later_s, row.values) for row in rows)


def say(store: SqlStore, catalogue: SiteCatalogue, rows: Sequence[oracle.Row]) -> None:
    deliver(store, catalogue.site.number, catalogue.meters[0], tuple(rows), NOW_US)


def read_gap(store: SqlStore, catalogue: SiteCatalogue, gap_s: int) -> MeterSeries:
    """The quarter-hours between the two days of readings."""
    first = (FIRST_DAY + 1) * 96
    with store.snapshot() as snapshot:
        return read_meter_series(
            snapshot, catalogue, catalogue.meters[0], first, first + gap_s // 900
        )


def remembered(store: SqlStore, catalogue: SiteCatalogue) -> list[EstimatedSpan]:
    with store.snapshot() as snapshot:
        return list(
            snapshot.results.estimated_spans(catalogue.site.number, FIRST_DAY, FIRST_DAY + 900)
        )


@pytest.mark.parametrize("readings_first", [BEFORE, after(LONGEST_DAYS * DAY_S)])
def test_four_hundred_days_are_estimated_by_shape_and_remembered_as_one(
    store: SqlStore, readings_first: tuple[oracle.Row, ...]
) -> None:
    home, gap_s = add_building(store, BUILDING), LONGEST_DAYS * DAY_S
    for rows in (readings_first, BEFORE, after(gap_s)):
        say(store, home, rows)
        settle_everything(store, home.site.number)

    series = read_gap(store, home, gap_s)

    assert int(series.total.sum()) == GAP_WH
    assert set(series.quality_total.tolist()) == {Quality.ESTIMATED}
    by_day, by_night = (int(series.total[start : start + 12].sum()) for start in (44, 84))
    assert by_day > 3 * by_night
    with store.snapshot() as snapshot:
        site, days = home.site.number, (FIRST_DAY + 1, FIRST_DAY + 1 + LONGEST_DAYS)
        assert set(snapshot.results.methods(site, 1, *days).tolist()) == {Method.SHAPE}
    [span] = remembered(store, home)
    assert (span.first_day, span.end_day) == (FIRST_DAY + 1, FIRST_DAY + 1 + LONGEST_DAYS)


def test_a_second_more_is_missing_and_not_remembered(store: SqlStore) -> None:
    home, gap_s = add_building(store, BUILDING), LONGEST_DAYS * DAY_S + 1
    say(store, home, (*BEFORE, *after(gap_s)))
    settle_everything(store, home.site.number)

    series = read_gap(store, home, gap_s)

    assert set(series.quality_total.tolist()) == {Quality.MISSING}
    assert remembered(store, home) == []
    with store.snapshot() as snapshot:
        [gap] = read_findings(snapshot, home)
    assert gap.evidence == {"seconds": gap_s, "energy": GAP_WH}


def test_a_donor_that_is_corrected_moves_all_four_hundred_days(store: SqlStore) -> None:
    """Settled step by step, with every day of the gap again, as if told at once."""
    stepwise, at_once = add_building(store, BUILDING), add_building(store, BUILDING)
    gap_s = LONGEST_DAYS * DAY_S
    noon = BEFORE[48]
    corrected = oracle.Row(noon.stamp, {"en_im": noon.values["en_im"] + 30_000})
    for home in (stepwise, at_once):
        for rows in (BEFORE, after(gap_s), (corrected,)):
            say(store, home, rows)
            if home is stepwise:
                settle_everything(store, home.site.number)
        settle_everything(store, home.site.number)

    left, right = (stored_results(store, each.site.number) for each in (stepwise, at_once))
    assert left == right
    uncorrected = add_building(store, BUILDING)
    say(store, uncorrected, (*BEFORE, *after(gap_s)))
    totals = [read_gap(store, home, gap_s).total for home in (stepwise, uncorrected)]
    moved = np.flatnonzero(totals[0] != totals[1]) // 96
    assert len(np.unique(moved)) == LONGEST_DAYS
    assert int(totals[0].sum()) == int(totals[1].sum()) == GAP_WH


@pytest.mark.both_engines
def test_a_reading_within_parts_the_gap_and_its_memory(store: SqlStore) -> None:
    home, gap_s = add_building(store, BUILDING), LONGEST_DAYS * DAY_S
    say(store, home, (*BEFORE, *after(gap_s)))
    settle_everything(store, home.site.number)
    middle = oracle.Row((FIRST_DAY + 201) * DAY_S, {"en_im": (1_000 + DAY_WH + 1_000_000) * 1_000})

    say(store, home, (middle,))
    settle_everything(store, home.site.number)

    totals = read_gap(store, home, gap_s).total
    assert int(totals[: 200 * 96].sum()) == 1_000_000
    assert int(totals[200 * 96 :].sum()) == GAP_WH - 1_000_000
    spans = sorted((each.first_day, each.end_day) for each in remembered(store, home))
    assert spans == [(FIRST_DAY + 1, FIRST_DAY + 201), (FIRST_DAY + 201, FIRST_DAY + 401)]
