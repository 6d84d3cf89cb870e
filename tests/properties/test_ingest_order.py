"""The order of arrival does not matter, twice is once, and quarter-hours telescope."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import Receipt
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import add_building, settle_everything
from tests.depth import examples
from tests.oracle import facts as oracle

FIRST_DAY, LAST_DAY = 19_076, 19_083
START_AT = FIRST_DAY * 86_400
END_AT = (LAST_DAY + 1) * 86_400
NOW_US = END_AT * 1_000_000
HOME, SUN = "a" * 24, "b" * 24
BUILDING = oracle.Building(
    (oracle.Meter(HOME), oracle.Meter(SUN, facts=(oracle.Facts(mode="production"),)))
)


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


def takes(store: SqlStore, catalogue: SiteCatalogue, rows: Sequence[Said]) -> Receipt:
    site = catalogue.site.number
    return ingest_readings(store, site, body(catalogue, rows), "gateway", "test", NOW_US)


Answers = tuple[list[tuple[list[int], list[int], list[int]]], list[tuple[object, ...]]]


def answers(store: SqlStore, catalogue: SiteCatalogue) -> Answers:
    """What is answered of the days: totals, shares and qualities of both meters, and findings."""
    first, end = FIRST_DAY * 96, (LAST_DAY + 1) * 96
    found = []
    with store.snapshot() as snapshot:
        for meter in catalogue.meters:
            series = read_meter_series(snapshot, catalogue, meter, first, end)
            own = series.self_energy
            found.append(
                (
                    series.total.tolist(),
                    [] if own is None else own.tolist(),
                    np.maximum(series.quality_total, Quality.MISSING).tolist(),
                )
            )
        findings = read_findings(snapshot, catalogue)
    return found, [(f.rule, f.meter, f.register, f.start_at, f.end_at) for f in findings]


@st.composite
def distinct_readings(draw: st.DrawFn) -> list[Said]:
    """Readings of distinct instants: mostly rising, now and then a zero, a spike, a fall."""
    seconds = draw(st.sets(st.integers(0, 8 * 96 - 1), min_size=2, max_size=60))
    offsets = st.sampled_from((0, 0, 1, 449, 899))
    rows = []
    for position in sorted(seconds):
        at = START_AT + position * 900 + draw(offsets)
        index = draw(st.sampled_from((position * 7_013,) * 8 + (0, 9_000_000, position)))
        sun = draw(st.booleans())
        rows.append(Said(at, en_ex=index, meter=SUN) if sun else Said(at, index, meter=HOME))
    return rows


@pytest.mark.both_engines
@examples(few=5, many=25)
@given(distinct_readings(), st.data())
def test_the_order_of_arrival_does_not_matter(
    store: SqlStore, rows: list[Said], data: st.DataObject
) -> None:
    in_order, at_random = add_building(store, BUILDING), add_building(store, BUILDING)
    takes(store, in_order, rows)
    shuffled = data.draw(st.permutations(rows))
    while shuffled:
        count = data.draw(st.integers(1, len(shuffled)))
        takes(store, at_random, shuffled[:count])
        shuffled = shuffled[count:]
        if data.draw(st.booleans()):
            settle_everything(store, at_random.site.number)
    unsettled = answers(store, at_random)
    settle_everything(store, at_random.site.number)
    assert answers(store, in_order) == unsettled == answers(store, at_random)


@st.composite
def intervals_beside_boundaries(draw: st.DrawFn) -> list[Said]:
    """Values at distinct instants, many of them within a minute of one boundary."""
    near = st.tuples(st.integers(0, 2 * 96), st.sampled_from((-60, -30, -1, 0, 1, 30, 61)))
    stamps = draw(st.sets(near, min_size=2, max_size=30))
    return [
        Said(START_AT + position * 900 + beside, draw(st.integers(0, 9_000_000)), meter=HOME)
        for position, beside in sorted(stamps)
    ]


@examples(few=5, many=25)
@given(intervals_beside_boundaries(), st.sampled_from((900, 1800)), st.data())
def test_the_order_of_arrival_of_intervals_does_not_matter(
    store: SqlStore, rows: list[Said], interval_s: int, data: st.DataObject
) -> None:
    home, sun = BUILDING.meters
    building = oracle.Building((replace(home, interval_s=interval_s), sun))
    in_order, at_random = add_building(store, building), add_building(store, building)
    takes(store, in_order, rows)
    for row in data.draw(st.permutations(rows)):
        takes(store, at_random, [row])
        if data.draw(st.booleans()):
            settle_everything(store, at_random.site.number)
    settle_everything(store, at_random.site.number)
    assert answers(store, in_order) == answers(store, at_random)


@examples(few=5, many=25)
@given(distinct_readings(), st.integers(0, 60))
def test_twice_is_once(store: SqlStore, rows: list[Said], from_row: int) -> None:
    catalogue = add_building(store, BUILDING)
    takes(store, catalogue, rows)
    once = answers(store, catalogue)
    settle_everything(store, catalogue.site.number)
    for again in (rows, rows[from_row:], list(reversed(rows))):
        receipt = takes(store, catalogue, again)
        assert (receipt.accepted, receipt.unchanged) == (0, len(again))
    assert answers(store, catalogue) == once


def index_wh(readings: list[Said], at: int) -> int:
    """The rounded index at a boundary: linear between its neighbours, half up [Wh]."""
    before = [row for row in readings if row.stamp <= at][-1]
    after = next(row for row in readings if row.stamp >= at)
    assert before.en_im is not None
    assert after.en_im is not None
    span = max(1, after.stamp - before.stamp)
    numerator = before.en_im * span + (after.en_im - before.en_im) * (at - before.stamp)
    return (2 * numerator + 1_000 * span) // (2_000 * span)


@examples(few=5, many=25)
@given(
    st.lists(st.tuples(st.integers(1, 90_000), st.integers(0, 20_000_000)), min_size=2, max_size=8),
    st.integers(0, 10**15),
    st.data(),
)
def test_any_span_between_readings_sums_to_its_register_difference(
    store: SqlStore, steps: list[tuple[int, int]], first_mwh: int, data: st.DataObject
) -> None:
    stamps = START_AT + np.cumsum([step_s for step_s, _ in steps])
    indexes = first_mwh + np.cumsum([rise for _, rise in steps])
    rows = [Said(at, mwh) for at, mwh in zip(stamps.tolist(), indexes.tolist(), strict=True)]
    catalogue = add_building(store, BUILDING)
    for row in data.draw(st.permutations(rows)):
        takes(store, catalogue, [row])
        if data.draw(st.booleans()):
            settle_everything(store, catalogue.site.number)
    first, last = -(-rows[0].stamp // 900), rows[-1].stamp // 900
    if first >= last:
        return
    start = data.draw(st.integers(first, last - 1))
    end = data.draw(st.integers(start + 1, last))
    with store.snapshot() as snapshot:
        series = read_meter_series(snapshot, catalogue, catalogue.meters[0], start, end)
    assert series.total.sum() == index_wh(rows, end * 900) - index_wh(rows, start * 900)
    assert (series.total >= 0).all()
