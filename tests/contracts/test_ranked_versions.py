"""What a sender is surest of counts, whenever it came: measured, then estimated, no placeholder."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import Receipt
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import add_building, settle_everything, stored_results
from tests.depth import examples
from tests.oracle import facts as oracle

DAY = 19_076
START_AT = DAY * 86_400
NOW_US = (START_AT + 10 * 86_400) * 1_000_000
BUILDING = oracle.Building((oracle.Meter("a" * 24),))
RANK = {"measured": 0, "estimated": 1, "placeholder": 2}


def takes(store: SqlStore, catalogue: SiteCatalogue, rows: Sequence[Said]) -> Receipt:
    site = catalogue.site.number
    return ingest_readings(store, site, body(catalogue, rows), "gateway", "test", NOW_US)


def quarters(store: SqlStore, catalogue: SiteCatalogue, count: int) -> list[tuple[int, int]]:
    """Energy [Wh] and quality of the first quarter-hours of the day."""
    first = DAY * 96
    with store.snapshot() as snapshot:
        series = read_meter_series(snapshot, catalogue, catalogue.meters[0], first, first + count)
        assert not [f for f in read_findings(snapshot, catalogue) if f.rule != "gap"]
    return list(zip(series.total.tolist(), series.quality_total.tolist(), strict=True))


NIGHT = range(4, 20)
"""Five hours of quarters for which the sender had nothing."""
ZEROS = [Said(START_AT + 900 * n, 0, quality="placeholder") for n in NIGHT]
MEASURED = [Said(START_AT + 900 * n, (1_000 + 100 * n) * 1_000) for n in range(25)]
AROUND = [row for n, row in enumerate(MEASURED) if n not in NIGHT]


@pytest.mark.both_engines
def test_zeros_in_place_of_readings_are_a_gap_until_the_readings_come(store: SqlStore) -> None:
    home = add_building(store, BUILDING)

    receipt = takes(store, home, [*AROUND, *ZEROS])

    assert (receipt.accepted, receipt.superseding) == (25, 0)
    expected = [
        (100, Quality.MEASURED if n < 3 or n >= 20 else Quality.ESTIMATED) for n in range(24)
    ]
    assert quarters(store, home, 24) == expected
    settle_everything(store, home.site.number)
    late = takes(store, home, [MEASURED[n] for n in NIGHT])
    assert (late.accepted, late.superseding) == (16, 0)
    assert quarters(store, home, 24) == [(100, Quality.MEASURED)] * 24


@pytest.mark.parametrize("issued_us", [None, NOW_US + 10**6])
def test_zeros_that_come_after_the_readings_change_nothing(
    store: SqlStore, issued_us: int | None
) -> None:
    home = add_building(store, BUILDING)
    takes(store, home, MEASURED)
    settle_everything(store, home.site.number)
    settled = stored_results(store, home.site.number)

    later = [Said(row.stamp, 0, quality="placeholder", issued_us=issued_us) for row in ZEROS]
    receipt = takes(store, home, later)

    assert (receipt.accepted, receipt.superseding) == (16, 0)
    assert quarters(store, home, 24) == [(100, Quality.MEASURED)] * 24
    settle_everything(store, home.site.number)
    assert stored_results(store, home.site.number) == settled


@st.composite
def versions(draw: st.DrawFn) -> list[Said]:
    """Up to four versions of each reading, of any quality, each issued at its own moment."""
    moments = iter(draw(st.permutations(range(200))))
    counts = draw(st.lists(st.integers(1, 4), min_size=2, max_size=40))
    positions = [count for count, versions in enumerate(counts) for _ in range(versions)]
    return [
        Said(
            START_AT + 900 * count,
            (1_000 + 100 * count) * 1_000 + draw(st.integers(0, 90_000)),
            quality=draw(st.sampled_from(("measured", "estimated", "placeholder"))),
            issued_us=NOW_US - 10**9 + next(moments),
        )
        for count in positions
    ]


def best(said: Sequence[Said]) -> list[Said]:
    """The version of each instant that counts, worked out one by one."""
    found: dict[int, Said] = {}
    for row in said:
        known = found.get(row.stamp)
        assert row.issued_us is not None
        if known is None or (-RANK[row.quality], row.issued_us) > (
            -RANK[known.quality],
            known.issued_us or 0,
        ):
            found[row.stamp] = row
    return [row for row in found.values() if row.quality != "placeholder"]


@examples(few=5, many=25)
@given(versions(), st.data())
def test_measured_counts_before_estimated_in_any_order_of_arrival(
    store: SqlStore, said: list[Said], data: st.DataObject
) -> None:
    everything, only_the_best = add_building(store, BUILDING), add_building(store, BUILDING)
    waiting = data.draw(st.permutations(said))
    while waiting:
        count = data.draw(st.integers(1, len(waiting)))
        takes(store, everything, waiting[:count])
        waiting = waiting[count:]
        if data.draw(st.booleans()):
            settle_everything(store, everything.site.number)
    counting = best(said)
    if counting:
        takes(store, only_the_best, counting)
    for catalogue in (everything, only_the_best):
        settle_everything(store, catalogue.site.number)

    left, right = (stored_results(store, each.site.number) for each in (everything, only_the_best))
    assert left["meter_days"] == right["meter_days"]
    assert left["site_days"] == right["site_days"]
    doubts = [row for row in left["findings"] if "duplicate-reading" not in row]
    assert doubts == right["findings"]
