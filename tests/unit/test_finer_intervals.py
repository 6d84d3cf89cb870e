"""Which rows are intervals finer than the meter's, and what becomes of them."""

from dataclasses import replace

import numpy as np
import pytest

from commonwatt.domain.energy.interval_energy import JudgedIntervals, judge_intervals
from commonwatt.domain.metering.catalogue import Medium, Meter, MeterFacts, Mode, Register
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import RegisterReadings, StoredReadings, effective_readings
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.interval_totals import IntervalTotals, interval_totals

NOON = 20_620 * 86_400 + 43_200
FACTS = MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION)
METER = Meter(
    number=1,
    id="a" * 24,
    name="Flat",
    medium=Medium.ELECTRICITY,
    prim_ad=11,
    facts=(FACTS,),
    interval_s=900,
)


def judged(interval_s: int, rows: dict[int, int], worst: int = Quality.MEASURED) -> JudgedIntervals:
    """Judge rows, by seconds after noon, the first of which is of the ``worst`` quality."""
    stamps = np.array(sorted(rows), np.int64)
    at_best = np.full(len(stamps), Quality.MEASURED, np.uint8)
    at_best[0] = worst
    readings = RegisterReadings(
        stamps + NOON,
        np.array([rows[at] for at in stamps.tolist()], np.int64),
        at_best,
        np.zeros(len(stamps), np.bool_),
    )
    return judged_with(readings, interval_s, IntervalTotals())


def judged_with(
    readings: RegisterReadings, interval_s: int, totals: IntervalTotals
) -> JudgedIntervals:
    """Judge all readings of a register, of which some are totals."""
    history = RegisterHistory(
        meter=1,
        register=Register.EN_IM,
        readings=readings,
        from_start=True,
        to_end=True,
        first_positive_at=None,
        totals=totals,
    )
    return judge_intervals(history, replace(METER, interval_s=interval_s))


def energies(found: JudgedIntervals) -> dict[int, int]:
    ends = (found.accepted_stamps - NOON).tolist()
    return dict(zip(ends, found.values.tolist(), strict=True))


def rules(found: JudgedIntervals) -> list[tuple[str, int, int]]:
    return [(each.rule.value, each.start_at - NOON, each.end_at - NOON) for each in found.findings]


@pytest.mark.parametrize(
    ("interval_s", "finer_s"),
    [(900, 300), (900, 60), (1800, 300), (1800, 900), (3600, 300), (3600, 600), (3600, 1800)],
)
def test_finer_intervals_that_fill_one_are_added_up_exactly(interval_s: int, finer_s: int) -> None:
    ends = range(finer_s, 2 * interval_s + 1, finer_s)
    found = judged(interval_s, {at: 7 * at + 1 for at in ends})

    each = interval_s // finer_s
    first = sum(7 * at + 1 for at in ends[:each])
    assert energies(found) == {
        interval_s: first,
        2 * interval_s: sum(7 * a + 1 for a in ends[each:]),
    }
    assert found.findings == ()


def test_a_lost_row_makes_its_interval_missing_and_no_other() -> None:
    rows = dict.fromkeys(range(300, 3601, 300), 100)
    del rows[1200]
    found = judged(900, rows)

    assert energies(found) == {900: 300, 2700: 300, 3600: 300}
    assert rules(found) == [("interval-incomplete", 1500, 1800)]
    assert found.findings[0].evidence == {"readings": 2, "energy": 0}


def test_the_last_of_three_alone_is_no_quarter_hour() -> None:
    rows = dict.fromkeys(range(300, 3601, 300), 100)
    del rows[1200], rows[1500]

    assert energies(judged(900, rows)) == {900: 300, 2700: 300, 3600: 300}


def test_quarter_hours_before_and_after_finer_ones_stay() -> None:
    rows = {900: 5, 1800: 6} | dict.fromkeys(range(2100, 3601, 300), 1) | {4500: 7, 5400: 8}

    assert energies(judged(900, rows)) == {900: 5, 1800: 6, 2700: 3, 3600: 3, 4500: 7, 5400: 8}


def test_stamps_a_little_beside_are_taken_for_theirs() -> None:
    rows = {300 + 29: 1, 600 - 30: 2, 900 + 12: 4}

    assert energies(judged(900, rows)) == {900: 7}


