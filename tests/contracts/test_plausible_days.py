"""Stamps years before all others of a meter: implausible whatever came first, and cheap."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.deliveries import reinstate_delivery, withdraw_delivery
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.first_reading import first_reading_at
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.vee.plausible_days import FAR_DAYS
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import add_building, settle_everything, stored_results
from tests.depth import examples
from tests.oracle import facts as oracle

DAY_S = 86_400
LAST_DAY = 20_240
NOW_US = (LAST_DAY + 10) * DAY_S * 1_000_000
Y2000 = 10_957
JUNE_2025 = 20_240
HOME, OTHER = "a" * 24, "b" * 24
BUILDING = oracle.Building((oracle.Meter(HOME), oracle.Meter(OTHER)))


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


def take(store: SqlStore, catalogue: SiteCatalogue, rows: Sequence[Said]) -> int:
    site = catalogue.site.number
    receipt = ingest_readings(store, site, body(catalogue, rows), "gateway", "test", NOW_US)
    assert receipt.delivery is not None
    return receipt.delivery


def believed_from(store: SqlStore, catalogue: SiteCatalogue, meter: int) -> int | None:
    with store.snapshot() as snapshot:
        spans = snapshot.readings.register_spans(catalogue.site.number, [meter])
    days = {span.plausible for span in spans[meter].values()}
    assert len(days) == 1
    [plausible] = days
    return None if plausible is None else plausible.first_day


def hanging_together(days: set[int]) -> int | None:
    """The first day of those that hang together with the newest."""
    first = max(days, default=None)
    for day in sorted(days, reverse=True):
        if first is not None and first - day <= FAR_DAYS:
            first = day
    return first


@examples(few=5, many=15)
@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 6), min_size=1, max_size=4), st.booleans(), st.booleans()),
        min_size=1,
        max_size=7,
    )
)
def test_the_same_days_are_believed_whatever_came_first(
    store: SqlStore, history: list[tuple[set[int], bool, bool]]
) -> None:
    # Some chains of days hold, one to the day; others break.
    days = [Y2000, *(Y2000 + FAR_DAYS * step // 10 for step in (5, 10, 21, 30, 40, 50))]
    catalogue = add_building(store, BUILDING)
    site, said = catalogue.site.number, dict[int, set[int]]()
    for index, (positions, turns, exports) in enumerate(history, start=1):
        rows = [Said(days[p] * DAY_S + 60 * index, en_im=index) for p in sorted(positions)]
        if exports:
            rows = [Said(row.stamp, en_ex=index) for row in rows]
        said[take(store, catalogue, rows)] = {days[p] for p in positions}
        if turns:
            number = sorted(said)[index % len(said)]
            withdraw_delivery(store, site, number, "wrong", "me", NOW_US)
            gone = said.pop(number)
            assert believed_from(store, catalogue, 1) == hanging_together(
                set().union(*said.values())
            )
            if index % 2:
                reinstate_delivery(store, site, number, "me", NOW_US)
                said[number] = gone
        assert believed_from(store, catalogue, 1) == hanging_together(set().union(*said.values()))


EARLY = [Said(Y2000 * DAY_S + 900 * n, en_im=427_708_000 + 92_000 * n) for n in (1, 2)]
LATE = [Said(JUNE_2025 * DAY_S + 900 * n, en_im=500_000_000 + 100_000 * n) for n in range(1, 9)]
BEFORE = [
    Said((JUNE_2025 - 365) * DAY_S + 900 * n, en_im=100_000 * n, meter=OTHER) for n in range(9)
]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
def test_a_clock_that_begins_with_2000_begins_nothing(
    store: SqlStore, order: tuple[int, ...]
) -> None:
    catalogue = add_building(store, BUILDING)
    site = catalogue.site.number
    for part in order:
        take(store, catalogue, (EARLY, BEFORE, LATE)[part])
        if part:
            settle_everything(store, site)
    settle_everything(store, site)
    with store.snapshot() as snapshot:
        found = read_findings(snapshot, catalogue)
        first_at = first_reading_at(snapshot, catalogue)
        [before_a_life] = snapshot.results.settled_days(
            site, Group.ELECTRICITY, JUNE_2025 - 365, JUNE_2025 - 364
        )
        balance = snapshot.results.profile(site, 2, before_a_life, before_a_life + 1)
    far = [each.start_at for each in found if each.rule is FindingRule.STAMP_FAR_BEFORE]
    assert far == [row.stamp for row in EARLY]
    assert first_at == BEFORE[0].stamp
    assert balance.im is not None
    assert balance.im.tolist()[:8] == [100] * 8
    at_once = add_building(store, BUILDING)
    take(store, at_once, [*EARLY, *BEFORE, *LATE])
    settle_everything(store, at_once.site.number)
    assert (
        stored_results(store, site)["meter_days"]
        == stored_results(store, at_once.site.number)["meter_days"]
    )


@pytest.mark.both_engines
@pytest.mark.parametrize("installed", [False, True])
def test_a_stamp_of_2000_marks_few_days(store: SqlStore, installed: bool) -> None:
    installed_at = JUNE_2025 * DAY_S if installed else None
    home = oracle.Meter(HOME, installed_at=installed_at)
    catalogue = add_building(store, oracle.Building((home, oracle.Meter(OTHER))))
    for rows in (LATE, BEFORE, EARLY, [Said(Y2000 * DAY_S + 450, en_im=5)]):
        take(store, catalogue, rows)
    with store.snapshot() as snapshot:
        dirty = snapshot.results.dirty_days(catalogue.site.number, Group.ELECTRICITY)
    # Those of the year in which anything was said, and 2000-01-01.
    assert Y2000 in dirty
    assert len(dirty) < 400