def test_a_row_beside_the_quarter_hour_is_set_aside_as_ever() -> None:
    found = judged(900, {900: 5, 1500: 1, 1800: 6, 2700: 7})

    assert energies(found) == {900: 5, 1800: 6, 2700: 7}
    assert rules(found) == [("stamp-off-interval", 1500, 1500)]


def test_what_one_of_them_is_estimated_is_estimated() -> None:
    found = judged(900, {300: 1, 600: 1, 900: 1, 1200: 1, 1500: 1, 1800: 1}, Quality.ESTIMATED)

    assert found.at_best.tolist() == [Quality.ESTIMATED, Quality.MEASURED]


def said(*deliveries: dict[int, int], estimated: frozenset[int] = frozenset()) -> StoredReadings:
    """Readings of deliveries, numbered from 1, by seconds after noon."""
    rows = [(n, at, v) for n, each in enumerate(deliveries, 1) for at, v in each.items()]
    numbers, ats, values = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    count = len(rows)
    return StoredReadings(
        stamps=ats + NOON,
        values={Register.EN_IM: values},
        qualities=np.isin(numbers, list(estimated)).astype(np.uint8),
        issued_at=numbers,
        issued=np.zeros(count, np.bool_),
        ahead=np.zeros(count, np.bool_),
        deliveries=numbers,
        serials=np.zeros(count, "U1"),
    )


def settled(interval_s: int, stored: StoredReadings) -> JudgedIntervals:
    """Judge what deliveries said."""
    readings = effective_readings(stored, Register.EN_IM, ())
    totals = interval_totals(stored, Register.EN_IM, readings, (), interval_s)
    return judged_with(readings, interval_s, totals)


FINER = dict.fromkeys(range(300, 3601, 300), 400)


@pytest.mark.parametrize("interval_s", [900, 1800, 3600])
def test_totals_in_a_row_count_in_place_of_finer_intervals(interval_s: int) -> None:
    finer = dict.fromkeys(range(300, 3 * interval_s + 1, 300), 400)
    totals = {interval_s: 1_200, 2 * interval_s: 700, 3 * interval_s: 9}

    for order in ((finer, totals), (totals, finer)):
        found = settled(interval_s, said(*order))
        last_counts = (
            totals if order[0] is finer else dict.fromkeys(totals, 400 * interval_s // 300)
        )
        assert energies(found) == last_counts
        assert found.findings == ()


def test_totals_count_where_a_finer_interval_was_lost() -> None:
    finer = {at: value for at, value in FINER.items() if at not in (600, 2700)}
    found = settled(900, said(finer, {900: 1_200, 1800: 1_300, 2700: 1_400, 3600: 1_500}))

    assert energies(found) == {900: 1_200, 1800: 1_300, 2700: 1_400, 3600: 1_500}


def test_a_measured_total_counts_before_estimates_of_finer_intervals() -> None:
    found = settled(900, said({900: 1_250}, FINER, estimated=frozenset({2})))

    assert energies(found) == {900: 1_250, 1800: 1_200, 2700: 1_200, 3600: 1_200}


@pytest.mark.parametrize(
    ("later", "energy"),
    [
        pytest.param(1_200, 1_200, id="the total of what was said"),
        pytest.param(1_400, 1_400, id="nearer to the total"),
        pytest.param(450, 1_250, id="the last of three corrected"),
        pytest.param(700, None, id="nobody knows"),
        pytest.param(5_000, None, id="far from both"),
    ],
)
def test_one_total_is_told_by_its_value(later: int, energy: int | None) -> None:
    found = settled(900, said(FINER, {900: later}))

    assert energies(found).get(900) == energy
    assert rules(found) == ([] if energy else [("interval-incomplete", 300, 900)])


def test_rows_sent_one_by_one_are_added_up() -> None:
    found = settled(900, said(*({at: value} for at, value in FINER.items())))

    assert energies(found) == {900: 1_200, 1800: 1_200, 2700: 1_200, 3600: 1_200}


def test_finer_rows_sent_one_by_one_after_a_total_take_its_place() -> None:
    found = settled(900, said({900: 1_200}, {300: 300}, {600: 400}, {900: 500}))

    assert energies(found) == {900: 1_200}
